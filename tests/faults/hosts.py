"""Three hosts collect one tenant; each is killed in its turn, in the middle of a run. What comes of the run?

    python -m tests.faults.hosts [--devices 1000] [--rounds 1] [--mode shared home] [--latency 0.2]

Each host is `netcairn queue` in a PID namespace and with a directory of its own (so it needs root), beside one PostgreSQL.
`shared`: the repositories are on a file system that all have. `home`: they live in an object store, and each host
has caches of its own, of which the killed host's are deleted before it comes back, and then it works alone. After each kill:
the run has ended, every device has one final state and none two versions of the run, and what is stored is what the
devices say; at the end every version that was ever acknowledged is read again, and git finds nothing wrong. The
last line is JSON; exit 1 when something was not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.place import own_place

if TYPE_CHECKING:
    from backups.models import Run
    from backups.simulator import Fleet
    from tests.faults.several_hosts import ManyHosts

NAMES = ("alpha", "beta", "gamma")
MORE_TASKS = 12  # so that each host gets one, however few the devices and quick the others are
LONGEST = 400.0  # seconds until a run that lost a host counts as never ending: silence alone takes ninety


def main() -> int:
    """Each mode on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1, help="kills of each host")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds for each answer of a device")
    parser.add_argument("--mode", nargs="+", choices=("shared", "home"), default=["shared", "home"])
    parser.add_argument("--only", nargs="+", choices=NAMES, help="kill these alone")
    parser.add_argument("--hosts", type=int, choices=(2, 3), default=3)
    parser.add_argument("--workers", type=int, default=2, help="of each host")
    parser.add_argument("--together", action="store_true", help="in one PID namespace: no root, and no silence to wait")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    if len(options.mode) > 1:  # settings are read once in a process
        return max(run_again(mode) for mode in options.mode)
    seen: dict[str, Any] = {"mode": options.mode[0], "seed": options.seed}
    with tempfile.TemporaryDirectory(prefix="netcairn-hosts-") as below:
        wrong = list(campaign(options, Path(below), seen))
    for sentence in wrong:
        print(sentence)  # noqa: T201
    print(json.dumps({**seen, "wrong": len(wrong), "holds": not wrong}))  # noqa: T201
    return 1 if wrong else 0


def run_again(mode: str) -> int:
    """The same in a process of its own."""
    words = [word for word in sys.argv[1:] if word not in ("--mode", "shared", "home")]
    return subprocess.run([sys.executable, "-m", "tests.faults.hosts", *words, "--mode", mode], check=False).returncode


def campaign(options: argparse.Namespace, below: Path, seen: dict[str, Any]) -> Iterator[str]:
    """All of it in one mode."""
    (below / "bucket").mkdir()
    at_home = options.mode == ["home"]
    if at_home:
        os.environ |= {"NETCAIRN_OBJECT_STORE": f"file://{below}/bucket", "NETCAIRN_OBJECT_STORE_MODE": "home"}
    with own_place():
        from django.conf import settings

        from backups.schedules import ensure_tick
        from tests.faults.collector import devices
        from tests.faults.several_hosts import ManyHosts, database_url

        ensure_tick()
        keys = {"NETCAIRN_SECRET_KEY": settings.SECRET_KEY, "NETCAIRN_SECRETS_KEYS": settings.NETCAIRN_SECRETS_KEYS[0]}
        shared = {"DATABASE_URL": database_url(), **keys}
        if not at_home:
            shared["NETCAIRN_STORE_ROOT"] = str(settings.NETCAIRN_STORE_ROOT)
        with (
            devices(options.devices, "acme", seed=options.seed, latency=options.latency) as fleet,
            ManyHosts(
                NAMES[: options.hosts], below, workers=options.workers, apart=not options.together, **shared
            ) as hosts,
        ):
            yield from all_there(hosts)
            yield from killed_in_turn(options, fleet, hosts, seen)
            if at_home:
                yield from alone_without_cache(fleet, hosts, seen)
            yield from everything_read_again(seen)


def all_there(hosts: ManyHosts) -> Iterator[str]:
    """Until each host was heard of."""
    from tests.faults.several_hosts import wait_until

    for name, host in hosts.hosts.items():
        if wait_until(host.works, seconds=120) is None:
            yield f"{name} does not begin to work: {(host.var / 'log').read_text()[-500:]}"


