"""What is done with the inventory across rows: registering, importing, sealing anew."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from inventory.device_csv import MAX_ROWS, Row, read_rows
from inventory.errors import AlreadyThere, ImportRefused, Invalid, NotFound, SecretUnreadable
from inventory.jump_hosts import JumpHost
from inventory.login.services import rotate_factors
from inventory.models import Credential, Device, Tenant
from inventory.platforms import registry
from inventory.secrets import is_stale, open_sealed

Kind = Literal["added", "updated", "unchanged"]
COMPARED = ("address", "port", "platform", "credential_id", "jump_host_id", "site", "tags", "enabled")
BATCH = 500
ALIKE = ", and capitals do not tell names apart"
DETECT = "detect"  # in place of a platform: look at the device and find out
MAX_DETECTED = 1_000  # devices of one file that are looked at
YES, NO = ("yes", "true", "1", "on", ""), ("no", "false", "0", "off")


def add_tenant(name: str) -> Tenant:
    """Register a tenant. Raises Invalid or AlreadyThere."""
    if there := Tenant.objects.filter(name__iexact=name).first():
        raise AlreadyThere(f"There is a tenant {there.name!r} already{'' if there.name == name else ALIKE}.")
    tenant = Tenant(name=name)
    save_valid(tenant)
    return tenant


def add_credential(
    tenant: Tenant, name: str, username: str, secrets: Mapping[str, str], *, source: str = "database", there: str = ""
) -> Credential:
    """Register a credential with its secrets, named as in Credential.SECRETS, or with where they are kept.

    Raises Invalid or AlreadyThere.
    """
    if Credential.objects.filter(tenant=tenant, name=name).exists():
        raise AlreadyThere(f"Tenant {tenant} has a credential {name!r} already.")
    here = source == Credential.Source.DATABASE
    if here and not secrets.get("password") and not secrets.get("private_key"):
        raise Invalid(f"Credential {name!r} needs a password or a private key.")
    check_private_key(secrets.get("private_key", ""), secrets.get("passphrase", ""))
    credential = Credential(tenant=tenant, name=name, username=username, source=source, source_name=there)
    for secret, text in secrets.items():
        credential.set_secret(secret, text)
    save_valid(credential)
    return credential


def add_jump_host(
    tenant: Tenant, name: str, *, address: str, port: int, credential: str, through: str | None = None
) -> JumpHost:
    """Register a jump host; credential and the jump host before it by name. Raises Invalid, AlreadyThere, NotFound."""
    if JumpHost.objects.filter(tenant=tenant, name=name).exists():
        raise AlreadyThere(f"Tenant {tenant} has a jump host {name!r} already.")
    known = known_of(tenant)
    if credential not in known.credentials:
        raise NotFound(f"Tenant {tenant} has no credential {credential!r}{near(credential, known.credentials)}.")
    if through and through not in known.jump_hosts:
        raise NotFound(f"Tenant {tenant} has no jump host {through!r}{near(through, known.jump_hosts)}.")
    row = JumpHost(tenant=tenant, name=name, address=address, port=port, credential=known.credentials[credential])
    row.through = known.jump_hosts[through] if through else None
    save_valid(row)
    return row


def save_valid(row: Tenant | Credential | JumpHost) -> None:
    """Check the row in full, then save it."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    row.save(force_insert=True)


