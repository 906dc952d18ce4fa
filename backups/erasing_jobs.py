"""The queue's doors to deleting tenants whose waiting time is over."""

from __future__ import annotations

from django.utils import timezone

from backups import jobs
from backups.erasing import erase
from inventory.audit import SYSTEM
from inventory.errors import NetcairnError
from inventory.models import Tenant
from inventory.notices import Level, tell

ERASE, NAME = "backups.erasing_jobs.work", "delete tenants"  # no id: the queue remembers its tasks
FAILED = "tenant.not_deleted"  # the code of the alarm, which goes with the tenant


def tick() -> None:
    """Every minute: ask for a worker where one is due."""
    if Tenant.objects.filter(ends_at__lte=timezone.now()).exists() and not jobs.is_queued(NAME):
        jobs.enqueue(ERASE, name=NAME)


def work() -> None:
    """All that are due; one that cannot be deleted yet does not keep the others waiting."""
    for tenant in Tenant.objects.filter(ends_at__lte=timezone.now()).order_by("ends_at"):
        try:
            erase(tenant, by=SYSTEM, now=timezone.now())
        except NetcairnError as error:
            text = f"It is due to be deleted for good, and cannot be yet: {error}"
            tell(tenant, code=FAILED, about=f"tenant {tenant}", text=text, level=Level.ALARM)
