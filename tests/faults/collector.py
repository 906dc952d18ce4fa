"""Devices that misbehave, and processes that die, while a run collects; and whether the rows then tell the truth.

    python -m tests.faults.collector [--only faults alone kills thrice] [--devices 500] [--alone 100] [--kills 2]

`faults`: every fault of the simulator at 5 % together. `alone`: each at 100 %. `kills`: a worker, the sentinel, the
pusher, the monitor, the queue's main process and PostgreSQL get SIGKILL in the middle of a run that the queue works on.
`thrice`: every task is delivered three times at once. Real processes, SSH, git and PostgreSQL. After each: the run has
ended, every attempt has one final state that is true, nothing is stored twice, nothing truncated is stored, and no
device was waited for longer than its deadline and two seconds. The last line is JSON; exit 1 when something was not so.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.faults.place import own_place

if TYPE_CHECKING:
    from backups.models import Run
    from backups.simulator import Fleet

DEADLINE = 15.0  # seconds for one device
GRACE = 2.0
RECOVERED_WITHIN = 60.0  # seconds after the death of any one process
MAX_BYTES = 1024 * 1024  # an endless device shall not take all the time of the campaign
GOOD, BAD = {"changed"}, {"quarantined", "failed"}
# What a device under a fault may come to, when every connection meets it. The others are no trouble to a backup.
HARMFUL = ("drop", "truncate", "refuse-login", "endless", "hostkey", "invalid", "hang", "garbage", "silent")


def main() -> int:
    """The campaigns that are asked for, on a database and a store of their own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CAMPAIGNS, default=list(CAMPAIGNS))
    parser.add_argument("--devices", type=int, default=500, help="with all faults together")
    parser.add_argument("--alone", type=int, default=100, help="with each fault alone, and while something is killed")
    parser.add_argument("--kills", type=int, default=2, help="of each kind of process")
    parser.add_argument("--victims", nargs="+", default=None, help="only these kinds")
    parser.add_argument("--deadline", type=float, default=DEADLINE, help="seconds for one device")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    seen: dict[str, Any] = {}
    with own_place():
        wrong = [f"{name}: {sentence}" for name in options.only for sentence in CAMPAIGNS[name](options, seen)]
    for sentence in wrong:
        print(sentence)  # noqa: T201
    print(json.dumps({"seed": options.seed, **seen, "wrong": len(wrong), "holds": not wrong}))  # noqa: T201
    return 1 if wrong else 0


def together(options: argparse.Namespace, seen: dict[str, Any]) -> Iterator[str]:
    """Every fault strikes one connection (or device) in twenty."""
    from backups.simulator import FAULTS

    with devices(options.devices, "together", seed=options.seed) as fleet:
        for device in fleet:
            device.set_faults(*(f"{name}=0.05" for name in FAULTS))
        run, longest = collected("together", options.deadline)
        yield from untrue(run, fleet)
        yield from too_long(longest, options.deadline)
        seen["together"] = {"longest": round(longest, 1), **run.counts()}


def alone(options: argparse.Namespace, seen: dict[str, Any]) -> Iterator[str]:
    """Each fault on every connection."""
    from backups.simulator import FAULTS

    for fault in FAULTS:
        name = f"alone-{fault}"
        with devices(options.alone, name, seed=options.seed) as fleet:
            for device in fleet:
                device.set_faults(fault)
            run, longest = collected(name, options.deadline)
            states = {state for state, number in run.counts().items() if number}
            if not states <= (BAD if fault in HARMFUL else GOOD):
                yield f"{fault}: {run.counts()}"
            yield from (
                f"{fault}: {sentence}" for sentence in (*untrue(run, fleet), *too_long(longest, options.deadline))
            )
            seen[fault] = {"longest": round(longest, 1), **{state: n for state, n in run.counts().items() if n}}


def thrice(options: argparse.Namespace, seen: dict[str, Any]) -> Iterator[str]:
    """Three processes get each task of a run at the same moment."""
    from backups import helpers, jobs

    with devices(options.alone, "thrice", seed=options.seed) as fleet:
        (run,) = jobs.enqueue_run(devices_of("thrice"), requested_by="faults")
        with helpers.helped(2, lambda: jobs.collect_shard(str(run.pk))):
            jobs.collect_shard(str(run.pk))
        yield from untrue(run, fleet)
        if run.counts()["changed"] != options.alone:
            yield f"{run.counts()}"
        seen["thrice"] = run.counts()


