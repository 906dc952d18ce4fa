"""Which process holds a claim, in words that tell whether it is gone: at once on its own machine, elsewhere never.

Not a lock or session of PostgreSQL: behind pgbouncer those belong to nobody. Where a claim's process cannot be judged
from here, its silence decides (`runs.SILENCE`).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """This process, so that no other in the world is taken for it; empty where the system does not say enough."""
    place, started = _place(), _started(os.getpid())
    return f"{place} {os.getpid()} {started}" if place and started else ""


def is_gone(claimer: str) -> bool:
    """Whether that process has ended for certain; False where that cannot be known from here."""
    place, _, process = claimer.rpartition(" ")[0].rpartition(" ")
    if not place or place != _place() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # somebody else's, and perhaps hidden from us
    started = _started(int(process))
    return bool(started) and started != claimer.rpartition(" ")[2]


@cache
def _place() -> str:
    """This start of this machine, and which processes can be seen: a container has numbers of its own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """When a process began, in ticks since the machine did; "ended" for one that is only waited for by its parent."""
    try:
        said = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if said[0] in "ZX" else said[19]
