"""What others call: making, tagging, deleting checkpoints, their refs, and going back. Each is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from backups.commit import Batch, writing
from backups.models import Repository, Run, Snapshot
from backups.quota import usage_of
from backups.store.reader import is_repository, store_path
from checkpoints import events, manifest
from checkpoints.errors import BadName, NothingKept
from checkpoints.garbage import bytes_on_disk
from checkpoints.lineage import delete_checkpoint, fresh, undelete_checkpoint
from checkpoints.making import make, record_of
from checkpoints.models import Checkpoint
from checkpoints.record import plan_record_restore, restore_record
from checkpoints.refs import ANYTHING, checked_ref_name, delete_ref, head_of, move_ref, set_ref
from inventory import audit
from inventory.models import Device, Tenant

__all__ = [
    "ANYTHING",
    "checkpoint_run",
    "create_checkpoint",
    "delete_checkpoint",
    "delete_ref",
    "head_of",
    "plan_record_restore",
    "restore_record",
    "set_ref",
    "summary_of",
    "tag_checkpoint",
    "undelete_checkpoint",
]

NOT_CREATED = "checkpoint.not_created"  # the code of the alarm
MAX_MESSAGE = 4000
MAX_TAG = 60


def create_checkpoint(
    tenant: Tenant,
    *,
    message: str,
    author: str,
    tags: Sequence[str] = (),
    devices: Collection[Device] | None = None,
    parent: Checkpoint | None = None,
    ref: str | None = None,
    run: Run | None = None,
    content: Checkpoint | None = None,
    now: datetime,
) -> Checkpoint:
    """Name this moment of the record: of the whole tenant, or of chosen devices. Made also when nothing has changed.

    Rules of `making.make`; `ref` names the new one besides; with `content` it holds what that checkpoint holds. Raises
    BadName, NothingKept, Deleted, UnknownVersion, StoreBusy, StoreDamaged.
    """
    message, labels = checked_message(message), checked_tags(tags)
    if ref:
        checked_ref_name(ref)
    refuse_empty(tenant)
    with events.failure_told(tenant, NOT_CREATED, "A checkpoint could not be made"), writing(tenant.pk) as batch:
        checkpoint = make(
            batch,
            tenant,
            message=message,
            author=author,
            now=now,
            tags=labels,
            devices=devices,
            parent=parent,
            run=run,
            content=content,
        )
        if ref:
            move_ref(tenant.pk, ref, checkpoint, by=author, now=now)
        events.happened(checkpoint, "created", by=author)
    return checkpoint


def checkpoint_run(run: Run) -> Checkpoint | None:
    """The checkpoint of a run that changed something; None for one that did not. May be called twice.

    Raises StoreBusy, StoreDamaged.
    """
    changed = Snapshot.objects.filter(run=run).values("device").distinct().count()
    if not changed:
        return None
    began = (run.started_at or run.requested_at).astimezone(UTC)
    of = run.attempts.count()
    message = f"Backup of {began:%Y-%m-%d %H:%M} UTC: {changed} of {of} {'device' if of == 1 else 'devices'} changed"
    failing = events.failure_told(run.tenant, NOT_CREATED, "The checkpoint of a run could not be made")
    with failing, writing(run.tenant_id) as batch:
        made = Checkpoint.objects.filter(run=run).first()
        if made or nothing_new(batch):
            return made
        made = make(batch, run.tenant, message=message, author=run.requested_by, now=timezone.now(), run=run)
        events.happened(made, "created", by=run.requested_by)
        return made


def nothing_new(batch: Batch) -> bool:
    """Whether HEAD already holds the record as it is, because somebody named the moment meanwhile."""
    head = head_of(batch.tenant_id)
    if head is None or batch.head is None:
        return False
    then, now = (manifest.of_commit(batch.store, commit) for commit in (record_of(head), batch.head))
    return head.whole and not head.lost_at and not manifest.changed_devices(then, now)


def tag_checkpoint(
    checkpoint: Checkpoint, *, add: Iterable[str] = (), remove: Iterable[str] = (), by: str = ""
) -> Checkpoint:
    """Add and remove tags; each stands once, in order. `by` whom, for the audit. Raises BadName, UnknownVersion."""
    added, removed = checked_tags(add), set(remove)
    with transaction.atomic():
        found = fresh(checkpoint)
        found.tags = sorted({*found.tags, *added} - removed)
        found.save(update_fields=["tags"])
        if by:
            detail = {"id": str(found.pk), "added": added, "removed": sorted(removed)}
            audit.record(found.tenant, by=by, action="checkpoint.tagged", about=str(found), detail=detail)
    return found


def checked_message(message: str) -> str:
    """The message, if it says something. Raises BadName."""
    text = message.strip()
    if not text or len(text) > MAX_MESSAGE or "\0" in text:
        raise BadName(f"A checkpoint needs a message of 1 to {MAX_MESSAGE} characters.")
    return text


def checked_tags(tags: Iterable[str]) -> list[str]:
    """The tags without blanks around them, each once, in order. Raises BadName."""
    found = sorted({tag.strip() for tag in tags})
    for tag in found:
        if not tag or len(tag) > MAX_TAG or not tag.isprintable() or "," in tag:
            raise BadName(f"{tag[:MAX_TAG]!r} cannot be a tag: 1 to {MAX_TAG} printable characters without a comma.")
    return found


def refuse_empty(tenant: Tenant) -> None:
    """Raise NothingKept where there is no record yet: asking for a checkpoint makes no repository."""
    if not Repository.objects.filter(tenant=tenant, head__isnull=False).exists():
        raise NothingKept(f"Nothing was kept of {tenant} yet; `backup --tenant {tenant}` collects it.")


@dataclass(frozen=True)
class Summary:
    """A tenant's record in figures."""

    checkpoints: int  # kept
    deleted: int  # waiting for the collection
    refs: int
    head: Checkpoint | None
    snapshots: int
    snapshot_bytes: int  # of all versions, had each been stored as it is: what the devices said
    unique_bytes: int  # of contents, each counted once
    stored_bytes: int  # on the disk, as git packs them
    pruned: int  # versions whose content retention has removed
    lost: int  # versions whose content a disk has lost


def summary_of(tenant: Tenant) -> Summary:
    """Figures of a tenant's record."""
    versions = Snapshot.objects.filter(tenant=tenant).aggregate(
        count=Count("pk"),
        bytes=Sum("size", default=0, filter=Q(pruned_at=None)),
        pruned=Count("pk", filter=Q(lost=False) & ~Q(pruned_at=None)),
        lost=Count("pk", filter=Q(lost=True)),
    )
    path = store_path(tenant.pk)
    checkpoints = Checkpoint.objects.filter(tenant=tenant)
    return Summary(
        checkpoints.kept().count(),
        checkpoints.deleted().count(),
        tenant.refs.count(),
        head_of(tenant.pk),
        versions["count"],
        versions["bytes"],
        usage_of(tenant.pk).used,
        bytes_on_disk(path) if is_repository(path) else 0,
        versions["pruned"],
        versions["lost"],
    )
