"""What waits for a person beside devices that failed: host keys to judge, restores nobody knows the end of, schedules
that do not start. For the dashboard; each with the page on which it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Expression, F, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse

from backups.models import Schedule
from backups.standing import Tenants
from checkpoints.models import Restore
from inventory.models import Device
from inventory.roles import AnyUser, may

MOST = 4  # of each kind; its list has the rest
NEVER = Cast(Value(None), DateTimeField())
# Why somebody has to look, the page on which it is settled, and a state of the style sheet; the worst first.
SHOWN = {
    "restore": ("unknown after a restore", "checkpoints_restore_change", "failed"),
    "host key": ("another host key", "inventory_device_overview", "failed"),
    "schedule": ("schedule did not start", "backups_schedule_change", "quarantined"),
}


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
    """What waits in these tenants, of the kinds that the user may see; the worst first. One query."""
    kinds = (
        (lost_sight_of, "checkpoints.view_restore"),
        (strangers, "inventory.view_device"),
        (stuck, "backups.view_schedule"),
    )
    seen = [kind(tenants) for kind, permission in kinds if may(user, permission)]
    asked = [rows.values_list("kind", "pk", "about", "owner", "since")[:MOST] for rows in seen]
    found = asked[0].union(*asked[1:], all=True) if len(asked) > 1 else asked[0] if asked else ()
    order = list(SHOWN)
    return [told(*row) for row in sorted(found, key=lambda row: order.index(row[0]))]


def told(kind: str, pk: UUID, about: str, owner: str, since: datetime | None) -> Waiting:
    """One line, with the page on which it is settled."""
    why, page, tone = SHOWN[kind]
    return Waiting(about, owner, why, reverse(f"admin:{page}", args=[pk]), tone, since)


def as_kind(rows: QuerySet[Any], kind: str, *, about: str, since: Expression | F) -> QuerySet[Any]:
    """The rows with the columns that all kinds have."""
    return rows.annotate(kind=Value(kind), about=F(about), owner=F("tenant__name"), since=since)


def lost_sight_of(tenants: Tenants) -> QuerySet[Any]:
    """Restores after which nobody knows what the device runs."""
    rows = Restore.objects.filter(tenant__in=tenants).unresolved().order_by("-requested_at")
    return as_kind(rows, "restore", about="device__name", since=F("requested_at"))


def strangers(tenants: Tenants) -> QuerySet[Any]:
    """Devices that showed another host key than the pinned one."""
    rows = Device.objects.filter(tenant__in=tenants, retired_at=None).exclude(presented_key="")
    return as_kind(rows.order_by("-presented_at"), "host key", about="name", since=F("presented_at"))


def stuck(tenants: Tenants) -> QuerySet[Any]:
    """Schedules whose last start came to no run."""
    rows = Schedule.objects.filter(tenant__in=tenants, enabled=True).exclude(trouble="").order_by("name")
    return as_kind(rows, "schedule", about="name", since=NEVER)
