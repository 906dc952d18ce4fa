"""The queue's doors to mirrors. When one is due stands in its row, moved in the transaction that ends a run."""

from __future__ import annotations

from time import monotonic

from django.utils import timezone

from backups import jobs
from backups.mirrors.models import Mirror
from backups.mirrors.pushing import push_mirror, watch
from backups.models import Run

TURN, NAME = "backups.mirrors.jobs.turn", "push to mirrors"
SECONDS = 60.0  # of a worker's time; then others have their turn


def run_ended(run: Run) -> None:
    """Whatever the run brought is pushed at once."""
    if Mirror.objects.filter(tenant=run.tenant_id).wanted(timezone.now()):
        ask()


def ask() -> None:
    """Have a worker for what is due, one at a time."""
    if not jobs.is_queued(NAME):
        jobs.enqueue(TURN, name=NAME)


def tick() -> None:
    """Every minute: what is due, and what is late."""
    now = timezone.now()
    if Mirror.objects.due(now).exists():
        ask()
    watch(now)


def turn() -> None:
    """One worker's share; what is left comes with the next minute."""
    until = monotonic() + SECONDS
    while monotonic() < until:
        now = timezone.now()
        mirror = Mirror.objects.due(now).first()
        if mirror is None:
            return
        push_mirror(mirror, now=now)
