"""Who holds a tenant's lock goes first: the threads that talk to devices wait for him, where they wait anyway.

Python lets one thread reckon at a time. Whoever writes to the store asks for that some hundred times, and behind thirty
threads that talk to devices he had it a few milliseconds later each time: what takes a tenth of a second took
three quarters of one, with the tenant's lock in his hand. A device does not notice: what it says waits in the kernel.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic

LONGEST = 0.5  # seconds that a thread waits for another: a disk that hangs must not cost every device its session
PROMPTLY = 0.0005  # seconds after which a thread that reckons has to let another one, instead of Python's 5 ms


class Precedence:
    """Of some threads of a process before all others."""

    def __init__(self) -> None:
        self._first = 0  # threads that go first
        self._until = 0.0
        self._free = Event()
        self._free.set()
        self._changing = Lock()
        self._usual = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Go first."""
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

    def give(self) -> None:
        """Wait while somebody goes first, but not for long."""
        if not self._free.is_set() and (left := self._until - monotonic()) > 0:
            self._free.wait(left)


PRECEDENCE = Precedence()
