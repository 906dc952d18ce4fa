"""What somebody means by `1f3a09c2`, `HEAD` or `core-sw1`: a checkpoint, a snapshot or a device."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from backups.models import Snapshot
from checkpoints.errors import AmbiguousVersion, NotComparable, UnknownVersion
from checkpoints.models import Checkpoint, Ref
from inventory.models import Device, Tenant

Version = Snapshot | Checkpoint | Device
V = TypeVar("V", Snapshot, Checkpoint, Device, Version)
M = TypeVar("M", bound=Model)

HEX = re.compile(r"[0-9a-f]{8,32}\Z")


def find_checkpoint(text: str, tenant: Tenant | None = None) -> Checkpoint:
    """The checkpoint of that id, of that beginning of an id (8 digits or more), or that a ref of that name names.

    Deleted ones are found too, by id. Raises UnknownVersion, AmbiguousVersion.
    """
    return only(checkpoints_named(text, tenant), text, "checkpoint")


def find_version(text: str, tenant: Tenant | None = None) -> Version:
    """The checkpoint, snapshot or device that is meant. Raises UnknownVersion, AmbiguousVersion."""
    return only(candidates(text, tenant), text, "version")


def find_two(old: str, new: str, tenant: Tenant | None = None) -> tuple[Version, Version]:
    """Two versions of one tenant; what one of them says about the tenant settles what the other means.

    Raises UnknownVersion, AmbiguousVersion, NotComparable.
    """
    first, second = candidates(old, tenant), candidates(new, tenant)
    if not first or not second:
        only(first, old, "version")
        only(second, new, "version")
    pairs = [(a, b) for a in first for b in second if a.tenant_id == b.tenant_id]
    if not pairs:
        raise NotComparable(f"{old!r} and {new!r} belong to different tenants, which are never compared.")
    if len(pairs) > 1:
        only(first, old, "version")
        only(second, new, "version")
    return pairs[0]


def only(found: Sequence[V], text: str, kind: str) -> V:
    """The one that was found. Raises UnknownVersion, AmbiguousVersion."""
    if not found:
        raise UnknownVersion(
            f"There is no {kind} {text!r}: give an id, at least 8 digits of one, or a name; `checkpoint list`, "
            "`ref list` and `history DEVICE` show them."
        )
    if len(found) > 1:
        means = "; ".join(f"{described(each)} of {each.tenant}" for each in found[:4])
        raise AmbiguousVersion(f"{text!r} may mean {means}: give the full id, or say which with --tenant.")
    return found[0]


def described(version: Version) -> str:
    """What it is, in a few words."""
    if isinstance(version, Checkpoint):
        return f"checkpoint {version.short_id}"
    return f"snapshot {version.pk}" if isinstance(version, Snapshot) else f"device {version.name}"


def candidates(text: str, tenant: Tenant | None) -> list[Version]:
    """Everything that may be meant."""
    devices = owned(Device.objects.select_related("tenant"), tenant).filter(name=text)
    snapshots = with_id(owned(Snapshot.objects.select_related("tenant"), tenant), text)
    return [*checkpoints_named(text, tenant), *snapshots, *devices]


def checkpoints_named(text: str, tenant: Tenant | None) -> list[Checkpoint]:
    """Checkpoints by id, or by the name of a ref."""
    refs = owned(Ref.objects.select_related("checkpoint__tenant"), tenant).filter(name=text)
    by_id = with_id(owned(Checkpoint.objects.select_related("tenant"), tenant), text)
    return list({each.pk: each for each in [*(ref.checkpoint for ref in refs), *by_id]}.values())


def owned(rows: QuerySet[M], tenant: Tenant | None) -> QuerySet[M]:
    """The rows of the tenant, where one is given."""
    return rows.filter(tenant=tenant) if tenant else rows


def with_id(rows: QuerySet[M], text: str) -> Iterable[M]:
    """Rows whose id begins so; the primary key's index answers, because ids in between are ids too."""
    digits = text.lower().replace("-", "")
    if not HEX.match(digits):
        return []
    return rows.filter(pk__gte=UUID(digits.ljust(32, "0")), pk__lte=UUID(digits.ljust(32, "f")))[:5]
