"""How fast the store answers at its full size: ``python -m tests.benchmarks.reads [--devices 10000] [--commits 20000]``.

One tenant with so many devices of some 12 KB each, all kept by the product itself; then so many commits of one device
each, written through the product's own stream in one go, because durably one by one they would take half an hour. A
twentieth of them are of one device, whose history is asked for. Then the questions, each as the product asks it, warm,
medians. The last thing printed is one JSON document with `bars`; exit 1 when one does not hold.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tests.benchmarks.place import own_place

if TYPE_CHECKING:
    from backups.models import Snapshot
    from backups.store.reader import TenantStore
    from inventory.models import Device, Tenant

NOON = datetime(2020, 3, 1, 12, tzinfo=UTC)
FILE = "running.cfg"
BATCH = 100  # devices in a commit of the first backup
CHUNK = 2_000  # commits in one go
EVERY = 20  # one commit of so many is of the watched device
INTERFACES = 110
RARE = b"10.255.255.77"  # in one device of a hundred
LONG = 30_000  # lines

BARS = {
    "history page of one device: ms": 20.0,
    "one file at any commit: ms": 5.0,
    "difference of two texts of 30,000 lines: ms": 100.0,
    "search of a word in all current texts: s": 2.0,
    "search of a word in all masked texts: s": 2.0,
    "search of a word with 3 lines around, as many as are shown: s": 2.0,
    "blame through all versions of one device: s": 5.0,
}


def configuration(number: int, dice: random.Random) -> bytes:
    """Some 12 KB that look like a switch, different for each device."""
    lines = [f"hostname edge{number}", "enable secret 9 $9$abcdefgh", f"snmp-server community c{number} RO", "!"]
    for port in range(INTERFACES):
        lines += [
            f"interface GigabitEthernet0/{port}",
            f" description to {dice.choice(('core', 'edge', 'lab'))}{dice.randrange(10_000)}",
            f" ip address 10.{number % 250}.{port}.{dice.randrange(250)} 255.255.255.0",
            " no shutdown",
            "!",
        ]
    server = RARE.decode() if number % 100 == 0 else f"10.254.0.{number % 250}"
    return "\n".join([*lines, f"ntp server {server}", "end", ""]).encode()


def changed(content: bytes, dice: random.Random) -> bytes:
    """The configuration with one description changed."""
    lines = content.split(b"\n")
    at = 5 + 5 * dice.randrange(INTERFACES)
    lines[at] = b" description moved to port%d" % dice.randrange(1_000_000)
    return b"\n".join(lines)


@dataclass
class Tenancy:
    """What is asked about."""

    tenant: Tenant
    devices: Sequence[Device]
    contents: list[bytes]  # of each device, the newest
    commits: list[str]

    @property
    def watched(self) -> Device:
        """The device with the long history."""
        return self.devices[0]


def first_backup(count: int, dice: random.Random, *, name: str = "acme") -> Tenancy:
    """Every device, kept by the product."""
    from backups.commit import Kept, keep
    from inventory.models import Device, Tenant

    tenant = Tenant.objects.create(name=name)
    devices = Device.objects.bulk_create(
        Device(tenant=tenant, name=f"edge{number}", address="192.0.2.1", platform="cisco_ios")
        for number in range(count)
    )
    contents = [configuration(number, dice) for number in range(count)]
    for first in range(0, count, BATCH):
        pairs = zip(devices[first : first + BATCH], contents[first : first + BATCH], strict=True)
        kept = [Kept(device, {FILE: content}, "d" * 64, NOON) for device, content in pairs]
        keep(tenant.pk, kept, author="bench", message="Back up", run_id=None, now=NOON, also=lambda _: None)
    return Tenancy(tenant, devices, contents, [])


def long_past(tenancy: Tenancy, count: int, dice: random.Random) -> None:
    """So many commits of one device each, and their rows."""
    from backups.house import tidy_up
    from backups.store.reader import open_store

    store = open_store(tenancy.tenant.pk)
    for first in range(0, count, CHUNK):
        commits = range(first, min(first + CHUNK, count))
        chosen = [0 if number % EVERY == 0 else dice.randrange(1, len(tenancy.devices)) for number in commits]
        write(tenancy, store, chosen, dice)
    tidy_up(tenancy.tenant.pk, at_night=True)


def write(tenancy: Tenancy, store: TenantStore, chosen: Sequence[int], dice: random.Random) -> None:
    """A commit for each of these devices, all in one stream, and their rows."""
    from backups.models import Repository, Snapshot
    from backups.store import layout
    from backups.store.stream import NewCommit, Put, parts

    row = Repository.objects.get(pk=tenancy.tenant.pk)
    stream: list[bytes] = []
    snapshots = []
    for seq, number in enumerate(chosen, start=row.seq + 1):
        device, content = tenancy.devices[number], changed(tenancy.contents[number], dice)
        tenancy.contents[number] = content
        put, when = Put(layout.device_file(device.pk, FILE), content), NOON + timedelta(minutes=seq)
        parent = None if stream else row.head  # within a stream, a commit goes on where the last one ended
        stream += list(parts(NewCommit(layout.MAIN, parent, f"Back up {seq}", "bench", when, [put])))[:-1]
        files = {FILE: {"blob": put.id, "size": len(content)}}
        snapshots.append(snapshot_of(tenancy.tenant, device, seq=seq, taken_at=when, files=files))
    store.git.run("fast-import", "--quiet", "--done", stdin=b"".join([*stream, b"done\n"]))
    said = store.git.run("log", "--format=%H", f"--max-count={len(chosen)}", layout.MAIN).out.decode().split()
    for snapshot, commit in zip(snapshots, reversed(said), strict=True):
        snapshot.commit = commit
    Snapshot.objects.bulk_create(snapshots)
    Repository.objects.filter(pk=row.pk).update(head=said[0], seq=snapshots[-1].seq)
    tenancy.commits += said


def snapshot_of(tenant: Tenant, device: Device, **fields: Any) -> Snapshot:
    """A row, without its commit."""
    from backups.models import Snapshot

    size = fields["files"][FILE]["size"]
    return Snapshot(
        tenant=tenant,
        device=device,
        digest="d" * 64,
        size=size,
        lines_added=1,
        lines_removed=1,
        author="bench",
        **fields,
    )


def median(ask: Callable[[], object], times: int) -> float:
    """Seconds for one question, after a first that nobody counts."""
    ask()
    spent = []
    for _ in range(times):
        began = perf_counter()
        ask()
        spent.append(perf_counter() - began)
    return statistics.median(spent)


def history_page(tenancy: Tenancy) -> float:
    """As the page of a device's versions asks, in ms: how many there are, and fifty of them."""
    from django.core.paginator import Paginator

    from backups.device_admin import versions_of
    from backups.pages import PER_PAGE

    dice = random.Random(1)

    def ask() -> None:
        pages = Paginator(versions_of(tenancy.watched), PER_PAGE)
        assert len(pages.get_page(dice.randint(1, pages.num_pages))) > 0

    return 1000 * median(ask, 50)


