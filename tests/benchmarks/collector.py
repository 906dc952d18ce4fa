"""How quick the collector is, beside plain netmiko and a bare paramiko shell, and what a whole run costs.

    python -m tests.benchmarks.collector [--only PART ...] [--rounds 3] [--quick]

The devices are simulated in processes of their own on the same machine, so they take their share of its cores from
everybody alike. Rounds of all are interleaved and medians compared, because a machine is never the same from one minute
to the next. The last line printed is one JSON document; its `bars` gives for each figure asked its value, the bar and
whether it holds, and `simulator_ms` the CPU that a simulated device takes for a visit of ours. Exit 1 when a bar does not
hold. All parts take some 15 minutes on two quiet cores; `--quick` only shows that everything works, its figures mean
nothing.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple

from tests.benchmarks import whole_runs
from tests.benchmarks.clients import Clients, Job
from tests.benchmarks.fleet_process import FleetProcess

PLATFORM = "cisco_ios"
SIMULATOR_MS: list[float] = []  # of CPU for a visit, as measured beside our clients
SERVERS = 2  # processes of the simulator: one would be the limit


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    scale: float  # of the numbers of devices

    def of(self, count: int, *, least: int = 4) -> int:
        """So many devices, scaled."""
        return max(least, round(count * self.scale))


class Bar(NamedTuple):
    """One figure asked: `at_least` says on which side of the bar it has to be."""

    name: str
    value: float
    bar: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        """Whether it is on the right side."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def document(self) -> dict[str, Any]:
        """As it is printed."""
        asked = f"{'at least' if self.at_least else 'at most'} {self.bar:g}"
        return {"name": self.name, "value": round(self.value, 2), "bar": asked, "holds": self.holds}


class Setting(NamedTuple):
    """Processes and threads in each; 0 threads: as many as ours finds right."""

    processes: int
    threads: int

    def __str__(self) -> str:
        return f"{self.processes} x {self.threads or 'found out'}"


class Rates:
    """Rates of several contestants in interleaved rounds."""

    def __init__(self) -> None:
        self.rounds: dict[str, list[float]] = defaultdict(list)

    def note(self, name: str, rate: float) -> None:
        """One measurement."""
        self.rounds[name].append(rate)
        print(f"  {name}: {rate:.1f}", flush=True)

    def __getitem__(self, name: str) -> float:
        return statistics.median(self.rounds[name])

    def beside(self, name: str, other: str) -> float:
        """How many times the other's rate: the median of what was measured one soon after the other."""
        return statistics.median(one / two for one, two in zip(self.rounds[name], self.rounds[other], strict=True))

    def best(self, start: str) -> float:
        """The highest median of those whose name begins so."""
        return max(self[name] for name in self.rounds if name.startswith(start))


# Against netmiko

OURS = (Setting(1, 1), Setting(1, 4), Setting(1, 8), Setting(1, 30), Setting(1, 60), Setting(2, 5), Setting(2, 15))
OURS += (Setting(2, 50), Setting(1, 0), Setting(2, 0))
NETMIKO = {Setting(1, 1): 6, Setting(1, 30): 150, Setting(2, 5): 60, Setting(2, 50): 300}  # devices: it is slow


def settings(size: Size) -> Iterator[Bar]:
    """All settings of ours and of netmiko, with and without latency."""
    at_once = compared(size, latency=0.0)
    slow = compared(size, latency=0.05)
    for setting, factor in ((Setting(1, 1), 50), (Setting(1, 30), 2), (Setting(2, 5), 10)):
        ratio = at_once[f"ours {setting}"] / at_once[f"netmiko {setting}"]
        yield Bar(f"no latency, {setting} threads, times netmiko", ratio, factor)
    setting = Setting(1, 30)
    ratio = slow[f"ours {setting}"] / slow[f"netmiko {setting}"]
    yield Bar(f"50 ms an answer, {setting} threads, times netmiko", ratio, 2)
    for name, rates in (("no latency", at_once), ("50 ms an answer", slow)):
        yield Bar(f"{name}, best of ours, times the best of netmiko", rates.best("ours") / rates.best("netmiko"), 1.5)
        found_out = rates[f"ours {Setting(1, 0)}"] / rates.best("ours 1 x")
        yield Bar(f"{name}, number of threads found out, part of the best of one process", found_out, 0.85)
    bare = at_once[f"ours {Setting(1, 30)}"] / at_once["paramiko 1 x 30"]
    yield Bar("no latency, 30 threads, part of a bare paramiko shell", bare, 0.8)