def killed_in_turn(options: argparse.Namespace, fleet: Fleet, hosts: ManyHosts, seen: dict[str, Any]) -> Iterator[str]:
    """One run for each kill."""
    from tests.faults.collector import change, untrue

    luck = random.Random(options.seed)
    for number in range(options.rounds):
        for name in options.only or NAMES[: options.hosts]:
            change(fleet, f"{name} {number}")
            run, held, seconds = one_kill(hosts, name, after=luck.uniform(0.2, 0.7))
            print(f"{name}: held {held} devices, ended after {seconds} s: {run.counts()}", flush=True)  # noqa: T201
            seen.setdefault(f"seconds until a run ended after the death of {name}", []).append(seconds)
            seen.setdefault(f"devices that {name} was asking", []).append(held)
            if not held:
                yield f"{name} was asking nobody when it was killed: nothing was tried"
            if seconds is None:
                yield f"{name}: the run has not ended"
            yield from (f"{name}: {sentence}" for sentence in untrue(run, fleet))
            if run.counts()["changed"] != options.devices:
                yield f"{name}: {run.counts()}"
            shutil.rmtree(hosts.hosts[name].var / "store", ignore_errors=True)  # in home mode: its caches
            hosts.hosts[name].start()
            yield from all_there(hosts)


def one_kill(hosts: ManyHosts, name: str, *, after: float) -> tuple[Run, int, float | None]:
    """Kill a host when it asks devices, and that part of the run is begun; its claims, and seconds to the end."""
    from backups import jobs
    from backups.models import Attempt, Run
    from tests.faults.collector import devices_of
    from tests.faults.several_hosts import wait_until

    devices, host = devices_of("acme"), hosts.hosts[name]
    with hosts.alone(name):  # a small run would be over before the others let this one have a part of it
        (run,) = jobs.enqueue_run(devices, requested_by="faults")
        for _ in range(MORE_TASKS):
            jobs.ask_for_worker(run, "")
        wait_until(lambda: bool(host.claims(run)) or ended(run), seconds=LONGEST)
    wanted = after * len(devices)
    wait_until(
        lambda: (
            (run.attempts.exclude(state=Attempt.State.QUEUED).count() > wanted and bool(host.claims(run))) or ended(run)
        ),
        seconds=LONGEST,
    )
    held = host.claims(run)
    host.kill()
    seconds = wait_until(lambda: ended(run), seconds=LONGEST)
    return Run.objects.get(pk=run.pk), held, seconds


def ended(run: Run) -> bool:
    """Whether it is done."""
    return type(run).objects.get(pk=run.pk).state == "done"


def alone_without_cache(fleet: Fleet, hosts: ManyHosts, seen: dict[str, Any]) -> Iterator[str]:
    """A host whose caches are gone, and then one whose caches are old, do a run while the others drain."""
    from backups import jobs
    from backups.hosts import beats
    from backups.hosts.models import Host
    from tests.faults.collector import change, devices_of, untrue
    from tests.faults.several_hosts import wait_until

    lost, old = NAMES[:2]
    shutil.rmtree(hosts.hosts[lost].var / "store", ignore_errors=True)
    for name, what in ((lost, "deleted"), (old, "old")):
        beats.resume(list(Host.objects.filter(name=name)), by="faults")
        beats.drain(list(Host.objects.exclude(name=name)), by="faults")
        wait_until(lambda: False, seconds=beats.LOOK_EVERY + 1)
        change(fleet, f"{name} alone")
        (run,) = jobs.enqueue_run(devices_of("acme"), requested_by="faults")
        seconds = wait_until(lambda run=run: ended(run), seconds=LONGEST)
        seen[f"seconds of a run by a host whose caches are {what}"] = seconds
        yield from (f"{what}: {sentence}" for sentence in untrue(run, fleet))


def everything_read_again(seen: dict[str, Any]) -> Iterator[str]:
    """Every version that was acknowledged, and the repository."""
    from django.conf import settings

    from backups.errors import StoreError
    from backups.models import Snapshot
    from backups.store.reader import open_store, store_path
    from inventory.models import Tenant

    tenant, lost, twice = Tenant.objects.get(), 0, 0
    store, before = open_store(tenant.pk), {}
    for row in Snapshot.objects.order_by("seq").iterator():
        try:
            store.blob(row.files["running.cfg"]["blob"])
        except StoreError:
            lost += 1
        twice += before.get(row.device_id) == row.digest
        before[row.device_id] = row.digest
    seen["versions read again"] = Snapshot.objects.count()
    if lost:
        yield f"{lost} versions are lost"
    if twice:
        yield f"{twice} versions are the same as the one before"
    checked = subprocess.run(
        ["git", "-C", str(store_path(tenant.pk)), "fsck", "--full", "--strict"], check=False, capture_output=True
    )
    if checked.returncode:
        yield f"git finds damage in {settings.NETCAIRN_STORE_ROOT}: {checked.stderr.decode()[:300]}"


if __name__ == "__main__":
    sys.exit(main())
