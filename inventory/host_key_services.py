"""What happens to pinned host keys: brought from a file, found changed, accepted, or kept after all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db import transaction

from inventory.audit import record
from inventory.errors import Invalid
from inventory.host_keys import KnownHosts, fingerprint, read_known_hosts
from inventory.jump_hosts import JumpHost
from inventory.models import Device, Tenant
from inventory.notices import Level, settle, tell
from inventory.pinned import Pinned

CHANGED = "host_key.changed"  # the notice's code
Found = Literal["pinned", "same", "differs"]


def kind_of(row: Pinned) -> str:
    """`device` or `jump_host`, as actions in the audit log begin."""
    return row.KIND


def named(row: Pinned) -> str:
    """`device edge1`"""
    return f"{kind_of(row).replace('_', ' ')} {row}"


def stranger_met(row: Pinned, presented: str, *, now: datetime) -> None:
    """Something showed another key than the pinned one: nobody logs in to it any more until a person has decided."""
    text = (
        f"It shows the host key {fingerprint(presented)}, but {row.host_key_fingerprint()} is pinned. Nothing secret "
        "was sent, and nothing logs in to it until somebody accepts the new key on its page, or keeps the old one."
    )
    with transaction.atomic():
        if row.suspect(presented, now):
            tell(row.tenant, code=CHANGED, about=named(row), text=text, level=Level.ALARM)


def accept(row: Pinned, *, by: str, presented: str | None = None) -> None:
    """Pin the key that was shown last, from now on. Raises Invalid when none waits, or another than `presented`."""
    new = presented or row.presented_key
    with transaction.atomic():
        waits = type(row)._default_manager.filter(pk=row.pk, presented_key=new).exclude(presented_key="")
        if not waits.update(host_key=new, presented_key="", presented_at=None):
            raise Invalid(f"No such key of {named(row)} waits to be accepted; look at it again.")
        settled(row, "host_key_accepted", by, old=row.host_key_fingerprint(), new=fingerprint(new))


def keep(row: Pinned, *, by: str) -> None:
    """Go on with the pinned key: whoever showed the other one was not it. Raises Invalid when none waits."""
    with transaction.atomic():
        waits = type(row)._default_manager.filter(pk=row.pk).exclude(presented_key="")
        if not waits.update(presented_key="", presented_at=None):
            raise Invalid(f"No other key of {named(row)} waits to be judged.")
        settled(row, "host_key_kept", by, old=row.host_key_fingerprint(), new=row.presented_fingerprint())


def forget(rows: Iterable[Pinned], *, by: str) -> int:
    """Unpin: the next connection pins whatever key it meets. How many had one."""
    count = 0
    with transaction.atomic():
        for row in sorted(rows, key=lambda row: (row.tenant_id, row.pk)):
            if type(row).objects.filter(pk=row.pk).forget_host_keys():  # type: ignore[attr-defined]
                count += 1
                settled(row, "host_key_forgotten", by, old=row.host_key_fingerprint(), new="")
    return count


def settled(row: Pinned, action: str, by: str, *, old: str, new: str) -> None:
    """Close the alarm and leave the trail."""
    settle(row.tenant, code=CHANGED, about=named(row), by=by)
    record(row.tenant, by=by, action=f"{kind_of(row)}.{action}", about=named(row), detail={"old": old, "new": new})


@dataclass(frozen=True)
class Pin:
    """What a file says of one device or jump host."""

    row: Pinned
    found: Found
    key: str  # as in the file; of several the strongest, or the pinned one


@dataclass
class PinImport:
    """What an import of `known_hosts` did, or in a dry run would do."""

    dry_run: bool
    pins: list[Pin] = field(default_factory=list)
    not_named: int = 0  # devices of which the file says nothing
    unreadable: tuple[int, ...] = ()

    def of(self, found: Found) -> list[Pin]:
        """Those that were found so."""
        return [pin for pin in self.pins if pin.found == found]


def import_known_hosts(tenant: Tenant, data: bytes, *, by: str, dry_run: bool = False) -> PinImport:
    """Pin the keys that a `known_hosts` file has for a tenant's devices and jump hosts.

    A key that is pinned already is never replaced: what differs is told, and a person accepts it. Raises Invalid for a
    file without a single key.
    """
    known = read_known_hosts(data.decode("utf-8", "replace"))
    if not known.entries:
        raise Invalid("The file holds no host key that can be pinned; is it a known_hosts file?")
    outcome = PinImport(dry_run, unreadable=known.unreadable)
    rows: list[Pinned] = [
        *Device.objects.filter(tenant=tenant, retired_at=None).order_by("name"),
        *JumpHost.objects.filter(tenant=tenant),
    ]
    for row in rows:
        pin = pin_of(row, known)
        outcome.not_named += pin is None
        outcome.pins += [pin] if pin else []
    if not dry_run:
        write_pins(tenant, outcome.of("pinned"), by=by)
    return outcome


def pin_of(row: Pinned, known: KnownHosts) -> Pin | None:
    """What the file says of it: by its address, else by its name."""
    port = row.port  # type: ignore[attr-defined]
    keys = known.keys_of(row.address, port) or known.keys_of(row.name, port)  # type: ignore[attr-defined]
    if not keys:
        return None
    if not row.host_key:
        return Pin(row, "pinned", keys[0])
    return Pin(row, "same", row.host_key) if row.host_key in keys else Pin(row, "differs", keys[0])


def write_pins(tenant: Tenant, pins: list[Pin], *, by: str) -> None:
    """All of them, and one line in the audit log."""
    with transaction.atomic():
        done = [pin for pin in pins if pin.row.pin(pin.key)]
        if done:
            detail = {str(pin.row): fingerprint(pin.key) for pin in done[:1000]}
            record(tenant, by=by, action="host_keys.imported", about=f"{len(done)} host keys", detail=detail)
