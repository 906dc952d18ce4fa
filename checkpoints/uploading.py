"""A checkpoint of files that somebody brings: a branch, of which it is always said that no device has said it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from backups import quota
from backups.batch import Batch, writing
from backups.capture import Capture
from backups.store import layout
from backups.store.stream import Put
from backups.store.writer import verify
from backups.targets import as_stored, platform_of
from checkpoints import events, manifest
from checkpoints.errors import BadUpload, NothingKept
from checkpoints.making import changed_since, statistics, told_of
from checkpoints.models import Checkpoint
from checkpoints.refs import checked_ref_name, head_of, hold, move_ref
from checkpoints.services import NOT_CREATED, checked_message, checked_tags, refuse_empty
from checkpoints.uploads import Brought
from inventory.models import Device, Tenant

Files = Mapping[Device, Mapping[str, bytes]]


def upload_checkpoint(
    tenant: Tenant,
    brought: Brought,
    *,
    message: str,
    author: str,
    tags: Sequence[str] = (),
    parent: Checkpoint | None = None,
    ref: str | None = None,
    now: datetime,
) -> Checkpoint:
    """Name the files that somebody brings; a branch of `parent`, or of HEAD, which stays where it is.

    A tenant whose secrets are masked before storing has them masked here too. Raises BadUpload, BadName, NothingKept,
    Deleted, UnknownVersion, QuotaFull, StoreBusy, StoreDamaged.
    """
    text, labels, files = checked_message(message), checked_tags(tags), files_for(tenant, brought)
    if ref:
        checked_ref_name(ref)
    refuse_empty(tenant)
    with events.failure_told(tenant, NOT_CREATED, "A checkpoint could not be made"), writing(tenant.pk) as batch:
        made = keep(batch, tenant, files, message=text, author=author, tags=labels, parent=parent, now=now)
        if ref:
            move_ref(tenant.pk, ref, made, by=author, now=now)
        told = f"{made}: made of uploaded files by {author}, {made.device_count} devices, {made.file_count} files."
        events.happened(made, "created", by=author, text=told)
    return made


def files_for(tenant: Tenant, brought: Brought) -> Files:
    """The files by device. Raises BadUpload for a device that is not there, and a file that it could not have."""
    known = {device.name: device for device in Device.objects.filter(tenant=tenant, name__in=brought)}
    if strange := sorted(brought.keys() - known.keys()):
        raise BadUpload(f"{tenant} has no device {', '.join(strange[:5])}; folders are named as devices are.")
    return {known[name]: fitting(known[name], files) for name, files in sorted(brought.items())}


def fitting(device: Device, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The device's files as they are stored. Raises BadUpload, UnknownPlatform."""
    platform = platform_of(device)
    if strange := sorted(files.keys() - set(platform.filenames)):
        raise BadUpload(
            f"A {platform.label} has no file {strange[0]!r}; those of {device.name} are called "
            f"{', '.join(platform.filenames)}."
        )
    return as_stored(device, Capture(files=files, digest="", doubts=())).files


def keep(
    batch: Batch,
    tenant: Tenant,
    files: Files,
    *,
    message: str,
    author: str,
    tags: Sequence[str],
    parent: Checkpoint | None,
    now: datetime,
) -> Checkpoint:
    """Write the content and the row, in the batch's transaction."""
    if batch.head is None:
        raise NothingKept(f"Nothing was kept of {tenant} yet; back it up first.")
    parent = parent or head_of(tenant.pk)
    if parent:
        hold(tenant.pk, parent)
    made = Checkpoint(id=uuid4(), tenant=tenant, parent=parent, first_parent=parent, author=author, message=message)
    made.tags, made.created_at, made.whole, made.uploaded = list(tags), now, False, True
    made.seq, made.commit = batch.seq, batch.head
    puts = [*contents(files), *links(files)]
    quota.charge(tenant.pk, {put.id: len(put.content) for put in contents(files)}, beyond=batch.beyond_quota)
    made.pin = batch.pin_tree(made.pk, puts, message=message, author=author, when=now, trailers=told_of(made))
    verify(batch.lookup, made.pin, {put.path: put.id for put in puts})
    held = manifest.of_commit(batch.store, made.pin)
    made.changed_count = changed_since(batch, parent, held, {device.pk for device in files})
    for name, figure in statistics(held).items():
        setattr(made, name, figure)
    made.save(force_insert=True)
    return made


def contents(files: Files) -> list[Put]:
    """The files, each at its place."""
    return [
        Put(layout.device_file(device.pk, name), content)
        for device, own in files.items()
        for name, content in own.items()
    ]


def links(files: Files) -> list[Put]:
    """The names by which a clone is read."""
    return [Put(layout.link_path(device.name), layout.link_target(device.pk), layout.LINK_MODE) for device in files]
