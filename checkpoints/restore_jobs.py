"""The queue's doors to restores: ids in, one service call; and what the minute's tick finds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from backups import jobs
from backups.conf import limits, threads
from backups.device_writing import NetmikoWriter
from checkpoints.device_restore import push_restore
from checkpoints.errors import WrongMoment
from checkpoints.models import Restore, RestoreGroup
from checkpoints.restore_group import plan_group, push_group, reap_groups
from checkpoints.restore_means import Means, RealTime, database_clock
from checkpoints.restore_planning import plan_restore
from checkpoints.restore_reaper import reap_restores
from inventory.errors import NetcairnError

log = logging.getLogger(__name__)

DOORS = ("plan", "push", "plan_several", "push_several", "reap")
PLAN, PUSH, PLAN_SEVERAL, PUSH_SEVERAL, REAP = (f"checkpoints.restore_jobs.{name}" for name in DOORS)


def live_means() -> Means:
    """Real devices, real time."""
    return Means(NetmikoWriter(), limits(), RealTime(), database_clock)


def enqueue_plan(restore: Restore) -> None:
    """Let a worker plan it."""
    jobs.enqueue(PLAN, str(restore.pk), name=f"plan restore {restore.pk}")


def enqueue_push(restore: Restore, *, by: str) -> None:
    """Let a worker carry it out. Raises WrongMoment."""
    with transaction.atomic():
        if not Restore.objects.filter(pk=restore.pk, state=Restore.State.APPROVED).update(pushed_by=by):
            raise WrongMoment(f"Restore {restore.short_id} is not approved: it cannot be pushed.")
        jobs.enqueue(PUSH, str(restore.pk), name=f"push restore {restore.pk}")


def plan(restore_id: str) -> None:
    """Look at the device and plan; the row says what came of it."""
    restore = Restore.objects.get(pk=UUID(restore_id))
    with told_by_the_row(restore):
        plan_restore(restore, by=restore.requested_by, means=live_means())


def push(restore_id: str) -> None:
    """Carry an approved plan out; the row says what came of it, and a second delivery finds it taken."""
    restore = Restore.objects.get(pk=UUID(restore_id))
    with told_by_the_row(restore):
        push_restore(restore, by=restore.pushed_by, means=live_means())


def enqueue_group_plan(group: RestoreGroup) -> None:
    """Let a worker plan all its devices."""
    jobs.enqueue(PLAN_SEVERAL, str(group.pk), name=f"plan restores {group.pk}")


def enqueue_group_push(group: RestoreGroup, *, by: str) -> None:
    """Let a worker carry it out. Raises WrongMoment."""
    with transaction.atomic():
        mine = RestoreGroup.objects.filter(pk=group.pk, ended_at=None, token=None).exclude(approved_by="")
        if not mine.update(pushed_by=by):
            raise WrongMoment(f"{group} is {group.state}: it cannot be pushed.")
        jobs.enqueue(PUSH_SEVERAL, str(group.pk), name=f"push restores {group.pk}")


def plan_several(group_id: str) -> None:
    """Look at the devices and plan; the rows say what came of it."""
    group = RestoreGroup.objects.get(pk=UUID(group_id))
    with told_by_the_row(group):
        plan_group(group, by=group.requested_by, means=live_means(), threads=threads())


def push_several(group_id: str) -> None:
    """Carry approved plans out; a second delivery finds it taken."""
    group = RestoreGroup.objects.get(pk=UUID(group_id))
    with told_by_the_row(group):
        push_group(group, by=group.pushed_by, means=live_means())


@contextmanager
def told_by_the_row(restore: Restore | RestoreGroup) -> Iterator[None]:
    """What is expected to go wrong stands in the row already; a failed task would only say it again."""
    try:
        yield
    except NetcairnError as exc:
        log.info("%s: %s", str(restore).capitalize(), exc)


def tick() -> None:
    """Every minute: a restore without a process gets one that looks after it."""
    now = database_clock()
    if Restore.objects.forsaken(now).exists() or RestoreGroup.objects.forsaken(now).exists():
        jobs.enqueue(REAP, name="reap restores")


def reap() -> None:
    """Bring restores whose process is gone to their end."""
    means = live_means()
    reap_restores(means)
    reap_groups(means)
