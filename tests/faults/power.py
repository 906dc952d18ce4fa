"""Cut the power of a store's disk, again and again, and see that nothing was lost: ``python -m tests.faults.power``.

Needs root, for it makes the disk (`tests.faults.disks`). The real commit path writes from two processes until the power
goes in the middle of it. Then the file system is mounted anew, the next writer comes, and everything that was acknowledged
has to be there, in the database and in git. The database is on another disk and forgets nothing: whatever it has committed,
said or not, the store must have.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.disks import Disk
from tests.faults.store import database, say, set_up

if TYPE_CHECKING:
    from tests.faults.workshop import Workshop

WRITERS = 2
SECONDS = (0.2, 0.9)  # until the power goes; a turn takes about 0.06


def cut_power(cuts: int, seed: int, root: Path) -> int:
    """The whole experiment; how many versions were acknowledged. Raises AssertionError at the first loss."""
    from tests.faults.workshop import Workshop

    dice = random.Random(seed)
    disk = Disk()
    try:
        (root / "store").symlink_to(disk.place / "store")
        (disk.place / "store").mkdir()
        workshop = Workshop(root, dice)
        workshop.write_on()
        os.sync()  # whatever is lost from here on is lost by the cut
        for number in range(cuts):
            try:
                cut_once(workshop, disk, dice)
            except BaseException:
                say(f"cut {number} of seed {seed}")
                raise
        return len(workshop.acknowledged.snapshots)
    finally:
        let_go()
        disk.close()


def cut_once(workshop: Workshop, disk: Disk, dice: random.Random) -> None:
    """Writers, the cut, the next writer, the look."""
    let_go()
    with ExitStack() as stack:
        writers = [stack.enter_context(workshop.writer()) for _ in range(WRITERS)]
        for _, said in writers:
            said.readline()
        time.sleep(dice.uniform(*SECONDS))
        disk.cut()
        for pid, _ in writers:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for _, said in writers:
            workshop.acknowledged.hear(said.read())
    disk.restart()
    workshop.write_on()
    workshop.check()


def let_go() -> None:
    """End the git processes that this process has on the disk."""
    from backups.store import reader

    for store in reader._stores.values():
        store.close()


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database", help="An existing test database, whose rows may be added to.")
    options = parser.parse_args(arguments)
    set_up()
    with database(options.database), tempfile.TemporaryDirectory(prefix="netcairn-faults-") as root:
        began = time.monotonic()
        versions = cut_power(options.cuts, options.seed, Path(root))
    seconds = time.monotonic() - began
    say(
        f"{options.cuts} power cuts, {versions} versions acknowledged, nothing lost ({seconds:.0f} s, seed {options.seed})"
    )


if __name__ == "__main__":
    main()
