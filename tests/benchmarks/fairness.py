"""How long a tenant of ten devices waits beside one of 10,000, where one worker does it all.

    python -m tests.benchmarks.fairness [--devices 10000]

The large tenant asks first, the small one a second later, while the worker is at the first. A turn is half a minute
(`backups/shard.py`). The last line printed is one JSON document; exit 1 when the small run took longer than 45 s.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import sys
from threading import Thread
from time import sleep
from typing import Any

from tests.benchmarks import whole_runs
from tests.benchmarks.collector import PLATFORM, SERVERS, installation
from tests.benchmarks.fleet_process import FleetProcess

FEW, WITHIN = 10, 45.0


def waited(large: Any, small: Any) -> float:
    """Seconds from asking for the small run to its end."""
    from django.db import connection
    from django_q.models import OrmQ

    from backups import jobs, runs
    from inventory.models import Device

    def ask() -> None:
        sleep(1)
        jobs.enqueue_run(Device.objects.filter(tenant=small), requested_by="benchmark")
        connection.close()

    jobs.enqueue_run(Device.objects.filter(tenant=large), requested_by="benchmark")
    asking = Thread(target=ask)
    asking.start()
    while True:  # as a cluster with one worker does
        task = OrmQ.objects.order_by("lock", "pk")[0]
        task.delete()
        jobs.collect_shard(task.task["args"][0])
        if run := small.runs.filter(ended_at__isnull=False).first():
            break
    asking.join()
    print(f"large: {large.runs.get().counts()}; small: {run.counts()}")
    from django.utils import timezone

    runs.cancel(large.runs.get(), by="benchmark", now=timezone.now())
    return float((run.ended_at - run.requested_at).total_seconds())


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    options = parser.parse_args()
    with installation(), FleetProcess(PLATFORM, options.devices, processes=SERVERS) as fleet:
        large = whole_runs.register(fleet, tenant="large")
        small = whole_runs.register(fleet.devices[:FEW], tenant="small")
        seconds = waited(large, small)
    print(json.dumps({"seconds that ten devices took beside the others": seconds, "holds": seconds <= WITHIN}))
    return 0 if seconds <= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
