"""What a change of a tenant's store means for the object store; where there is none, nothing."""

from __future__ import annotations

from uuid import UUID

from backups import outbox
from backups.models import Repository
from backups.remote.opening import is_copy, is_set


def changed(tenant_id: UUID, seq: int) -> None:
    """The repository is to be another one once this transaction stands: its copy has to follow."""
    if is_copy():
        outbox.note(tenant_id, outbox.PUBLISH, seq)


def swept(tenant_id: UUID) -> None:
    """Packs of the repository gave way to others: the copy has to follow."""
    changed(tenant_id, seq_of(tenant_id))


def forget(tenant_id: UUID) -> None:
    """What the repository does not hold any more must not be in the object store for a day longer."""
    if is_set():
        outbox.note(tenant_id, outbox.FORGET, seq_of(tenant_id))


def seq_of(tenant_id: UUID) -> int:
    """The number of the newest batch."""
    return int(Repository.objects.values_list("seq", flat=True).get(pk=tenant_id))
