"""Comparing the newest version with what the device runs this moment, from the device's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from backups.errors import BackupError
from backups.models import Run, Snapshot
from backups.pages import Paged
from checkpoints.compare import newest
from checkpoints.errors import NothingKept, NotSeen
from checkpoints.live import found_by
from checkpoints.startup import STARTUP, startup_file
from inventory.confirmation import Plan, confirmed_action
from inventory.models import Device
from inventory.scoping import tenant_object_or_404

AGAIN = "3"  # seconds until the page that waits asks again


def plan_to_look(_page: Any, _request: HttpRequest, rows: QuerySet[Device]) -> Plan:
    """One session with the device; what it says is kept where it differs."""
    device = rows.get()
    question = f"Look at {device.name} now, and compare?"
    try:
        newest(device)
    except NothingKept as nothing:
        return Plan(question, refusal=str(nothing))
    if device.retired_at:
        return Plan(question, refusal=f"{device.name} is retired.")
    told = ["The device is backed up now; what differs is kept as its newest version.", "Then both are compared."]
    return Plan(question, told, button="Look and compare")


def plan_to_look_at_startup(page: Any, request: HttpRequest, rows: QuerySet[Device]) -> Plan:
    """The same session; not for a system of which no startup configuration is collected."""
    try:
        startup_file(rows.get())
    except BackupError as nothing:
        return Plan("Compare with what it starts with?", refusal=str(nothing))
    return plan_to_look(page, request, rows)


class LooksNow(Paged):
    """What a device's page gets: the difference to the running device."""

    def get_urls(self) -> list[URLPattern]:
        """With the page that waits for the device."""
        return [self.own_page("<uuid:object_id>/live/", "live", self.live), *super().get_urls()]  # type: ignore[misc]

    @confirmed_action(
        description="Compare with the device", permission="backups.back_up", plan=plan_to_look, icon="difference"
    )
    def compare_live(self, request: HttpRequest, rows: QuerySet[Device], answers: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        """Ask for the run, and lead to the page that waits for it."""
        from backups.jobs import enqueue_run  # brings netmiko: seconds that no page should pay at start

        device = rows.get()
        left = newest(device)
        (run,) = enqueue_run([device], requested_by=request.user.get_username(), trigger=Run.Trigger.HAND)
        return HttpResponseRedirect(self.page_url("live", device.pk, run=run.pk, left=left.pk))

    @confirmed_action(
        description="Compare with startup",
        permission="backups.back_up",
        plan=plan_to_look_at_startup,
        icon="restart_alt",
    )
    def compare_startup(self, request: HttpRequest, rows: QuerySet[Device], answers: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        """The same, for what the device starts with."""
        from backups.jobs import enqueue_run

        device = rows.get()
        left = newest(device)
        (run,) = enqueue_run([device], requested_by=request.user.get_username(), trigger=Run.Trigger.HAND)
        return HttpResponseRedirect(self.page_url("live", device.pk, run=run.pk, left=left.pk, of=STARTUP))

    def live(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Wait for the run; then the difference, or why there is none."""
        device = self.row_or_404(request, object_id, "backups.view_snapshot")
        if not {"left", "run"} <= request.GET.keys():
            return HttpResponseRedirect(self.page_url("overview", device.pk))
        left = tenant_object_or_404(request, Snapshot, request.GET["left"])
        run = tenant_object_or_404(request, Run, request.GET["run"])
        if left.device_id != device.pk or run.attempts.filter(device=device).count() != 1:
            raise Http404("That run was not of this device.")
        if run.state != Run.State.DONE:
            page = self.show(request, "netcairn/live.html", device, run=run, device=device)
            page["Refresh"] = AGAIN
            return page
        try:
            right = found_by(run)
        except NotSeen as error:
            self.message_user(request, str(error), messages.ERROR)  # type: ignore[attr-defined]
            return HttpResponseRedirect(self.page_url("overview", device.pk))
        of_startup = request.GET.get("of") == STARTUP
        if right == left and not of_startup:
            self.message_user(request, f"{device.name} runs what is kept: nothing differs.", messages.SUCCESS)  # type: ignore[attr-defined]
            return HttpResponseRedirect(self.page_url("overview", device.pk))
        address = reverse("admin:backups_snapshot_compare")
        more = f"&of={STARTUP}" if of_startup else ""
        return HttpResponseRedirect(f"{address}?left={left.pk}&right={right.pk}{more}")
