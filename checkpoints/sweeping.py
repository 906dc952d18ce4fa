"""The last step of a collection: what is kept takes the place of everything that was there.

Under the tenant's lock is only what must be: the second, small pack, the refs, and the removal of the old packs.
Counting, before and after, and git's index of commits are seen to outside, because they take longer the more is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from backups import elsewhere, quota
from backups.errors import GitFailed, StoreMoved
from backups.locks import lock_tenant, try_lock_tenant
from backups.store.git import Git
from backups.store.reader import TenantStore
from backups.store.rereading import absent
from backups.store.writer import RefMove, move_refs
from checkpoints import garbage
from checkpoints.errors import CollectionRefused
from checkpoints.garbage import Workshop
from checkpoints.gc_plan import GcPlan, missing_commits
from inventory.models import Tenant

WAIT = 30.0  # seconds for the tenant's lock

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What went, as measured; beside writers, less what they brought meanwhile."""

    objects_removed: int
    bytes_freed: int
    kept: int  # objects
    refs_removed: int
    cut_short: tuple[str, ...]  # why there is something left for the next collection


def sweep(
    tenant: Tenant, store: TenantStore, looked: GcPlan, workshop: Workshop, *, plan: Callable[[], GcPlan]
) -> Swept:
    """Remove refs without rows, then what no ref needs. `plan` tells how things are now. Raises CollectionRefused."""
    objects, space = garbage.object_count(store.git), garbage.bytes_on_disk(store.path)
    cut_short: tuple[str, ...] = ()
    with transaction.atomic():
        lock_tenant(tenant.pk, wait=WAIT)
        elsewhere.prepare(tenant.pk)
        now = plan()
        mend(store.git, now)
        try:
            prune(store, looked, now, workshop, partial(check_lock, tenant))
        except GitFailed as failure:
            cut_short = (f"The collection was cut short, and the next one goes on: {failure}",)
        elsewhere.swept(tenant.pk)
        store.close()  # it may still read from packs that are gone
    quota.recount_beside(tenant.pk)
    left = garbage.object_count(store.git)
    freed = max(0, space - garbage.bytes_on_disk(store.path))
    log.info("Garbage of %s: %d objects and %d bytes removed, %d kept.", tenant, objects - left, freed, left)
    return Swept(max(0, objects - left), freed, left, len(now.stray), cut_short)


def mend(git: Git, plan: GcPlan) -> None:
    """Let the refs of what is kept follow their rows, or a clone would miss it. Raises CollectionRefused."""
    if missing := absent(git, plan.astray.values()):
        raise CollectionRefused(missing_commits(plan, missing))
    move_refs(git, [RefMove(ref, pin, None) for ref, pin in plan.astray.items()])


def check_lock(tenant: Tenant) -> None:
    """Raise StoreMoved where another writer has the lock by now, because this connection was lost for a while."""
    if not try_lock_tenant(tenant.pk):
        raise StoreMoved(f"Another writer has taken over the store of {tenant}; no more is removed.")


def prune(store: TenantStore, looked: GcPlan, now: GcPlan, workshop: Workshop, still_ours: Callable[[], None]) -> None:
    """Everything that is there goes, but what was packed. The lock is held. Raises GitFailed, StoreMoved."""
    # What was written since the look, and what was undeleted: a commit of it may use an old object that nothing
    # needed then.
    if new := now.tips - looked.tips:
        workshop.pack(new, without=looked.tips, quickly=True)
    workshop.install()
    move_refs(store.git, [RefMove(ref, None, commit) for ref, commit in now.stray.items()])
    workshop.install_index()
    workshop.remove_others(still_ours)
