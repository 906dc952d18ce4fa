"""How many devices a second the collector does, beside plain netmiko with as many threads.

    python -m tests.benchmarks.collector [--devices 200] [--threads 1 30] [--rounds 5] [--latency 0]
                                         [--platform cisco_ios] [--size 12000] [--legacy-kex]

The devices are simulated in a process of their own, on the same machine, so they take their share of its cores. Rounds
of both are interleaved and medians compared, because a machine is never the same from one minute to the next. The last
line printed is one JSON document with `bars`.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import perf_counter, process_time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

from netmiko import ConnectHandler

from backups.collect import collect
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fleet
from backups.transport import Target
from inventory.platforms import registry
from inventory.platforms.sheet import Platform

Visit = Callable[[Target], None]


def main() -> None:
    """Measure and print."""
    options = _options()
    spec = DeviceSpec(options.platform, latency=options.latency, size=options.size, legacy_kex=options.legacy_kex)
    platform = registry.platform(options.platform)
    with simulated(spec, options.devices) as targets:
        bars = [compare(targets, platform, threads, options) for threads in options.threads]
    print(json.dumps({"benchmark": "collector", "options": vars(options), "bars": bars}))


def compare(targets: Sequence[Target], platform: Platform, threads: int, options: argparse.Namespace) -> dict:
    """One bar: devices per second of both, medians of interleaved rounds."""
    few = targets[: max(threads, min(len(targets), 4 * threads))]  # plain netmiko is too slow for all of them
    ours, theirs, cpu = [], [], []
    for _ in range(options.rounds):
        rate, used = rate_of(ours_visit(platform), targets, threads)
        ours.append(rate)
        cpu.append(used)
        if not options.only_ours:
            theirs.append(rate_of(netmiko_visit(platform), few, threads)[0])
    bar = {
        "name": f"{options.platform}, {threads} threads, {options.latency * 1000:.0f} ms an answer",
        "unit": "devices/s",
        "ours": round(statistics.median(ours), 1),
        "netmiko": round(statistics.median(theirs), 1) if theirs else None,
        "cpu_ms_a_device": round(statistics.median(cpu) * 1000, 2),
    }
    print(bar)
    return bar


def rate_of(visit: Visit, targets: Sequence[Target], threads: int) -> tuple[float, float]:
    """Devices per second, and seconds of our CPU per device."""
    began, used = perf_counter(), process_time()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(visit, target) for target in targets]:
            done.result()
    return len(targets) / (perf_counter() - began), (process_time() - used) / len(targets)


def ours_visit(platform: Platform) -> Visit:
    """A whole collection, judged."""
    transport = NetmikoTransport()

    def visit(target: Target) -> None:
        collected = collect(target, platform, transport=transport)
        assert collected.capture.good, collected.capture.doubts

    return visit


def netmiko_visit(platform: Platform) -> Visit:
    """The same commands with netmiko as its manual shows it."""

    def visit(target: Target) -> None:
        with ConnectHandler(
            device_type=platform.netmiko_type,
            host=target.address,
            port=target.port,
            username=target.username,
            password=target.password,
        ) as device:
            for command in platform.commands:
                device.send_command(command.line, read_timeout=60)

    return visit


@contextmanager
def simulated(spec: DeviceSpec, count: int) -> Iterator[list[Target]]:
    """So many devices in a process of their own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(spec, count, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("done")
        process.join(10)


def _serve(spec: DeviceSpec, count: int, pipe: Connection) -> None:
    with Fleet([spec] * count, seed=1) as fleet:
        pipe.send(
            [
                Target(
                    device.name, device.address, device.port, device.username, device.password, host_key=device.host_key
                )
                for device in fleet
            ]
        )
        pipe.recv()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 30])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds for each answer")
    parser.add_argument("--platform", default="cisco_ios")
    parser.add_argument("--size", type=int, default=12_000, help="bytes of a configuration")
    parser.add_argument("--legacy-kex", action="store_true", help="devices that only know Diffie-Hellman group 14")
    parser.add_argument("--only-ours", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
