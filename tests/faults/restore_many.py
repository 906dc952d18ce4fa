"""Puts many simulated devices back in one request, some at a time, over SSH, and tells how it goes while it goes.

    python -m tests.faults.restore_many [--devices 200] [--at-a-time 20]

The last line is JSON; exit 1 unless every device runs the checkpoint again.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from time import monotonic
from typing import Any

from tests.faults.place import own_place

EDIT = ["snmp-server location elsewhere", "hostname elsewhere"]


def campaign(devices: int, at_a_time: int) -> dict[str, Any]:
    """Back up, name, change all, plan, approve, push. Django has to be set up, on an empty place."""
    from backups import runs, shard
    from backups.models import Run
    from backups.simulator import DeviceSpec, Fleet
    from checkpoints.restore_group import approve_group, plan_group, push_group, request_group
    from checkpoints.restore_jobs import live_means
    from checkpoints.services import create_checkpoint
    from tests.factories import make_credential, make_device, make_tenant

    means = live_means()
    with Fleet([DeviceSpec("cisco_ios", size=2000) for _ in range(devices)], seed=9) as fleet:
        tenant = make_tenant("many")
        credential = make_credential(tenant, username=fleet[0].username)
        credential.set_password(fleet[0].password)
        credential.save()
        rows = [
            make_device(tenant, each.name, "cisco_ios", address=each.address, port=each.port, credential=credential)
            for each in fleet
        ]
        (run,) = runs.start_runs(rows, requested_by="ada", trigger=Run.Trigger.HAND, by_queue=False, now=means.clock())
        shard.work_on(run, transport=means.writer, limits=means.limits, threads=at_a_time)
        golden = {each.name: each.running_config for each in fleet}
        checkpoint = create_checkpoint(tenant, message="golden", author="ada", now=means.clock())
        for each in fleet:
            each.edit(EDIT)
        began = monotonic()
        group = request_group(checkpoint, rows, by="ada", at_a_time=at_a_time, now=means.clock())
        plan_group(group, by="ada", means=means, threads=at_a_time)
        planned = monotonic()
        approve_group(group, fingerprint=group.fingerprint, by="eve", now=means.clock())

        def tell(_: object) -> None:
            progress = group.progress()
            if progress["done"] % 10 == 0:
                print(f"{monotonic() - planned:6.1f} s  {progress}", file=sys.stderr)  # noqa: T201

        push_group(group, by="bob", means=replace(means, ended=tell))
        ended = monotonic()
        back = sum(each.running_config == golden[each.name] for each in fleet)
        said = max(sum(line.startswith("configure replace") for line in each.commands) for each in fleet)
    return {
        "devices": devices,
        "at_a_time": at_a_time,
        "state": group.state,
        "counts": group.progress(),
        "back": back,
        "most_pushes": said,
        "planned_seconds": round(planned - began, 1),
        "pushed_seconds": round(ended - planned, 1),
        "holds": back == devices and said == 1,
    }


def main() -> int:
    """On a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--at-a-time", type=int, default=20)
    options = parser.parse_args()
    with own_place():
        seen = campaign(options.devices, options.at_a_time)
    print(json.dumps(seen))  # noqa: T201
    return 0 if seen["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
