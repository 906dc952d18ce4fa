"""Which checkpoints and epochs a policy keeps, and by which rule. Pure: no git, no database, no clock.

The order of two checkpoints is that of the record (`seq`), not of the clocks, because clocks are set back. The rules by
calendar go through the checkpoints from the newest to the oldest and keep the newest one of each hour, day, week, month
or year, until as many of these were seen as the policy asks for; periods in which nothing was made do not count, so a
tenant that was off for a month loses nothing by it. They count on the clock of the policy's time zone; the hour that
comes twice in autumn is two hours.

Checkpoints of chosen devices are counted by themselves: one of three devices must not stand for the whole tenant's day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

MANY = 1 / 5  # of what is kept now: a change of policy that drops more is asked about once more
COUNTS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
MAX_COUNT = 100_000
MAX_DAYS = 36_500


@dataclass(frozen=True)
class Policy:
    """What a tenant keeps. With `everything`, the default, no other rule may be set."""

    everything: bool = True
    last: int = 0  # checkpoints
    within: timedelta = timedelta(0)  # 0: no such rule
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    tags: frozenset[str] = frozenset()  # a checkpoint with one of these is kept for ever
    zone: str = "UTC"
    hold: str = ""  # why nothing at all may go, as a court or an auditor asked for it; empty: no hold

    def problems(self) -> list[str]:
        """Why this is no policy, a sentence each; empty where it is one."""
        return list(problems_of(self))

    @property
    def epoch_span(self) -> timedelta:
        """How long an epoch lasts at least: a quarter of what is kept as a whole, so that little is kept too long."""
        return max(timedelta(days=1), self.within / 4)

    @property
    def epoch_checkpoints(self) -> int:
        """How many checkpoints an epoch has at least, for the same reason."""
        return max(1, self.last // 4)


def problems_of(policy: Policy) -> Iterator[str]:
    """What is empty, impossible or contradicts itself."""
    asked = [name for name in COUNTS if getattr(policy, name)]
    for name in COUNTS:
        if not 0 <= getattr(policy, name) <= MAX_COUNT:
            yield f"“{name}” must be a number from 0 to {MAX_COUNT:,}."
    if not timedelta(0) <= policy.within <= timedelta(days=MAX_DAYS):
        yield f"The days within which everything is kept must be from 0 to {MAX_DAYS:,}."
    limits = bool(asked or policy.within or policy.tags)
    if policy.everything and limits:
        yield "“Keep everything” and rules that keep only a part contradict each other: choose one of the two."
    if not policy.everything and not limits:
        yield "A policy without any rule would keep nothing: set a rule, or keep everything."
    try:
        ZoneInfo(policy.zone)
    except (KeyError, ValueError, OSError):
        yield f"{policy.zone!r} is no time zone; write one such as Europe/Paris, or UTC."


@dataclass(frozen=True)
class Moment:
    """A checkpoint, as far as the rules look at it."""

    id: UUID
    seq: int
    at: datetime
    whole: bool = True
    tags: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()  # names that mean it
    protected: bool = False
    in_use: str = ""  # what needs it now: a restore that is under way; empty: nothing

    @property
    def place(self) -> tuple[int, datetime, UUID]:
        """Where it stands in the record: after all that are smaller."""
        return self.seq, self.at, self.id


@dataclass(frozen=True)
class Era:
    """A part of the record: an epoch that has ended, or the one that goes on (`ended` is None)."""

    number: int
    first_seq: int
    last_seq: int
    ended: datetime | None
    last_good: bool = False  # it alone holds the last good version of some device
    protected: bool = False
    in_use: str = ""


@dataclass(frozen=True)
class Reason:
    """A rule that keeps something."""

    rule: str  # a short code: "daily"
    detail: str = ""  # what of it: "2026-03-01"

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}" if self.detail else self.rule


K = TypeVar("K", Moment, Era)
Reasons = dict[UUID, list[Reason]]


@dataclass(frozen=True)
class Verdict(Generic[K]):
    """What becomes of one checkpoint or epoch, and why."""

    of: K
    reasons: tuple[Reason, ...]

    @property
    def kept(self) -> bool:
        """Whether any rule keeps it."""
        return bool(self.reasons)


@dataclass(frozen=True)
class Judgement:
    """A verdict on everything, the newest first."""

    moments: tuple[Verdict[Moment], ...]
    eras: tuple[Verdict[Era], ...]

    @property
    def dropped(self) -> tuple[UUID, ...]:
        """The checkpoints that nothing keeps."""
        return tuple(verdict.of.id for verdict in self.moments if not verdict.kept)

    @property
    def dropped_eras(self) -> tuple[int, ...]:
        """The numbers of the epochs that nothing keeps."""
        return tuple(verdict.of.number for verdict in self.eras if not verdict.kept)


def judge(policy: Policy, moments: Iterable[Moment], eras: Iterable[Era], *, now: datetime) -> Judgement:
    """The rules that keep each checkpoint and each epoch. Raises ValueError for what is no policy."""
    if found := policy.problems():
        raise ValueError(" ".join(found))
    newest_first = sorted(moments, key=lambda moment: moment.place, reverse=True)
    reasons: Reasons = {moment.id: list(standing(policy, moment)) for moment in newest_first}
    if not policy.everything:
        for whole in (True, False):
            group = [moment for moment in newest_first if moment.whole is whole]
            by_count(policy, group, reasons)
            by_age(policy, group, reasons, now)
            by_calendar(policy, group, reasons)
    epochs = sorted(eras, key=lambda era: era.number, reverse=True)
    return Judgement(
        tuple(Verdict(moment, tuple(reasons[moment.id])) for moment in newest_first),
        tuple(Verdict(era, tuple(keeping(policy, era, newest_first, now))) for era in epochs),
    )


def standing(policy: Policy, moment: Moment) -> Iterator[Reason]:
    """The rules that look at the checkpoint alone."""
    if policy.everything:
        yield Reason("everything")
    if policy.hold:
        yield Reason("legal hold", policy.hold)
    if moment.protected:
        yield Reason("protected")
    if moment.in_use:
        yield Reason("in use", moment.in_use)
    yield from (Reason("named", name) for name in sorted(moment.refs))
    yield from (Reason("tagged", tag) for tag in sorted(policy.tags.intersection(moment.tags)))


def by_count(policy: Policy, newest_first: Sequence[Moment], reasons: Reasons) -> None:
    """The last so many."""
    for place, moment in enumerate(newest_first[: policy.last], start=1):
        reasons[moment.id].append(Reason("last", f"{place} of {policy.last}"))


def by_age(policy: Policy, newest_first: Sequence[Moment], reasons: Reasons, now: datetime) -> None:
    """All within a duration.

    A checkpoint is as young as the youngest that was made before it: its own clock may have been set back. A time that
    is still to come says nothing about anybody's age, so who bears it is kept until it has come.
    """
    if not policy.within:
        return
    days = f"{policy.within.days} {'day' if policy.within.days == 1 else 'days'}"
    newest: datetime | None = None
    for moment in reversed(newest_first):
        if moment.at <= now:
            newest = moment.at if newest is None else max(newest, moment.at)
        if moment.at > now or (newest is not None and newest >= now - policy.within):
            reasons[moment.id].append(Reason("within", days))


def by_calendar(policy: Policy, newest_first: Sequence[Moment], reasons: Reasons) -> None:
    """The newest of each period, until as many periods were seen as are asked for."""
    clock = ZoneInfo(policy.zone)
    for name, period in PERIODS.items():
        wanted, seen = getattr(policy, name), set[str]()
        for moment in newest_first if wanted else ():
            if len(seen) == wanted:
                break
            key = period(moment.at.astimezone(clock))
            if key not in seen:
                seen.add(key)
                reasons[moment.id].append(Reason(name, key))


def hour(local: datetime) -> str:
    """With its distance from UTC: the clock shows one hour twice in autumn."""
    return f"{local:%Y-%m-%d %H:00 %z}"


def week(local: datetime) -> str:
    """ISO 8601: weeks begin on Monday, and the first has the year's first Thursday."""
    year, number, _ = local.isocalendar()
    return f"{year}-W{number:02}"


