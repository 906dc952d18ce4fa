"""The queue's doors: ids in, one service call. The only module, with `schedules.py`, that knows django-q2."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from backups import runs, shard, stay
from backups.absence import GONE
from backups.conf import limits, threads
from backups.errors import BadSchedule
from backups.hosts import beats, queues
from backups.models import Run, Schedule
from backups.netmiko_transport import NetmikoTransport
from inventory.models import Device

log = logging.getLogger(__name__)

DEVICES_A_SHARD = 100  # below that a second process costs more than it brings
MAX_SHARDS = 4  # unless the hosts have more workers
COLLECT = "backups.jobs.collect_shard"
LOOKED_AT = 100  # tasks that wait: more than one run has


def enqueue_run(devices: Iterable[Device], *, requested_by: str, trigger: str = Run.Trigger.HAND) -> list[Run]:
    """Ask for a run of each tenant among the devices; rows and queue tasks appear together or not at all.

    What a person asks for goes before all that waits in the queue, for one turn.
    """
    with transaction.atomic():
        asked = runs.start_runs(devices, requested_by=requested_by, trigger=trigger, by_queue=True, now=timezone.now())
        for run in asked:
            for queue, devices_there in queues.shares(run.attempts.all(), run.tenant_id).items():
                for _ in range(shards(devices_there, queue)):
                    ask_for_worker(run, queue, first=trigger == Run.Trigger.HAND)
    return asked


def shards(devices: int, queue: str = queues.MAIN) -> int:
    """How many workers a run of so many devices is worth: a few, or as many as all hosts of the queue have."""
    wanted = devices // DEVICES_A_SHARD
    if wanted > MAX_SHARDS:
        wanted = min(wanted, max(MAX_SHARDS, beats.workers_of(queue, timezone.now())))
    return max(1, wanted)


def ask_for_worker(run: Run, queue: str, *, first: bool = False) -> None:
    """Put a task into a queue that says: look at this run."""
    enqueue(COLLECT, str(run.pk), name=task_name(run), queue=queue, first=first)


def ask_for_workers(run: Run) -> None:
    """The same for each queue that something waits in; where nobody fetches any, one task is enough."""
    waiting = queues.shares(run.attempts.queued(), run.tenant_id) or {queues.MAIN: 0}
    for queue in waiting:
        if queue == queues.MAIN or not is_queued(task_name(run), queue):
            ask_for_worker(run, queue)


def task_name(run: Run) -> str:
    """What the run's tasks are called."""
    return f"collect {run.pk}"


def collect_shard(run_id: str) -> None:
    """One worker's share of a run; after its turn it goes to the end of the queue, if others wait there.

    A database that was away for too long has cost it its place only, where that can be written by now.
    """
    try:
        _collect_shard(run_id)
    except GONE:
        connection.close()
        runs.give_back(run_id, timezone.now())
        ask_for_worker(Run.objects.get(pk=run_id), queues.here())
        raise


def _collect_shard(run_id: str) -> None:
    run = Run.objects.get(pk=run_id)
    began = run.started_at or timezone.now()  # the run: two that go first would else give way to each other for ever
    gave_way = shard.work_on(
        run,
        transport=NetmikoTransport(),
        limits=limits(),
        threads=threads(),
        others_wait=lambda turn_over: (
            not beats.takes_work()
            or goes_before(run, timezone.now())
            or (turn_over and others_wait(run, timezone.now()))
        ),
    )
    if gave_way:
        now = timezone.now()
        step_back(run, now)
        ask_for_worker(run, queues.here(), first=run.trigger == Run.Trigger.HAND and now - began < stay.TURN)


def step_back(run: Run, now: datetime) -> None:
    """Put the run's other tasks at the end of the queue, too.

    Four of them wait there for a large run: where there is one worker, each would have its turn before anybody else.
    """
    for task in OrmQ.objects.filter(key=queues.cluster_of(queues.here()), lock__lte=now):
        # One that a worker fetches at this moment has another lock by now, and stays his.
        if task.name() == task_name(run) and OrmQ.objects.filter(pk=task.pk, lock=task.lock).delete()[0]:
            ask_for_worker(run, queues.here())


