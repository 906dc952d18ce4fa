"""What happened on each day, for charts: a day that is over is counted once and kept, today is counted anew.

Over a million attempts a chart of three weeks would read a third of them each time somebody opens the dashboard.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import TruncDate
from django.utils import timezone

from backups.models import Attempt, DayTally, Snapshot
from backups.standing import TROUBLE

COUNTED = (Attempt.State.CHANGED.value, *(state.value for state in TROUBLE))
KEPT_DAYS = 60  # no chart looks further back
GRACE = timedelta(hours=1)  # after midnight: what ended before it may be committed a little later


def by_day(tenants: Collection[UUID], *, days: int, now: datetime) -> dict[str, list[int]]:
    """What happened on each of the last `days` (UTC), oldest first: `changed` are versions that replaced another one,
    `quarantined` and `failed` are attempts, by the day on which they ended.

    First versions are left out, or the day on which a network was added would dwarf every other; unchanged attempts
    too, because they are nearly all, and say nothing.
    """
    first = now.astimezone(UTC).date() - timedelta(days=days - 1)
    counts = {state: [0] * days for state in COUNTED}
    wanted = {str(tenant) for tenant in tenants}
    tallies = DayTally.objects.filter(day__gte=first).order_by("day")
    done = set()
    for tally in tallies:
        done.add(tally.day)
        for tenant, told in tally.counts.items():
            if tenant in wanted:
                for state, number in zip(COUNTED, told, strict=True):
                    counts[state][(tally.day - first).days] += number
    since = next(day for day in (first + timedelta(days=at) for at in range(days + 1)) if day not in done)
    for _, state, day, number in counted(since, tenants=tenants, each=False):
        if day not in done and 0 <= (day - first).days < days:
            counts[state][(day - first).days] += number
    return counts


def tick() -> None:
    """Every minute: count the days that are over and were not counted yet."""
    tally_days(now=timezone.now())


def tally_days(*, now: datetime) -> int:
    """Count and keep the days that are over; how many there were. Two at once do no harm: the first one counts."""
    last = (now.astimezone(UTC) - GRACE).date() - timedelta(days=1)
    first = last - timedelta(days=KEPT_DAYS - 1)
    done = set(DayTally.objects.filter(day__gte=first).values_list("day", flat=True))
    missing = [day for day in (first + timedelta(days=at) for at in range(KEPT_DAYS)) if day not in done]
    if not missing:
        return 0
    sums: dict[date, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for tenant, state, day, number in counted(missing[0], until=last):
        sums[day][str(tenant)][state] += number
    rows = [DayTally(day=day, counts=told(sums[day])) for day in missing]
    DayTally.objects.bulk_create(rows, ignore_conflicts=True)
    DayTally.objects.filter(day__lt=first).delete()
    return len(rows)


def told(by_tenant: dict[str, Counter[str]]) -> dict[str, list[int]]:
    """What a row keeps of a day: numbers in the order of COUNTED, for tenants that have any."""
    return {tenant: [counter[state] for state in COUNTED] for tenant, counter in by_tenant.items()}


def counted(
    since: date, *, until: date | None = None, tenants: Collection[UUID] | None = None, each: bool = True
) -> Iterator[tuple[UUID | None, str, date, int]]:
    """Tenant, state, day and number from rows, for whole days in UTC, up to and including `until`; with `each` false
    of all these tenants together. One query."""
    by = ("tenant_id", "state") if each else ("state",)
    asked: dict[str, Any] = {"since": since, "until": until, "tenants": tenants, "by": by}
    before = Snapshot.objects.filter(device=OuterRef("device"), seq__lt=OuterRef("seq"))
    changes = Snapshot.objects.filter(Exists(before)).annotate(state=Value(Attempt.State.CHANGED.value, CharField()))
    trouble = Attempt.objects.filter(state__in=TROUBLE)
    found = within(changes, "taken_at", **asked).union(within(trouble, "ended_at", **asked), all=True)
    for *tenant, state, day, number in found:
        yield tenant[0] if tenant else None, state, day, number


def within(
    rows: QuerySet,
    moment: str,
    *,
    since: date,
    until: date | None,
    tenants: Collection[UUID] | None,
    by: tuple[str, ...],
) -> QuerySet[Any, tuple[Any, ...]]:
    """Rows of these days counted by some columns and the day."""
    rows = rows.filter(**{f"{moment}__gte": midnight(since)})
    if until is not None:
        rows = rows.filter(**{f"{moment}__lt": midnight(until + timedelta(days=1))})
    if tenants is not None:
        rows = rows.filter(tenant__in=tenants)
    days = rows.annotate(day=TruncDate(moment, tzinfo=UTC)).order_by()
    return days.values_list(*by, "day").annotate(n=Count("pk"))


def midnight(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
