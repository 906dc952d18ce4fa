"""The queue's doors to restores: ids in, one service call; and what the minute's tick finds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from backups import jobs
from backups.conf import limits, threads
from backups.device_writing import NetmikoWriter
from backups.hosts import queues
from checkpoints.device_restore import push_restore
from checkpoints.errors import WrongMoment
from checkpoints.models import Restore, RestoreGroup
from checkpoints.restore_group import plan_group, push_group, reap_groups
from checkpoints.restore_means import Means, RealTime, database_clock
from checkpoints.restore_planning import plan_restore
from checkpoints.restore_reaper import reap_restores
from inventory.errors import NetcairnError
from inventory.models import Device

log = logging.getLogger(__name__)

DOORS = ("plan", "push", "plan_several", "push_several", "reap")
PLAN, PUSH, PLAN_SEVERAL, PUSH_SEVERAL, REAP = (f"checkpoints.restore_jobs.{name}" for name in DOORS)


def live_means() -> Means:
    """Real devices, real time."""
    return Means(NetmikoWriter(), limits(), RealTime(), database_clock)


def enqueue_plan(restore: Restore) -> None:
    """Let a worker plan it."""
    queue = queues.queue_of_device(restore.device)
    jobs.enqueue(PLAN, str(restore.pk), name=f"plan restore {restore.pk}", queue=queue, first=True)


def enqueue_push(restore: Restore, *, by: str) -> None:
    """Let a worker carry it out. Raises WrongMoment."""
    with transaction.atomic():
        if not Restore.objects.filter(pk=restore.pk, state=Restore.State.APPROVED).update(pushed_by=by):
            raise WrongMoment(f"Restore {restore.short_id} is not approved: it cannot be pushed.")
        queue = queues.queue_of_device(restore.device)
        jobs.enqueue(PUSH, str(restore.pk), name=f"push restore {restore.pk}", queue=queue, first=True)


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


def one_queue(devices: Iterable[Device]) -> str:
    """The queue of a tenant's devices that are put back together, by one worker. Raises WrongMoment for several."""
    places = {(device.tenant_id, device.site) for device in devices}
    said = {tenant: queues.of_tenant(tenant) for tenant in {tenant for tenant, _ in places}}
    found = {queues.queue_of(site, said[tenant]) for tenant, site in places}
    if len(found) > 1:
        named = ", ".join(sorted(queue or "that of all others" for queue in found))
        raise WrongMoment(f"These devices belong to several queues ({named}): put those of each back by themselves.")
    return found.pop() if found else queues.MAIN


def enqueue_group_plan(group: RestoreGroup) -> None:
    """Let a worker plan all its devices. Raises WrongMoment."""
    queue = one_queue(restore.device for restore in group.in_order())
    jobs.enqueue(PLAN_SEVERAL, str(group.pk), name=f"plan restores {group.pk}", queue=queue, first=True)


def enqueue_group_push(group: RestoreGroup, *, by: str) -> None:
    """Let a worker carry it out. Raises WrongMoment."""
    with transaction.atomic():
        mine = RestoreGroup.objects.filter(pk=group.pk, ended_at=None, token=None).exclude(approved_by="")
        if not mine.update(pushed_by=by):
            raise WrongMoment(f"{group} is {group.state}: it cannot be pushed.")
        queue = one_queue(restore.device for restore in group.in_order())
        jobs.enqueue(PUSH_SEVERAL, str(group.pk), name=f"push restores {group.pk}", queue=queue, first=True)


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
    needed = set(queues.with_queue(Restore.objects.forsaken(now)).order_by().values_list("queue", flat=True))
    if RestoreGroup.objects.forsaken(now).exists():
        needed.add(queues.MAIN)
    for queue in needed:
        if queue == queues.MAIN or not jobs.is_queued("reap restores", queue):
            jobs.enqueue(REAP, name="reap restores", queue=queue)


def reap() -> None:
    """Bring restores whose process is gone to their end."""
    means = live_means()
    reap_restores(means)
    reap_groups(means)
