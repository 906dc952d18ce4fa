"""What is left to do after a purge was committed: refs follow, and the old objects go with the next collection."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backups import elsewhere
from backups.locks import lock_tenant
from backups.models import Repository
from backups.store import layout
from backups.store.reader import open_store
from backups.store.rereading import absent
from backups.store.writer import RefMove, move_refs
from checkpoints.retention_models import Purge
from inventory.models import Tenant

WAIT = 30.0  # seconds for the tenant's lock


def follow_refs(tenant: Tenant) -> None:
    """Let refs that still name what was purged follow; called before a collection, and harmless at any time."""
    commits = unfinished_commits(tenant)
    if not commits:
        return
    with transaction.atomic():
        lock_tenant(tenant.pk, wait=WAIT)
        store = open_store(tenant.pk)
        refs, head = store.refs(), Repository.objects.values_list("head", flat=True).get(tenant=tenant)
        main = refs.pop(layout.MAIN, None)
        moves = [RefMove(layout.MAIN, head, main)] if main in commits else []
        for ref, commit in refs.items():
            if ref.startswith(f"{layout.PURGED}/"):
                moves.append(RefMove(ref, None, commit))  # main has followed, or does now
            elif commit in commits and ref.startswith(f"{layout.QUARANTINE}/"):
                new = commits[commit]
                moves += [RefMove(ref, None, commit), RefMove(layout.quarantine_ref(new), new, None)]
            elif commit in commits:
                moves.append(RefMove(ref, commits[commit], commit))
        move_refs(store.git, moves)


def unfinished_commits(tenant: Tenant) -> dict[str, str]:
    """Old commits of purges whose end was not seen, with what took their place in the end."""
    commits: dict[str, str] = {}
    for purge in Purge.objects.filter(tenant=tenant, finished_at=None).order_by("at"):
        commits = {old: purge.commits.get(new, new) for old, new in commits.items()} | purge.commits
    return commits


def finish(tenant: Tenant, *, now: datetime) -> None:
    """Say that the old objects are off the disk, where they are."""
    unfinished = Purge.objects.filter(tenant=tenant, finished_at=None)
    store = open_store(tenant.pk)
    gone = [one.pk for one in unfinished if len(absent(store.git, one.commits)) == len(one.commits)]
    if gone:
        with transaction.atomic():
            Purge.objects.filter(pk__in=gone).update(finished_at=now)
            elsewhere.forget(tenant.pk)
