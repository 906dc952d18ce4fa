"""How many hosts one PostgreSQL bears: what a hundred of them ask of it, over a modelled network.

    python -m tests.benchmarks.scale [--hosts 10 100] [--seconds 30] [--round-trip 0.001] [--one-tenant] [--flat-out]

Each host is a thread with a connection of its own that does, with the program's own code, what a worker asks of the
database: start a run, claim devices, heartbeats, and for each batch of 100 changed devices the transaction that
acknowledges them, with the tenant's lock, the compare-and-swap of the head, the versions and the final states. What is
not done is modelled: each statement waits for a round trip, a batch waits for as long as its devices take and, with the
lock, as long as git takes. Without `--flat-out` a host asks 100 devices in 3.3 s (30 threads, a second each). It prints
batches and devices a second, how long an acknowledgement takes, what PostgreSQL spends of CPU on a batch, and which share
of what was asked for was reached. The last line is JSON. All hosts' Python runs on this machine too, and takes most of it.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from tests.benchmarks.place import own_place

BATCH = 100  # devices
DEVICES = 200  # of a tenant, for each host that works for it
NOTHING = 1.0  # seconds until a worker looks again who has found nothing to do
ASKING = 3.3  # seconds for a batch's devices: 30 threads, a second each
GIT = 0.06  # seconds with the lock that git takes for 100 devices (tests.benchmarks.store)
PROCESSES = 4


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--round-trip", type=float, default=0.001, help="seconds between a host and PostgreSQL")
    parser.add_argument("--one-tenant", action="store_true", help="all hosts write to the same repository")
    parser.add_argument("--flat-out", action="store_true", help="devices answer at once")
    options = parser.parse_args()
    asking = 0.0 if options.flat_out else ASKING
    seen = []
    with own_place():
        for hosts in options.hosts:
            tenants = made(1, DEVICES * hosts) if options.one_tenant else made(hosts, DEVICES)
            seen.append(measured(hosts, Model(tenants, options.seconds, options.round_trip, asking)))
            print(json.dumps(seen[-1]), flush=True)
        sizes = bytes_a_row()
    about = {"benchmark": "scale", "options": vars(options), "cores": os.cpu_count(), "bytes a row": sizes}
    print(json.dumps(about | {"seen": seen}))
    return 0


def made(count: int, devices: int) -> list[str]:
    """So many new tenants, each with so many devices."""
    from inventory.models import Device, Tenant

    tenants = [Tenant.objects.create(name=f"t{uuid4().hex[:8]}") for _ in range(count)]
    Device.objects.bulk_create(
        (
            Device(tenant=tenant, name=f"d{number}", address="192.0.2.1", platform="cisco_ios", site=f"s{number % 9}")
            for tenant in tenants
            for number in range(devices)
        ),
        batch_size=5000,
    )
    return [str(tenant.pk) for tenant in tenants]


@dataclass(frozen=True)
class Model:
    """What is modelled, and for how long."""

    tenants: list[str]
    seconds: float
    round_trip: float
    asking: float  # seconds for the devices of a batch


@dataclass
class Seen:
    """What hosts of one process have seen."""

    times: list[float] = field(default_factory=list)  # seconds of each batch's transaction
    waits: list[float] = field(default_factory=list)  # seconds of that for the tenant's lock
    errors: list[str] = field(default_factory=list)
    cpu: float = 0.0


def measured(hosts: int, model: Model) -> dict[str, Any]:
    """Let them all work for so long."""
    from django.db import connections

    context = multiprocessing.get_context("fork")
    connections.close_all()
    answers, going = context.Queue(), context.Event()
    shares = [range(hosts)[number::PROCESSES] for number in range(min(PROCESSES, hosts))]
    started = [context.Process(target=serve, args=(share, model, going, answers)) for share in shares]
    for process in started:
        process.start()
    database = postgres_cpu()
    going.set()
    parts: list[Seen] = [answers.get() for _ in started]
    spent = postgres_cpu() - database
    for process in started:
        process.join()
    return told(hosts, model, parts, spent)


def told(hosts: int, model: Model, parts: list[Seen], spent: float) -> dict[str, Any]:
    """The figures."""
    times = sorted(one for part in parts for one in part.times)
    waits = sorted(one for part in parts for one in part.waits)
    batches = len(times)
    possible = hosts * model.seconds / (model.asking + GIT)
    return {
        "hosts": hosts,
        "tenants": len(model.tenants),
        "round trip, ms": milliseconds(model.round_trip),
        "batches a second": round(batches / model.seconds, 1),
        "devices a second": round(batches * BATCH / model.seconds),
        "of what devices and git allow": round(batches / possible, 2),
        "transaction, median ms": milliseconds(median(times)),
        "transaction, 95 of 100, ms": milliseconds(times[int(0.95 * batches)]),
        "wait for the tenant's lock, 95 of 100, ms": milliseconds(waits[int(0.95 * batches)]),
        "PostgreSQL, ms of CPU a batch": milliseconds(spent / batches),
        "PostgreSQL, cores": round(spent / model.seconds, 2),
        "hosts, ms of CPU a batch": milliseconds(sum(part.cpu for part in parts) / batches),
        "errors": sorted({error for part in parts for error in part.errors})[:3],
    }


def milliseconds(seconds: float) -> float:
    """For people."""
    return round(1000 * seconds, 1)


def serve(share: range, model: Model, going: Any, answers: Any) -> None:
    """One process's hosts, a thread each."""
    seen, began = Seen(), time.process_time()
    threads = [threading.Thread(target=host, args=(number, model, going, seen)) for number in share]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.cpu = time.process_time() - began
    answers.put(seen)
    answers.close()
    answers.join_thread()
    os._exit(0)


