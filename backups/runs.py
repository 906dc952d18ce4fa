"""The life of a run: asked for, worked on by any number of shards, ended once; and what happens when a worker is lost.

The rows are the truth. A queue task only says "have a look at run X": it may come twice, die half way, or never come.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from backups import claimers
from backups.errors import StoreError
from backups.hosts.queues import others
from backups.lost import check_record
from backups.models import Attempt, AttemptSet, Run
from backups.retries import MAX_TRIES
from inventory.models import Device

SILENCE = timedelta(seconds=90)  # a living shard is heard of every HEARTBEAT (backups/shard.py), so six are missing

# One insert of 10,000 rows that differ in their device alone. Made one by one they cost half a second of CPU.
_QUEUE = """
    INSERT INTO backups_attempt (tenant_id, run_id, device_id, state, cause, detail, claimed_by, tries)
    SELECT %s, %s, asked.id, %s, '', '', '', 0
    FROM unnest(%s::uuid[]) WITH ORDINALITY AS asked (id, place)
    ORDER BY asked.place
"""


def start_runs(
    devices: Iterable[Device], *, requested_by: str, trigger: str, by_queue: bool, now: datetime
) -> list[Run]:
    """Note the request: one run per tenant with an attempt per device. Nothing is collected yet."""
    by_tenant = sorted(devices, key=lambda device: (device.tenant_id, device.name))
    with transaction.atomic():
        return [
            start_run(tenant_id, list(theirs), requested_by=requested_by, trigger=trigger, by_queue=by_queue, now=now)
            for tenant_id, theirs in groupby(by_tenant, key=lambda device: device.tenant_id)
        ]


def start_run(
    tenant_id: UUID, devices: list[Device], *, requested_by: str, trigger: str, by_queue: bool, now: datetime
) -> Run:
    """One tenant's part of `start_runs`."""
    run = Run.objects.create(
        tenant_id=tenant_id,
        requested_by=requested_by,
        trigger=trigger,
        by_queue=by_queue,
        requested_at=now,
        heartbeat_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, [tenant_id, run.pk, Attempt.State.QUEUED, [device.pk for device in devices]])
    return run


def end_run(run: Run, now: datetime) -> bool:
    """Close a run whose attempts all have a final state; False while some have not, or when it was closed before.

    What others do at the end of a run (a checkpoint) comes first: should it fail, the run stays unended and the
    reaper comes back to it. So it must bear being called twice.
    """
    if run.attempts.open().exists() or not Run.objects.unended().filter(pk=run.pk).exists():
        return False
    for hook in settings.NETCAIRN_RUN_ENDED:
        import_string(hook)(run)
    ended = Run.objects.unended().filter(pk=run.pk).update(state=Run.State.DONE, ended_at=now)
    return bool(ended)


def reap(now: datetime) -> list[Run]:
    """Mend runs whose workers were lost; gives back those that need a worker.

    Attempts of a dead shard go back to the queue, or are given up after `MAX_TRIES` or when no queue would go on.
    """
    lost = release_lost(now)
    forsaken = Run.objects.forsaken(before=now - SILENCE).exclude(pk__in=[run.pk for run in lost])
    return [run for run in (*lost, *forsaken) if not closed(run, now)]


def release_lost(now: datetime) -> list[Run]:
    """Take attempts from workers that are gone or were not heard of; whoever comes next may have them.

    Gives back the runs that lost a worker and have to be looked at by another.
    """
    running = Attempt.objects.filter(state=Attempt.State.RUNNING)
    claimers_known = running.exclude(claimed_by="").order_by().values_list("claimed_by", flat=True).distinct()
    gone = [claimer for claimer in claimers_known if claimers.is_gone(claimer)]
    stale = running.filter(Q(claimed_by__in=gone) | Q(heartbeat_at__lt=now - SILENCE))
    lost = list(Run.objects.unended().filter(by_queue=True, pk__in=stale.values("run")))
    put_back(stale, now)
    return lost


def give_back(run_id: str, now: datetime) -> None:
    """Take a run's attempts from this process, which had to end its share of it."""
    claimer = claimers.this_process()
    if claimer:
        put_back(Attempt.objects.filter(run_id=UUID(run_id), state=Attempt.State.RUNNING, claimed_by=claimer), now)


