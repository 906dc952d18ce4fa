"""Kill the writer of a store at every point of its protocol, again and again, and see that nothing was lost.

By hand: ``python -m tests.faults.store --kills 1000``. The real commit path runs in a process of its own. It dies where
a stand-in for git on PATH kills it (before or after any git process of the protocol; alone, with its git, or leaving a
git behind that comes late), between the steps of writing a pack, where a clock does, or it loses its database connection. The next writer comes at once.
Then:

- every snapshot and every pin that was acknowledged is there, in the database and in git;
- `git fsck` is clean, main is what the row says, nothing is left over, and seq has no gap.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.workshop import Workshop

POINTS = [
    "cat-file",
    "for-each-ref",
    "fast-import",
    "diff-tree",
    "update-ref",
    "rev-list",
    "pack-objects",
    "pack-refs",
]
OWN_STEPS = ["index", "rename", "sync"]  # between the processes of git, see steps.py
VICTIMS = ["process", "group", "orphan"]
ROUNDS_A_TENANT = 20
LOOK_EVERY = 5
READY = 1.0  # seconds; within so many a store has to be ready again
CHILD_SUBREAPER = 36  # prctl: what our children leave behind becomes ours, so that it can be waited for
SECONDS = 0.15  # a turn of the writer takes about a third of it


@dataclass(frozen=True)
class Fault:
    """How a writer ends."""

    kind: str  # "point", "clock" or "connection"
    victim: str = "process"
    point: str = ""
    moment: str = ""
    delay: float = 0.0

    @classmethod
    def any(cls, dice: random.Random) -> Fault:
        """One of all that there are."""
        kind = dice.choice(["point", "point", "point", "point", "clock", "clock", "connection"])
        if kind != "point":
            return cls(kind, dice.choice(VICTIMS[:2]), delay=dice.uniform(0, SECONDS))
        point, moment = dice.choice(POINTS + OWN_STEPS), dice.choice(["before", "after"])
        if point == "cat-file":  # the reader's lives as long as its caller: there is no after, and no orphan
            return cls(kind, dice.choice(VICTIMS[:2]), point, "before")
        return cls(kind, dice.choice(VICTIMS[:2] if point in OWN_STEPS else VICTIMS), point, moment)

    @property
    def plan(self) -> str | None:
        """What the stand-in for git is told."""
        return f"{self.point} {self.moment} {self.victim}" if self.kind == "point" else None

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind, self.moment, self.point, self.victim]))


def round_of(workshop: Workshop, fault: Fault, *, look: bool) -> float:
    """One writer, one fault, the next writer, the look; the seconds that the next writer took."""
    from tests.faults.workshop import NO_PLAN

    with workshop.writer(fault.plan or NO_PLAN) as (pid, said):
        heard = befall(pid, said, fault)
        os.waitpid(pid, 0)
        began = time.monotonic()
        workshop.write_on()
        seconds = time.monotonic() - began
        wait_for_group(pid)
        workshop.acknowledged.hear(heard + said.read())
    if look:
        workshop.write_on()  # the last orphan may have come after the writer before
        workshop.check()
    return seconds


def befall(pid: int, said: TextIO, fault: Fault) -> str:
    """Let the fault happen, and the writer end; what it said until then."""
    if fault.plan:
        return said.read()  # to its end
    first = said.readline()
    heard = first + said.readline()
    time.sleep(fault.delay)
    if fault.kind == "connection":
        cut_connection(first)
        heard += said.readline()
        time.sleep(fault.delay)
    with suppress(ProcessLookupError):
        (os.killpg if fault.victim == "group" else os.kill)(pid, signal.SIGKILL)
    return heard


def cut_connection(first: str) -> None:
    """Let the server hang up on the writer, in the middle of whatever it does."""
    import json

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [json.loads(first)["backend"]])


def wait_for_group(pid: int) -> None:
    """Until the last of a writer's git processes is gone."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-pid, 0)


def kill_writers(kills: int, seed: int, root: Path) -> float:
    """The whole experiment; the seconds of the slowest next writer. Raises AssertionError at the first loss."""
    from tests.faults.workshop import Workshop

    ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)
    dice = random.Random(seed)
    faults: Counter[str] = Counter()
    mended = Mended()
    logging.getLogger("backups.mending").addHandler(mended)
    logging.getLogger("backups.mending").setLevel(logging.INFO)
    logging.getLogger("backups.mending").propagate = False
    slowest = 0.0
    for number in range(kills):
        if number % ROUNDS_A_TENANT == 0:
            workshop = Workshop(root, dice)
        fault = Fault.any(dice)
        faults[str(fault)] += 1
        try:
            # Nothing ever goes away, so that a loss is found some rounds later, too; the looking is half the time.
            look = number % LOOK_EVERY == LOOK_EVERY - 1 or number == kills - 1
            slowest = max(slowest, round_of(workshop, fault, look=look))
        except BaseException:
            say(f"round {number} of seed {seed}: {fault}, store {workshop.path}")
            raise
    for name, count in sorted(faults.items()) + sorted(mended.codes.items()):
        say(f"{count:5d}  {name}")
    say(f"{kills} writers ended, nothing lost; the next writer took {slowest:.2f} s at most (seed {seed})")
    return slowest


def write_together(writers: int, turns: int, root: Path) -> None:
    """Several writers on one tenant; every one of them must succeed with every turn."""
    from tests.faults.workshop import Workshop

    workshop = Workshop(root, random.Random(0))
    began = time.monotonic()
    workshop.write_together(writers, turns)
    seconds = time.monotonic() - began
    workshop.check()
    say(f"{writers} writers with {turns} turns each: no error, no gap in seq, {writers * turns / seconds:.1f} turns/s")


class Mended(logging.Handler):
    """Counts what the next writers had to mend: were it nothing, the faults would hit nothing."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.codes: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("Mended") and record.args:
            self.codes[f"mended by the next writer: {record.args[0]}"] += 1


def say(line: str) -> None:
    """One line for people."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def database(name: str | None) -> Iterator[None]:
    """A database that exists, or one of our own."""
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    if name:
        connection.settings_dict["NAME"] = name
        yield
        return
    with redirect_stdout(StringIO()):  # Django says of the table of the cache that it exists: a migration has made it
        made = setup_databases(verbosity=0, interactive=False)
    yield
    teardown_databases(made, verbosity=0)


def set_up() -> None:
    """Django, with the settings of the tests."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    import django

    django.setup()


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--writers", type=int, help="Kill none; let so many write to one tenant at once.")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--database", help="An existing test database, whose rows may be added to.")
    options = parser.parse_args(arguments)
    set_up()
    with database(options.database), tempfile.TemporaryDirectory(prefix="netcairn-faults-") as root:
        if options.writers:
            write_together(options.writers, options.turns, Path(root))
        else:
            slowest = kill_writers(options.kills, options.seed, Path(root))
            # By hand only: the suite runs on a machine that has other things to do.
            assert options.database or slowest < READY, f"ready again after {slowest:.2f} s only"


if __name__ == "__main__":
    main()
