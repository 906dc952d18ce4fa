"""A database that goes away for a moment: it is restarted, fails over, or was killed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

GONE = (OperationalError, InterfaceError)
LONGEST = timedelta(minutes=1)
"""Then whoever waits gives up, and what it holds is given to others when that is possible."""
BETWEEN = 0.5  # seconds between two looks


class Absence:
    """How long one worker has been without the database."""

    def __init__(self, *, pause: Callable[[float], None], clock: Callable[[], datetime]) -> None:
        self._pause, self._clock = pause, clock
        self._since: datetime | None = None

    def wait(self, error: Exception) -> None:
        """Wait a moment, so that it can be tried again. Raises the error after a minute without any success."""
        connection.close()
        now = self._clock()
        self._since = self._since or now
        if now - self._since > LONGEST:
            raise error
        self._pause(BETWEEN)

    @property
    def lasts(self) -> bool:
        """Whether nothing has succeeded since it began."""
        return self._since is not None

    def end(self) -> None:
        """Something has succeeded."""
        self._since = None
