"""Kills the process that collects a run, again and again, and looks whether anything acknowledged was lost.

    python -m tests.faults.worker [--kills 50] [--devices 150]

Real processes, real SSH, real git, real PostgreSQL. Each round every device is changed, `backup` is started in a process
group of its own, and the whole group gets SIGKILL at a random moment of the run. Then: every snapshot's bytes are
readable and have the right id, `git fsck` finds nothing, and at the end an undisturbed run stores what the devices
say. The last line is JSON; exit 1 when anything was lost or damaged.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.place import own_place

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Tally:
    """What a campaign saw."""

    kills: int = 0
    kills_with_new_snapshots: int = 0
    snapshots: int = 0
    lost: int = 0
    damaged: int = 0
    last_run_failed: int = 0


def campaign(kills: int, devices: int, *, seed: int) -> Tally:
    """Kill so many times; Django has to be set up, on an empty database and store."""
    from backups.simulator import DeviceSpec, Fleet

    luck = random.Random(seed)
    tally = Tally()
    with Fleet([DeviceSpec("cisco_ios", size=6000, latency=0.03) for _ in range(devices)], seed=seed) as fleet:
        tenant = register(fleet)
        usual = first_backup()
        for number in range(kills):
            change(fleet, f"round {number}")
            known = snapshots_of(tenant)
            kill_in_the_middle(luck.uniform(0, usual))
            tally.kills += 1
            tally.kills_with_new_snapshots += snapshots_of(tenant) > known
            examine(tenant, tally)
        change(fleet, "the last word")
        tally.last_run_failed = backup().wait()
        examine(tenant, tally)
        tally.lost += devices_not_as_stored(fleet, tenant)
    return tally


def register(fleet) -> object:
    """A tenant with the fleet's devices."""
    from inventory.models import Credential, Device, Tenant

    tenant = Tenant.objects.create(name="acme")
    credential = Credential(tenant=tenant, name="lab", username=fleet[0].username)
    credential.set_password(fleet[0].password)
    credential.save()
    for simulated in fleet:
        Device.objects.create(
            tenant=tenant,
            name=simulated.name,
            address=simulated.address,
            port=simulated.port,
            platform="cisco_ios",
            credential=credential,
        )
    return tenant


def change(fleet, text: str) -> None:
    """Let every device have something new to say."""
    for simulated in fleet:
        simulated.edit(["interface Loopback0", f"description {text}"])


def backup() -> subprocess.Popen[bytes]:
    """The command, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "backup", "--json"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def first_backup() -> float:
    """Bring the first snapshots, undisturbed; the seconds that the collecting took, without the start of Python."""
    from backups.models import Attempt, Run

    if backup().wait():
        why = Attempt.objects.exclude(state=Attempt.State.CHANGED).values_list("state", "cause", "detail")
        raise SystemExit(f"The first, undisturbed backup failed: {list(why)}")
    run = Run.objects.get()
    return (run.ended_at - run.started_at).total_seconds()


def kill_in_the_middle(after: float) -> None:
    """Start a backup, and end it with all its children so many seconds after it began to collect."""
    from backups.models import Attempt, Run

    already = set(Run.objects.values_list("pk", flat=True))
    process = backup()
    working = Attempt.objects.exclude(run__in=already).exclude(state=Attempt.State.QUEUED)
    while process.poll() is None and not working.exists():
        wait_for(process, 0.01)
    wait_for(process, after)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Until the process ends, or so long."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)


def snapshots_of(tenant) -> int:
    """How many are acknowledged."""
    from backups.models import Snapshot

    return Snapshot.objects.filter(tenant=tenant).count()


def examine(tenant, tally: Tally) -> None:
    """Read every acknowledged byte again."""
    from django.conf import settings

    from backups.errors import StoreError
    from backups.models import Snapshot
    from backups.store.reader import open_store

    store = open_store(tenant.pk)
    rows = list(Snapshot.objects.filter(tenant=tenant))
    tally.snapshots = len(rows)
    for row in rows:
        for file in row.files.values():
            try:
                store.blob(file["blob"])
            except StoreError:
                tally.lost += 1
    repository = Path(settings.NETCAIRN_STORE_ROOT) / f"{tenant.pk}.git"
    checked = subprocess.run(
        ["git", "-C", str(repository), "fsck", "--full", "--strict"], check=False, capture_output=True
    )
    tally.damaged += checked.returncode != 0


def devices_not_as_stored(fleet, tenant) -> int:
    """Devices whose newest version is not what they say now."""
    from backups.models import Snapshot
    from backups.store.reader import open_store

    store = open_store(tenant.pk)
    newest = Snapshot.objects.filter(tenant=tenant).latest_by_device().select_related("device")
    stored = {row.device.name: store.blob(row.files["running.cfg"]["blob"]) for row in newest}
    return sum(b"description the last word" not in stored.get(simulated.name, b"") for simulated in fleet)


def main() -> int:
    """A campaign on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--devices", type=int, default=150)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    with own_place():
        tally = campaign(options.kills, options.devices, seed=options.seed)
    holds = tally.lost == tally.damaged == tally.last_run_failed == 0
    print(json.dumps({"seed": options.seed, **asdict(tally), "holds": holds}))  # noqa: T201
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
