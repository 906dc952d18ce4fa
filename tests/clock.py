"""A time that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime

from tests.checkpoints.conftest import NOON


class Clock:
    """What is called for the time."""

    now = NOON

    def __call__(self) -> datetime:
        """The time that it is said to be."""
        return self.now
