"""When schedules start: cron texts over changes of summer time, windows, jitter."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.cron import next_after
from backups.errors import BadSchedule
from backups.timing import Timing
from backups.windows import DAYS, inside, read_window, read_windows

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata")

zones = st.sampled_from(ZONES)
moments = st.integers(0, 15 * 365 * 24 * 3600).map(lambda at: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=at))
clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
window_texts = st.builds(
    lambda first, last, start, end: f"{first.title()}-{last} {start}-{end}",
    st.sampled_from(DAYS),
    st.sampled_from(DAYS),
    clock_times,
    clock_times,
).filter(lambda text: text.split()[1].split("-")[0] != text.split()[1].split("-")[1])


def local(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        ("0 2 * * *", "UTC", "2026-11-20T12:00", "2026-11-21T02:00"),
        ("0 2 * * *", "Asia/Kolkata", "2026-11-20T12:00", "2026-11-21T02:00"),
        ("*/15 9-17 * * mon-fri", "UTC", "2026-11-20T17:50", "2026-11-23T09:00"),
        ("0 0 1 * *", "Europe/Zurich", "2026-11-20T12:00", "2026-12-01T00:00"),
        ("30 2 * * *", "Europe/Zurich", "2026-03-29T01:00", "2026-03-29T03:00"),  # the clock jumps from 2 to 3
        ("30 2 * * *", "Europe/Zurich", "2026-10-25T01:00", "2026-10-25T02:30"),  # and once back from 3 to 2
    ],
)
def test_a_cron_text_is_due_on_the_clock_of_its_zone(cron: str, zone: str, after: str, due: str) -> None:
    """'Every night at two' means two o'clock where the devices stand."""
    assert next_after(cron, zone, local(after, zone)) == local(due, zone).astimezone(UTC)


def test_an_hour_that_comes_twice_starts_once() -> None:
    """The night on which clocks go back must not log in to everything twice."""
    second_half_past_two = local("2026-10-25T02:30", "Europe/Zurich", fold=1)

    assert next_after("45 2 * * *", "Europe/Zurich", second_half_past_two) == local("2026-10-26T02:45", "Europe/Zurich")


@given(zone=zones, hour=st.integers(0, 23), minute=st.integers(0, 59), start=moments)
@settings(max_examples=30, deadline=None)
def test_a_daily_text_is_due_exactly_once_on_every_day(zone: str, hour: int, minute: int, start: datetime) -> None:
    """A day without a backup, or with two, would come back every spring and autumn."""
    clock, moment, days = ZoneInfo(zone), start, []
    for _ in range(400):
        moment = next_after(f"{minute} {hour} * * *", zone, moment)
        days.append(moment.astimezone(clock).date())

    assert days == [days[0] + timedelta(days=at) for at in range(400)]


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("", "UTC"),
        ("2", "UTC"),
        ("0 0 2 * * *", "UTC"),
        ("61 * * * *", "UTC"),
        ("* * 31 2 *", "UTC"),
        ("0 2 * * noday", "UTC"),
        ("٣ 2 * * *", "UTC"),
        ("9" * 5000 + " 2 * * *", "UTC"),
        ("0 2 * * *", "Mars/Olympus"),
        ("0 2 * * *", "../../etc/passwd"),
        ("0 2 * * *", "Europe"),
        ("0 2 * * *", ""),
    ],
)
def test_what_means_no_moment_is_refused_in_one_sentence(cron: str, zone: str) -> None:
    """A schedule that never starts is found out on the day that the backup is needed."""
    with pytest.raises(BadSchedule, match=r"(cron text|time zone)"):
        next_after(cron, zone, NOON)


@given(st.text(alphabet="0123456789*/,-#LWAMONFRI ", max_size=40), moments)
@settings(max_examples=200, deadline=None)
def test_any_text_is_due_later_or_refused(text: str, after: datetime) -> None:
    """People type; nothing they type may stop the tick for everybody."""
    with contextlib.suppress(BadSchedule):
        assert next_after(text, "Europe/Zurich", after) > after