def compared(size: Size, *, latency: float) -> Rates:
    """Devices a second, by who and with what setting."""
    print(f"{latency * 1000:.0f} ms an answer, devices a second:")
    rates = Rates()
    count = size.of(400, least=20)
    with FleetProcess(PLATFORM, count, processes=SERVERS, latency=latency) as fleet, Clients(2) as clients:
        clients.rate("ours", fleet.devices, processes=2, threads=10)  # the simulator makes its texts at the first visit
        for _ in range(size.rounds):
            for setting in OURS:
                # Where few wait for each answer, few devices are enough, and four hundred would take minutes.
                few = (
                    min(count, 30 + 10 * setting.processes * setting.threads) if latency and setting.threads else count
                )
                before, devices = fleet.cpu, fleet.devices[:few]
                rates.note(f"ours {setting}", clients.rate("ours", devices, **setting._asdict()))
                SIMULATOR_MS.append(1000 * (fleet.cpu - before) / len(devices))
            for setting, wanted in NETMIKO.items():
                devices = fleet.devices[: size.of(wanted)]
                rates.note(f"netmiko {setting}", clients.rate("netmiko", devices, **setting._asdict()))
            rates.note("paramiko 1 x 30", clients.rate("paramiko", fleet.devices, threads=30))
    return rates


def old_devices(size: Size) -> Iterator[Bar]:
    """Devices that know nothing newer than Diffie-Hellman group 14."""
    print("group 14, devices a second:")
    rates, count = Rates(), size.of(250)
    with FleetProcess(PLATFORM, count, processes=SERVERS, legacy_kex=True) as fleet, Clients(1) as clients:
        clients.rate("ours", fleet.devices, threads=10, legacy=True)
        for _ in range(size.rounds):
            rates.note("ours", clients.rate("ours", fleet.devices, threads=30, legacy=True))
            rates.note("netmiko", clients.rate("netmiko", fleet.devices[: size.of(120)], threads=30))
    yield Bar("group 14, 30 threads, times netmiko", rates["ours"] / rates["netmiko"], 4)


def pins(size: Size) -> Iterator[Bar]:
    """10,000 visits with a pinned key beside as many without."""
    print("host keys, devices a second:")
    # In many short turns: within the minutes of a few long ones the machine itself is not the same.
    rates, count = Rates(), size.of(500)
    with FleetProcess(PLATFORM, count, processes=SERVERS) as fleet, Clients(1) as clients:
        clients.rate("ours", fleet.devices, threads=10)
        for number in range(20 if size.rounds > 1 else 1):
            for pinned in (True, False) if number % 2 else (False, True):
                name = "pinned" if pinned else "not pinned"
                rates.note(name, clients.rate("ours", fleet.devices, threads=30, pinned=pinned))
    # Two measurements of the same thing differ by some per cent; a known_hosts file cost a factor of 20 to 100.
    yield Bar("10,000 pinned host keys, part of the rate without", rates.beside("pinned", "not pinned"), 0.95)


def hanging(size: Size) -> Iterator[Bar]:
    """Ten of a hundred devices hang for ever."""
    print("ten hanging devices, seconds for the other ninety:")
    alone, among = [], []
    with FleetProcess(PLATFORM, 100, processes=SERVERS, hung=10) as fleet:
        well = [device for n, device in enumerate(fleet.devices) if n >= 10]
        for _ in range(size.rounds):
            with Clients(1) as clients:  # new ones each time: their threads go on hanging
                clients.rate("ours", well, threads=8)
                alone.append(clients.seconds([Job("ours", well, 0)]))
                among.append(clients.seconds([Job("ours", fleet.devices, 0, wanted=90)]))
            print(f"  alone {alone[-1]:.2f}, among them {among[-1]:.2f}", flush=True)
    late = statistics.median(among) - statistics.median(alone)
    yield Bar("ten hanging of a hundred, seconds later for the others", late, 1.0, at_least=False)


# Whole runs


@contextmanager
def installation() -> Iterator[None]:
    """A database and a store of this benchmark's own."""
    with tempfile.TemporaryDirectory(prefix="netcairn-bench-") as var:
        os.environ |= {"NETCAIRN_VAR": var, "DJANGO_SETTINGS_MODULE": "config.settings"}
        os.environ.pop("DATABASE_URL", None)
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connections.close_all()


def a_run(tenant: Any, count: int, *, workers: int = 1, threads: int, **environment: str) -> tuple[float, list]:
    """One whole run of all devices of a tenant: devices a second, and what the workers measured."""
    run = whole_runs.asked(tenant)
    measured = whole_runs.worked(run, workers=workers, threads=threads, **environment)
    if whole_runs.counts(run)["changed"] != count:
        raise SystemExit(f"Not every device was backed up: {whole_runs.counts(run)}")
    return count / whole_runs.seconds(measured), measured


