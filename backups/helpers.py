"""More than one core for a run that a command does by itself: forked processes that take from the same attempts.

Forked and not started anew, because importing everything takes a second of CPU. Threads of one process share one
interpreter; two processes on two cores collect up to twice as much.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator

from django.db import connections

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def cores() -> int:
    """Cores that this process may use; 1 where a helper could not be made to end with us."""
    return len(os.sched_getaffinity(0)) if _libc is not None else 1


@contextlib.contextmanager
def helped(count: int, work: Callable[[], object]) -> Iterator[None]:
    """Let `count` more processes do `work` meanwhile; leaving waits for them, and after an error ends them.

    They end with this process, however it ends. Only in the main thread, before any other thread is started.
    """
    if count > 0:
        connections.close_all()  # two processes on one connection would read each other's answers
    helpers = [_fork(work) for _ in range(count)]
    try:
        yield
    except BaseException:
        for pid in helpers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
    finally:
        for pid in helpers:
            os.waitpid(pid, 0)


def _fork(work: Callable[[], object]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _end_with(parent)
        work()
        status = 0
    except Exception:  # it has nobody to raise to; what it had claimed is given back, and said in the run
        log.exception("A helper of process %s failed", parent)
    finally:
        # Not an orderly exit: that would write the parent's buffers, and wait for threads that may hang on a device.
        os._exit(status)
    return 0


def _end_with(parent: int) -> None:
    """Die with the parent, and at once when the terminal says so: the parent tidies up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
