"""Which queue a device belongs to. A worker takes the devices of its own queue, and of no other.

Asked for at each claim and not noted with an attempt: a site that moves to another queue moves with all that waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from backups.hosts.models import SiteQueue
from inventory.audit import record
from inventory.models import Device, Tenant

Rows = TypeVar("Rows", bound=QuerySet)
MAIN = ""  # the queue of whatever has no queue of its own
FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # the lock of a task that goes first: they are fetched in the order of that


def here() -> str:
    """The queue that this process works for."""
    return settings.NETCAIRN_QUEUE


def cluster_of(queue: str) -> str:
    """What django-q2 calls the queue."""
    name = str(settings.Q_CLUSTER["name"])
    return f"{name} {queue}" if queue else name


def with_queue(rows: Rows, *, device: str = "device__") -> Rows:
    """The rows, each with `queue`: of its device's site, or else of its tenant."""
    # An exact site stands after the empty one in every order of text.
    said = SiteQueue.objects.filter(tenant=OuterRef("tenant"), site__in=["", OuterRef(f"{device}site")])
    return rows.annotate(queue=Coalesce(Subquery(said.order_by("-site").values("queue")[:1]), Value(MAIN)))


def mine(rows: Rows, *, device: str = "device__") -> Rows:
    """Those whose device this process may talk to."""
    return with_queue(rows, device=device).filter(queue=here())


def mine_of(tenant_id: UUID, rows: Rows) -> Rows:
    """The same of one tenant, where there may be many.

    In plain conditions: PostgreSQL cannot know what share a subquery lets through, took 10,000 queued attempts for
    fifty, and read and sorted all of them at each claim, in 40 ms instead of one.
    """
    said = of_tenant(tenant_id)
    if said.get("", MAIN) == here():
        elsewhere = [site for site, queue in said.items() if queue != here()]
        return rows.exclude(device__site__in=elsewhere) if elsewhere else rows
    return rows.filter(device__site__in=[site for site, queue in said.items() if queue == here()])


def others(rows: Rows, *, device: str = "device__") -> Rows:
    """Those whose device only other workers may talk to."""
    return with_queue(rows, device=device).exclude(queue=here())


def of_tenant(tenant_id: UUID) -> dict[str, str]:
    """Site -> queue, for the sites of a tenant that are told apart."""
    return dict(SiteQueue.objects.filter(tenant=tenant_id).values_list("site", "queue"))


def queue_of(site: str, said: Mapping[str, str]) -> str:
    """The queue of a site, by what `of_tenant` gives."""
    return said.get(site, said.get("", MAIN))


def queue_of_device(device: Device) -> str:
    """The queue of one device."""
    return queue_of(device.site, of_tenant(device.tenant_id))


def shares(attempts: QuerySet, tenant_id: UUID) -> dict[str, int]:
    """How many of a tenant's attempts each queue has to do."""
    said = of_tenant(tenant_id)
    if not said:
        return {MAIN: number} if (number := attempts.count()) else {}
    found: Counter[str] = Counter()
    for site, number in attempts.order_by().values_list("device__site").annotate(Count("id")):
        found[queue_of(site, said)] += number
    return dict(found)


def assign(tenant: Tenant, site: str, queue: str, *, by: str) -> SiteQueue:
    """Let only the workers of a queue take the devices of a site; of all sites for an empty one."""
    row = SiteQueue.objects.filter(tenant=tenant, site=site).first() or SiteQueue(tenant=tenant, site=site)
    row.queue = queue
    row.full_clean()
    row.save()
    tell(row, "host.queue_assigned", by=by)
    return row


def unassign(row: SiteQueue, *, by: str) -> None:
    """Let the site be as the rest of its tenant is."""
    row.delete()
    tell(row, "host.queue_unassigned", by=by)


def tell(row: SiteQueue, action: str, *, by: str) -> None:
    """In the tenant's audit log: from now on somebody else logs in to its devices."""
    record(row.tenant, by=by, action=action, about=row.site or "all sites", detail={"queue": row.queue})
