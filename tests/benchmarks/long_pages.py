"""Pages of a configuration of 30,000 lines, for `tests.benchmarks.admin`: how long they take, and how large they are.

By itself, without ten thousand other devices beside it: ``python -m tests.benchmarks.long_pages``.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

from tests.benchmarks.place import own_place

INTERFACES = 6_000  # of five lines each
SECONDS, BYTES = 1.0, 2_000_000
PAGES = {
    "overview": "/admin/inventory/device/{device}/overview/",
    "version": "/admin/backups/snapshot/{new}/change/",
    "its last part": "/admin/backups/snapshot/{new}/change/?line=30000",
    "blame": "/admin/backups/snapshot/{new}/lines/running.cfg",
    "few changes": "/admin/backups/snapshot/compare/?right={new}",
    "few changes, whole file": "/admin/backups/snapshot/compare/?right={new}&around=all",
    "many changes": "/admin/backups/snapshot/compare/?left={old}&right={other}",
    "many changes, unified": "/admin/backups/snapshot/compare/?left={old}&right={other}&view=unified",
}


def configuration(word: str, every: int) -> bytes:
    """30,000 lines, in which every so many-th interface has another description."""
    lines = []
    for number in range(INTERFACES):
        told = word if number % every == 0 else "an access port"
        lines += [
            f"interface GigabitEthernet{number // 48}/0/{number % 48}",
            f" description {told} {number}",
            f" ip address 10.{number // 250}.{number % 250}.1 255.255.255.0",
            f" snmp trap community s3cr3t{number}",
            "!",
        ]
    return "\n".join(["version 17.9", *lines, "end", ""]).encode()


def keep_long_ones() -> dict[str, Any]:
    """A device with three versions, and what the addresses of its pages are filled with."""
    from django.utils import timezone

    from backups.commit import Kept, keep
    from inventory.models import Device, Tenant

    tenant = Tenant.objects.create(name="long")
    device = Device.objects.create(tenant=tenant, name="long1", address="192.0.2.1", platform="cisco_ios")
    now = timezone.now()
    for age, (word, every) in enumerate((("an access port", 1), ("moved", 1000), ("renamed", 3))):
        at = now + timedelta(seconds=age)
        kept = Kept(device, {"running.cfg": configuration(word, every)}, f"{age:064d}", at)
        keep(tenant.pk, [kept], author="bench", message="Back up", run_id=None, now=at, also=lambda _: None)
    old, new, other = device.snapshots.order_by("seq")
    return {"tenant": tenant, "device": device.pk, "old": old.pk, "new": new.pk, "other": other.pk}


def measured() -> Iterator[tuple[str, float, int]]:
    """Each page with the right to see secrets and without: its name, seconds, and bytes of HTML."""
    from django.contrib.auth.models import User
    from django.test import Client

    from inventory.models import Membership

    told = keep_long_ones()
    auditor = User.objects.create_user("long-auditor", is_staff=True)
    Membership.objects.create(user=auditor, tenant=told["tenant"], role=Membership.Role.AUDITOR)
    for eyes, user in (("", User.objects.create_superuser("long-root")), (", masked", auditor)):
        client = Client(headers={"host": "localhost"})
        client.force_login(user)
        for name, page in PAGES.items():
            address = page.format(**told)
            taken, answer = zip(*(timed(client, address) for _ in range(3)), strict=True)
            assert answer[-1].status_code == 200, (address, answer[-1].status_code)
            yield f"30,000 lines, {name}{eyes}", statistics.median(taken), len(answer[-1].content)


def timed(client: Any, address: str) -> tuple[float, Any]:
    """Seconds of one request, rendered, and its answer."""
    begin = perf_counter()
    answer = client.get(address)
    return perf_counter() - begin, answer


def bars() -> dict[str, dict[str, Any]]:
    """What is measured against what is promised."""
    found: dict[str, dict[str, Any]] = {}
    for name, seconds, size in measured():
        print(f"{name:60s} {seconds * 1000:10.1f} ms {size:10d} bytes", flush=True)
        found[f"{name}: s"] = {"value": seconds, "bar": SECONDS, "holds": seconds < SECONDS}
        found[f"{name}: bytes"] = {"value": size, "bar": BYTES, "holds": size <= BYTES}
    return found


def main() -> None:
    """The measurement as a program, on a database and a store of its own."""
    with own_place(pages=True):
        found = bars()
    print(json.dumps({"benchmark": "long_pages", "bars": found}))
    sys.exit(not all(bar["holds"] for bar in found.values()))


if __name__ == "__main__":
    main()