def runs(size: Size) -> Iterator[Bar]:
    """1,000 devices, all of which have changed, with database, git and checkpoint."""
    print("whole runs of 1,000 devices, devices a second:")
    rates, held, count = Rates(), [], size.of(1000)
    with FleetProcess(PLATFORM, count, processes=SERVERS) as fleet, Clients(1) as clients:
        tenant = whole_runs.register(fleet, tenant="acme")
        clients.rate("ours", fleet.devices, threads=10)
        for number in range(max(1, min(3, size.rounds))):
            for name, workers, threads in (("one, 30 threads", 1, 30), ("two workers", 2, 0), ("one worker", 1, 0)):
                fleet.edit(["interface Loopback0", f"description {name} {number}"])
                rate, measured = a_run(tenant, count, workers=workers, threads=threads)
                rates.note(name, rate)
                held += [longest_turn(measured)]
            rates.note("collecting alone", clients.rate("ours", fleet.devices, threads=0))
    ratio = rates.beside("collecting alone", "one worker")
    yield Bar("whole run, times the time of collecting alone", ratio, 1.25, at_least=False)
    yield Bar("whole run, 30 threads, devices a second", rates["one, 30 threads"], 100)
    yield Bar("whole run, two workers, times one", rates.beside("two workers", "one worker"), 1.3)
    yield Bar("the tenant's lock at the longest, ms", max(held), 250, at_least=False)


def longest_turn(measured: list[dict[str, float]]) -> float:
    """Milliseconds of the longest turn with the tenant's lock; said with git's part of it."""
    longest = max(measured, key=lambda one: one["lock_ms"])
    print(f"    the lock at the longest {longest['lock_ms']:.0f} ms, {longest['git_ms']:.0f} of them git", flush=True)
    return longest["lock_ms"]


def many(size: Size) -> Iterator[Bar]:
    """10,000 devices of 50 KB beside 500 of them, by a worker with 100 threads."""
    print("10,000 devices of 50 KB, devices a second:")
    rates, peaks, count, few = Rates(), [], size.of(10_000), size.of(500)
    with FleetProcess(PLATFORM, count, processes=SERVERS, size=50_000) as fleet:
        small = [whole_runs.register(fleet.devices[:few], tenant=f"small{number}") for number in range(3)]
        large = whole_runs.register(fleet, tenant="large")
        a_run(small.pop(), few, threads=100)  # the simulator makes their texts
        for tenant, size_now in ((small[0], few), (large, count), (small[1], few)):
            rate, measured_by = a_run(tenant, size_now, threads=100)
            rates.note(f"{size_now} devices", rate)
            longest_turn(measured_by)
            peaks += [measured["peak_mb"] for measured in measured_by]
    yield Bar("rate at 10,000 devices, part of that at 500", rates[f"{count} devices"] / rates[f"{few} devices"], 0.9)
    yield Bar("memory of a worker, 100 threads, 10,000 devices of 50 KB, MB", max(peaks), 150, at_least=False)


def large_one(size: Size) -> Iterator[Bar]:
    """As much as a device may say by default, 16 MB: half of it its running configuration, half what it starts with."""
    lines = (f"ip route 10.{n >> 16}.{n >> 8 & 255}.{n & 255} 255.255.255.255 Null0\n" for n in range(size.of(187_000)))
    config = f"hostname large\n!\n{''.join(lines)}end\n"
    print(f"one device with 2 x {len(config) / 2**20:.1f} MB:")
    with FleetProcess(PLATFORM, 1, config=config) as fleet:
        tenant = whole_runs.register(fleet, tenant="one")
        _, (measured,) = a_run(tenant, 1, threads=1)
    yield Bar("memory of a worker, 16 MB of configuration, MB", measured["peak_mb"], 200, at_least=False)


PARTS: dict[str, Callable[[Size], Iterator[Bar]]] = {
    "settings": settings,
    "group14": old_devices,
    "pins": pins,
    "hanging": hanging,
    "runs": runs,
    "many": many,
    "large": large_one,
}
WITH_DATABASE = ("runs", "many", "large")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")
    options = parser.parse_args()
    size = Size(1, 0.05) if options.quick else Size(options.rounds, 1.0)
    bars: list[Bar] = []
    with installation() if set(options.only) & set(WITH_DATABASE) else nullcontext():
        for name in options.only:
            began = monotonic()
            bars += PARTS[name](size)
            print(f"  ({name}: {monotonic() - began:.0f} s)", flush=True)
    simulator = round(statistics.median(SIMULATOR_MS), 2) if SIMULATOR_MS else None
    told = {"benchmark": "collector", "options": vars(options), "simulator_ms": simulator}
    print(json.dumps(told | {"bars": [bar.document() for bar in bars]}))
    return 0 if all(bar.holds for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
