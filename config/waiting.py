"""What waits for a person beside devices that failed: host keys to judge, restores nobody knows the end of, schedules
that do not start. For the dashboard; each with the page on which it is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from backups.models import Schedule
from backups.standing import Tenants
from checkpoints.models import Restore
from inventory.models import Device
from inventory.roles import AnyUser, may

MOST = 4  # of each kind; its list has the rest


@dataclass(frozen=True)
class Waiting:
    """One thing that somebody has to look at."""

    about: str
    tenant: str
    why: str
    link: str
    tone: str  # a state of the style sheet
    since: datetime | None = None


def waiting(user: AnyUser, tenants: Tenants) -> list[Waiting]:
    """What waits in these tenants, of the kinds that the user may see; the worst first."""
    kinds = ((lost_sight_of, "checkpoints.view_restore"), (strangers, "inventory.view_device"))
    found = [one for kind, permission in kinds if may(user, permission) for one in kind(tenants)]
    return found + (list(stuck(tenants)) if may(user, "backups.view_schedule") else [])


def lost_sight_of(tenants: Tenants) -> Iterator[Waiting]:
    """Restores after which nobody knows what the device runs."""
    rows = Restore.objects.filter(tenant__in=tenants).unresolved().select_related("device", "tenant")
    for row in rows.order_by("-pk")[:MOST]:
        link = reverse("admin:checkpoints_restore_change", args=[row.pk])
        yield Waiting(row.device.name, row.tenant.name, "unknown after a restore", link, "failed")


def strangers(tenants: Tenants) -> Iterator[Waiting]:
    """Devices that showed another host key than the pinned one."""
    rows = Device.objects.filter(tenant__in=tenants, retired_at=None).exclude(presented_key="")
    for row in rows.select_related("tenant").order_by("-presented_at")[:MOST]:
        link = reverse("admin:inventory_device_overview", args=[row.pk])
        yield Waiting(row.name, row.tenant.name, "another host key", link, "failed", row.presented_at)


def stuck(tenants: Tenants) -> Iterator[Waiting]:
    """Schedules whose last start came to no run."""
    rows = Schedule.objects.filter(tenant__in=tenants, enabled=True).exclude(trouble="").select_related("tenant")
    for row in rows.order_by("name")[:MOST]:
        link = reverse("admin:backups_schedule_change", args=[row.pk])
        yield Waiting(row.name, row.tenant.name, "schedule did not start", link, "quarantined")
