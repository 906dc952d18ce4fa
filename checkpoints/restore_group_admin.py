"""Pages of restores of several devices: all plans, one agreement, and where each device stands while it goes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from backups import cells
from backups.pages import page_of
from checkpoints import restore_group_actions as verbs
from checkpoints.models import RestoreGroup
from checkpoints.restore_actions import PLAN, AgreedForm
from checkpoints.restore_next import APPROVE, PUSH
from checkpoints.restore_pages import MARKS, RestorePages
from inventory.confirmation import confirmed_action

STATE_MARKS = {
    "planning": "running", "planned": "whole", "approved": "whole", "pushing": "running", "done": "done",
    "stopped": "failed",
}  # fmt: skip
BUTTONS = {
    "planning": ("stop",),
    "planned": ("approve", "stop"),
    "approved": ("push", "stop"),
    "pushing": ("stop",),
}
# The colours of a run's bar.
BARS = (("done", "unchanged"), ("failed", "failed"), ("cancelled", "quarantined"), ("running", "changed"))


@admin.register(RestoreGroup)
class RestoreGroupAdmin(RestorePages):
    """Requests to put several devices back."""

    page_template = "netcairn/restore_group.html"
    progress_template = "netcairn/restore_group_progress.html"
    buttons_by_state = BUTTONS
    nothing = "Several devices were never put back in one request. Open a checkpoint, then More, Put devices back."
    list_display = ("asked", "tenant", "checkpoint", "shown_state", "devices", "requested_by", "approved_by", "stopped")
    list_display_links = ("asked",)
    list_filter = ("tenant",)
    list_select_related = ("tenant", "checkpoint")
    ordering = ("-requested_at",)
    actions_detail = ("approve", "push", "stop")

    @display(description="Asked", ordering="requested_at")
    def asked(self, group: RestoreGroup) -> SafeString:
        """When."""
        return cells.when(group.requested_at)

    @display(description="State")
    def shown_state(self, group: RestoreGroup) -> SafeString:
        """Where it stands."""
        return cells.state(STATE_MARKS[group.state], group.state.capitalize())

    @display(description="Devices")
    def devices(self, group: RestoreGroup) -> str:
        """How many are in which state."""
        return ", ".join(f"{number} {word}" for word, number in group.progress().items() if number)

    def moving(self, row: RestoreGroup) -> bool:
        """Whether a worker plans or pushes."""
        return row.state in ("planning", "pushing")

    def progress(self, request: HttpRequest, row: RestoreGroup) -> dict[str, Any]:
        """Where all of it stands, and each device."""
        counts = row.progress()
        total = sum(counts.values())
        shares = [(name, bar, 100 * counts[name] / total) for name, bar in BARS if counts[name]] if total else []
        rows = row.restores.select_related("device").order_by("place")
        page = page_of(rows, request, per_page=200)
        return super().progress(request, row) | {
            "group": row,
            "state": row.state,
            "mark": STATE_MARKS[row.state],
            "counts": counts,
            "total": total,
            "ended": counts["done"] + counts["failed"] + counts["cancelled"],
            "shares": shares,
            "page": page,
            "listed": [(one, MARKS[one.state]) for one in page.object_list],
        }

    def page_context(self, request: HttpRequest, row: RestoreGroup) -> dict[str, Any]:
        """All of it moves."""
        return self.progress(request, row)

    @confirmed_action(
        description="Approve", permission=APPROVE, plan=verbs.plan_to_approve, form=AgreedForm, icon="task_alt"
    )
    def approve(self, request: HttpRequest, rows: QuerySet[RestoreGroup], answers: dict[str, Any]) -> str:
        """The plans on the page, and no others."""
        return verbs.approve(request, rows.get(), answers)

    @confirmed_action(
        description="Change the devices", permission=PUSH, plan=verbs.plan_to_push, icon="publish", danger=True
    )
    def push(self, request: HttpRequest, rows: QuerySet[RestoreGroup], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """By a worker, once."""
        return verbs.push(request, rows.get())

    @confirmed_action(description="Stop", permission=PLAN, plan=verbs.plan_to_stop, icon="cancel")
    def stop(self, request: HttpRequest, rows: QuerySet[RestoreGroup], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Begin no more."""
        return verbs.stop(request, rows.get())


class PutsSeveralBack:
    """What the page of checkpoints gets: the way back onto several devices. Mixed in before RecordAdmin."""

    @confirmed_action(
        description="Put devices back",
        permission=PLAN,
        plan=verbs.plan_to_put_several_back,
        form=verbs.SeveralForm,
        icon="settings_backup_restore",
    )
    def put_several_back(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> HttpResponse:
        """To the page where the plans appear."""
        group = verbs.put_several_back(request, rows.get(), answers)
        return HttpResponseRedirect(reverse("admin:checkpoints_restoregroup_change", args=[group.pk]))
