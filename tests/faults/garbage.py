"""Collect garbage and keep house beside writers that bring back what is garbage: ``python -m tests.faults.garbage``.

By hand for ten minutes: ``--minutes 10``. It ends with how long the collections have held the tenant's lock at a time.

Four writers keep contents out of a small pool, and every other batch of theirs comes to nothing in the last moment: so what
one has left unreachable, another names a moment later, without writing it once more. Beside them somebody collects
garbage and keeps house, without a pause. In the end git and the database must agree, and git fsck have nothing to say.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from tests.benchmarks.lock_times import Holds, watched
from tests.faults.store import database, say, set_up

if TYPE_CHECKING:
    from tests.faults.workshop import Workshop

WRITERS = 4
POOL = 60  # contents that there are in all


class Abandoned(Exception):
    """The batch comes to nothing."""


def collect_beside(turns: int, seconds: float, seed: int, root: Path) -> list[Holds]:
    """The whole experiment; how each collection held the lock. Raises AssertionError where something is lost.

    Writers have so many turns each, or, where `turns` is 0, as many as there are in so many seconds.
    """
    from django.db import connection

    from tests.faults.workshop import Workshop

    workshop = Workshop(root, random.Random(seed))
    workshop.write_on()
    connection.close()
    ends = monotonic() + seconds
    lives = [partial(write, workshop, turns, ends, random.Random(seed + at)) for at in range(WRITERS)]
    writers = [forked(life) for life in lives]
    rounds: list[Holds] = []
    try:
        while writers:
            rounds.append(collect(workshop))
            for pid in [pid for pid in writers if is_over(pid)]:
                writers.remove(pid)
    finally:
        for pid in writers:  # or they would go on in a place that is being removed
            end(pid)
    workshop.write_on()
    workshop.check()
    return rounds


def forked(work: Callable[[], None]) -> int:
    """A process that does this and ends; its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001  it is told, and the status says it
        traceback.print_exc()
    finally:
        os._exit(status)


def is_over(pid: int) -> bool:
    """Whether a writer is done. Raises AssertionError where it could not do its work."""
    found, status = os.waitpid(pid, os.WNOHANG)
    assert not status, "a writer has failed; see above"
    return bool(found)


def end(pid: int) -> None:
    """A writer that goes on, or has failed already."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def write(workshop: Workshop, turns: int, ends: float, dice: random.Random) -> None:
    """The whole life of a writer."""
    for turn in count():
        if turn >= turns if turns else monotonic() > ends:
            return
        try:
            keep_some(workshop, dice, counts=dice.random() < 0.5)
        except Abandoned:
            continue


def keep_some(workshop: Workshop, dice: random.Random, *, counts: bool) -> None:
    """New versions of two devices; they count, or are abandoned in the last moment."""
    from backups.commit import Kept, keep
    from inventory.models import Device
    from tests.faults.workshop import NOON

    def also(_: object) -> None:
        if not counts:
            raise Abandoned

    devices = dice.sample(list(Device.objects.filter(tenant=workshop.tenant)), k=2)
    kept = [Kept(device, {"running.cfg": content(dice.randrange(POOL))}, "d" * 64, NOON) for device in devices]
    keep(workshop.tenant.pk, kept, author="a", message="m", run_id=None, now=NOON, also=also)


def content(number: int) -> bytes:
    """One of the pool."""
    return random.Random(number).randbytes(2000).hex().encode()


def collect(workshop: Workshop) -> Holds:
    """Garbage, then house; how the collection has held the lock."""
    from backups.house import tidy_up
    from checkpoints.gc import collect_garbage
    from tests.faults.workshop import NOON

    with watched() as holds:
        done = collect_garbage(workshop.tenant, now=NOON, grace=timedelta(0), told=holds.told)
    assert not done.refused, done.refused
    tidy_up(workshop.tenant.pk, at_night=True)
    return holds


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=150, help="of each writer")
    parser.add_argument("--minutes", type=float, help="go on for so long instead")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database", help="An existing test database, whose rows may be added to.")
    options = parser.parse_args(arguments)
    set_up()
    with database(options.database), tempfile.TemporaryDirectory(prefix="netcairn-faults-") as root:
        turns = 0 if options.minutes else options.turns
        rounds = collect_beside(turns, 60 * (options.minutes or 0), options.seed, Path(root))
    how = f"for {options.minutes:g} minutes" if options.minutes else f"with {turns} turns"
    say(f"{WRITERS} writers {how}, {len(rounds)} collections beside them, nothing lost (seed {options.seed})")
    longest = max(one.longest for one in rounds), max(one.prune[1] - one.prune[0] for one in rounds)
    say("lock held at a time: {:.0f} ms, {:.0f} ms by the final prune".format(*(1000 * one for one in longest)))


if __name__ == "__main__":
    main()
