"""Making, changing and ending schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from backups.schedule_models import Schedule
from inventory.commands import not_found
from inventory.errors import AlreadyThere, NotFound
from inventory.models import Device, Tenant

TIMES = ("cron", "zone", "jitter", "blackouts", "enabled")  # what `next_at` follows from


def add_schedule(
    tenant: Tenant,
    name: str,
    *,
    cron: str,
    zone: str = "UTC",
    sites: Sequence[str] = (),
    tags: Sequence[str] = (),
    devices: Sequence[Device] = (),
    jitter: int = 0,
    blackouts: Sequence[str] = (),
    now: datetime,
) -> Schedule:
    """Register a schedule. Raises AlreadyThere, BadSchedule and ValidationError."""
    schedule = Schedule(tenant=tenant, name=name, cron=cron, zone=zone, jitter=jitter)
    schedule.sites, schedule.tags, schedule.blackouts = list(sites), list(tags), list(blackouts)
    if Schedule.objects.filter(tenant=tenant, name=name).exists():
        raise AlreadyThere(f"Tenant {tenant.name} has a schedule {name!r} already; remove it or choose another name.")
    schedule.plan_next(now)
    schedule.full_clean()
    with transaction.atomic():
        schedule.save()
        if devices:
            schedule.choose(devices)
    return schedule


def find_schedule(tenant: Tenant, name: str) -> Schedule:
    """The tenant's schedule of that name. Raises NotFound."""
    schedule = Schedule.objects.select_related("tenant", "last_run").filter(tenant=tenant, name=name).first()
    if schedule is None:
        names = Schedule.objects.filter(tenant=tenant).values_list("name", flat=True)
        raise NotFound(not_found("schedule", name, names))
    return schedule


def switch(schedule: Schedule, *, on: bool, now: datetime) -> None:
    """Enable or disable it; what was missed while it was off stays missed. Raises BadSchedule."""
    schedule.enabled, schedule.trouble = on, ""
    schedule.plan_next(now)
    schedule.save(update_fields=["enabled", "next_at", "trouble"])
