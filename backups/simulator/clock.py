"""The time on the simulated devices: real time, plus whatever a test has skipped."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time that can be moved forward by hand.

    Nothing waits on it: a device looks at the clock whenever somebody looks at the device, and then does what has
    become due. So a rollback timer of ten minutes is tested in no time, and needs no task of its own.
    """

    def __init__(self, start: datetime | None = None) -> None:
        """Start at the given time (with time zone), or now."""
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()
        self._skipped = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The simulated time of day, with time zone."""
        return self._start + timedelta(seconds=time.monotonic() - self._began + self._skipped)

    def advance(self, seconds: float) -> None:
        """Skip so many seconds."""
        with self._lock:
            self._skipped += seconds
