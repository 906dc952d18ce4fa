"""Death at the steps that a writer takes itself, without git: between a pack, its index, their names and the disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from backups.store import writer

# As the plan calls them, and where the step is to be found. Of the two renames, the first is the pack's.
STEPS: dict[str, tuple[Any, str]] = {
    "index": (writer, "index_of"),
    "rename": (os, "rename"),
    "sync": (writer, "fsync"),
}


def arm(plan: str) -> None:
    """Let this process, or its whole group, die before or after the next step of the plan's name."""
    name, moment, victim = plan.split()
    if name in STEPS:
        module, step = STEPS[name]
        setattr(module, step, deadly(getattr(module, step), moment, victim))


def deadly(step: Callable[..., Any], moment: str, victim: str) -> Callable[..., Any]:
    """The same step, and death."""

    def taken(*args: Any, **kwargs: Any) -> Any:
        if moment == "after":
            step(*args, **kwargs)
        (os.killpg if victim == "group" else os.kill)(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody outlives that")

    return taken
