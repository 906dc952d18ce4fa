"""The rules of retention once more, written another way, to hold the first way against: slowly, and straight from the
words of docs/retention.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from checkpoints.retention import Era, Moment, Policy

# Both turns of the clocks in Paris and New York, and the turn of a year whose first days belong to the week before.
TURNS = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
]
ZONES = ["UTC", "Europe/Paris", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]


def kept_by_model(policy: Policy, moments: list[Moment], now: datetime) -> set[UUID]:
    """The ids that have to stay: one rule after the other, each looking at everything."""
    if policy.everything or policy.hold:
        return {moment.id for moment in moments}
    stay = {one.id for one in moments if one.protected or one.refs or one.in_use or set(one.tags) & policy.tags}
    for whole in (True, False):
        line = sorted((one for one in moments if one.whole == whole), key=lambda one: (one.seq, one.at, one.id))
        stay |= {one.id for one in line[len(line) - min(policy.last, len(line)) :]}
        for at, one in enumerate(line):
            before = [other.at for other in line[: at + 1] if other.at <= now]
            if policy.within and (one.at > now or (before and now - max(before) <= policy.within)):
                stay.add(one.id)
        for count, name in (
            (policy.hourly, "hour"),
            (policy.daily, "day"),
            (policy.weekly, "week"),
            (policy.monthly, "month"),
            (policy.yearly, "year"),
        ):
            # The last one of each period, then the periods whose last one is the newest.
            last_of: dict[tuple[object, ...], int] = {}
            for at, one in enumerate(line):
                last_of[period(name, one.at, policy.zone)] = at
            stay |= {line[at].id for at in sorted(last_of.values(), reverse=True)[:count]}
    return stay


def period(name: str, at: datetime, zone: str) -> tuple[object, ...]:
    """What names the period, by arithmetic and not by formatting."""
    local = at.astimezone(ZoneInfo(zone))
    date = local.date()
    if name == "hour":
        return date, local.hour, local.utcoffset()
    if name == "day":
        return (date,)
    if name == "week":
        return (date - timedelta(days=date.weekday()),)
    return (date.year, date.month) if name == "month" else (date.year,)


def eras_by_model(policy: Policy, moments: list[Moment], eras: list[Era], now: datetime) -> set[int]:
    """The numbers of the epochs that have to stay."""
    line = sorted((one for one in moments if one.whole), key=lambda one: (one.seq, one.at, one.id))
    newest = line[len(line) - min(policy.last, len(line)) :] if not policy.everything else []
    return {
        era.number
        for era in eras
        if policy.everything
        or policy.hold
        or era.ended is None
        or era.last_good
        or era.protected
        or era.in_use
        or (policy.within and now - era.ended <= policy.within)
        or any(era.first_seq <= one.seq <= era.last_seq for one in newest)
    }


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Moment], datetime]:
    """A line of checkpoints around a turn of the clocks: in bursts, at equal times, with clocks set back and ahead."""
    clock = draw(st.sampled_from(TURNS)) - timedelta(hours=draw(st.integers(0, 72)))
    steps = st.sampled_from(
        [timedelta(0)] * 2
        + [timedelta(minutes=m) for m in (1, 20, 30, 59, 60, 61)]
        + [timedelta(hours=h) for h in (5, 23, 24, 25)]
        + [timedelta(days=d) for d in (2, 7, 31, 365)]
        + [timedelta(hours=-1), timedelta(days=-3), timedelta(days=-400), timedelta(days=400)]
    )
    moments, seq = [], 0
    for at in range(draw(st.integers(0, 30))):
        clock += draw(steps)
        seq += draw(st.integers(0, 2))
        moments.append(
            Moment(
                UUID(int=draw(st.integers(0, 2**100)) * 1000 + at),
                seq,
                clock,
                whole=draw(st.integers(0, 5)) > 0,
                tags=tuple(draw(st.sets(st.sampled_from("ab"), max_size=2))) if draw(st.integers(0, 5)) == 0 else (),
                refs=("HEAD",) if draw(st.integers(0, 15)) == 0 else (),
                protected=draw(st.integers(0, 15)) == 0,
                in_use="a restore" if draw(st.integers(0, 20)) == 0 else "",
            )
        )
    now = clock + draw(st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(days=10), timedelta(days=-1)]))
    return draw(st.permutations(moments)), now


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that may be set."""
    if draw(st.integers(0, 12)) == 0:
        return Policy(hold=draw(st.sampled_from(["", "case 12"])))
    counts = {name: draw(st.sampled_from([0, 0, 1, 2, 3, 7])) for name in ("last", "hourly", "daily", "weekly")}
    counts |= {name: draw(st.sampled_from([0, 0, 1, 3])) for name in ("monthly", "yearly")}
    within = draw(st.sampled_from([timedelta(0), timedelta(days=1), timedelta(days=30)]))
    tags = frozenset(draw(st.sets(st.sampled_from("ab"), max_size=1)))
    if not any(counts.values()) and not within and not tags:
        counts["last"] = 1
    zone = draw(st.sampled_from(ZONES))
    hold = "case 12" if draw(st.integers(0, 25)) == 0 else ""
    return Policy(everything=False, within=within, tags=tags, zone=zone, hold=hold, **counts)


@st.composite
def epochs(draw: st.DrawFn, now: datetime) -> list[Era]:
    """Epochs one after the other; the last one goes on."""
    found, seq = [], 1
    for number in range(1, draw(st.integers(1, 5)) + 1):
        last = seq + draw(st.integers(0, 12))
        ended = now - timedelta(days=draw(st.sampled_from([0, 1, 29, 30, 31, 500, -5])))
        found.append(Era(number, seq, last, ended, *(draw(st.integers(0, 9)) == 0 for _ in "ab")))
        seq = last + 1
    found[-1] = Era(found[-1].number, found[-1].first_seq, 10**9, None)
    return found
