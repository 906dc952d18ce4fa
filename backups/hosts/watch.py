"""Every minute: sites whose workers are gone raise an alarm, and after a while block nobody any more; silent hosts too.

A run ends when all its devices have a final state. What nobody comes to collect would keep it open for ever: without
a checkpoint of the other sites, and with every next start of its schedule left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from backups import runs
from backups.hosts.models import Host, SiteQueue
from backups.hosts.queues import MAIN, with_queue
from backups.models import Attempt, Run
from inventory.models import Tenant
from inventory.notices import Level, Notice, settle, tell

NO_WORKER, SILENT = "queue.no_worker", "host.silent"  # codes of alarms
ALARM_AFTER = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(minutes=15)  # a host may be started anew meanwhile
FORGET_AFTER = timedelta(days=30)


def tick() -> None:
    """Called by the queue's tick."""
    now = timezone.now()
    watch_queues(now)
    watch_hosts(now)


def watch_queues(now: datetime) -> None:
    """Alarms for queues that nobody works for, and an end to what waits in them."""
    if SiteQueue.objects.exists():
        forsaken = forsaken_queues(now)
        for queue in forsaken:
            alarm(queue, forsaken[queue], now)
            give_up(queue, forsaken[queue], now)
    taken = set(Host.objects.taking(now).values_list("queue", flat=True))
    for notice in open_alarms(NO_WORKER):
        if notice.about in taken or not SiteQueue.objects.filter(tenant=notice.tenant, queue=notice.about).exists():
            settle(notice.tenant, code=NO_WORKER, about=notice.about)


def forsaken_queues(now: datetime) -> dict[str, datetime | None]:
    """Queues of sites that no host takes work from, with the time at which one was heard of last."""
    named = set(SiteQueue.objects.exclude(queue=MAIN).order_by().values_list("queue", flat=True).distinct())
    named -= set(Host.objects.taking(now).values_list("queue", flat=True))
    heard = dict(Host.objects.order_by().values_list("queue").annotate(Max("heartbeat_at")))
    return {queue: heard.get(queue) for queue in sorted(named)}


def waiting_in(queue: str) -> QuerySet:
    """Attempts that wait for workers of a queue."""
    tenants = SiteQueue.objects.filter(queue=queue).values("tenant")
    queued = Attempt.objects.queued().filter(tenant__in=tenants, run__by_queue=True)
    return with_queue(queued).filter(queue=queue)


def alarm(queue: str, heard: datetime | None, now: datetime) -> None:
    """One for each tenant that waits."""
    waiting: dict[UUID, tuple[int, datetime]] = {
        tenant: (count, since)
        for tenant, count, since in waiting_in(queue)
        .order_by()
        .values_list("tenant")
        .annotate(Count("id"), Min("run__requested_at"))
    }
    for tenant in Tenant.objects.filter(pk__in=waiting):
        count, since = waiting[tenant.pk]
        if now - max(since, heard or since) < ALARM_AFTER:
            continue
        last = f"one was heard of last at {heard:%Y-%m-%d %H:%M} UTC" if heard else "none was ever heard of"
        text = (
            f"{count} device{'s wait' if count > 1 else ' waits'} for workers of the queue {queue}, and {last}: start "
            f"`netcairn queue` there, or resume it (`hosts list`). After {GIVE_UP_AFTER.total_seconds() / 60:.0f} "
            "minutes they count as failed, so that the rest of the run can end."
        )
        tell(tenant, code=NO_WORKER, about=queue, text=text, level=Level.ALARM)


def give_up(queue: str, heard: datetime | None, now: datetime) -> None:
    """Fail what has waited for too long, and end the runs that waited for nothing else."""
    if heard is not None and now - heard < GIVE_UP_AFTER:
        return
    lost = waiting_in(queue).filter(run__requested_at__lt=now - GIVE_UP_AFTER)
    attempts = defaultdict(list)
    for attempt, run in lost.values_list("pk", "run"):
        attempts[run].append(attempt)
    detail = f"No worker of the queue {queue} came for this device; start one there, and back the device up again."
    for run in Run.objects.filter(pk__in=attempts):
        Attempt.objects.queued().filter(pk__in=attempts[run.pk]).give_up(cause="no-worker", detail=detail, now=now)
        runs.end_run(run, now)


def watch_hosts(now: datetime) -> None:
    """An alarm for each host that went away without a word, until it is back or forgotten."""
    Host.objects.filter(heartbeat_at__lt=now - FORGET_AFTER).delete()
    silent = {str(host): host for host in Host.objects.silent(now)}
    for name, host in silent.items():
        text = (
            f"Nothing was heard of the workers of host {name} since {host.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC. What "
            "they had begun is done by others where there are any; `hosts forget` takes a host away that is gone."
        )
        tell(None, code=SILENT, about=name, text=text, level=Level.ALARM)
    for notice in open_alarms(SILENT):
        if notice.about not in silent:
            settle(None, code=SILENT, about=notice.about)


def open_alarms(code: str) -> Iterable[Notice]:
    """All of a kind."""
    return list(Notice.objects.open_alarms().filter(code=code).select_related("tenant"))
