"""A whole run (collect, judge, commit, record, checkpoint) beside plain netmiko that only collects.

    python -m tests.benchmarks.run [--devices 500] [--threads 30] [--rounds 3] [--platform cisco_ios]

Both are processes of their own, measured by the kernel: wall time from start to end with Python's start-up included, and
peak resident memory. The devices are simulated in a third process on the same machine. Every round all devices have
changed. The last line printed is one JSON document with `bars`; exit 1 when a device failed.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Measured:
    """One process from start to end."""

    seconds: float
    peak_mb: float
    output: str


# From a process with nothing in it: what its parent has in memory when it is started, the kernel counts as a process's own.
ASKING = """
import json, os, subprocess, sys, time
began = time.perf_counter()
with open(sys.argv[1], "w") as output:
    process = subprocess.Popen(sys.argv[2:], stdout=output)
_, _, usage = os.wait4(process.pid, 0)
print(json.dumps([time.perf_counter() - began, usage.ru_maxrss / 1024]))
"""


def measured(command: Sequence[str], **environment: str) -> Measured:
    """Run it, and ask the kernel."""
    with tempfile.NamedTemporaryFile("r") as output:
        asked = [sys.executable, "-S", "-c", ASKING, output.name, *command]
        told = subprocess.run(asked, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ | environment, check=True).stdout
        return Measured(*json.loads(told), output.read())


def ours(threads: int, devices: int) -> Measured:
    """The command, on an installation that `register` made."""
    done = measured([sys.executable, "manage.py", "backup", "--json"], NETCAIRN_THREADS=str(threads))
    counts = json.loads(done.output)["runs"][0]["counts"]
    if counts["changed"] != devices:
        raise SystemExit(f"Not every device was backed up: {counts}")
    return done


def plain(threads: int, ports: Sequence[int], platform: str) -> Measured:
    """This module again, as a script that does what netmiko's manual shows."""
    job = json.dumps({"threads": threads, "ports": list(ports), "platform": platform})
    return measured([sys.executable, "-m", "tests.benchmarks.run", "--plain", job])


def plain_netmiko(job: dict) -> None:
    """netmiko in a thread pool, its results kept in memory until the end."""
    from netmiko import ConnectHandler

    def visit(port: int) -> str:
        with ConnectHandler(
            device_type=job["platform"], host="127.0.0.1", port=port, username="admin", password="simulated"
        ) as device:
            return device.send_command("show running-config") + device.send_command("show startup-config")

    with ThreadPoolExecutor(job["threads"]) as pool:
        print(sum(len(text) for text in pool.map(visit, job["ports"])))


def register(fleet, platform: str) -> None:
    """An installation with the fleet's devices."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from inventory.models import Credential, Device, Tenant

    tenant = Tenant.objects.create(name="acme")
    credential = Credential(tenant=tenant, name="lab", username=fleet[0].username)
    credential.set_password(fleet[0].password)
    credential.save()
    Device.objects.bulk_create(
        Device(
            tenant=tenant,
            name=simulated.name,
            address=simulated.address,
            port=simulated.port,
            platform=platform,
            credential=credential,
        )
        for simulated in fleet
    )


def compare(options: argparse.Namespace) -> dict:
    """Interleaved rounds of both."""
    from tests.benchmarks.fleet_process import FleetProcess

    with FleetProcess(options.platform, options.devices) as fleet:
        register(fleet, options.platform)
        rounds = []
        for number in range(options.rounds):
            fleet.edit(["interface Loopback0", f"description round {number}"])
            rounds.append(
                (ours(options.threads, options.devices), plain(options.threads, fleet.ports, options.platform))
            )
            print(*(f"{one.seconds:.1f} s, {one.peak_mb:.0f} MB" for one in rounds[-1]), sep="  |  ")
    return {
        name: {
            "devices_a_second": round(options.devices / statistics.median(one[at].seconds for one in rounds), 1),
            "peak_mb": round(max(one[at].peak_mb for one in rounds), 1),
        }
        for at, name in enumerate(("netcairn: a whole run", "netmiko: collecting alone"))
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--threads", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--platform", default="cisco_ios")
    parser.add_argument("--plain", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        plain_netmiko(options.plain)
        return
    with tempfile.TemporaryDirectory(prefix="netcairn-bench-") as var:
        os.environ |= {"NETCAIRN_VAR": var, "DJANGO_SETTINGS_MODULE": "config.settings"}
        print(json.dumps({"benchmark": "run", "options": vars(options), "bars": compare(options)}))


if __name__ == "__main__":
    main()
