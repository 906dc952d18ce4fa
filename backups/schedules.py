"""The one schedule that django-q2 knows: a tick every minute.

Anything else that is due is found in our own tables by that tick: one broken schedule row would stop all of
django-q2's schedules, so users never make any.
"""

from __future__ import annotations

from django_q.models import Schedule

TICK = "netcairn tick"


def ensure_tick() -> None:
    """Have the tick, once, however often this is called."""
    Schedule.objects.update_or_create(
        name=TICK,
        defaults={"func": "backups.jobs.tick", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
    )
    extra = Schedule.objects.filter(name=TICK).order_by("pk").values_list("pk", flat=True)[1:]
    Schedule.objects.filter(pk__in=list(extra)).delete()
