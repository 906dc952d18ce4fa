"""How fast the pages are for many: ``python -m tests.benchmarks.admin [--devices 10000] [--tenants 1000] [--rounds 100]``.

Each device has been asked `rounds` times and has a tenth as many versions: as it stands 1,000 tenants, 10,000 devices,
1,000,000 attempts and 100,000 snapshots, made by PostgreSQL itself out of one row of each kind. Then every list and
the pages of one device as a superuser, who sees all of it; then the pages of a configuration of 30,000 lines
(`long_pages`). The last thing printed is one JSON document with `bars`; exit 1 when one does not hold.
"""

# ruff: noqa: T201, S608 - it prints; its statements are its own

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from tests.benchmarks import long_pages
from tests.benchmarks.place import own_place

MILLISECONDS, QUERIES = 300.0, 25
TIMES = 3  # each page, after once to get warm

# From the one row of a kind: what differs in each copy, as JSON; `i` counts from 2.
COPIES = {
    "inventory_tenant": "'id', md5('t' || i)::uuid, 'name', 'tenant ' || i",
    "inventory_device": "'id', md5('d' || i)::uuid, 'name', 'edge' || i, 'tenant_id', {tenant}",
    "backups_run": "'id', md5('r' || i)::uuid, 'tenant_id', {tenant}, 'requested_at', {ago}, 'ended_at', {ago}",
    "backups_attempt": "'id', i + 10, 'tenant_id', {tenant_of_device}, 'device_id', md5('d' || i % {devices})::uuid, "
    "'run_id', md5('r' || (i % {devices} % {tenants} + i / {devices} * {tenants}))::uuid, 'ended_at', {ago}, "
    "'state', (array['unchanged', 'unchanged', 'unchanged', 'changed', 'failed'])[1 + i % 5]",
    "backups_snapshot": "'id', md5('s' || i)::uuid, 'tenant_id', {tenant_of_device}, 'seq', i, 'taken_at', {ago}, "
    "'device_id', md5('d' || i % {devices})::uuid, 'run_id', null",
}
PAGES = {
    "dashboard": "/admin/",
    "devices": "/admin/inventory/device/",
    "devices by state": "/admin/inventory/device/?standing=troubled",
    "tenants": "/admin/inventory/tenant/",
    "credentials": "/admin/inventory/credential/",
    "runs": "/admin/backups/run/",
    "versions": "/admin/backups/snapshot/",
    "quarantine": "/admin/backups/quarantinedfile/",
    "schedules": "/admin/backups/schedule/",
    "checkpoints": "/admin/checkpoints/checkpoint/",
    "restores": "/admin/checkpoints/restore/",
    "audit log": "/admin/inventory/auditentry/",
    "notices": "/admin/inventory/notice/",
    "one device": "/admin/inventory/device/{device}/overview/",
    "its versions": "/admin/inventory/device/{device}/versions/",
    "its attempts": "/admin/inventory/device/{device}/attempts/",
    "its checkpoints": "/admin/inventory/device/{device}/checkpoints/",
    "its restores": "/admin/inventory/device/{device}/restores/",
    "dashboard of one tenant": "/admin/?tenant={tenant}",
    "compare": "/admin/backups/snapshot/compare/?right={version}",
}


def seed(tenants: int, devices: int, rounds: int) -> None:
    """One row of each kind by the product's own models, then its copies, set by set."""
    from django.db import connection
    from django.utils import timezone

    from backups import tallies
    from backups.models import Attempt, Run, Snapshot
    from inventory.models import Device, Tenant

    now = timezone.now()
    tenant = Tenant.objects.create(name="first")
    device = Device.objects.create(tenant=tenant, name="first", address="192.0.2.1", platform="cisco_ios")
    run = Run.objects.create(tenant=tenant, requested_by="bench", state="done", started_at=now, ended_at=now)
    Attempt.objects.create(id=1, tenant=tenant, run=run, device=device, state="changed", started_at=now, ended_at=now)
    told = {"commit": "0" * 40, "digest": "0" * 64, "size": 1000, "lines_added": 3, "lines_removed": 1}
    Snapshot.objects.create(tenant=tenant, device=device, seq=0, taken_at=now, author="bench", **told)
    numbers = {
        "inventory_tenant": (0, tenants - 1),
        "inventory_device": (0, devices - 1),
        "backups_run": (0, tenants * rounds - 1),
        "backups_attempt": (0, devices * rounds - 1),
        "backups_snapshot": (0, devices * rounds // 10 - 1),
    }
    fills = {
        "tenants": tenants,
        "devices": devices,
        "tenant": f"md5('t' || i % {tenants})::uuid",
        "tenant_of_device": f"md5('t' || i % {devices} % {tenants})::uuid",
        "ago": "now() - make_interval(mins => (i % 20000)::int)",
    }
    with connection.cursor() as cursor:
        for table, (low, high) in numbers.items():
            begin = perf_counter()
            changed = COPIES[table].format(**fills)
            cursor.execute(
                f"INSERT INTO {table} SELECT made.* FROM (SELECT to_jsonb(x) AS told FROM {table} x LIMIT 1) one, "
                f"generate_series({low}::bigint, {high}::bigint) i, "
                f"LATERAL jsonb_populate_record(NULL::{table}, told || jsonb_build_object({changed})) made"
            )
            print(f"{table:40s} {high - low + 1:10d} rows {perf_counter() - begin:8.1f} s", flush=True)
        cursor.execute("VACUUM ANALYZE")  # as autovacuum has done it long before there are so many rows
    tallies.tick()


def measured() -> Iterator[tuple[str, float, int]]:
    """Each page: its name, the median of its milliseconds, and its queries."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    from backups.models import Snapshot

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("root"))
    version = Snapshot.objects.order_by("-seq").first()
    assert version is not None
    for name, page in PAGES.items():
        address = page.format(device=version.device_id, version=version.pk, tenant=version.tenant_id)
        asked: list[str] = []
        with connection.execute_wrapper(lambda do, sql, *rest, kept=asked: kept.append(sql) or do(sql, *rest)):
            answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        yield name, statistics.median(timed(client, address) for _ in range(TIMES)), len(asked)


def timed(client: Any, address: str) -> float:
    """Milliseconds of one request, rendered."""
    begin = perf_counter()
    client.get(address)
    return (perf_counter() - begin) * 1000


def main() -> None:
    """The measurement as a program, on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with own_place(pages=True):
        seed(options.tenants, options.devices, options.rounds)
        bars = {}
        for name, milliseconds, queries in measured():
            print(f"{name:40s} {milliseconds:10.1f} ms {queries:4d} queries", flush=True)
            bars[f"{name}: ms"] = {"value": milliseconds, "bar": MILLISECONDS, "holds": milliseconds < MILLISECONDS}
            bars[f"{name}: queries"] = {"value": queries, "bar": QUERIES, "holds": queries < QUERIES}
        bars |= long_pages.bars()
    print(json.dumps({"benchmark": "admin", "options": vars(options), "bars": bars}))
    sys.exit(not all(bar["holds"] for bar in bars.values()))


if __name__ == "__main__":
    main()
