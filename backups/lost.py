"""Whether a repository that the database knows is still there."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from backups.errors import StoreDamaged
from backups.models import Repository
from backups.store import layout
from backups.store.reader import is_repository, open_store, ready, store_path


def check_record(tenant_id: UUID) -> None:
    """Raise StoreDamaged where the database names a record that git has not; nothing kept yet is no damage.

    Without the lock, and by reading alone: for those who would otherwise never look into the store, because a digest
    tells them that nothing has changed.
    """
    head = Repository.objects.filter(pk=tenant_id).values_list("head", flat=True).first()
    if head is not None:
        ready(tenant_id)
        refuse_lost(store_path(tenant_id))
        open_store(tenant_id).entries(head, [layout.DEVICES], folders=True)


def refuse_lost(path: Path) -> None:
    """Raise StoreDamaged where a repository that has been is no more."""
    if not is_repository(path):
        raise StoreDamaged(f"The repository {path} is gone: bring it back from a copy, then run `fsck`.")
