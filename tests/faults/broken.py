"""See the fault campaigns fail on builds that were broken on purpose: ``python -m tests.faults.broken``.

A campaign that finds nothing proves something only if it would have found it. Each sabotage takes one safeguard away, in a
process of its own, and lets the campaign run that is there for it; that campaign has to end with a loss that it names.
Exit 1 when one of them finds nothing, or stumbles over something else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.store import say, set_up

ROOT = Path(__file__).parents[2]
FOUND = ("AssertionError", "StoreDamaged", "fatal: bad object")


@dataclass(frozen=True)
class Sabotage:
    """One safeguard that is taken away, and the campaign that has to notice."""

    what: str
    apply: Callable[[], None]
    campaign: str  # a module beside this one
    arguments: Sequence[str]


def no_fsync() -> None:
    """Nothing is made durable: git's files are left to the kernel, and so are the names of packs."""
    import os

    from backups.store.git import CONFIG

    CONFIG["core.fsync"] = "none"
    os.fsync = lambda _: None  # type: ignore[assignment]


def no_compare_and_swap() -> None:
    """A ref is moved whatever it names by now."""
    from backups.store import writer

    def instruction(self: writer.RefMove) -> bytes:
        return f"delete {self.ref}\0\0".encode() if self.new is None else f"update {self.ref}\0{self.new}\0\0".encode()

    writer.RefMove.instruction = instruction  # type: ignore[method-assign]


def mending_without_the_lock() -> None:
    """Whoever has lost the lock in the middle of putting a repository in order goes on with it."""
    from backups import mending

    mending.try_lock_tenant = lambda _: True


def gc_without_the_lock() -> None:
    """Garbage is collected beside whoever writes."""
    from checkpoints import gc, sweeping

    gc.lock_tenant = sweeping.lock_tenant = lambda *_, **__: None
    sweeping.try_lock_tenant = lambda _: True


def no_reconciling() -> None:
    """The next writer takes a repository as it is."""
    from backups import mending

    mending.mend_all = lambda *_: []


def pointer_before_packs() -> None:
    """The pointer names a manifest, and the packs come after it."""
    from backups.remote import publishing

    put, point, waiting = publishing.put_both, publishing.point_at, []

    def later(*arguments: Any) -> list[None]:
        waiting.append(arguments)
        return [None, None]

    def first(*arguments: Any) -> publishing.Latest:
        there = point(*arguments)
        while waiting:
            put(*waiting.pop())
        return there

    publishing.put_both, publishing.point_at = later, first  # type: ignore[assignment]


def acknowledged_before_home() -> None:
    """What is acknowledged goes to its home afterwards."""
    from django.db import transaction

    from backups import elsewhere
    from backups.remote import home
    from backups.remote.opening import is_home

    def changed(tenant_id: Any, _seq: int) -> None:
        if is_home():
            transaction.on_commit(lambda: late(tenant_id))

    def late(tenant_id: Any) -> None:
        with transaction.atomic():
            home.publish(tenant_id)

    elsewhere.changed = changed


SABOTAGES = {
    "no-fsync": Sabotage("no fsync", no_fsync, "power", ["--cuts", "10"]),
    "no-compare-and-swap": Sabotage("no compare-and-swap", no_compare_and_swap, "zombies", ["--rounds", "60"]),
    "mending-without-the-lock": Sabotage(
        "mending without the lock", mending_without_the_lock, "zombies", ["--rounds", "20", "--points", "for-each-ref"]
    ),
    "gc-without-the-lock": Sabotage("gc without the lock", gc_without_the_lock, "garbage", ["--turns", "150"]),
    "pointer-before-packs": Sabotage("pointer before packs", pointer_before_packs, "publishing", ["--rounds", "60"]),
    "acknowledged-before-home": Sabotage(
        "acknowledged before it is at home", acknowledged_before_home, "publishing", ["--rounds", "60"]
    ),
    "no-reconciling": Sabotage("no reconciling", no_reconciling, "store", ["--kills", "60"]),
}


def verdict(name: str) -> bool:
    """Run the campaign on the broken build; whether it has found the damage."""
    command = [sys.executable, "-m", "tests.faults.broken", "--one", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "")
    found = done.returncode != 0 and any(word in last for word in FOUND)
    say(f"{'found' if found else 'NOT FOUND':10s} {name:26s} {SABOTAGES[name].campaign:10s} {last[:200]}")
    return found


def one(name: str) -> None:
    """This process, broken."""
    import importlib

    sabotage = SABOTAGES[name]
    set_up()
    campaign = importlib.import_module(f"tests.faults.{sabotage.campaign}")
    sabotage.apply()
    campaign.main(list(sabotage.arguments))


def main() -> None:
    """All of them, or some."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SABOTAGES))
    parser.add_argument("--one", choices=SABOTAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    if unknown := set(options.names) - SABOTAGES.keys():
        parser.error(f"there is no sabotage {', '.join(sorted(unknown))}")
    verdicts = [verdict(name) for name in options.names or SABOTAGES]
    sys.exit(not all(verdicts))


if __name__ == "__main__":
    main()
