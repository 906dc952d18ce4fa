"""The pages of hosts and of the queues of sites: superusers only, for they concern every tenant."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import display

from backups import cells
from backups.hosts import beats, queues
from backups.hosts.models import Host, SiteQueue
from inventory import trails
from inventory.confirmation import Plan, confirmed_action
from inventory.people_admin import PeopleAdmin, WrittenAdmin

PERMISSION = "auth.change_user"  # of no role in any tenant: hosts are the affair of those who run the program
COLOURS = {"working": "in_sync", "draining": "quarantined", "stopped": "resting"}  # anything else is bad


def plan_to_drain(_page: Any, _request: HttpRequest, rows: QuerySet[Host]) -> Plan:
    """What these hosts do from then on."""
    effects = [f"{host} begins nothing more; what it does now it finishes, or leaves to others." for host in rows]
    warning = "Where no other host works for the same queue, its devices are not collected meanwhile."
    return Plan("Drain?", effects, warning, button="Drain")


def plan_to_resume(_page: Any, _request: HttpRequest, rows: QuerySet[Host]) -> Plan:
    """The other way round."""
    return Plan("Let them take work again?", [f"{host} takes work again." for host in rows], button="Resume")


def plan_to_forget(_page: Any, _request: HttpRequest, rows: QuerySet[Host]) -> Plan:
    """Only those that are gone."""
    now = timezone.now()
    alive = [str(host) for host in rows if host.state(now) in ("working", "draining")]
    if alive:
        return Plan("Forget?", refusal=f"{', '.join(alive)} is at work: stop it first, or it comes back at once.")
    effects = [
        f"{host} is no longer shown, and no alarm is raised about it. It is back when it is started." for host in rows
    ]
    return Plan("Forget?", effects, button="Forget")


@admin.register(Host)
class HostAdmin(WrittenAdmin):
    """Who works, since when, and with which version."""

    nothing = "No host has been heard of yet: one appears here as soon as it is started."
    list_display = ("name", "shown_queue", "shown_state", "heard", "version", "workers", "started_at", "refused")
    search_fields = ("name", "queue")
    ordering = ("queue", "name")
    actions = ("drain_them", "resume_them", "forget_them")
    fields = (
        "name",
        "queue",
        "version",
        "workers",
        "started_at",
        "heartbeat_at",
        "stopped_at",
        "draining_at",
        "draining_by",
        "refused",
    )
    readonly_fields = fields

    @display(description="Queue", ordering="queue")
    def shown_queue(self, host: Host) -> str:
        """Of which devices."""
        return host.queue or "all other devices"

    @display(description="State")
    def shown_state(self, host: Host) -> SafeString:
        """As a mark."""
        return state_of(host)

    @display(description="Heard of", ordering="heartbeat_at")
    def heard(self, host: Host) -> SafeString:
        """When last."""
        return cells.when(host.heartbeat_at)

    @confirmed_action(description="Drain", permission=PERMISSION, plan=plan_to_drain)
    def drain_them(self, request: HttpRequest, rows: QuerySet[Host], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """No new work."""
        return f"{beats.drain(list(rows), by=trails.name_of(request))} drained."

    @confirmed_action(description="Resume", permission=PERMISSION, plan=plan_to_resume)
    def resume_them(self, request: HttpRequest, rows: QuerySet[Host], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Work again."""
        return f"{beats.resume(list(rows), by=trails.name_of(request))} resumed."

    @confirmed_action(description="Forget", permission=PERMISSION, plan=plan_to_forget)
    def forget_them(self, request: HttpRequest, rows: QuerySet[Host], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """They will not come back."""
        hosts = list(rows)
        for host in hosts:
            beats.forget(host, by=trails.name_of(request))
        return f"{len(hosts)} forgotten."


def state_of(host: Host) -> SafeString:
    """As a coloured mark."""
    state = host.state(timezone.now())
    return cells.state(COLOURS.get(state, "failed"), state)


@admin.register(SiteQueue)
class SiteQueueAdmin(PeopleAdmin):
    """Whose workers log in to the devices of a site."""

    nothing = (
        "All workers take all devices. A line here keeps those of a tenant's site for workers that stand near them."
    )
    list_display = ("tenant", "shown_site", "shown_queue")
    list_select_related = ("tenant",)
    search_fields = ("site", "queue", "tenant__name")
    fields = ("tenant", "site", "queue")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """Another site is another line."""
        return ("tenant", "site") if obj is not None else ()

    @display(description="Site", ordering="site")
    def shown_site(self, row: SiteQueue) -> str:
        """One, or the rest of them."""
        return row.site or "all others"

    @display(description="Queue", ordering="queue")
    def shown_queue(self, row: SiteQueue) -> str:
        """Of whom."""
        return row.queue or "all other workers"

    def save_model(self, request: HttpRequest, obj: SiteQueue, form: Any, change: bool) -> None:
        """With a line in the tenant's audit log."""
        super().save_model(request, obj, form, change)
        queues.tell(obj, "host.queue_assigned", by=trails.name_of(request))

    def delete_model(self, request: HttpRequest, obj: SiteQueue) -> None:
        """The same."""
        queues.unassign(obj, by=trails.name_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SiteQueue]) -> None:
        """The same for several."""
        for row in queryset:
            queues.unassign(row, by=trails.name_of(request))