def others_wait(run: Run, now: datetime) -> bool:
    """Whether work other than this run's lies in the queue, and nobody has fetched it."""
    # A fetched task has its lock in the future.
    waiting = OrmQ.objects.filter(key=queues.cluster_of(queues.here()), lock__lte=now)[:LOOKED_AT]
    return any(task.name() != task_name(run) for task in waiting)


def goes_before(run: Run, now: datetime) -> bool:
    """Whether work that goes first lies in the queue.

    Also what is fetched and not begun: a cluster holds a task or two for which it has no worker yet.
    """
    here = OrmQ.objects.filter(key=queues.cluster_of(queues.here()))
    if any(task.name() != task_name(run) for task in here.filter(lock__lte=queues.FIRST)):
        return True
    fetched = [task.task for task in here.filter(lock__gt=now)[:LOOKED_AT]]
    others = Run.objects.filter(pk__in=[task["args"][0] for task in fetched if task["func"] == COLLECT])
    return others.exclude(pk=run.pk).filter(trigger=Run.Trigger.HAND, state=Run.State.QUEUED).exists()


def is_queued(name: str, queue: str = queues.MAIN) -> bool:
    """Whether a task of that name waits, or is being worked on."""
    return any(task.name() == name for task in OrmQ.objects.filter(key=queues.cluster_of(queue)))


def forget(names: Iterable[str], word: str) -> None:
    """Take from the queue, and from what it remembers, tasks of these names and those whose name has the word."""
    mine = Q(name__in=list(names)) | Q(name__contains=word)
    Task.objects.filter(mine).delete()
    wanted = set(names)
    for task in OrmQ.objects.all():
        if task.name() in wanted or word in task.name():
            task.delete()


def enqueue(call: str, *ids: str, name: str, queue: str = queues.MAIN, first: bool = False) -> None:
    """Put a task into a queue: the full name of its door, and nothing but ids. `first`: before all that waits there."""
    broker = get_broker(queues.cluster_of(queue))
    broker.goes_first = first
    async_task(call, *ids, task_name=name, cluster=queues.cluster_of(queue), broker=broker)


def tick() -> None:
    """Every minute: whatever lost its worker gets another, and what is due starts."""
    now = timezone.now()
    for run in [*runs.reap(now), *runs.resume(now)]:
        ask_for_workers(run)
    for hook in settings.NETCAIRN_TICKS:
        import_string(hook)()
    start_due(now)


def take_up_lost() -> None:
    """Ask for a worker for whatever lost its own. The watch over the queue does this between two ticks."""
    for run in runs.release_lost(timezone.now()):
        ask_for_workers(run)


def start_due(now: datetime) -> None:
    """Start every schedule whose moment has come; one that is broken stops only itself."""
    for schedule in Schedule.objects.due(now):
        try:
            with transaction.atomic():
                if schedule.take(now):
                    start_schedule(schedule)
        except BadSchedule as error:
            log.error("Schedule %s of tenant %s was disabled: %s", schedule.name, schedule.tenant_id, error)
            Schedule.objects.filter(pk=schedule.pk).update(enabled=False, next_at=None, trouble=str(error))


def start_schedule(schedule: Schedule) -> None:
    """Ask for the run of a schedule, unless the one before still goes on or nobody is there to be asked."""
    devices: list[Device] = []
    trouble = ""
    if schedule.last_run and schedule.last_run.state != Run.State.DONE:
        trouble = "Left out once, because the run before had not ended."
    elif not (devices := list(schedule.devices())):
        trouble = "Left out once, because no enabled device fits."
    asked = enqueue_run(devices, requested_by=f"schedule {schedule.name}", trigger=Run.Trigger.SCHEDULE)
    last_run = asked[0] if asked else schedule.last_run
    Schedule.objects.filter(pk=schedule.pk).update(last_run=last_run, trouble=trouble)
