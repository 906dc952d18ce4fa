"""The queue's doors: ids in, one service call. The only module, with `schedules.py`, that knows django-q2."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from backups import runs, shard
from backups.conf import limits, threads
from backups.models import Run
from backups.netmiko_transport import NetmikoTransport
from inventory.models import Device

DEVICES_A_SHARD = 100  # below that a second process costs more than it brings
MAX_SHARDS = 4


def enqueue_run(devices: Iterable[Device], *, requested_by: str, trigger: str = Run.Trigger.HAND) -> list[Run]:
    """Ask for a run of each tenant among the devices; rows and queue tasks appear together or not at all."""
    with transaction.atomic():
        asked = runs.start_runs(devices, requested_by=requested_by, trigger=trigger, by_queue=True, now=timezone.now())
        for run in asked:
            for _ in range(shards(run.attempts.count())):
                async_task("backups.jobs.collect_shard", str(run.pk), task_name=f"collect {run.pk}")
    return asked


def shards(devices: int) -> int:
    """How many workers a run of so many devices is worth."""
    return max(1, min(MAX_SHARDS, devices // DEVICES_A_SHARD))


def collect_shard(run_id: str) -> None:
    """One worker's share of a run."""
    run = Run.objects.get(pk=run_id)
    shard.work_on(run, transport=NetmikoTransport(), limits=limits(), threads=threads())


def tick() -> None:
    """Every minute: whatever lost its worker gets another."""
    for run in runs.reap(timezone.now()):
        async_task("backups.jobs.collect_shard", str(run.pk), task_name=f"collect {run.pk}")
