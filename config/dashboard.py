"""The first page: what stands how, what changed, and what waits for a person. Everything in the user's tenants only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from backups.hosts.models import Host
from backups.models import Attempt, Drill, Run, Snapshot
from backups.progress import Progress, progress_of
from backups.quota import Usage
from backups.remote.lag import lags
from backups.remote.opening import is_set as remote_is_set
from backups.standing import Standings, changed_devices, standings, troubled_devices
from backups.tallies import by_day
from backups.verification import verified
from config.waiting import waiting
from inventory.models import Credential, Device, Tenant
from inventory.notices import Notice
from inventory.roles import is_superuser

CHART_DAYS = 21
ROWS = 8  # of each list: what fits a screen
MOST_CHOICES = 200  # tenants in a select; of more, one is chosen in their list


@dataclass(frozen=True)
class Figure:
    """A number that matters, and the list behind it."""

    label: str
    value: int
    note: str
    link: str
    tone: str = ""  # good, warn or bad colours it; only where it is not zero


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page is to know: of all the user's tenants, or of the one that the address names."""
    now = timezone.now()
    visible = Tenant.objects.visible_to(request.user)
    named = dict(visible.order_by("name").values_list("pk", "name"))
    chosen = next((pk for pk in named if str(pk) == request.GET.get("tenant")), None)
    tenants = visible.order_by() if chosen is None else visible.order_by().filter(pk=chosen)
    devices = Device.objects.filter(tenant__in=tenants, retired_at=None)
    counted = standings(devices, now=now)
    context |= {"title": "Dashboard", "counted": counted, "several_tenants": len(named) > 1 and not chosen}
    context |= {"chosen": chosen, "chosen_name": named.get(chosen) if chosen else "", "choices": choices(named)}
    if not named and not is_superuser(request.user):
        return context | {"outside": True}
    if not counted.asked + counted.resting and chosen is None:
        return context | {"steps": first_steps(request, list(named))}
    return context | {
        "figures": figures(counted, changed_devices(tenants, since=now - timedelta(days=1)), chosen),
        "chart": json.dumps(chart(list(named) if chosen is None else [chosen], now)),
        "chart_days": CHART_DAYS,
        "changes": latest_changes(tenants),
        "runs": latest_runs(tenants),
        "verified": verified(tenants, now=now),
        "alarms": open_alarms(request, chosen),
        "quotas": fullest(tenants),
        "copies": lags(tenants, ROWS),
        "drill": latest_drill(tenants) if remote_is_set() else None,
        "hosts": hosts(request, now),
        "waiting": waiting(request.user, tenants),
        "troubled": troubled_devices(devices, min(ROWS, counted.troubled)),
    }


def latest_drill(tenants: QuerySet[Tenant]) -> Drill | None:
    """What the newest drill of these tenants came to."""
    return Drill.objects.filter(tenant__in=tenants).select_related("tenant").order_by("-at").first()


def open_alarms(request: HttpRequest, tenant: UUID | None) -> list[Notice]:
    """What nobody has settled, of one tenant where one was chosen."""
    alarms = Notice.objects.visible_to(request.user).open_alarms().select_related("tenant")
    return list((alarms.filter(tenant=tenant) if tenant else alarms)[:ROWS])


def choices(named: dict[UUID, str]) -> list[tuple[UUID, str]]:
    """The tenants to choose from; none where there is one, or more than somebody would look through."""
    return list(named.items()) if 1 < len(named) <= MOST_CHOICES else []


def figures(counted: Standings, changed: int, tenant: UUID | None = None) -> list[Figure]:
    """The row of numbers, each with the list behind it."""
    page = reverse("admin:inventory_device_changelist")
    devices = f"{page}?tenant__id__exact={tenant}" if tenant else page
    standing = f"{devices}{'&' if tenant else '?'}standing="
    share = f"{100 * counted.in_sync / counted.asked:.1f} % of those asked" if counted.asked else "none is asked"
    return [
        Figure("Devices", counted.asked + counted.resting, resting_note(counted), devices),
        Figure("In sync", counted.in_sync, share, f"{standing}in_sync", "good"),
        Figure("Changed", changed, "in the last 24 hours", f"{standing}changed"),
        Figure("Failed", counted.failed, "at the last attempt", f"{standing}failed", "bad"),
        Figure("Quarantined", counted.quarantined, "wait for a look", f"{standing}quarantined", "warn"),
        Figure("Stale", counted.stale, "no good answer in time", f"{standing}stale", "bad"),
        Figure("Nothing kept", counted.never_kept, "no version yet", f"{standing}never_kept", "warn"),
    ]