def put_back(stale: AttemptSet, now: datetime) -> None:
    """Queue again what nobody works on any more, and give up what is not worth another try."""
    give_up_lost(stale, now)
    stale.filter(run__by_queue=True).update(state=Attempt.State.QUEUED, token=None)


def give_up_lost(stale: AttemptSet, now: datetime) -> None:
    """Fail those of the stale attempts that are not worth another try."""
    detail = "The process that collected this device ended in the middle; back the device up again."
    stale.filter(run__by_queue=False).give_up(cause="worker-lost", detail=detail, now=now)
    stopped = "The process that collected this device ended in the middle, and the run was cancelled."
    stale.exclude(run__cancelled_at=None).give_up(cause="worker-lost", detail=stopped, now=now)
    worn = stale.filter(tries__gte=MAX_TRIES)
    worn.give_up(cause="worker-lost", detail=f"{MAX_TRIES} workers ended while they collected this device.", now=now)


def closed(run: Run, now: datetime) -> bool:
    """Close a forsaken run if nothing is left to do in it; else note that a worker is asked for."""
    if not run.by_queue and not run.attempts.filter(heartbeat_at__gte=now - SILENCE).exists():
        detail = "The process that collected this run ended before this device's turn; back the device up again."
        run.attempts.give_up(cause="worker-lost", detail=detail, now=now)
    if end_run(run, now):
        return True
    Run.objects.filter(pk=run.pk).update(heartbeat_at=now)
    return not run.by_queue


def resume(now: datetime) -> list[Run]:
    """Runs that were left alone until now and need a worker again; each is given to one caller."""
    waiting = list(Run.objects.to_resume(now))
    return [
        run for run in waiting if Run.objects.to_resume(now).filter(pk=run.pk).update(resume_at=None, heartbeat_at=now)
    ]


def cancel(run: Run, *, by: str, now: datetime) -> int:
    """Stop a run: nobody claims its queued devices any more; those being asked are finished. How many were stopped.

    The run ends here, or with the last device that is being asked.
    """
    with transaction.atomic():
        # First the run: who puts an attempt back into the queue looks at it, and waits for us or we for him.
        Run.objects.unended().filter(pk=run.pk, cancelled_at=None).update(cancelled_at=now)
        detail = f"The run was cancelled by {by} before this device was collected."
        stopped = run.attempts.queued().give_up(cause="cancelled", detail=detail, now=now)
    end_run(run, now)
    return stopped


def not_if_cancelled(run: Run, again: Iterable[Attempt], now: datetime) -> None:
    """Fail, in memory, what was to be tried again, if the run was cancelled meanwhile. Within a transaction."""
    if Run.objects.select_for_update(no_key=True).get(pk=run.pk).cancelled_at is None:
        return
    for attempt in again:
        attempt.state, attempt.not_before, attempt.ended_at = Attempt.State.FAILED, None, now


def refused(run: Run, now: datetime) -> bool:
    """Close what of a run this process cannot do and nobody else will; whether that is all of it."""
    if not run.by_queue:
        detail = "Only workers of the queue {} talk to this device: leave the backup to the queue, or ask there."
        for queue, attempt in others(run.attempts.queued()).values_list("queue", "pk"):
            said = detail.format(queue or "of all other devices")
            run.attempts.filter(pk=attempt).give_up(cause="other-queue", detail=said, now=now)
    return refused_by_store(run, now)


def refused_by_store(run: Run, now: datetime) -> bool:
    """Close a run whose tenant's record is lost or unreadable, before any device is asked; whether it was so.

    Without this an unchanged device would be called good although nothing of it is kept any more.
    """
    try:
        check_record(run.tenant_id)
    except StoreError as error:
        run.attempts.give_up(cause=error.cause, detail=str(error), now=now)
        end_run(run, now)
        return True
    return False


def abandon(run: Run, now: datetime) -> None:
    """Close a run that its caller interrupts: what is kept stays kept, the rest failed."""
    run.attempts.give_up(cause="interrupted", detail="The backup was interrupted before this device was done.", now=now)
    end_run(run, now)
