"""The threads of one process that talk to devices: as many at a time as `Pace` says."""

from __future__ import annotations

import ctypes
import gc
import queue
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import Condition
from time import monotonic, process_time, sleep, thread_time
from typing import Generic, Self, TypeVar

from backups.pace import LOOK, Pace

M_ARENA_MAX, ARENAS = -8, 2
M_MMAP_THRESHOLD, LARGE = -3, 49_152
TOGETHER = 0.02  # seconds in which more come back: whoever takes them in interrupts who talks to a device
TELLING, TICK = 100, 0.0001  # visits whose time is told, and the least CPU that one takes, in seconds

Errand = TypeVar("Errand")
Brought = TypeVar("Brought")


class Dismissed(Exception):
    """The crew is gone, and this errand was not begun."""


class Gate:
    """Lets so many through at a time; how many may change while they are inside."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._inside = 0
        self._open = True
        self._changed = Condition()

    def __enter__(self) -> None:
        """Raises Dismissed."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self.width or not self._open)
            if not self._open:
                raise Dismissed
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify()

    def widen(self, width: int) -> None:
        """Let so many through from now on."""
        if width != self.width:
            with self._changed:
                self.width = width
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody through any more."""
        with self._changed:
            self._open = False
            self._changed.notify_all()


class Crew(Generic[Errand, Brought]):
    """Threads that are sent on errands and come back one by one. Used by one thread alone."""

    def __init__(self, most: int) -> None:
        """`most` are out at a time at the utmost."""
        _share_memory()
        self._pace = Pace(most, now=monotonic(), cpu=process_time())
        self._gate = Gate(self._pace.width)
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="collect")
        self._out: dict[Future[Brought], Errand] = {}
        self._back: queue.SimpleQueue[Future[Brought]] = queue.SimpleQueue()
        self._ended = 0
        self._waits: list[float] = []  # for Pace.look

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    @property
    def out(self) -> int:
        """Errands that have not come back."""
        return len(self._out)

    @property
    def errands(self) -> list[Errand]:
        """Those themselves."""
        return list(self._out.values())

    @property
    def room(self) -> int:
        """How many errands more to look for now; 0 while there are enough."""
        stock = self._pace.stock
        room = self._pace.width + stock - self.out
        return room if room > stock // 2 else 0

    def send(self, errand: Errand, run: Callable[[], Brought]) -> None:
        """Have a thread run this, as soon as one may go."""

        def go() -> Brought:
            with self._gate:
                began, reckoned = monotonic(), thread_time()
                brought = run()
                if len(self._waits) < TELLING:
                    self._waits.append((monotonic() - began) / max(thread_time() - reckoned, TICK))
                return brought

        future = self._pool.submit(go)
        self._out[future] = errand
        future.add_done_callback(self._back.put)

    def back(self, *, patience: float) -> Iterator[tuple[Errand, Future[Brought]]]:
        """Wait so many seconds for somebody to come back, and give all that have, with what they bring.

        Whom the caller has not taken when he stops comes back again.
        """
        ready: deque[Future[Brought]] = deque()
        with suppress(queue.Empty):  # nobody is back: all the more may go
            ready.append(self._back.get(timeout=min(patience, LOOK) if self._out else 0.0))
            if not self.room:
                sleep(TOGETHER)
            while not self._back.empty():
                ready.append(self._back.get())
        self._ended += len(ready)
        self._adapt()
        try:
            while ready:
                future = ready.popleft()
                yield self._out.pop(future), future
        finally:
            for future in ready:
                self._back.put(future)

    def _adapt(self) -> None:
        full = self.out >= self._pace.width
        now, cpu = monotonic(), process_time()
        self._gate.widen(self._pace.look(now=now, cpu=cpu, ended=self._ended, full=full, waits=self._waits))

    def dismiss(self) -> None:
        """Send nobody any more. Not waited for: after an interruption a thread may hang on a device for long."""
        self._gate.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


@cache
def _share_memory() -> None:
    """Have glibc keep little memory: what one thread has freed others may use, and large pieces go back at once.

    With 100 threads and devices of 50 KB 47 MB less: 126 MB instead of 153, and of 173 with an arena for each thread.
    And let Python's search for circles leave out what was there before: it took 0.3 s in which nobody could reckon.
    """
    gc.freeze()
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none, and no need of it
        if mallopt is not None:
            mallopt(M_ARENA_MAX, ARENAS)
            mallopt(M_MMAP_THRESHOLD, LARGE)
