"""Who reckons: of the threads that talk to devices one at a time, and none while somebody goes first.

Python lets one thread reckon at a time whatever we do. Where thirty ask it for that, each of them is waited for,
interrupted and woken for nothing: thirty threads took a quarter more CPU for a device than four. So they take turns
at the places where they wait for their devices in any case. A device does not notice: what it says waits in the kernel.

Whoever holds a tenant's lock goes first. He asks for the interpreter some hundred times, and behind thirty threads he
had it a few milliseconds later each time: what takes a tenth of a second took three quarters of one.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Lock
from time import monotonic

LONGEST = 0.5  # seconds that a thread waits for who goes first: a disk that hangs must not cost devices their sessions
PATIENCE = 0.25  # seconds that it waits for another one, who may be waiting where this is not known
PROMPTLY = 0.0005  # seconds after which a thread that reckons has to let another one, instead of Python's 5 ms


class _Mine(threading.local):
    """What a thread has to do with the floor."""

    turn: Lock | None = None  # the one that it holds
    takes_turns = False
    away = 0  # waits that it is within


class _Left(AbstractContextManager[None]):
    """See `Floor.left`. A class, because a device is waited for some thirty times in a visit of five milliseconds."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def __enter__(self) -> None:
        self._floor._leave()

    def __exit__(self, *_: object) -> None:
        self._floor._come_back()


class Floor:
    """The right to reckon, among some threads of a process."""

    def __init__(self) -> None:
        self.left = _Left(self)
        """While a thread waits, for a device or another thread. For one that takes no turns, too: it goes second."""
        self._turn = Lock()
        self._mine = _Mine()
        self._first = 0  # threads that go first
        self._until = 0.0
        self._free = Event()
        self._free.set()
        self._changing = Lock()
        self._usual = 0.0

    @contextmanager
    def first(self) -> Iterator[None]:
        """Go before all others."""
        with self._changing:
            self._first += 1
            if self._first == 1:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(PROMPTLY)
                self._until = monotonic() + LONGEST
                self._free.clear()
        try:
            yield
        finally:
            with self._changing:
                self._first -= 1
                if not self._first:
                    sys.setswitchinterval(self._usual)
                    self._free.set()

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Reckon when nobody else does who takes turns; what waits within does it in `left`."""
        self._mine.takes_turns = True
        self._take()
        try:
            yield
        finally:
            self._give()
            self._mine.takes_turns = False

    def _leave(self) -> None:
        self._mine.away += 1
        self._give()

    def _come_back(self) -> None:
        self._mine.away -= 1
        if not self._mine.away:
            self._let_first()
            if self._mine.takes_turns:
                self._take()

    def _let_first(self) -> None:
        """Wait while somebody goes first, but not for long."""
        if not self._free.is_set() and (left := self._until - monotonic()) > 0:
            self._free.wait(left)

    def _take(self) -> None:
        turn = self._turn
        while not turn.acquire(timeout=PATIENCE):
            # Who has it reckons for long, or waits where he did not say so: the others take turns without him.
            with self._changing:
                if self._turn is turn:
                    self._turn = Lock()
            turn = self._turn
        self._mine.turn = turn

    def _give(self) -> None:
        turn, self._mine.turn = self._mine.turn, None
        if turn is not None:
            turn.release()


FLOOR = Floor()
