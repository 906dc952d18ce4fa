"""Wake writers that were taken for dead, and see that nothing goes back: ``python -m tests.faults.zombies``.

A writer is stopped in the middle of a commit, as a suspended virtual machine is: before or after one of its git processes.
The server hangs up on it, which frees its lock. Another writer goes on. Then the first one is woken, and what it still
does must change nothing: main stays where the other one has put it, and all that was acknowledged is there.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.store import CHILD_SUBREAPER, cut_connection, database, say, set_up, wait_for_group

if TYPE_CHECKING:
    from tests.faults.workshop import Workshop

POINTS = ["cat-file", "for-each-ref", "fast-import", "diff-tree", "update-ref", "update-ref"]
TURNS = 2  # it is stopped in the second
ROUNDS_A_TENANT = 20


def wake_writers(rounds: int, seed: int, root: Path, points: Sequence[str]) -> int:
    """The whole experiment; how many zombies there were. Raises AssertionError where one has done harm."""
    from tests.faults.workshop import Workshop

    ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)
    dice, stopped = random.Random(seed), 0
    for number in range(rounds):
        if number % ROUNDS_A_TENANT == 0:
            workshop = Workshop(root, dice)
        plan = f"{dice.choice(points)} {dice.choice(['before', 'after'])} zombie"
        try:
            stopped += one_round(workshop, plan)
        except BaseException:
            say(f"round {number} of seed {seed}: {plan}, store {workshop.path}")
            raise
    return stopped


def one_round(workshop: Workshop, plan: str) -> bool:
    """One writer that is stopped, one that goes on, and the look; whether the first one came to the point."""
    from tests.faults.workshop import NO_PLAN

    with workshop.writer(plan, turns=TURNS) as (pid, said):
        heard = said.readline()
        _, status = os.waitpid(pid, os.WUNTRACED)
        stopped = os.WIFSTOPPED(status)
        if stopped:
            cut_connection(heard)
            workshop.write_on()
            before = workshop.main()
            workshop.arm(NO_PLAN)  # once is enough
            wake(pid)
            wait_for_group(pid)
            after = workshop.main()
            assert after == before, f"main went from {before} to {after}"
        workshop.acknowledged.hear(heard + said.read())
    workshop.write_on()
    workshop.check()
    return stopped


def wake(pid: int) -> None:
    """Let a writer and its git go on until it ends; more than once, for its git may only be about to stop."""
    while not os.waitpid(pid, os.WNOHANG)[0]:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGCONT)
        time.sleep(0.02)


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--points", nargs="+", default=POINTS, help="git processes at which they are stopped")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database", help="An existing test database, whose rows may be added to.")
    options = parser.parse_args(arguments)
    set_up()
    with database(options.database), tempfile.TemporaryDirectory(prefix="netcairn-faults-") as root:
        stopped = wake_writers(options.rounds, options.seed, Path(root), options.points)
    say(f"{options.rounds} rounds, {stopped} writers stopped and woken, nothing went back (seed {options.seed})")


if __name__ == "__main__":
    main()
