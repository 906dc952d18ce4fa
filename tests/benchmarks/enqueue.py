"""How long it takes to ask for a run of many devices: by hand, and by a schedule that is due.

    python -m tests.benchmarks.enqueue [--devices 10000] [--rounds 3]

Ends with rows of the run, its attempts and its queue tasks committed in a PostgreSQL that keeps what it says. Beside
it the time of one worker's claims until none is left, which is what sharing the queue costs. The last line printed is
one JSON document with `bars`; exit 1 when enqueueing took longer than its bar.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

BAR_SECONDS = 2.0  # for 10,000 devices


def seconds(work: Callable[[], object]) -> float:
    """One measurement."""
    began = perf_counter()
    work()
    return perf_counter() - began


def register(count: int):
    """A tenant with many devices over a hundred sites."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from inventory.models import Device, Tenant

    tenant = Tenant.objects.create(name="acme")
    Device.objects.bulk_create(
        (
            Device(tenant=tenant, name=f"edge{n}", address="192.0.2.1", platform="cisco_ios", site=f"site{n % 100}")
            for n in range(count)
        ),
        batch_size=2000,
    )
    return tenant


def measure(devices: int, rounds: int) -> dict[str, float]:
    """The median of some rounds, each in seconds."""
    from django.utils import timezone

    from backups import jobs, runs
    from backups.models import Run, Schedule
    from inventory.models import Device

    tenant = register(devices)
    schedule = Schedule.objects.create(tenant=tenant, name="nightly", cron="0 2 * * *")
    found: dict[str, list[float]] = {"enqueue": [], "schedule": [], "claim all": [], "cancel": []}
    for _ in range(rounds):
        by_hand = list(Device.objects.collectable())
        found["enqueue"].append(seconds(lambda asked=by_hand: jobs.enqueue_run(asked, requested_by="bench")))
        found["claim all"].append(seconds(claim_all))
        runs.abandon(Run.objects.unended().get(), timezone.now())
        Schedule.objects.filter(pk=schedule.pk).update(next_at=timezone.now())
        found["schedule"].append(seconds(lambda: jobs.start_due(timezone.now())))
        run = Run.objects.unended().get()
        found["cancel"].append(seconds(lambda asked=run: runs.cancel(asked, by="bench", now=timezone.now())))
    return {name: round(statistics.median(times), 3) for name, times in found.items()}


def claim_all() -> None:
    """What one worker asks of the database for a run, thirty devices at a time."""
    from django.utils import timezone

    from backups.models import Run

    run = Run.objects.unended().get()
    token = uuid4()
    while run.attempts.claim(token=token, limit=30, now=timezone.now()):
        run.attempts.held_by(token).update(state="unchanged")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="netcairn-bench-") as var:
        os.environ |= {"NETCAIRN_VAR": var, "DJANGO_SETTINGS_MODULE": "config.settings"}
        import django

        django.setup()
        from django.conf import settings

        settings.NETCAIRN_RUN_ENDED = []
        found = measure(options.devices, options.rounds)
    bar = BAR_SECONDS * options.devices / 10_000
    bars = {
        "enqueue": {"seconds": found["enqueue"], "bar": bar, "met": found["enqueue"] < bar},
        "schedule": {"seconds": found["schedule"], "bar": bar, "met": found["schedule"] < bar},
        "claim all": {"seconds": found["claim all"]},
        "cancel": {"seconds": found["cancel"]},
    }
    print(json.dumps({"benchmark": "enqueue", "options": vars(options), "bars": bars}))
    if not all(one.get("met", True) for one in bars.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