def check_private_key(text: str, passphrase: str) -> None:
    """Raise Invalid for a private key that would be refused at the first login. An empty text is no key."""
    if not text:
        return
    load = load_ssh_private_key if "OPENSSH PRIVATE KEY" in text else load_pem_private_key
    try:
        load(text.encode(), passphrase.encode() or None)
    except TypeError as error:  # how `cryptography` says that a passphrase is missing, or was given for nothing
        raise Invalid(
            "The private key is not encrypted, so leave the passphrase empty."
            if passphrase
            else "The private key is encrypted; give its passphrase too."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid(
            "The private key cannot be read, or its passphrase is wrong; it has to be in PEM or OpenSSH form."
        ) from error


class Change(NamedTuple):
    """What a row of a file means for one device."""

    line: int
    kind: Kind
    device: Device
    fields: tuple[str, ...]  # those of an existing device that differ


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or in a dry run would do."""

    changes: tuple[Change, ...]
    dry_run: bool

    def of_kind(self, kind: Kind) -> list[Device]:
        """Devices that were added, updated or left unchanged."""
        return [change.device for change in self.changes if change.kind == kind]

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        kinds: tuple[Kind, ...] = ("added", "updated", "unchanged")
        return {kind: len(self.of_kind(kind)) for kind in kinds}


@dataclass
class Known:
    """What the rows of a file may refer to."""

    tenant: Tenant
    devices: dict[str, Device]
    credentials: dict[str, Credential]
    jump_hosts: dict[str, JumpHost]
    platforms: set[str] = field(default_factory=lambda: {sheet.slug for sheet in registry.platforms()})


def import_devices(
    tenant: Tenant,
    data: bytes,
    *,
    dry_run: bool = False,
    max_rows: int = MAX_ROWS,
    max_detected: int = MAX_DETECTED,
) -> ImportResult:
    """Add and update a tenant's devices from a CSV file (`inventory/device_csv.py`), all of them or none.

    A device is known by its name. An optional column that the file does not have leaves what is there untouched.
    A platform `detect` is found out by looking at the device (`settings.NETCAIRN_RECOGNISE`), before anything is
    locked. Raises ImportRefused with every problem of every row.
    """
    rows = with_platforms(read_rows(data, max_rows=max_rows), tenant, max_detected)
    try:
        with transaction.atomic():
            # Two imports at the same time would each add what the other adds. Others may go on referring to the tenant.
            Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
            changes = changes_of(rows, known_of(tenant))
            if not dry_run:
                write_changes(changes)
    except IntegrityError as error:
        raise ImportRefused(["Somebody added one of these devices at the same moment; try again."]) from error
    return ImportResult(changes, dry_run)


@dataclass(frozen=True)
class Recognised:
    """What a look at a device told: its platform's slug, empty when that is not sure; and a sentence."""

    slug: str
    told: str


def with_platforms(rows: list[Row], tenant: Tenant, most: int) -> list[Row]:
    """The rows, those that leave the platform to us with what their devices run. Raises ImportRefused."""
    unknown = [row for row in rows if row.cells["platform"].lower() == DETECT]
    if not unknown:
        return rows
    if len(unknown) > most:
        raise ImportRefused([f"The file has {len(unknown):,} devices to detect; at most {most:,} are looked at."])
    known = known_of(tenant)
    known.platforms.update(row.cells["platform"] for row in unknown)
    devices = [change.device for change in changes_of(unknown, known)]
    found = import_string(settings.NETCAIRN_RECOGNISE)(devices)
    problems = [sentence(row.line, one.told) for row, one in zip(unknown, found, strict=True) if not one.slug]
    if problems:
        raise ImportRefused(problems)
    slugs = {row.line: one.slug for row, one in zip(unknown, found, strict=True)}
    return [replace(row, cells={**row.cells, "platform": slugs.get(row.line, row.cells["platform"])}) for row in rows]


def known_of(tenant: Tenant) -> Known:
    """Ask once, not for each row."""
    return Known(
        tenant=tenant,
        devices={device.name: device for device in Device.objects.filter(tenant=tenant).select_related("credential")},
        credentials={credential.name: credential for credential in Credential.objects.filter(tenant=tenant)},
        jump_hosts={jump_host.name: jump_host for jump_host in JumpHost.objects.filter(tenant=tenant)},
    )


def changes_of(rows: Iterable[Row], known: Known) -> tuple[Change, ...]:
    """What the rows would do. Raises ImportRefused."""
    changes, problems, lines = [], [], dict[str, int]()
    for row in rows:
        name = row.cells["name"]
        found = dict(row_problems(row, known))
        if name and name in lines:
            found["name"] = f"device {name!r} stands in line {lines[name]} already"
        lines.setdefault(name, row.line)
        change, invalid = change_of(row, known, wrong=found)
        problems += [sentence(row.line, problem) for problem in (*found.values(), *invalid)]
        changes.append(change)
    if problems:
        raise ImportRefused(problems)
    return tuple(changes)


def sentence(line: int, problem: str) -> str:
    """A problem with its line."""
    return f"Line {line}: {problem}" + ("" if problem.endswith(("?", ".")) else ".")


def row_problems(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    """What is wrong with a row beyond the rules of the device's fields: column and problem."""
    cells = row.cells
    yield from ((column, f"the {column} is empty") for column in ("name", "address", "platform") if not cells[column])
    if not is_port(cells["port"] or "22"):
        yield "port", f"port {cells['port']!r} is not a number from 1 to 65535"
    if cells["platform"] and cells["platform"] not in known.platforms:
        yield "platform", f"there is no platform {cells['platform']!r}{near(cells['platform'], known.platforms)}"
    if cells["credential"] and cells["credential"] not in known.credentials:
        hint = near(cells["credential"], known.credentials)
        yield "credential", f"tenant {known.tenant} has no credential {cells['credential']!r}{hint}"
    if cells.get("enabled", "").lower() not in YES + NO:
        yield "enabled", f"enabled is {cells['enabled']!r}; write yes or no"
    if cells.get("jump_host") and cells["jump_host"] not in known.jump_hosts:
        hint = near(cells["jump_host"], known.jump_hosts)
        yield "jump_host", f"tenant {known.tenant} has no jump host {cells['jump_host']!r}{hint}"
    if cells.get("tenant", known.tenant.name) not in ("", known.tenant.name):
        yield "tenant", f"the row is of tenant {cells['tenant']!r}, but the import is for {known.tenant}"


def is_port(text: str) -> bool:
    """Whether the text is a TCP port."""
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535


def near(name: str, names: Iterable[str]) -> str:
    """The likeliest slip of the pen, to be said after an unknown name."""
    found = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def change_of(row: Row, known: Known, *, wrong: Mapping[str, str]) -> tuple[Change, list[str]]:
    """The row as a device and what it changes, and what its fields' own rules have against columns not yet wrong."""
    name = row.cells["name"]
    existing = known.devices.get(name)
    device = existing or Device(tenant=known.tenant, name=name)
    before = {column: getattr(device, column) for column in COMPARED}
    fill(device, row.cells, known)
    differing = tuple(column for column in COMPARED if before[column] != getattr(device, column))
    kind: Kind = "added" if existing is None else "updated" if differing else "unchanged"
    change = Change(row.line, kind, device, differing if existing else ())
    try:
        device.clean_fields(exclude={"tenant", "credential", "jump_host", *wrong})
    except ValidationError as error:
        told = error.message_dict.items()
        return change, [text.replace("this value", f"the {column}") for column, texts in told for text in texts]
    return change, []


def fill(device: Device, cells: Mapping[str, str], known: Known) -> None:
    """Put a row's cells into a device."""
    device.address = cells["address"]
    device.port = int(cells["port"] or 22) if is_port(cells["port"] or "22") else 22
    device.platform = cells["platform"]
    device.credential = known.credentials.get(cells["credential"])
    if "jump_host" in cells:
        device.jump_host = known.jump_hosts.get(cells["jump_host"])
    if "site" in cells:
        device.site = cells["site"]
    if "tags" in cells:
        device.tags = list(dict.fromkeys(cells["tags"].replace(";", " ").split()))
    if "enabled" in cells:
        device.enabled = cells["enabled"].lower() in YES


def write_changes(changes: Iterable[Change]) -> None:
    """Write what differs."""
    changes = list(changes)
    Device.objects.bulk_create([change.device for change in changes if change.kind == "added"], batch_size=BATCH)
    updated = [change.device for change in changes if change.kind == "updated"]
    Device.objects.bulk_update(updated, [name.removesuffix("_id") for name in COMPARED], batch_size=BATCH)


@dataclass
class Rotation:
    """What came of sealing secrets anew."""

    credentials: int = 0
    resealed: int = 0  # secrets, of which a credential may have several
    current: int = 0
    moved: int = 0  # credentials that somebody changed at the same moment; they are sealed with the newest key anyway
    unreadable: list[str] = field(default_factory=list)


def rotate_secrets(*, batch: int = 200, progress: Callable[[int], object] = lambda _: None) -> Rotation:
    """Seal every secret that was not sealed with the newest key anew.

    Can be stopped and started at any time: each credential is written on its own, and only where its sealed values are
    still those that were opened. What does not open is left as it is and named.
    """
    rotation = Rotation()
    for credential in Credential.objects.select_related("tenant").order_by("pk").iterator(chunk_size=batch):
        rotate_one(credential, rotation)
        rotation.credentials += 1
        progress(rotation.credentials)
    resealed, unreadable = rotate_factors()
    rotation.resealed += resealed
    rotation.unreadable += unreadable
    return rotation


def rotate_one(credential: Credential, rotation: Rotation) -> None:
    """One credential's share of `rotate_secrets`."""
    sealed = {name: bytes(getattr(credential, f"{name}_sealed")) for name in Credential.SECRETS}
    stale = [name for name, value in sealed.items() if is_stale(value)]
    rotation.current += sum(bool(value) for name, value in sealed.items() if name not in stale)
    done = []
    for name in stale:
        try:
            credential.set_secret(name, open_sealed(credential, name))
            done.append(name)
        except SecretUnreadable as error:
            rotation.unreadable.append(f"Tenant {credential.tenant}: {error}")
    if not done:
        return
    unmoved = Credential.objects.filter(pk=credential.pk, **{f"{name}_sealed": sealed[name] for name in done})
    won = unmoved.update(**{f"{name}_sealed": getattr(credential, f"{name}_sealed") for name in done})
    rotation.resealed += len(done) if won else 0
    rotation.moved += 0 if won else 1
