"""Child processes that are kept running while this one runs, and are all gone when it ends, however it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_SECONDS = 1.0
"""How often the loop looks round when no signal wakes it."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a child that ended is started again; doubled each time."""

STEADY_SECONDS = 60.0
"""A child that ran so long gets the first pause again."""

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Child:
    """One program in a process group of its own, which is cleared when the program ends."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    grace: float = 10.0  # seconds between the request to end and the end
    stuck: Callable[[], bool] = lambda: False  # asked now and then: does it only look alive?
    before: Callable[[], None] = lambda: None  # called before each start

    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    start_at: float = field(default=0.0, init=False)
    pause: float = field(default=FIRST_PAUSE, init=False)

    def start(self) -> None:
        """Run the program."""
        self.before()
        parent = os.getpid()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            pass_fds=self.pass_fds,
            process_group=0,
            # Between fork and exec: the child must not outlive a parent that is killed.
            preexec_fn=lambda: end_with(parent),  # noqa: PLW1509
        )

    def ended(self) -> int | None:
        """The exit status when the program has ended, None while it runs (or was never started).

        What is left of its group is killed first, while the program is still a zombie: so long nobody else can have
        its process id.
        """
        if self.process is None or not has_ended(self.process.pid):
            return None
        self.kill()
        status = self.process.wait()
        self.process = None
        return status

    def ask_to_end(self) -> None:
        """Let the program finish what it is doing."""
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End the program and everything that it has started, at once."""
        if self.process is not None:
            # macOS refuses to signal a group of which only a zombie is left.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def end_with(parent: int) -> None:
    """Have the kernel ask this process to end when `parent` has ended; where it can, which is on Linux."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; it stays a zombie."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        # Where SIGCHLD is ignored (inherited from whoever started us) the kernel leaves no zombie.
        return True


class Supervisor:
    """Keeps children running until it is told to stop; then ends them all."""

    def __init__(self, children: Sequence[Child], *, tell: Callable[[str], None]) -> None:
        self.children = children
        self.tell = tell
        self.stops_asked = 0

    def run(self, *, each_look: Callable[[], None] = lambda: None) -> None:
        """Return after SIGINT, SIGTERM or SIGHUP, when no child is left. Only in the main thread.

        `each_look` is called about every second while the children run.
        """
        with self._signals() as wakeup:
            try:
                for child in self.children:
                    child.start()
                while not self.stops_asked:
                    self._look_round()
                    each_look()
                    _wait(wakeup, LOOK_SECONDS)
            finally:
                self._stop(wakeup)

    def _look_round(self) -> None:
        for child in self.children:
            if child.process is not None and child.stuck():
                self.tell(f"{child.name} does nothing any more and is started again")
                child.kill()
            status = child.ended()
            if status is not None:
                self._plan_restart(child, status)
            elif child.process is None and time.monotonic() >= child.start_at:
                child.start()

    def _plan_restart(self, child: Child, status: int) -> None:
        now = time.monotonic()
        if now - child.started_at > STEADY_SECONDS:
            child.pause = FIRST_PAUSE
        self.tell(f"{child.name} ended (status {status}); it is started again in {child.pause:.0f} s")
        child.start_at = now + child.pause
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _stop(self, wakeup: int) -> None:
        """End all children: with grace, unless it is asked for a second time."""
        for child in self.children:
            child.ask_to_end()
        asked_at = time.monotonic()
        while running := [child for child in self.children if child.ended() is None and child.process is not None]:
            for child in running:
                if self.stops_asked > 1 or time.monotonic() - asked_at > child.grace:
                    child.kill()
            _wait(wakeup, 0.1)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """A descriptor that can be read after each signal that concerns us."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _nonblocking_pipe()
        before = {number: signal.signal(number, self._on_stop) for number in STOP_SIGNALS}
        # The default, which is to ignore it, would not wake the loop when a child ends.
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)

    def _on_stop(self, *_: object) -> None:
        self.stops_asked += 1


def _nonblocking_pipe() -> tuple[int, int]:
    """A pipe for macOS, which has no pipe2."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _wait(wakeup: int, seconds: float) -> None:
    """Return after a signal, or after so many seconds."""
    readable, _, _ = select.select([wakeup], [], [], seconds)
    if readable:
        os.read(wakeup, 4096)
