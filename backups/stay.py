"""How long a share of a run stays at its worker while others wait for one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

TURN = timedelta(seconds=30)  # so long a share keeps its worker, whoever waits for one
LOOK = timedelta(seconds=2)  # so often it looks whether somebody asked for a backup now, who need not wait so long


class Stay:
    """One share's time at a worker."""

    def __init__(self, others_wait: Callable[[bool], bool], *, now: datetime) -> None:
        """`others_wait(turn_over)`: whether somebody waits who goes before this share: anybody, once in a turn."""
        self.over = False
        self._others_wait = others_wait
        self._turn_began = self._looked_at = now

    def ends(self, now: datetime) -> bool:
        """Whether the worker is to be given up, now or since an earlier look."""
        if now - self._looked_at >= LOOK:
            if turn_over := now - self._turn_began >= TURN:
                self._turn_began = now
            self._looked_at, self.over = now, self._others_wait(turn_over)
        return self.over