def resting_note(counted: Standings) -> str:
    """What is to be said beside the number of devices."""
    return f"{counted.resting} not collected" if counted.resting else "all are collected"


def chart(tenants: list[UUID], now: datetime) -> dict[str, Any]:
    """Bars per day, as unfold's Chart.js wants them; the colours are the theme's."""
    counts = by_day(tenants, days=CHART_DAYS, now=now)
    bars = (
        (Attempt.State.CHANGED, "Changed", "var(--color-primary-600)"),
        (Attempt.State.QUARANTINED, "Quarantined", "#e39a1c"),
        (Attempt.State.FAILED, "Failed", "#dc3a2c"),
    )
    days = [now - timedelta(days=CHART_DAYS - 1 - at) for at in range(CHART_DAYS)]
    return {
        "labels": [f"{day:%-d %b}" for day in days],
        "datasets": [
            {
                "label": label,
                "data": counts[state],
                "backgroundColor": colour,
                "stack": "all",
                "displayYAxis": True,
                "maxTicksXLimit": 8,
                "maxBarThickness": 14,
                "borderRadius": 2,
            }
            for state, label, colour in bars
        ],
    }


def latest_changes(tenants: QuerySet[Tenant]) -> list[Snapshot]:
    """The newest versions."""
    versions = Snapshot.objects.filter(tenant__in=tenants).select_related("device", "tenant").defer("files")
    return list(versions.order_by("-taken_at")[:ROWS])


def latest_runs(tenants: QuerySet[Tenant]) -> list[tuple[Run, Progress]]:
    """The newest runs, and how far they are."""
    runs = Run.objects.filter(tenant__in=tenants).select_related("tenant").order_by("-requested_at")[:ROWS]
    progress = progress_of(runs)
    return [(run, progress[run.pk]) for run in runs]


def fullest(tenants: QuerySet[Tenant]) -> list[tuple[Tenant, Usage]]:
    """The tenants with a quota, the fullest first."""
    used = Coalesce(F("repository__stored_bytes"), 0)
    limited = tenants.filter(quota_bytes__gt=0).annotate(used=used, share=F("used") * 1.0 / F("quota_bytes"))
    return [(tenant, Usage(tenant.used, tenant.quota_bytes)) for tenant in limited.order_by("-share", "name")[:ROWS]]


def hosts(request: HttpRequest, now: datetime) -> list[tuple[Host, str]]:
    """Whose workers take work, for who runs the program; with the state of each."""
    return [(host, host.state(now)) for host in Host.objects.visible_to(request.user)]


@dataclass(frozen=True)
class Step:
    """One thing to do first; without a link for those who may not do it."""

    title: str
    text: str
    link: str
    done: bool = False
    due: bool = False  # this one now


def first_steps(request: HttpRequest, tenants: list[UUID]) -> list[Step]:
    """What somebody with an empty installation does first, in order; one page leads through all of it."""
    begin = reverse("admin:inventory_device_begin") if request.user.has_perm("inventory.add_device") else ""
    many = (
        reverse("admin:inventory_device_import") if begin and request.user.has_perm("inventory.change_device") else ""
    )
    credentials = Credential.objects.filter(tenant__in=tenants).exists()
    owner = "A customer or a part of your organisation: it owns devices, and has a repository of its own."
    login = "How to log in. Secrets are sealed when they are saved, and never shown again."
    device = "It is logged in to and recognised before it is registered; then one button makes its first backup."
    return [
        Step("Tenant", owner, begin if not tenants else "", done=bool(tenants), due=not tenants),
        Step("Credential", login, begin if tenants and not credentials else "", done=credentials, due=not credentials),
        Step("First device", device, begin if credentials else "", due=credentials),
        Step("All the others", "Many devices come from a CSV file, with a preview.", many if credentials else ""),
    ]