PERIODS: dict[str, Callable[[datetime], str]] = {
    "hourly": hour,
    "daily": lambda local: f"{local:%Y-%m-%d}",
    "weekly": week,
    "monthly": lambda local: f"{local:%Y-%m}",
    "yearly": lambda local: f"{local:%Y}",
}


def keeping(policy: Policy, era: Era, newest_first: Sequence[Moment], now: datetime) -> Iterator[Reason]:
    """The rules that keep an epoch: those that keep everything of a time, and not single moments of it.

    A checkpoint needs no epoch: it has a commit of its own.
    """
    if policy.everything:
        yield Reason("everything")
    if policy.hold:
        yield Reason("legal hold", policy.hold)
    if era.ended is None:
        yield Reason("current")
        return
    if era.last_good:
        yield Reason("last good version")
    if era.protected:
        yield Reason("protected")
    if era.in_use:
        yield Reason("in use", era.in_use)
    if policy.within and (era.ended > now or era.ended >= now - policy.within):
        yield Reason("within", f"{policy.within.days} days")
    whole = [moment for moment in newest_first if moment.whole][: policy.last]
    if any(era.first_seq <= moment.seq <= era.last_seq for moment in whole):
        yield Reason("last", f"of {policy.last}")


def needs_cut(policy: Policy, moments: Iterable[Moment], *, began: datetime, first_seq: int, now: datetime) -> bool:
    """Whether the current epoch has to end, so that it can be dropped one day; never under a policy that keeps all."""
    if policy.everything or policy.hold or now - began < policy.epoch_span:
        return False
    return sum(moment.whole and moment.seq >= first_seq for moment in moments) >= policy.epoch_checkpoints


def drops_many(before: Judgement, after: Judgement) -> bool:
    """Whether a change of policy drops more than a fifth of what is kept now, of checkpoints or of epochs."""
    kinds = ((before.dropped, after.dropped, before.moments), (before.dropped_eras, after.dropped_eras, before.eras))
    return any(
        len(set(new) - set(old)) > MANY * (len(every) - len(old)) for old, new, every in kinds if len(every) > len(old)
    )


def tally(verdicts: Iterable[Verdict[Moment]]) -> dict[str, int]:
    """How many checkpoints each rule keeps; one that several keep counts with each."""
    found: dict[str, int] = defaultdict(int)
    for verdict in verdicts:
        for rule in {reason.rule for reason in verdict.reasons}:
            found[rule] += 1
    return dict(found)