@pytest.mark.parametrize(
    ("window", "moment", "closed"),
    [
        ("Mon-Fri 08:00-18:00", "2026-11-20T08:00", True),  # a Friday
        ("Mon-Fri 08:00-18:00", "2026-11-20T18:00", False),
        ("Mon-Fri 08:00-18:00", "2026-11-21T12:00", False),
        ("sat,sun 00:00-24:00", "2026-11-21T23:59", True),
        ("Fri-Mon 10:00-11:00", "2026-11-22T10:30", True),
        ("Fri 22:00-06:00", "2026-11-21T05:59", True),
        ("Fri 22:00-06:00", "2026-11-20T05:59", False),
        ("22:00-06:00", "2026-11-20T23:00", True),
    ],
)
def test_a_window_is_read_as_people_write_it(window: str, moment: str, closed: bool) -> None:
    """A window that is read otherwise than it was meant collects in the middle of the working day."""
    assert inside([read_window(window)], ZoneInfo("UTC"), local(moment, "UTC")) is closed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8-18",
        "Mon 25:00-26:00",
        "Mon 08:60-09:00",
        "Foo 08:00-09:00",
        "Mon- 08:00-09:00",
        "08:00-08:00",
        "24:00-06:00",
    ],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    """A window that is silently ignored is worse than none."""
    with pytest.raises(BadSchedule, match="window"):
        read_window(text)


@given(
    st.lists(window_texts, min_size=1, max_size=4),
    zones,
    st.sampled_from(["0 2 * * *", "*/7 * * * *", "30 3 * * sun", "15 */5 * * *"]),
    st.integers(0, 720),
    moments,
)
@settings(max_examples=60, deadline=None)
def test_no_start_lies_in_a_window_nor_in_the_past(
    texts: list[str], zone: str, cron: str, jitter: int, after: datetime
) -> None:
    """A blackout is a promise to whoever works on the network at that time."""
    windows = tuple(map(read_window, texts))
    timing = Timing(cron, zone, jitter, windows, seed="s")
    try:
        starts = timing.upcoming(after, 5)
    except BadSchedule:
        return  # the windows leave no gap

    assert not any(inside(windows, ZoneInfo(zone), start) for start in starts)
    assert all(before < start for before, start in zip([after, *starts], starts, strict=False))


@given(st.integers(0, 720), moments, st.text(max_size=5))
@settings(max_examples=50, deadline=None)
def test_jitter_stays_in_its_bounds_and_is_the_same_after_a_restart(jitter: int, after: datetime, seed: str) -> None:
    """A start that is computed anew after a restart must not come a second time."""
    timing = Timing("0 2 * * *", "UTC", jitter, seed=seed)
    due = next_after("0 2 * * *", "UTC", after)

    start = timing.next_start(after)

    assert due <= start <= due + timedelta(minutes=jitter)
    assert start == Timing("0 2 * * *", "UTC", jitter, seed=seed).next_start(after)


def test_jitter_spreads_schedules_of_the_same_minute() -> None:
    """A hundred tenants at two o'clock sharp is what jitter is there to avoid."""
    starts = {Timing("0 2 * * *", "UTC", 60, seed=str(n)).next_start(NOON) for n in range(100)}

    assert len(starts) > 90


def test_windows_that_leave_no_gap_are_refused() -> None:
    """It would wait for ever, and look as if it were about to start."""
    with pytest.raises(BadSchedule, match="whole week"):
        Timing("0 2 * * *", "UTC", windows=(read_window("00:00-24:00"),)).next_start(NOON)


def test_a_schedule_has_only_so_many_windows() -> None:
    """One tenant's page must not keep the server busy for all others."""
    with pytest.raises(BadSchedule, match="more than a schedule may have"):
        read_windows(["08:00-09:00"] * 1000)
