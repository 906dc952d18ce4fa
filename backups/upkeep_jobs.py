"""The queue's doors to what is done for stores when nobody waits: reading them again, and preparing searches."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from backups import jobs
from backups.verification import due, make_rows, prepare_searches, unprepared, verify_stores

TURN, NAME = "backups.upkeep_jobs.turn", "upkeep of stores"


def tick() -> None:
    """Every minute: ask for a worker, if there is something to do and none is at it."""
    make_rows()
    if (due(timezone.now()) or unprepared()) and not jobs.is_queued(NAME):
        jobs.enqueue(TURN, name=NAME)


def turn() -> None:
    """One worker's share; what is left comes with the next minute."""
    prepare_searches(seconds=settings.NETCAIRN_UPKEEP_SECONDS)
    verify_stores(now=timezone.now(), seconds=settings.NETCAIRN_UPKEEP_SECONDS)
