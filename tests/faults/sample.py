"""A little of every campaign against the store, for the test suite: ``python -m tests.faults.sample DATABASE``."""

from __future__ import annotations

import sys

from tests.faults import garbage, power, publishing, retention, store, zombies
from tests.faults.disks import Disk, NoDisks
from tests.faults.store import say


def main() -> None:
    """One after the other, on an existing test database, whose rows are added to."""
    where = ["--database", sys.argv[1]]
    store.main([*where, "--kills", "6"])
    store.main([*where, "--writers", "4", "--turns", "4"])
    zombies.main([*where, "--rounds", "2"])
    garbage.main([*where, "--turns", "3"])
    retention.main([*where, "--kills", "2"])
    publishing.main([*where, "--rounds", "2"])
    try:
        Disk().close()
    except NoDisks as reason:
        say(f"power cuts were left out: {reason}")
    else:
        power.main([*where, "--cuts", "1"])


if __name__ == "__main__":
    main()