def host(number: int, model: Model, going: Any, seen: Seen) -> None:
    """One host, until its time is over."""
    from django.db import DatabaseError, connection

    connection.ensure_connection()
    going.wait()
    ends = time.monotonic() + model.seconds
    time.sleep(random.uniform(0, model.asking))  # not all at the same moment
    with far_away(model.round_trip):
        while time.monotonic() < ends:
            before = len(seen.times)
            try:
                for took, waited in batches_of_a_run(UUID(model.tenants[number % len(model.tenants)]), model, ends):
                    seen.times.append(took)
                    seen.waits.append(waited)
                if len(seen.times) == before:
                    time.sleep(NOTHING)
            except DatabaseError as error:
                seen.errors.append(f"{type(error).__name__}: {error}")
    connection.close()


@contextmanager
def far_away(round_trip: float) -> Iterator[None]:
    """Let each statement of this thread's connection, and each COMMIT, wait for a round trip."""
    from django.db import connection

    def wait_first(execute: Callable[..., Any], *args: Any) -> Any:
        time.sleep(round_trip)
        return execute(*args)

    commit = connection._commit  # type: ignore[attr-defined]

    def commit_later() -> None:
        time.sleep(round_trip)
        commit()

    connection._commit = commit_later  # type: ignore[attr-defined]
    with connection.execute_wrapper(wait_first):
        yield


def batches_of_a_run(tenant: UUID, model: Model, ends: float) -> Iterator[tuple[float, float]]:
    """What a worker asks of the database in one run; for each batch the seconds of its transaction, and of its wait."""
    from django.utils import timezone

    from backups.models import Attempt, Run

    run = Run.objects.unended().filter(tenant=tenant).first() or started(tenant)
    run.begin(timezone.now())
    token = uuid4()
    while time.monotonic() < ends:
        claimed = run.attempts.claim(token=token, limit=BATCH, now=timezone.now())
        if not claimed:
            break
        time.sleep(model.asking)
        Attempt.objects.held_by(token).update(heartbeat_at=timezone.now())
        yield acknowledged(tenant, run.pk, claimed, token)
    run.attempts.filter(token=token, state=Attempt.State.RUNNING).update(state=Attempt.State.QUEUED, token=None)
    if not run.attempts.open().exists():
        Run.objects.unended().filter(pk=run.pk).update(state=Run.State.DONE, ended_at=timezone.now())


