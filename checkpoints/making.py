"""Making a checkpoint inside a turn with the tenant's store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from backups.commit import Batch
from backups.models import Epoch, Run
from checkpoints import manifest
from checkpoints.errors import NothingKept
from checkpoints.manifest import Manifest
from checkpoints.models import HEAD, Checkpoint
from checkpoints.refs import head_of, hold, move_ref
from inventory.models import Device, Tenant

UPLOADED = "Uploaded"  # the trailer of a checkpoint whose files no device has said


def make(
    batch: Batch,
    tenant: Tenant,
    *,
    message: str,
    author: str,
    now: datetime,
    tags: Sequence[str] = (),
    devices: Collection[Device] | None = None,
    parent: Checkpoint | None = None,
    run: Run | None = None,
    content: Checkpoint | None = None,
) -> Checkpoint:
    """A checkpoint of the record as the batch leaves it, of these devices or of all; in the batch's transaction.

    With `content` it holds what that checkpoint holds instead: the same files, with another parent and message.
    The parent is HEAD where none is given. HEAD moves to the new one where it is the parent and the new one holds the
    record; a checkpoint made after another one is a branch, and leaves HEAD alone. Raises NothingKept, Deleted,
    UnknownVersion, StoreDamaged.
    """
    if batch.head is None:
        raise NothingKept(f"Nothing was kept of {tenant} yet; back it up first.")
    head = head_of(tenant.pk)
    parent = parent or head
    if parent:
        hold(tenant.pk, parent)
    if content:
        hold(tenant.pk, content)
    source = content.content if content else batch.head
    chosen = None if devices is None else {device.pk for device in devices}
    held = manifest.of_commit(batch.store, source, chosen)
    refuse_missing(held, devices or ())
    checkpoint = Checkpoint(
        id=uuid4(),
        tenant=tenant,
        parent=parent,
        first_parent=parent,
        run=run,
        author=author,
        message=message,
        tags=list(tags),
        created_at=now,
        seq=content.seq if content else batch.seq,
        commit=content.commit if content else batch.head,
        whole=chosen is None and (content is None or content.whole),
        uploaded=content is not None and content.uploaded,
        changed_count=changed_since(batch, parent, held, chosen),
        **statistics(held),
    )
    checkpoint.pin = batch.pin(
        checkpoint.pk,
        tree_of=source,
        folders=None if chosen is None else sorted(chosen),
        message=message,
        author=author,
        when=now,
        trailers=told_of(checkpoint),
    )
    checkpoint.save(force_insert=True)
    if parent == head and content is None:
        move_ref(tenant.pk, HEAD, checkpoint, by=author, now=now, expected=head)
    return checkpoint


def told_of(checkpoint: Checkpoint) -> dict[str, str]:
    """What its commit says of where its content is from, for whoever has to make the row again."""
    return {UPLOADED: "yes"} if checkpoint.uploaded else {}


def refuse_missing(held: Manifest, devices: Collection[Device]) -> None:
    """Raise NothingKept for chosen devices without a snapshot: a checkpoint without them would promise too much."""
    missing = sorted(device.name for device in devices if device.pk not in held)
    if missing:
        raise NothingKept(
            f"Nothing was kept of {', '.join(missing)} yet; back {'them' if missing[1:] else 'it'} up first."
        )


def changed_since(batch: Batch, parent: Checkpoint | None, held: Manifest, chosen: Collection[UUID] | None) -> int:
    """How many of the devices differ from the record of the parent's moment.

    From the record and not from what the parent holds: that one may be of chosen devices only. Where the record went
    with its epoch, of the devices that the parent does hold.
    """
    if parent is None:
        return len(held)
    commit = record_of(parent)
    before = manifest.of_commit(batch.store, commit, chosen)
    known = held if parent.whole or commit != parent.pin else {one: held[one] for one in before if one in held}
    return len(manifest.changed_devices(before, known))


def record_of(checkpoint: Checkpoint) -> str:
    """The commit with the whole record of a checkpoint's moment; where its epoch was swept, with what it holds itself.

    The tenant's lock is held: nothing is swept meanwhile.
    """
    swept = Epoch.objects.swept().filter(
        tenant=checkpoint.tenant_id, first_seq__lte=checkpoint.seq, last_seq__gte=checkpoint.seq
    )
    return checkpoint.pin if checkpoint.whole or swept.exists() else checkpoint.commit


def statistics(held: Manifest) -> dict[str, int]:
    """How much a checkpoint holds."""
    files = [content for files in held.values() for content in files.values()]
    return {
        "device_count": len(held),
        "file_count": len(files),
        "total_bytes": sum(content.size for content in files),
    }
