"""How fast a store keeps versions, everything durable: ``python -m tests.benchmarks.store --devices 1000 10000``.

A tenant of so many devices with configurations of 12 KB, all kept once; then batches of 100 devices that each changed a
few lines. PostgreSQL and git write to the disk as in production, so the disk decides; run it where nothing else runs.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH = 100
LINES = 400


def configuration(device: int, changes: dict[int, int]) -> bytes:
    """Some 12 KB, a little different for each device, with some lines changed."""
    lines = (f" interface Gi0/{number} ip {device}.{number}.{changes.get(number, 0)}" for number in range(LINES))
    return "\n".join([f"hostname edge{device}", *lines, "end", ""]).encode()


def keep_all(devices: Sequence[object], contents: Sequence[bytes]) -> None:
    """One batch."""
    from backups.commit import Kept, keep

    kept = [
        Kept(device, {"running.cfg": content}, "d" * 64, NOON)
        for device, content in zip(devices, contents, strict=True)
    ]
    keep(devices[0].tenant_id, kept, author="a", message="m", run_id=None, now=NOON, also=lambda _: None)


def measure(count: int, batches: int) -> Iterator[tuple[str, float]]:
    """Figures for a tenant of so many devices."""
    from backups.store.reader import store_path
    from inventory.models import Device
    from tests.factories import make_tenant

    dice = random.Random(count)
    tenant = make_tenant(f"bench{count}")
    devices = Device.objects.bulk_create(
        Device(tenant=tenant, name=f"edge{number}", address="192.0.2.1", platform="cisco_ios")
        for number in range(count)
    )
    began = time.perf_counter()
    for first in range(0, count, BATCH):
        keep_all(devices[first : first + BATCH], [configuration(first + n, {}) for n in range(BATCH)])
    seconds = time.perf_counter() - began
    yield "first versions: batches/s", count / BATCH / seconds
    yield "first versions: snapshots/s", count / seconds
    spent = []
    cpu = cpu_seconds()
    for _ in range(batches):
        chosen = dice.sample(range(count), BATCH)
        contents = [configuration(n, {dice.randrange(LINES): dice.randrange(200) for _ in range(5)}) for n in chosen]
        began = time.perf_counter()
        keep_all([devices[n] for n in chosen], contents)
        spent.append(time.perf_counter() - began)
    cpu = cpu_seconds() - cpu
    spent.sort()
    yield "changes: batches/s", batches / sum(spent)
    yield "changes: snapshots/s", batches * BATCH / sum(spent)
    yield "changes: median ms a batch", spent[batches // 2] * 1000
    yield "changes: CPU ms a batch, git included", cpu / batches * 1000
    yield "changes: slowest ms a batch (with housekeeping)", spent[-1] * 1000
    size = sum(found.stat().st_size for found in store_path(tenant.pk).rglob("*") if found.is_file())
    yield "repository: MB", size / 1e6
    yield "repository: KB a snapshot", size / 1e3 / (count + batches * BATCH)


def cpu_seconds() -> float:
    """What this process and its ended children have used; says more than the clock where others are at work."""
    return sum(os.times()[:4])


def main() -> None:
    """The measurement as a program, on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--batches", type=int, default=100)
    options = parser.parse_args()
    place = Path("var")  # a disk: where /tmp is memory, nothing durable could be measured
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="netcairn-bench-", dir=place) as var:
        os.environ |= {"NETCAIRN_VAR": var, "DJANGO_SETTINGS_MODULE": "config.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        for count in options.devices:
            for name, value in measure(count, options.batches):
                sys.stdout.write(f"{count:6d} devices  {name:48s} {value:10.1f}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
