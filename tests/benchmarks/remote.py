"""What an object store costs: ``python -m tests.benchmarks.remote [--devices 1000] [--batches 20] [--milliseconds 10]``.

One tenant keeps the same batches of 100 devices twice, in copy mode and in home mode, against a directory that answers each
request after so many milliseconds, as a network would. What a batch waits for requests in home mode is counted by itself:
bar is what it costs beyond that. Then one old file is read on a host that has nothing. The last thing printed is one
JSON document with `bars`; exit 1 when one does not hold.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from tests.benchmarks import reads
from tests.benchmarks.place import own_place
from tests.benchmarks.writers import Netcairn, edited

BATCH = 100
BARS = {
    "home without its requests: times copy": 1.5,
    "home: requests in a row for a batch": 4.0,
    "one old file on a cold host: share of the repository's bytes": 0.2,
}


class Network:
    """Delays what is asked of a directory, and notes when it was waited for and how many bytes came."""

    def __init__(self, seconds: float, spans: list[tuple[float, float]]) -> None:
        self.seconds, self.spans, self.size = seconds, spans, 0

    def far(self, inner: Any) -> Any:
        """A method of the directory, far away."""

        def method(place: Any, *arguments: Any) -> Any:
            began = perf_counter()
            sleep(self.seconds)
            answer = inner(place, *arguments)
            self.size += len(answer) if isinstance(answer, bytes) else len(getattr(answer, "content", b""))
            self.spans.append((began, perf_counter()))
            return answer

        return method

    def spread(self) -> None:
        """Let every directory of this process be far away."""
        from backups.remote.directory import Directory

        for name in ("read", "read_part", "create", "replace"):
            setattr(Directory, name, self.far(getattr(Directory, name)))


def batches(ours: Netcairn, contents: list[bytes], count: int, dice: random.Random) -> list[float]:
    """Seconds of each batch."""
    seconds = []
    for _ in range(count):
        chosen = dice.sample(range(len(contents)), BATCH)
        for one in chosen:
            contents[one] = edited(contents[one], dice)
        began = perf_counter()
        ours.keep(chosen, [contents[one] for one in chosen])
        seconds.append(perf_counter() - began)
    return seconds


def waiting(spans: list[tuple[float, float]]) -> tuple[float, int]:
    """Seconds in which something was waited for, and how often in a row; what overlaps is one wait."""
    total, rows, until = 0.0, 0, 0.0
    for start, end in sorted(spans):
        rows += start >= until
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total, rows


def measure(devices: int, count: int, seconds: float, place: Path) -> Iterator[tuple[str, float]]:
    """Every figure by its name."""
    from django.conf import settings

    from backups.models import Snapshot
    from backups.remote.cold import read_file
    from backups.remote.current import bring_up_to_date
    from backups.store.reader import store_path
    from tests.benchmarks.steadiness import packed

    (place / "remote").mkdir()
    settings.NETCAIRN_OBJECT_STORE = f"file://{place / 'remote'}"
    dice = random.Random(9)
    tenancy = reads.first_backup(devices, dice, name="remote")
    ours = Netcairn(tenancy.tenant, tenancy.devices)
    bring_up_to_date(tenancy.tenant.pk)
    spans: list[tuple[float, float]] = []
    network = Network(seconds, spans)
    network.spread()
    copy = batches(ours, tenancy.contents, count, dice)
    began = perf_counter()
    bring_up_to_date(tenancy.tenant.pk)
    yield "copy: publishing all of it at once: ms", 1000 * (perf_counter() - began)
    settings.NETCAIRN_OBJECT_STORE_MODE, settings.NETCAIRN_STORE_READY = "home", "backups.remote.home.ready"
    bring_up_to_date(tenancy.tenant.pk)
    spans.clear()
    home = batches(ours, tenancy.contents, count, dice)
    waited, rows = waiting(spans)
    alone = statistics.median(home) - waited / count
    yield "copy: ms a batch", 1000 * statistics.median(copy)
    yield "home: ms a batch", 1000 * statistics.median(home)
    yield "home: ms a batch of waiting for the object store", 1000 * waited / count
    yield "home: requests in a row for a batch", rows / count
    yield "home without its requests: times copy", alone / statistics.median(copy)
    whole = packed(store_path(tenancy.tenant.pk))
    old = Snapshot.objects.filter(tenant=tenancy.tenant).order_by("seq")[0]
    network.size = 0
    began = perf_counter()
    read_file(tenancy.tenant.pk, old.files[reads.FILE]["blob"])
    yield "one old file on a cold host: ms", 1000 * (perf_counter() - began)
    yield "one old file on a cold host: KB", network.size / 1024
    yield "one old file on a cold host: share of the repository's bytes", network.size / whole


def main(arguments: list[str] | None = None) -> None:
    """The benchmark as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--milliseconds", type=float, default=10.0, help="that each request takes")
    options = parser.parse_args(arguments)
    with own_place(), tempfile.TemporaryDirectory(prefix="netcairn-remote-") as place:
        figures = dict(measure(options.devices, options.batches, options.milliseconds / 1000, Path(place)))
    bars = {
        name: {"value": round(figures[name], 3), "bar": bar, "holds": figures[name] <= bar}
        for name, bar in BARS.items()
    }
    print(json.dumps({"figures": {name: round(value, 3) for name, value in figures.items()}, "bars": bars}, indent=2))
    sys.exit(not all(bar["holds"] for bar in bars.values()))


if __name__ == "__main__":
    main()