def kills(options: argparse.Namespace, seen: dict[str, Any]) -> Iterator[str]:
    """SIGKILL for one process after the other, each in the middle of a run."""
    from tests.faults.queue_victims import VICTIMS, Queue, kill_in_the_middle

    luck = random.Random(options.seed)
    with devices(options.alone, "kills", seed=options.seed, latency=0.2) as fleet, Queue() as queue:
        for number in range(options.kills):
            for victim in options.victims or VICTIMS:
                change(fleet, f"{victim} {number}")
                run, recovered = kill_in_the_middle(queue, victim, devices_of("kills"), after=luck.uniform(0.1, 0.9))
                if recovered is None or recovered > RECOVERED_WITHIN:
                    yield f"{victim}: the run ended after {recovered} s: {run.counts()}"
                yield from (f"{victim}: {sentence}" for sentence in untrue(run, fleet))
                if not run.counts()["changed"]:
                    yield f"{victim}: {run.counts()}"
                seen.setdefault(f"seconds until a run ended after the death of: {victim}", []).append(recovered)


CAMPAIGNS: dict[str, Callable[[argparse.Namespace, dict[str, Any]], Iterator[str]]] = {
    "faults": together,
    "alone": alone,
    "thrice": thrice,
    "kills": kills,
}


# Devices and runs


@contextmanager
def devices(count: int, tenant: str, *, seed: int, latency: float = 0.0) -> Iterator[Fleet]:
    """A fleet, and a tenant that knows its devices and their host keys."""
    from backups.simulator import DeviceSpec, Fleet
    from tests.benchmarks.whole_runs import register

    with Fleet([DeviceSpec("cisco_ios", size=6000, latency=latency)] * count, seed=seed) as fleet:
        register(fleet, tenant=tenant)
        yield fleet


def devices_of(tenant: str) -> Sequence[Any]:
    """The rows of a tenant's devices."""
    from inventory.models import Device

    return list(Device.objects.filter(tenant__name=tenant).order_by("name"))


def change(fleet: Fleet, text: str) -> None:
    """Let every device have something new to say."""
    for device in fleet:
        device.edit(["interface Loopback0", f"description {text}"])


def collected(tenant: str, deadline: float) -> tuple[Run, float]:
    """A run of all devices of a tenant, and the longest that one of them was waited for, in seconds."""
    from django.utils import timezone

    from backups import runs, shard
    from backups.conf import threads
    from backups.netmiko_transport import NetmikoTransport
    from backups.transport import Limits

    spent = [0.0]

    class Watched(NetmikoTransport):
        """Remembers the longest visit."""

        @contextmanager
        def open(self, *args: Any) -> Iterator[Any]:
            began = time.monotonic()
            try:
                with super().open(*args) as session:
                    yield session
            finally:
                spent.append(time.monotonic() - began)

    (run,) = runs.start_runs(
        devices_of(tenant), requested_by="faults", trigger="hand", by_queue=False, now=timezone.now()
    )
    shard.work_on(run, transport=Watched(), limits=Limits(deadline=deadline, max_bytes=MAX_BYTES), threads=threads())
    return run, max(spent)


# What has to be true afterwards


def untrue(run: Run, fleet: Fleet) -> Iterator[str]:
    """What the rows or the store say that is not so."""
    from backups.capture import stable
    from backups.models import Attempt, Snapshot
    from backups.store.reader import open_store
    from inventory.platforms import registry

    run.refresh_from_db()
    if run.state != "done":
        yield f"the run has not ended: {run.state}"
    if unfinished := run.attempts.filter(state__in=Attempt.OPEN).count():
        yield f"{unfinished} attempts have no final state"
    if causeless := run.attempts.filter(state__in=BAD, cause="").count():
        yield f"{causeless} attempts failed without a cause"
    if internal := list(run.attempts.filter(cause="internal").values_list("detail", flat=True)):
        yield f"failed by a mistake of ours: {internal}"
    kept = list(Snapshot.objects.filter(run=run).select_related("device"))
    changed = set(run.attempts.filter(state=Attempt.State.CHANGED).values_list("device", flat=True))
    if len(kept) != len({one.device_id for one in kept}):
        yield "a device has two snapshots of one run"
    if {one.device_id for one in kept} != changed:
        yield f"{len(changed)} attempts say changed, {len(kept)} snapshots are there"
    platform = registry.platform("cisco_ios")
    for one in kept:  # where nothing was, there is no store yet
        store = open_store(run.tenant_id)
        said = stable(platform, store.blob(one.files["running.cfg"]["blob"]))
        if not said.endswith(fleet[one.device.name].running_config.encode("latin-1")):
            yield f"what is stored of {one.device.name} is not what it has"


def too_long(longest: float, deadline: float) -> Iterator[str]:
    """Whether a device was waited for beyond its deadline."""
    if longest > deadline + GRACE:
        yield f"a device was waited for {longest:.1f} s, with a deadline of {deadline:g} s"


if __name__ == "__main__":
    sys.exit(main())