def started(tenant: UUID) -> Any:
    """A run of all devices; by one of those who see that there is none, as the tick does it."""
    from django.db import transaction
    from django.utils import timezone

    from backups import runs
    from backups.models import Run
    from inventory.models import Device, Tenant

    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant)
        return Run.objects.unended().filter(tenant=tenant).first() or runs.start_run(
            tenant,
            list(Device.objects.filter(tenant=tenant).only("id")),
            requested_by="benchmark",
            trigger="schedule",
            by_queue=True,
            now=timezone.now(),
        )


def acknowledged(tenant: UUID, run: UUID, claimed: list[Any], token: UUID) -> tuple[float, float]:
    """The transaction of a batch, as `backups/batch.py` and `backups/commit.py` make it, with git as a pause."""
    from django.db import transaction
    from django.utils import timezone

    from backups.copying import copy_in
    from backups.group import finish
    from backups.locks import lock_tenant
    from backups.models import Attempt, Repository

    began = time.monotonic()
    with transaction.atomic(durable=True):
        lock_tenant(tenant, wait=60)
        waited = time.monotonic() - began
        row, _ = Repository.objects.get_or_create(tenant_id=tenant)
        row.fence += 1
        row.save(update_fields=["fence"])
        time.sleep(GIT)
        seq, head = row.seq + 1, uuid4().hex + "0" * 8
        mine = Repository.objects.filter(pk=tenant, fence=row.fence, seq=row.seq, head=row.head)
        if mine.update(head=head, seq=seq) != 1:
            raise SystemExit("the compare-and-swap was lost under the lock")
        copy_in([version(tenant, run, attempt.device_id, seq, head) for attempt in claimed])
        for attempt in claimed:
            attempt.state, attempt.ended_at, attempt.seconds = Attempt.State.CHANGED, timezone.now(), 1.0
        finish(claimed, token=token)
    return time.monotonic() - began, waited


def version(tenant: UUID, run: UUID, device: UUID, seq: int, head: str) -> Any:
    """The row of a device's new version."""
    from django.utils import timezone

    from backups.models import Snapshot

    files = {"running.cfg": {"blob": head, "size": 20_000}, "startup.cfg": {"blob": head, "size": 20_000}}
    return Snapshot(
        tenant_id=tenant,
        device_id=device,
        run_id=run,
        seq=seq,
        taken_at=timezone.now(),
        commit=head,
        files=files,
        digest=head + "0" * 24,
        size=40_000,
        lines_added=3,
        lines_removed=1,
        author="benchmark",
    )


# What it costs


def postgres_cpu() -> float:
    """Seconds of CPU of the database's server so far, with its children that have ended."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        data = Path(cursor.fetchone()[0])
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    connection.close()
    living = [int(one) for one in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    return processor_time(living) + processor_time([postmaster], ended_children=True)


def bytes_a_row() -> dict[str, int]:
    """What a row of the tables that grow takes of the disk, with its indexes."""
    from django.db import connection

    from backups.models import Attempt, Snapshot

    sizes = {}
    with connection.cursor() as cursor:
        for model in (Attempt, Snapshot):
            table = model._meta.db_table
            cursor.execute("SELECT pg_total_relation_size(%s)", [table])
            sizes[table] = cursor.fetchone()[0] // max(1, model.objects.count())
    return sizes


def processor_time(processes: list[int], *, ended_children: bool = False) -> float:
    """Seconds of CPU of these processes."""
    ticks = 0
    for process in processes:
        try:
            said = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(one) for one in said[11 : 15 if ended_children else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
