"""Workers in processes of their own that do a share of a run, with database, git and checkpoint; and the installation.

python -m tests.benchmarks.whole_runs RUN THREADS      # one worker; THREADS 0: as many as it finds right
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.fleet_process import Reached

ROOT = Path(__file__).resolve().parent.parent.parent


def register(fleet: Iterable[Reached], *, tenant: str, platform: str = "cisco_ios") -> Any:
    """A tenant with the fleet's devices, in the database that the environment names."""
    from inventory.models import Credential, Device, Tenant

    owner = Tenant.objects.create(name=tenant)
    devices = list(fleet)
    credential = Credential(tenant=owner, name="lab", username=devices[0].username)
    credential.set_password(devices[0].password)
    credential.save()
    rows = (
        Device(
            tenant=owner,
            name=one.name,
            address=one.address,
            port=one.port,
            platform=platform,
            credential=credential,
            host_key=one.host_key,
        )
        for one in devices
    )
    Device.objects.bulk_create(rows, batch_size=2000)
    return owner


def asked(tenant: Any) -> str:
    """A run of all devices of a tenant that nobody works on yet; its id."""
    from django.utils import timezone

    from backups import runs
    from inventory.models import Device

    devices = list(Device.objects.filter(tenant=tenant))
    (run,) = runs.start_runs(devices, requested_by="benchmark", trigger="hand", by_queue=False, now=timezone.now())
    return str(run.pk)


def worked(run: str, *, workers: int, threads: int, **environment: str) -> list[dict[str, float]]:
    """Let so many workers do a run together; what each measured."""
    command = [sys.executable, "-m", "tests.benchmarks.whole_runs", run, str(threads)]
    started = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(workers)
    ]
    for process in started:
        assert process.stdout
        process.stdout.readline()  # everything is imported and connected
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.communicate()[0]) for process in started]


def seconds(measured: list[dict[str, float]]) -> float:
    """From the first worker's beginning to the last one's end."""
    return max(one["end"] for one in measured) - min(one["begin"] for one in measured)


def work(run_id: str, threads: int) -> dict[str, float]:
    """One worker's share, in this process."""
    import django
    from django.conf import settings
    from django.utils.module_loading import import_string

    django.setup()
    from backups import batch, house, pace, shard
    from backups.conf import limits
    from backups.conf import threads as most
    from backups.models import Run
    from backups.netmiko_transport import NetmikoTransport
    from inventory.platforms import registry

    held: list[tuple[float, float]] = []
    watch_lock(batch, held)
    watch_housekeeping(house, held)
    if threads:  # as many as were asked for, and no looking for better
        pace.FIRST = threads
        pace.Pace._judged = pace.Pace._guess = lambda *_: threads  # type: ignore[method-assign]
    run = Run.objects.get(pk=run_id)
    for hook in settings.NETCAIRN_RUN_ENDED:
        import_string(hook)
    for name in run.attempts.values_list("device__platform", flat=True).distinct():
        registry.platform(name)  # as whoever collects alone has it
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.monotonic()
    shard.work_on(run, transport=NetmikoTransport(), limits=limits(), threads=threads or most())
    return {
        "begin": begin,
        "end": time.monotonic(),
        "peak_mb": peak_mb(),
        "cpu": time.process_time(),
        "children": sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
        "lock_ms": 1000 * max(held, default=(0.0, 0.0))[0],
        "git_ms": 1000 * max(held, default=(0.0, 0.0))[1],  # of that turn
    }


def peak_mb() -> float:
    """The most that this process has had in memory; `ru_maxrss` counts what its parent had when it was started, too."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def watch_lock(batch: Any, held: list[tuple[float, float]]) -> None:
    """Note how long the tenant's lock is held, from having it until its transaction has ended; and git's part of it."""
    begin, follow, since = batch.begin, batch.follow, [0.0]

    def begun(*args: Any, **options: Any) -> Any:
        since[0] = time.monotonic()
        return begin(*args, **options)

    def followed(one: Any) -> None:
        held.append((time.monotonic() - since[0], one.phases.seconds["git"]))
        follow(one)

    batch.begin, batch.follow = begun, followed


def watch_housekeeping(house: Any, held: list[tuple[float, float]]) -> None:
    """Note how long it is held where packs were joined."""
    take_place = house.take_place

    def timed(*args: Any) -> None:
        since = time.monotonic()
        take_place(*args)
        held.append((time.monotonic() - since, time.monotonic() - since))

    house.take_place = timed


def counts(run: str) -> dict[str, int]:
    """What became of a run's devices."""
    from backups.models import Run

    return Run.objects.get(pk=run).counts()


if __name__ == "__main__":
    print(json.dumps(work(sys.argv[1], int(sys.argv[2]))), flush=True)
    os._exit(0)
