"""Devices that leave the current tree, come back, or get another name: by commits of the record, never of the past.

A retired device's folder and its link in `by-name/` go with a commit; its versions, runs and checkpoints stay. Brought
back, the files of its newest version stand there again. A rename moves the link and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from backups.batch import Batch, writing
from backups.models import Repository, Snapshot
from backups.store.changes import DeviceChange
from inventory import audit
from inventory.models import Device, DeviceSet, Tenant

AT_ONCE = 500  # devices of one commit; git takes their paths as arguments
NAMED = 3


def retire(devices: DeviceSet, *, by: str, now: datetime) -> int:
    """Take devices out of service and out of the current tree; how many were not retired before.

    Each tenant's in one transaction. Raises StoreBusy, StoreDamaged, GitFailed; those of tenants before stay retired.
    """
    return sum(
        move(tenant, theirs, verb="Retire", now=now, by=by)
        for tenant, theirs in by_tenant(devices.filter(retired_at=None))
    )


def bring_back(devices: DeviceSet, *, by: str, now: datetime) -> int:
    """Undo `retire`, with the files of each device's newest version that is still kept."""
    return sum(
        move(tenant, theirs, verb="Bring back", now=now, by=by)
        for tenant, theirs in by_tenant(devices.exclude(retired_at=None))
    )


def relink(device: Device, *, by: str, now: datetime) -> None:
    """Let `by-name/` follow a rename, where something of the device is in the current tree."""
    if not device.retired_at and has_record(device.tenant_id):
        with writing(device.tenant_id) as batch:
            put(batch, [DeviceChange(device.pk, device.name, {})], f"Rename to {device.name}", by, now)


def by_tenant(devices: DeviceSet) -> Iterator[tuple[Tenant, list[Device]]]:
    """The devices of each tenant."""
    ordered = devices.select_related("tenant").order_by("tenant_id", "name")
    for tenant, theirs in groupby(ordered, key=lambda device: device.tenant):
        yield tenant, list(theirs)


def move(tenant: Tenant, devices: Sequence[Device], *, verb: str, now: datetime, by: str) -> int:
    """One tenant's devices out of the tree, or into it again: rows, tree and audit in one transaction."""
    if has_record(tenant.pk):
        with writing(tenant.pk, beyond_quota=True) as batch:
            done = mark(devices, verb, now)
            changes = [gone(device) for device in devices] if verb == "Retire" else list(back(devices))
            for start in range(0, len(changes), AT_ONCE):
                put(batch, changes[start : start + AT_ONCE], f"{verb} {named(devices)}", by, now)
            note(tenant, devices, verb, by)
    else:
        with transaction.atomic():
            done = mark(devices, verb, now)
            note(tenant, devices, verb, by)
    return done


def mark(devices: Sequence[Device], verb: str, now: datetime) -> int:
    """The rows of the devices."""
    rows = Device.objects.filter(pk__in=[device.pk for device in devices])
    return rows.retire(now=now) if verb == "Retire" else rows.bring_back()


def note(tenant: Tenant, devices: Sequence[Device], verb: str, by: str) -> None:
    """Who did it."""
    action = "device.retired" if verb == "Retire" else "device.brought_back"
    audit.record(tenant, by=by, action=action, about=named(devices), detail={"devices": len(devices)})


def named(devices: Sequence[Device]) -> str:
    """The first of them, and how many more."""
    names = ", ".join(device.name for device in devices[:NAMED])
    return names + (f" and {len(devices) - NAMED} more" if len(devices) > NAMED else "")


def gone(device: Device) -> DeviceChange:
    """Without any file, and so without a link."""
    return DeviceChange(device.pk, device.name, {}, complete=True)


def back(devices: Sequence[Device]) -> Iterator[DeviceChange]:
    """With the files of the newest version, which git has already."""
    kept = Snapshot.objects.filter(device__in=devices, pruned_at=None).latest_by_device()
    newest = {snapshot.device_id: snapshot for snapshot in kept}
    for device in devices:
        if device.pk in newest:
            files = {name: str(file["blob"]) for name, file in newest[device.pk].files.items()}
            yield DeviceChange(device.pk, device.name, files, complete=True)


def put(batch: Batch, changes: Sequence[DeviceChange], message: str, by: str, now: datetime) -> None:
    """One commit that brings no version, and says so to whoever rebuilds the rows from git."""
    batch.put(changes, message=message, author=by, when=now, trailers={"Versions": "none"})


def drop_retired(batch: Batch, devices: Sequence[Device], *, now: datetime) -> None:
    """Take out again, in the same transaction, what came of devices that were retired while they were asked."""
    rows = Device.objects.filter(pk__in=[device.pk for device in devices]).exclude(retired_at=None)
    if late := list(rows):
        put(batch, [gone(device) for device in late], f"Retire {named(late)}", audit.SYSTEM, now)


def has_record(tenant_id: UUID) -> bool:
    """Whether anything was ever kept of the tenant."""
    return Repository.objects.filter(pk=tenant_id, head__isnull=False).exists()
