"""Whether two hosts collect twice as fast as one, where the devices are the limit and not the cores.

    python -m tests.benchmarks.hosts [--devices 1200] [--rounds 3] [--threads 30] [--latency 0.05] [--of-commands]

A host is one worker with a directory and a PID namespace of its own (so it needs root), beside one PostgreSQL and a store
that both have; all of them and the simulated devices share the cores of this machine. So the line to each device is a long
one: whatever is said to it, the handshake too, arrives after the latency, and the device takes as long again to
answer a command. With `--of-commands` only that, a visit waits for a fifth of the time, and two cores are the limit before
the devices are. Rounds of one and of two hosts are interleaved, every device has changed each time, and medians are
compared. The last line is JSON with its bar, what the threads could do at most, and the cores that were busy; exit 1
when it does not hold.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import whole_runs
from tests.benchmarks.fleet_process import FleetProcess
from tests.benchmarks.place import own_place

BAR = 1.8
NAMES = ("alpha", "beta")
SERVERS = 2  # processes of the simulator


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=30, help="of each host")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a round trip to a device")
    parser.add_argument("--of-commands", action="store_true", help="let answers to commands alone come late")
    options = parser.parse_args()
    rates: dict[int, list[float]] = {1: [], 2: []}
    seen: list[dict[str, float]] = []
    late = {"latency": options.latency, "round_trip": 0.0 if options.of_commands else options.latency}
    with own_place() as var, FleetProcess("cisco_ios", options.devices, processes=SERVERS, **late) as fleet:
        tenant = whole_runs.register(fleet, tenant="acme")
        shared = what_hosts_share()
        collected(tenant, options, 1, var, shared)  # the simulator makes its texts at the first visit
        for number in range(options.rounds):
            for hosts, some in rates.items():
                fleet.edit(["interface Loopback0", f"description {hosts} hosts, {number}"])
                seen.append(collected(tenant, options, hosts, var, shared))
                some.append(seen[-1]["devices a second"])
                print(json.dumps(seen[-1]), flush=True)
    times = median(rates[2]) / median(rates[1])
    told: dict[str, Any] = {"benchmark": "hosts", "options": vars(options), "seen": seen}
    bar = {"name": "two hosts, times one", "value": round(times, 2), "bar": f"at least {BAR}", "holds": times >= BAR}
    print(json.dumps(told | {"bars": [bar]}))
    return 0 if times >= BAR else 1


def what_hosts_share() -> dict[str, str]:
    """The variables that are the same for all: database, keys, store."""
    from django.conf import settings

    from tests.faults.several_hosts import database_url

    return {
        "DATABASE_URL": database_url(),
        "NETCAIRN_SECRET_KEY": settings.SECRET_KEY,
        "NETCAIRN_SECRETS_KEYS": settings.NETCAIRN_SECRETS_KEYS[0],
        "NETCAIRN_STORE_ROOT": str(settings.NETCAIRN_STORE_ROOT),
    }


def collected(
    tenant: Any, options: argparse.Namespace, hosts: int, var: Path, shared: dict[str, str]
) -> dict[str, float]:
    """A run of all devices by so many hosts: devices a second, from the first one's beginning to the last one's end."""
    from tests.faults.several_hosts import APART

    run = whole_runs.asked(tenant)
    command = [*APART, sys.executable, "-m", "tests.benchmarks.whole_runs", run, str(options.threads)]
    started = []
    for name in NAMES[:hosts]:
        own = {"NETCAIRN_VAR": str(var / name), "NETCAIRN_HOST": name}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=whole_runs.ROOT, env=os.environ | shared | own, **pipes))
    for process in started:
        process.stdout.readline()  # type: ignore[union-attr]  # everything is imported and connected
    before = busy_seconds()
    for process in started:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    measured = [json.loads(process.communicate()[0]) for process in started]
    busy = busy_seconds() - before
    if whole_runs.counts(run)["changed"] != options.devices:
        raise SystemExit(f"Not every device was backed up: {whole_runs.counts(run)}")
    return figures(run, options, measured, busy)


def figures(run: str, options: argparse.Namespace, measured: list[dict[str, float]], busy: float) -> dict[str, float]:
    """What came of one run."""
    from django.db.models import Avg

    from backups.models import Attempt

    seconds, hosts = whole_runs.seconds(measured), len(measured)
    visit = Attempt.objects.filter(run__id=run).aggregate(mean=Avg("seconds"))["mean"]
    told = {
        "hosts": hosts,
        "devices a second": options.devices / seconds,
        "that so many threads could do": hosts * options.threads / visit,
        "seconds of a visit": visit,
        "cores busy": busy / seconds,
    }
    return {name: round(value, 2) for name, value in told.items()}


def busy_seconds() -> float:
    """Seconds of CPU that this machine has worked so far, all cores together, whoever it was for."""
    said = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(said[:8]) - said[3] - said[4]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
