"""Deleting and undeleting checkpoints: parents stay right in any order, and until the collection all of it undoes.

What everybody sees as the parent follows from what never changes: `parent` is the nearest kept checkpoint on the way
up the `first_parent`s. Each function restores exactly that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from backups.locks import lock_tenant
from checkpoints.errors import Deleted, OnHold, StillNamed, UnknownVersion
from checkpoints.events import failure_told, happened
from checkpoints.models import HEAD, Checkpoint
from checkpoints.refs import head_of, move_ref
from checkpoints.retention_models import NOBODY, policy_of

WAIT = 10.0  # seconds for the tenant's lock


@contextmanager
def lineage_of(tenant_id: UUID, *, wait: float = WAIT) -> Iterator[None]:
    """One transaction in which nobody else makes, deletes or collects the tenant's checkpoints. Raises StoreBusy."""
    with transaction.atomic():
        lock_tenant(tenant_id, wait=wait)
        yield


def delete_checkpoint(checkpoint: Checkpoint, *, by: str, now: datetime) -> Checkpoint:
    """Mark a checkpoint as deleted; it can be undeleted until the garbage is collected.

    Its children get its parent. HEAD, where it names it, moves to the parent too, or is gone with the last one.
    Raises StillNamed where another ref names it, Deleted where it is already, OnHold, StoreBusy.
    """
    failing = failure_told(checkpoint.tenant, "checkpoint.not_deleted", "A checkpoint could not be deleted")
    with failing, lineage_of(checkpoint.tenant_id):
        refuse_held(checkpoint.tenant_id)
        found = fresh(checkpoint)
        if found.deleted_at:
            raise Deleted(f"Checkpoint {found.short_id} is deleted already.")
        refuse_named(found)
        found.was_head = found.refs.filter(name=HEAD).exists()
        if found.was_head:
            move_ref(found.tenant_id, HEAD, found.parent, by=by, now=now, expected=found)
        mark_deleted([found], by=by, now=now)
        happened(found, "deleted", by=by)
    return found


def mark_deleted(found: Sequence[Checkpoint], *, by: str, now: datetime) -> None:
    """The rows are deleted, and their children get the nearest parent that is not. The lineage is held."""
    gone = {row.pk: row.parent_id for row in found}
    for row in found:
        row.deleted_at, row.deleted_by = now, by
    Checkpoint.objects.bulk_update(found, ["deleted_at", "deleted_by", "was_head"])
    children = list(Checkpoint.objects.filter(parent__in=gone).only("parent"))
    for child in children:
        while child.parent_id in gone:
            child.parent_id = gone[child.parent_id]
    Checkpoint.objects.bulk_update(children, ["parent"])


def refuse_held(tenant_id: UUID) -> None:
    """Raise OnHold where a legal hold keeps everything of the tenant."""
    if hold := policy_of(tenant_id).hold:
        raise OnHold(f"Nothing of this tenant may be deleted: it is under a legal hold ({hold}).")


def refuse_named(checkpoint: Checkpoint) -> None:
    """Raise StillNamed where a ref of somebody's making names it."""
    names = list(checkpoint.refs.exclude(name=HEAD).values_list("name", flat=True))
    if names:
        raise StillNamed(
            f"Checkpoint {checkpoint.short_id} is named by {', '.join(names)}: "
            f"move or delete {'this ref' if len(names) == 1 else 'these refs'} first."
        )


def undelete_checkpoint(checkpoint: Checkpoint, *, by: str, now: datetime) -> Checkpoint:
    """Take a deletion back: its place among parents and children, and HEAD where nothing was made meanwhile.

    What retention had marked is protected from it from now on, because a person wants it. Raises UnknownVersion where
    it was collected, StoreBusy. One that is not deleted is left as it is.
    """
    failing = failure_told(checkpoint.tenant, "checkpoint.not_undeleted", "A deletion could not be taken back")
    with failing, lineage_of(checkpoint.tenant_id):
        found = fresh(checkpoint)
        if not found.deleted_at:
            return found
        head = head_of(found.tenant_id)
        if head is None or (found.was_head and head == found.parent):
            move_ref(found.tenant_id, HEAD, found, by=by, now=now, expected=head)
        found.protected = found.protected or (found.deleted_by == NOBODY and by != NOBODY)
        found.deleted_at, found.deleted_by, found.was_head = None, "", False
        found.save(update_fields=["deleted_at", "deleted_by", "was_head", "protected"])
        adopt(found)
        happened(found, "undeleted", by=by)
    return found


def adopt(checkpoint: Checkpoint) -> None:
    """Make it the parent of all that come after it with only deleted ones in between."""
    frontier = [checkpoint.pk]
    while frontier:
        after = Checkpoint.objects.filter(first_parent__in=frontier)
        frontier = list(after.deleted().values_list("pk", flat=True))
        after.update(parent=checkpoint)


def forget(gone: Collection[UUID]) -> int:
    """Remove the rows of deleted checkpoints for good; what came after them keeps its place. The lineage is held.

    All at once: one by one cost 7 ms of CPU each.
    """
    rows = Checkpoint.objects.deleted().filter(pk__in=gone)
    parents = dict(rows.values_list("pk", "first_parent"))
    after = list(Checkpoint.objects.filter(first_parent__in=parents).exclude(pk__in=parents).only("first_parent"))
    for child in after:
        above = child.first_parent_id
        while above in parents:
            above = parents[above]
        child.first_parent_id = above
    Checkpoint.objects.bulk_update(after, ["first_parent"])
    rows.update(parent=None, first_parent=None)  # or they would protect each other
    rows.delete()
    return len(parents)


def fresh(checkpoint: Checkpoint) -> Checkpoint:
    """The row as it is now, kept from changing until the transaction ends. Raises UnknownVersion."""
    found = Checkpoint.objects.select_for_update().filter(pk=checkpoint.pk).first()
    if found is None:
        raise UnknownVersion(f"Checkpoint {checkpoint.short_id} is gone: the garbage was collected.")
    return found
