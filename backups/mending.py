"""A repository is put in order before anything is written to it: what a dead writer has left is mended by the next."""

from __future__ import annotations

import logging
from contextlib import closing
from itertools import chain
from uuid import UUID

from backups.errors import GitFailed, StoreDamaged, StoreMoved
from backups.locks import try_lock_tenant
from backups.models import Repository
from backups.store.disk import disk_refusal
from backups.store.lookup import Lookup
from backups.store.reader import TenantStore, open_store
from backups.store.troubles import Trouble, troubles, unindexed

log = logging.getLogger(__name__)


def reconcile(store: TenantStore, head: str | None, tenant_id: UUID, lookup: Lookup) -> list[Trouble]:
    """Put the repository in order; what was mended. The tenant's lock is held by this transaction.

    Raises StoreDamaged where that cannot be done, StoreMoved where the lock is lost, DiskFull, DiskReadOnly.
    """
    try:
        return mend_all(store, head, tenant_id, lookup)
    except GitFailed as exc:
        if type(exc) is not GitFailed:
            raise
        # A git that has outlived its dead writer moves main to where we were about to move it; once, then it is gone.
        log.info("Looking again: %s", exc)
        return mend_all(store, head, tenant_id, lookup)
    except OSError as exc:
        raise disk_refusal(exc, store.path) from exc


def catch_up(tenant_id: UUID) -> list[Trouble]:
    """Bring main to the row, for a writer who found the lock taken by us when his refs were to follow; what was mended.

    The tenant's lock is held by this transaction. Raises as `reconcile` does.
    """
    store = open_store(tenant_id)
    head = Repository.objects.values_list("head", flat=True).get(pk=tenant_id)
    with closing(Lookup(store.git)) as lookup:
        return reconcile(store, head, tenant_id, lookup)


def mend_all(store: TenantStore, head: str | None, tenant_id: UUID, lookup: Lookup) -> list[Trouble]:
    """Mend every trouble, one after the other; each only while the lock is ours. What was mended."""
    mended = []
    for trouble in chain(unindexed(store.git), troubles(store, head, lookup)):
        if trouble.mend is None:
            raise StoreDamaged(f"{trouble.what} Nothing is written over the loss: bring a copy back, then run `fsck`.")
        # Whoever was stopped here and lost the connection, and so the lock, sees the next writer's work and takes it
        # for trouble. What was seen under the lock may be mended later: each mend is a compare-and-swap with it.
        if not try_lock_tenant(tenant_id):
            raise StoreMoved(f"Another writer has taken over the store of tenant {tenant_id}; nothing of ours counts.")
        trouble.mend()
        log.log(logging.ERROR if trouble.alarm else logging.INFO, "Mended (%s): %s", trouble.code, trouble.what)
        mended.append(trouble)
    return mended
