"""How many devices one process talks to at a time: found out while it goes. Pure.

Nobody can know the number before. Where devices let us wait, more of them at a time is all that helps. Where they
answer at once, a few keep the interpreter busy, and more bring nothing: they take turns (`backups/floor.py`), and each
takes memory. From four to sixty threads did the same number of devices a second, within what can be measured.

So a run begins with few. While nobody is back, which takes far away what it takes, their number is multiplied; the
first that come back then tell how long they waited for their device, and not for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

LOOK = 0.1  # seconds between two looks
TRIAL = 1.0  # seconds that a number gets to show what it is worth
FIRST, FEWEST = 16, 16  # devices at a time
HEARD = (2, 20)  # visits that are back when a number follows from their waits; the first ones have to load much
WAITING, BUSY = 0.25, 0.85  # shares of one core: below, more devices cost nothing; above, fewer are enough
AT_ONCE, ON_TRIAL = 4.0, 2.0  # times as many at the utmost: while the core idles, and while others may have it
WORTH_IT, AS_GOOD = 1.1, 0.95  # times the rate before that more have to bring, and fewer
REST = 5  # trials left out after one that brought nothing
ROOM = 1.5  # times the devices that would just keep the core busy: some of them are always late
IN_STOCK = 0.5  # seconds: while a group is written nobody claims, and no thread shall be without a device


class Pace:
    """The number of devices at a time, never above `most`. Times are seconds on any clock, `cpu` of this process."""

    def __init__(self, most: int, *, now: float, cpu: float) -> None:
        self.most = most
        self.width = min(FIRST, most)
        self.rate = 0.0  # devices a second, as last measured
        self._before: tuple[int, float] | None = None  # number and rate before the trial that runs
        self._rest = 0
        self._guesses = 0
        self._start(now, cpu, 0)

    def look(self, *, now: float, cpu: float, ended: int, full: bool, waits: Sequence[float] = ()) -> int:
        """The number from now on. `ended` devices are done so far; `full`: as many are out as may be.

        `waits`: of the first that came back with something, how many times longer the visit took than it reckoned.
        """
        seconds = now - self._now
        if seconds < LOOK:
            return self.width
        share = (cpu - self._cpu) / seconds
        # How long the first were out tells as much as a trial does: most runs are over before one has ended.
        told = self._guesses < len(HEARD) and len(waits) >= min(HEARD[self._guesses], self.most)
        if share >= WAITING and seconds < TRIAL and not told:
            if not self._ended:  # the first trial: as far as can be known, or most claims would be made within it
                self.rate = ended / seconds
            return self.width
        self.rate = (ended - self._ended) / seconds
        if full:
            self.width = min(self.most, self._guess(median(waits), share) if told else self._judged(share))
        self._start(now, cpu, ended)
        return self.width

    @property
    def stock(self) -> int:
        """How many devices more to claim than are talked to."""
        return max(2, self.width // 4, round(self.rate * IN_STOCK))

    def _guess(self, wait: float, share: float) -> int:
        """As many as keep the core busy in the time that a visit waits for its device, if all are like the first.

        While the process was reckoning they waited for each other.
        """
        most = self.width * 3 // 2 if self._guesses else self.most  # the later ones have waited for many
        self._guesses, self._before, self._rest = self._guesses + 1, None, REST
        return max(self.width, min(most, round(ROOM * (1 + wait * (1 - min(share, 1.0))))))

    def _judged(self, share: float) -> int:
        before, self._before = self._before, (self.width, self.rate)
        if share < WAITING:
            return self._wider(share, AT_ONCE)
        if before and self.rate < before[1] * (WORTH_IT if self.width > before[0] else AS_GOOD):
            return self._settled(before[0])
        if self._rest or (before and self.width > before[0] and share > BUSY):
            return self._settled(self.width)
        return max(FEWEST, self.width * 3 // 4) if share > BUSY else self._wider(share, ON_TRIAL)

    def _settled(self, width: int) -> int:
        """This number, and no trial for some time."""
        self._before, self._rest = None, self._rest - 1 if self._rest else REST
        return width

    def _wider(self, share: float, most: float) -> int:
        """As many as would keep the core busy, if the others waited as these do."""
        return round(self.width * (most if share * most < 1 else 1 / share))

    def _start(self, now: float, cpu: float, ended: int) -> None:
        self._now, self._cpu, self._ended = now, cpu, ended
