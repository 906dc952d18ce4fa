"""When a schedule starts: its cron text, spread by jitter, kept out of its windows. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from backups.cron import next_after, time_zone
from backups.windows import Window, first_outside

MAX_JITTER = 12 * 60  # minutes


@dataclass(frozen=True)
class Timing:
    """The rules of one schedule. `seed` tells schedules apart, so that they do not all start in the same second."""

    cron: str
    zone: str
    jitter: int = 0  # minutes
    windows: tuple[Window, ...] = ()
    seed: str = ""

    def next_start(self, after: datetime) -> datetime:
        """The next start, later than `after`, in UTC. Raises BadSchedule.

        A due time inside a window starts when the window ends. Due times that jitter or a window has brought
        behind the next one are one start, not several.
        """
        due = self.first_allowed(next_after(self.cron, self.zone, after))
        return self.first_allowed(due + self.delay(due))

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """The next starts, as long as nothing is late."""
        return list(islice(self.starts(after), count))

    def starts(self, after: datetime) -> Iterator[datetime]:
        """All starts after a moment."""
        while True:
            after = self.next_start(after)
            yield after

    def first_allowed(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the windows that cover it."""
        return first_outside(self.windows, self.clock, moment) if self.windows else moment

    @property
    def clock(self) -> ZoneInfo:
        """The zone itself."""
        return time_zone(self.zone)

    def delay(self, due: datetime) -> timedelta:
        """From nothing to `jitter`; for the same schedule and due time always the same, also after a restart."""
        if not self.jitter:
            return timedelta(0)
        digest = hashlib.sha256(f"{self.seed} {due.timestamp():.0f}".encode()).digest()
        return timedelta(seconds=int.from_bytes(digest[:8], "big") % (self.jitter * 60 + 1))
