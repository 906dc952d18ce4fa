"""Kills the process that restores a device, again and again, and looks whether its row tells the truth.

    python -m tests.faults.restore [--kills 50] [--runs 300] [--system SLUG]

With `--runs` also (without `--kills`: only) every outcome of `restore_matrix.py` on every system, in turn.

Real processes, real SSH, real git, real PostgreSQL. Each round the device is changed, a restore is planned and approved,
and `restore apply` is started in a process group of its own, which gets SIGKILL at a random moment. Then the device's timer
runs out (on the fleet's clock), and the reaper looks. What must hold: the line that takes effect was said once at most;
`cancelled` and `reverted` devices run what they ran before; `confirmed` ones the version; nothing is left unfinished;
`unknown` is said only of a device that was confirmed in the last moment. The last line is JSON; exit 1 for any lie.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.place import own_place
from tests.simulated import SIMULATED

ROOT = Path(__file__).resolve().parent.parent.parent
USUAL = 2.0  # seconds that a restore takes, or a little more


@dataclass
class Tally:
    """What a campaign saw."""

    kills: int = 0
    left: dict[str, int] = field(default_factory=dict)  # the state that each killed process left behind
    ended: dict[str, int] = field(default_factory=dict)  # and what became of it
    lies: list[str] = field(default_factory=list)


def campaign(kills: int, *, seed: int) -> Tally:
    """Kill so many times; Django has to be set up, on an empty database and store."""
    from backups.simulator import DeviceSpec, Fleet

    luck, tally = random.Random(seed), Tally()
    with Fleet([DeviceSpec(system, size=2000, latency=0.02) for system in SIMULATED], seed=seed) as fleet:
        rows = [register(fleet[at]) for at in range(min(kills, len(SIMULATED)))]
        for number in range(kills):
            at = number % len(rows)
            one_round(fleet, fleet[at], rows[at], luck.uniform(0, USUAL), tally)
            tally.kills += 1
    return tally


def register(simulated: Any) -> Any:
    """A tenant with this one device, backed up."""
    from django.core.management import call_command

    from inventory.models import Credential, Device, Tenant

    tenant = Tenant.objects.create(name=f"of-{simulated.name}")
    credential = Credential(tenant=tenant, name="lab", username=simulated.username)
    credential.set_password(simulated.password)
    credential.save()
    device = Device.objects.create(
        tenant=tenant,
        name=simulated.name,
        address=simulated.address,
        port=simulated.port,
        platform=simulated.platform,
        credential=credential,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        call_command("backup", tenant=tenant.name)
    return device


def one_round(fleet: Any, simulated: Any, device: Any, after: float, tally: Tally) -> None:
    """Change, plan, approve, apply, kill after so many seconds, and look."""
    from checkpoints.models import Restore
    from tests.checkpoints.restoring import COMMITS, change_ten_things

    golden = simulated.running_config
    change_ten_things(simulated)
    changed = simulated.running_config
    restore = approved(device)
    said = len(simulated.commands)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "restore", "apply", str(restore.pk), "--yes", "--json"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while process.poll() is None and Restore.objects.filter(pk=restore.pk, state="approved").exists():
        wait_for(process, 0.01)
    wait_for(process, after)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    restore.refresh_from_db()
    count(tally.left, restore.state)
    settle(fleet, restore)
    count(tally.ended, restore.state)
    line = COMMITS[simulated.platform]
    pushes = sum(bool(re.match(line, each)) for each in simulated.commands[said:])
    runs = {golden: "the version", changed: "as before"}.get(simulated.running_config, "something else")
    examine(restore, runs, pushes, tally)
    simulated.running = golden
    simulated.save("engineer")


def count(counts: dict[str, int], state: str) -> None:
    """One more."""
    counts[state] = counts.get(state, 0) + 1


def approved(device: Any) -> Any:
    """A restore to the device's first version that may be pushed."""
    from backups.models import Snapshot
    from checkpoints.restore_jobs import live_means
    from checkpoints.restore_planning import approve_restore, plan_restore, request_restore

    means = live_means()
    first = Snapshot.objects.filter(device=device).earliest("seq")
    device.refresh_from_db()
    restore = request_restore(device, first, by="ada", now=means.clock())
    plan_restore(restore, by="ada", means=means)
    approve_restore(restore, fingerprint=restore.fingerprint, by="ada", now=means.clock())
    return restore


def settle(fleet: Any, restore: Any) -> None:
    """Let time pass until the reaper has said what became of it."""
    from dataclasses import replace

    from backups import runs
    from checkpoints.restore_jobs import live_means
    from checkpoints.restore_reaper import reap_restores

    behind = fleet.clock.now() - live_means().clock()  # the fleet has been through many timers already
    means = replace(live_means(), clock=lambda: fleet.clock.now() - behind)
    for _ in range(100):
        restore.refresh_from_db()
        if restore.ended:
            break
        fleet.advance(60)
        reap_restores(means)
    runs.reap(means.clock())  # what the dead process held of its backup, or the next would wait for it


def examine(restore: Any, runs: str, pushes: int, tally: Tally) -> None:
    """Whether the row says what the device shows."""
    from checkpoints.restore_reaper import settle_restore

    expected = {"cancelled": "as before", "reverted": "as before", "confirmed": "the version", "unknown": "the version"}
    if pushes > 1:
        tally.lies.append(f"pushed {pushes} times")
    if expected.get(restore.state) != runs:
        tally.lies.append(f"{restore.state}, but it runs {runs}: {restore.detail}")
    if restore.state == "cancelled" and pushes:
        tally.lies.append("cancelled, but the line that takes effect was said")
    if restore.state == "unknown":
        settle_restore(restore, by="ada", note="looked", now=restore.ended_at)


def wait_for(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Until the process ends, or so long."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)


def main() -> int:
    """A campaign on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=None)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first run: its system and its outcome")
    parser.add_argument("--system", action="append", default=[], help="of the matrix; all where none is named")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    kills = options.kills if options.kills is not None else 0 if options.runs else 50
    with own_place():
        from tests.faults import restore_matrix as matrix

        tally = campaign(kills, seed=options.seed)
        seen = matrix.campaign(options.runs, first=options.first, systems=options.system)
    lies = [*tally.lies, *seen.lies]
    if options.runs:
        print(matrix.table(seen))  # noqa: T201
    print(json.dumps({"seed": options.seed, **asdict(tally), "lies": lies, "matrix": asdict(seen), "holds": not lies}))  # noqa: T201
    return 1 if lies else 0


if __name__ == "__main__":
    sys.exit(main())
