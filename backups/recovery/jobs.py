"""The queue's doors to drills: a random tenant's every week, and after one that failed the next day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from backups import jobs
from backups.models import Repository
from backups.recovery.drilling import drill
from backups.recovery.models import Drill
from backups.remote.opening import is_set
from inventory.audit import SYSTEM

DRILL, NAME = "backups.recovery.jobs.weekly", "restore drill"
EVERY, AFTER_FAILURE = timedelta(days=7), timedelta(days=1)


def tick() -> None:
    """Every minute: ask for a worker when a drill is due."""
    if is_set() and is_due(timezone.now()) and copied().exists() and not jobs.is_queued(NAME):
        jobs.enqueue(DRILL, name=NAME)


def is_due(now: datetime) -> bool:
    """Whether the newest drill is old enough."""
    last = Drill.objects.order_by("-at").first()
    return last is None or last.at <= now - (EVERY if last.equal else AFTER_FAILURE)


def copied() -> QuerySet[Repository]:
    """Tenants of whom the object store has something."""
    there = Q(copied_seq__gt=0) | Q(home_seq__gt=0)
    return Repository.objects.filter(there, head__isnull=False, tenant__ends_at=None)


def weekly() -> None:
    """A tenant that nobody has chosen; after a failure the same one again."""
    now = timezone.now()
    if not is_due(now):
        return
    last = Drill.objects.order_by("-at").select_related("tenant").first()
    if last is not None and not last.equal:
        drill(last.tenant, by=SYSTEM, now=now)
    elif row := copied().select_related("tenant").order_by("?").first():
        drill(row.tenant, by=SYSTEM, now=now)
