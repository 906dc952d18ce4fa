"""Times of the week at which no schedule may start: `Mon-Fri 08:00-18:00`. Pure.

A window is a matter of the clock on the wall of its time zone, so it needs no rule for summer time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from backups.errors import BadSchedule

MAX_LENGTH = 60  # characters of a window's text
MAX_WINDOWS = 20  # of one schedule: each is asked about every minute of a week
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORM = re.compile(
    r"(?:(?P<days>[a-z,-]+)\s+)?(?P<start>\d\d:\d\d)\s*-\s*(?P<end>\d\d:\d\d)\Z", re.IGNORECASE | re.ASCII
)
MINUTE = timedelta(minutes=1)
MINUTES_A_WEEK = 7 * 24 * 60


@dataclass(frozen=True)
class Window:
    """From `start` until before `end`, in minutes since midnight, on the days it begins on (0 is Monday).

    One whose end is not after its start goes on until that time of the next day.
    """

    days: frozenset[int]
    start: int
    end: int

    def covers(self, local: datetime) -> bool:
        """Whether a moment, on the window's own clock, lies inside."""
        day, minute = local.weekday(), local.hour * 60 + local.minute
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        begun_yesterday = (day - 1) % 7 in self.days
        return (day in self.days and minute >= self.start) or (begun_yesterday and minute < self.end)


def read_windows(texts: Sequence[str]) -> tuple[Window, ...]:
    """The windows of one schedule. Raises BadSchedule."""
    if len(texts) > MAX_WINDOWS:
        raise BadSchedule(f"{len(texts)} windows are more than a schedule may have; write at most {MAX_WINDOWS}.")
    return tuple(map(read_window, texts))


def read_window(text: str) -> Window:
    """`08:00-18:00` every day, `Sat,Sun 00:00-24:00`, `Mon-Fri 22:00-06:00` into the next day. Raises BadSchedule."""
    found = FORM.match(text.strip())
    if not found or len(text) > MAX_LENGTH:
        raise BadSchedule(f"{text!r} is no window; write one such as 'Mon-Fri 08:00-18:00' or '22:00-06:00'.")
    window = Window(read_days(found["days"], text), read_time(found["start"], text), read_time(found["end"], text))
    if window.start in (window.end, 24 * 60):
        raise BadSchedule(f"The window {text!r} has no length; a whole day is '00:00-24:00'.")
    return window


def read_days(text: str | None, window: str) -> frozenset[int]:
    """`Mon-Fri,Sun`; nothing is every day, and a range may go over the end of the week."""
    days: set[int] = set()
    for part in (text or "mon-sun").lower().split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS or part.endswith("-"):
            raise BadSchedule(f"The window {window!r} names no days; write them as Mon, Tue, Wed, Thu, Fri, Sat, Sun.")
        begin, length = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        days |= {(begin + step) % 7 for step in range(length + 1)}
    return frozenset(days)


def read_time(text: str, window: str) -> int:
    """Minutes since midnight, up to 24:00."""
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > 24 * 60:
        raise BadSchedule(f"The window {window!r} has a time that no clock shows; write 00:00 to 24:00.")
    return hours * 60 + minutes


def inside(windows: Sequence[Window], zone: ZoneInfo, moment: datetime) -> bool:
    """Whether any of the windows covers the moment."""
    local = moment.astimezone(zone)
    return any(window.covers(local) for window in windows)


def first_outside(windows: Sequence[Window], zone: ZoneInfo, moment: datetime) -> datetime:
    """The moment itself, or the first whole minute after it that no window covers. Raises BadSchedule."""
    # Minute by minute: a jump to a window's end would have to know of every change of the clock on the way.
    for _ in range(MINUTES_A_WEEK + 1):
        if not inside(windows, zone, moment):
            return moment
        moment = moment.replace(second=0, microsecond=0) + MINUTE
    raise BadSchedule("The windows cover the whole week, so nothing could ever start; leave a gap.")
