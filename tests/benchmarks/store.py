"""Whether the store is as fast, as small and as steady as was promised: ``python -m tests.benchmarks.store``.

    writers   commits of 100 devices beside GitPython's index.commit and a flat-tree pygit2 writer, at three sizes
    history   the same after a short and after a long past
    reads     history page, a file of any commit, a long difference, a search; at full size
    sizes     a worker's memory over many commits; and, as neither is a matter of time, beside it what a version takes on
              the disk after housekeeping, and after `git gc --aggressive` of the same history
    eight     eight processes on one tenant for a minute

Everything of ours is durable and with the database's rows; what is compared is run in turns, and medians count, so that
a busy machine slows both. The last thing printed is one JSON document whose `bars` has each figure that was asked for,
with its bar and whether it holds; exit 1 when one does not. `--only` runs single parts, `--quick` small ones, whose
bars say little. pygit2 comes with the extra `benchmark`.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.benchmarks import reads, steadiness
from tests.benchmarks.writers import FlatPygit2, IndexCommit, Netcairn, Writer, edited

BATCH = 100
MOST, LEAST = "at most", "at least"

BARS: dict[str, tuple[str, float]] = {
    "commit beside flat pygit2 at 10,000 devices: times as fast": (LEAST, 20.0),
    "commit beside index.commit at 10,000 devices: times as fast": (LEAST, 50.0),
    "cost of a snapshot at 10,000 devices: times that at 100": (MOST, 1.35),
    "cost of a snapshot after 50,000 commits: times that after 500": (MOST, 1.25),
    "history page of one device: ms": (MOST, 20.0),
    "one file at any commit: ms": (MOST, 5.0),
    "difference of two texts of 30,000 lines: ms": (MOST, 100.0),
    "search of a word in all current texts: s": (MOST, 2.0),
    "disk after housekeeping: times that of git gc --aggressive": (MOST, 1.3),
    "memory after 10,000 commits: times that after 1,000": (MOST, 1.05),
    "eight writers: errors": (MOST, 0),
    "eight writers: versions lost": (MOST, 0),
    "eight writers: gaps in seq": (MOST, 0),
}


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    fleets: tuple[int, int, int] = (100, 1000, 10_000)
    rounds: int = 15
    sustained: int = 70  # batches in a row: more than two rounds of housekeeping
    short: int = 500  # commits
    long: int = 50_000
    past_devices: int = 1000
    reads_devices: int = 10_000
    reads_commits: int = 20_000
    disk_devices: int = 1000
    disk_batches: int = 100
    memory_commits: int = 10_000
    seconds: float = 60.0


QUICK = Sizes(
    fleets=(100, 300, 1000), rounds=5, sustained=5, short=50, long=1000, past_devices=200, reads_devices=300,
    reads_commits=400, disk_devices=200, disk_batches=20, memory_commits=200, seconds=3.0,
)  # fmt: skip

Figures = Iterator[tuple[str, float]]


def writers(sizes: Sizes, place: Path) -> Figures:
    """What a snapshot costs each writer at each size, in turns."""
    dice = random.Random(1)
    fleets = {count: writers_of(count, place, dice) for count in sizes.fleets}
    spent: dict[tuple[int, str], list[float]] = {}
    for _ in range(sizes.rounds):
        for count, (contents, group) in fleets.items():
            for writer in group:
                # The rivals commit each device by itself, so a few tell as much as a hundred.
                number = BATCH if isinstance(writer, Netcairn) else 5
                spent.setdefault((count, writer.name), []).append(turn(writer, contents, number, dice))
    cost = {key: median(values) for key, values in spent.items()}
    for (count, name), seconds in cost.items():
        yield f"{name} at {count:,} devices: snapshots/s", 1 / seconds
    small, large = sizes.fleets[0], sizes.fleets[-1]
    ours = cost[large, "netcairn"]
    yield "commit beside flat pygit2 at 10,000 devices: times as fast", cost[large, "pygit2"] / ours
    yield "commit beside index.commit at 10,000 devices: times as fast", cost[large, "index.commit"] / ours
    yield "cost of a snapshot at 10,000 devices: times that at 100", ours / cost[small, "netcairn"]
    contents, group = fleets[large]
    began = perf_counter()
    for _ in range(sizes.sustained):
        turn(group[0], contents, BATCH, dice)
    rate = sizes.sustained * BATCH / (perf_counter() - began)
    yield f"netcairn at {large:,} devices, with its housekeeping: snapshots/s", rate


def writers_of(count: int, place: Path, dice: random.Random) -> tuple[list[bytes], list[Writer]]:
    """The writers of a fleet of so many devices, each with all first versions kept; and these."""
    tenancy = reads.first_backup(count, dice, name=f"fleet{count}")
    contents = list(tenancy.contents)
    ours = Netcairn(tenancy.tenant, tenancy.devices)
    flat = FlatPygit2(place / f"pygit2-{count}", contents)
    return contents, [ours, flat, IndexCommit(place / f"index-{count}", contents)]


def turn(writer: Writer, contents: list[bytes], number: int, dice: random.Random) -> float:
    """New versions of so many devices; seconds for each."""
    chosen = dice.sample(range(len(contents)), number)
    texts = [edited(contents[one], dice) for one in chosen]
    for one, text in zip(chosen, texts, strict=True):
        contents[one] = text
    began = perf_counter()
    writer.keep(chosen, texts)
    return (perf_counter() - began) / number


def history(sizes: Sizes, place: Path) -> Figures:
    """What a snapshot costs after a short and a long past, in turns."""
    dice = random.Random(2)
    tenancies = {}
    for commits in (sizes.short, sizes.long):
        tenancies[commits] = reads.first_backup(sizes.past_devices, dice, name=f"past{commits}")
        reads.long_past(tenancies[commits], commits, dice)
    spent: dict[int, list[float]] = {commits: [] for commits in tenancies}
    for _ in range(sizes.rounds):
        for commits, tenancy in tenancies.items():
            ours = Netcairn(tenancy.tenant, tenancy.devices)
            spent[commits].append(turn(ours, tenancy.contents, BATCH, dice))
    for commits, values in spent.items():
        yield f"after {commits:,} commits: snapshots/s", 1 / median(values)
    ratio = median(spent[sizes.long]) / median(spent[sizes.short])
    yield "cost of a snapshot after 50,000 commits: times that after 500", ratio


def reading(sizes: Sizes, place: Path) -> Figures:
    """The questions of `tests.benchmarks.reads` that have a bar here."""
    dice = random.Random(3)
    tenancy = reads.first_backup(sizes.reads_devices, dice, name="reads")
    reads.long_past(tenancy, sizes.reads_commits, dice)
    yield "current texts: MB", sum(map(len, tenancy.contents)) / 1e6
    yield "history page of one device: ms", reads.history_page(tenancy)
    yield "one file at any commit: ms", reads.any_commit(tenancy)
    yield next(reads.searching(tenancy))
    yield "difference of two texts of 30,000 lines: ms", reads.long_difference(tenancy)


def long_run(sizes: Sizes, place: Path) -> Figures:
    """What a history takes on the disk, and what a worker does in memory, both at once."""
    worker = steadiness.LongWorker(sizes.memory_commits)
    yield from steadiness.disk(sizes.disk_devices, sizes.disk_batches, BATCH, place)
    yield from steadiness.memory(worker)


def eight(sizes: Sizes, place: Path) -> Figures:
    """Eight processes at once."""
    yield from steadiness.together(8, sizes.seconds, place)


PARTS: dict[str, Callable[[Sizes, Path], Figures]] = {
    "writers": writers,
    "history": history,
    "reads": reading,
    "sizes": long_run,
    "eight": eight,
}


def measure(parts: Sequence[str], sizes: Sizes, place: Path) -> dict[str, float]:
    """Every figure of these parts, said as it comes."""
    figures = {}
    for part in parts:
        began = perf_counter()
        for name, value in PARTS[part](sizes, place):
            figures[name] = round(value, 3)
            print(f"{name:68s} {value:12.3f}", flush=True)
        print(f"{f'({part} took s)':68s} {perf_counter() - began:12.1f}", flush=True)
    return figures


def judged(figures: dict[str, float]) -> dict[str, dict[str, object]]:
    """The bars of what was measured."""
    return {
        name: {
            "value": figures[name],
            "bar": f"{relation} {bar:g}",
            "holds": figures[name] <= bar if relation == MOST else figures[name] >= bar,
        }
        for name, (relation, bar) in BARS.items()
        if name in figures
    }


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--rounds", type=int, help="turns of each writer")
    parser.add_argument("--commits", type=int, help="of the worker in the part sizes")
    parser.add_argument("--place", type=Path, default=Path("var"), help="a directory on the disk to be measured")
    return parser.parse_args(arguments)


def main() -> None:
    """The measurement as a program, on a database and a store of its own."""
    options = options_of(None)
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(
        sizes, rounds=options.rounds or sizes.rounds, memory_commits=options.commits or sizes.memory_commits
    )
    options.place.mkdir(exist_ok=True)
    # Not in /tmp, which may be memory: nothing durable could be measured there.
    with tempfile.TemporaryDirectory(prefix="netcairn-bench-", dir=options.place.resolve()) as var:
        for name in ("DATABASE_URL", "NETCAIRN_STORE_ROOT"):  # whatever is there is somebody's
            os.environ.pop(name, None)
        os.environ |= {"NETCAIRN_VAR": var, "DJANGO_SETTINGS_MODULE": "config.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        figures = measure(options.only, sizes, Path(var))
    bars = judged(figures)
    also = {name: value for name, value in figures.items() if name not in bars}
    print(json.dumps({"benchmark": "store", "quick": options.quick, "bars": bars, "also": also}))
    sys.exit(not all(bar["holds"] for bar in bars.values()))


if __name__ == "__main__":
    main()
