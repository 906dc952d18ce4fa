"""Whether a device that failed is tried again, and when; and when a whole site is given up. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from backups.errors import BackupError, Unreachable

MAX_TRIES = 3  # within one run, whatever ended them
PAUSES = (timedelta(minutes=2), timedelta(minutes=10))  # after the first try, after the second
SITE_DOWN_AFTER = 5  # unreachable devices of a site in a row


def next_try(error: BackupError, *, tries: int, now: datetime) -> datetime | None:
    """When to try again after so many tries; None where that would change nothing, or where it was enough."""
    if not error.worth_retrying or tries >= MAX_TRIES:
        return None
    return now + PAUSES[min(tries, len(PAUSES)) - 1]


class SiteBreaker:
    """Counts unreachable devices in a row, site by site. Devices without a site have nothing in common."""

    def __init__(self, *, after: int = SITE_DOWN_AFTER) -> None:
        self.after = after
        self.in_a_row: Counter[str] = Counter()

    def hear(self, site: str, error: Exception | None) -> bool:
        """Note how a device of the site answered; True when its site is to be given up."""
        if not isinstance(error, Unreachable):
            self.in_a_row[site] = 0
            return False
        self.in_a_row[site] += 1
        return bool(site) and self.in_a_row[site] >= self.after