def any_commit(tenancy: Tenancy) -> float:
    """One file out of the tree of some commit, in ms."""
    from backups.store.reader import open_store
    from backups.store.walk import file_at

    dice = random.Random(2)

    def ask() -> None:
        store = open_store(tenancy.tenant.pk)
        device = dice.choice(tenancy.devices)
        content = file_at(store, dice.choice(tenancy.commits), device.pk, FILE)
        assert content is not None and content.startswith(f"hostname {device.name}\n".encode())

    return 1000 * median(ask, 300)


def long_difference(tenancy: Tenancy) -> float:
    """Counts and text of the patch between two large texts, in ms."""
    from backups.commit import Kept, keep
    from backups.store.reader import open_store

    dice = random.Random(3)
    lines = [b" permit ip host 10.%d.%d.%d any" % (n % 250, n // 250, dice.randrange(250)) for n in range(LONG)]
    ids = []
    for _ in range(2):
        kept = [Kept(tenancy.watched, {FILE: b"\n".join(lines)}, "e" * 64, NOON)]
        keep(
            tenancy.tenant.pk,
            kept,
            author="bench",
            message="m",
            run_id=None,
            now=NOON,
            also=lambda s: ids.extend(s.values()),
        )
        for at in dice.sample(range(LONG), 300):
            lines[at] = b" deny ip any any log %d" % at
    old, new = (snapshot.files[FILE]["blob"] for snapshot in ids)
    store = open_store(tenancy.tenant.pk)
    return 1000 * median(lambda: store.diff_blobs(old, new), 10)


def searching(tenancy: Tenancy) -> Iterator[tuple[str, float]]:
    """A word in everything that is current, and in every version."""
    from backups.past import PastLimits, search_past
    from backups.search import Limits, Scope, prepare_tenant, search
    from backups.store.grep import Pattern

    rare, common = Pattern(f"ntp server {RARE.decode()}"), Pattern("no shutdown")
    clear, veiled = Scope(tenancy.tenant, secrets=True), Scope(tenancy.tenant, secrets=False)
    expected = len(range(0, len(tenancy.devices), 100))

    def ask(pattern: Pattern, scope: Scope, **limits: Any) -> None:
        answer = search(pattern, [scope], limits=Limits(seconds=60.0, **limits))
        assert answer.not_ready == 0
        assert pattern is common or len(answer.found) == expected, len(answer.found)

    yield "search of a word in all current texts: s", median(lambda: ask(rare, clear), 5)
    yield (
        "search of a word with 3 lines around, as many as are shown: s",
        median(lambda: ask(common, clear, context=3), 5),
    )
    began = perf_counter()
    assert prepare_tenant(tenancy.tenant, seconds=3600) == 0
    yield "masking all current texts for the first time: s", perf_counter() - began
    yield "search of a word in all masked texts: s", median(lambda: ask(rare, veiled), 5)
    began = perf_counter()
    answer = search_past(rare, [clear], limits=PastLimits(seconds=600.0))
    yield "search of the past: versions/s", answer.versions / (perf_counter() - began)


def blaming(tenancy: Tenancy) -> Iterator[tuple[str, float]]:
    """Every line of the watched device, through all its versions."""
    from backups.blame import blame, find_version

    version = find_version(tenancy.watched, None)
    count = tenancy.watched.snapshots.count()
    yield "blame through all versions of one device: s", median(lambda: blame(version, FILE, secrets=True), 3)
    yield "versions that it went through", count


def measure(devices: int, commits: int) -> Iterator[tuple[str, float]]:
    """Every figure."""
    dice = random.Random(devices)
    began = perf_counter()
    tenancy = first_backup(devices, dice)
    yield "first backup of all, durable: snapshots/s", devices / (perf_counter() - began)
    began = perf_counter()
    long_past(tenancy, commits, dice)
    yield "making the past: s", perf_counter() - began
    yield "current texts: MB", sum(map(len, tenancy.contents)) / 1e6
    yield "history page of one device: ms", history_page(tenancy)
    yield "one file at any commit: ms", any_commit(tenancy)
    yield from blaming(tenancy)
    yield from searching(tenancy)
    yield "difference of two texts of 30,000 lines: ms", long_difference(tenancy)


def main() -> None:
    """The measurement as a program, on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=20_000)
    options = parser.parse_args()
    with own_place():
        figures = {}
        for name, value in measure(options.devices, options.commits):
            figures[name] = round(value, 3)
            print(f"{name:64s} {value:12.3f}", flush=True)
    bars = {name: {"value": figures[name], "bar": bar, "holds": figures[name] < bar} for name, bar in BARS.items()}
    also = {name: value for name, value in figures.items() if name not in BARS}
    print(json.dumps({"benchmark": "reads", "options": vars(options), "bars": bars, "also": also}))
    sys.exit(not all(bar["holds"] for bar in bars.values()))


if __name__ == "__main__":
    main()
