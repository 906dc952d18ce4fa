"""The page of notices: what people were told, and the alarms that are still open until somebody has seen to them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from backups import cells
from backups.pages import RecordAdmin
from inventory.confirmation import Plan, confirmed_action
from inventory.notices import Level, Notice, settle

SETTLE = "inventory.settle_notice"
NAMED = 12


def plan_to_settle(_page: Any, _request: HttpRequest, rows: QuerySet[Notice]) -> Plan:
    """Which alarms go from the dashboard; what raised one raises it again where it is not mended."""
    alarms = list(rows.open_alarms()[: NAMED + 1])  # type: ignore[attr-defined]
    if not alarms:
        return Plan("Settle?", refusal="None of these is an open alarm.")
    effects = [f"{alarm.about}: {alarm.text}" for alarm in alarms[:NAMED]]
    effects += ["and more"] if len(alarms) > NAMED else []
    question = "Settle this alarm?" if len(alarms) == 1 else "Settle these alarms?"
    return Plan(question, [*effects, "Whatever is not mended raises its alarm again."], button="Settle")


class OpenFilter(DropdownFilter):
    """What still needs a person, unless somebody asks for more."""

    title = "state"
    parameter_name = "state"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Three views."""
        return [("", "Open alarms"), ("settled", "Settled alarms"), ("all", "All notices")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """Open alarms unless chosen otherwise."""
        if self.value() == "all":
            return queryset
        alarms = queryset.filter(level=Level.ALARM)
        return alarms.exclude(settled_at=None) if self.value() == "settled" else alarms.filter(settled_at=None)


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    """Notices as they were told."""

    page_template = "netcairn/notice.html"
    nothing = "No alarm is open. What needs a person, from a changed host key to a full quota, is told here."
    list_display = ("about", "text", "tenant", "shown_state", "last", "times")
    list_display_links = ("about",)
    list_filter = (OpenFilter, "tenant", ("last_at", RangeDateTimeFilter))
    list_select_related = ("tenant",)
    search_fields = ("about", "text", "code")
    ordering = ("-last_at",)
    actions = ("settle_them",)
    actions_detail = ("settle_it",)

    @display(description="State")
    def shown_state(self, notice: Notice) -> SafeString:
        """An open alarm, a settled one, or something that was only told."""
        return state_of(notice)

    @display(description="Last", ordering="last_at")
    def last(self, notice: Notice) -> SafeString:
        """When it was told last."""
        return cells.when(notice.last_at)

    def makes_sense(self, request: HttpRequest, row: Notice, action: str) -> bool:  # noqa: ARG002
        """Only an open alarm waits for anybody."""
        return row.level == Level.ALARM and row.settled_at is None

    def page_context(self, request: HttpRequest, row: Notice) -> dict[str, Any]:  # noqa: ARG002
        """All of it."""
        return {"notice": row, "state": state_of(row)}

    @confirmed_action(description="Settle", permission=SETTLE, plan=plan_to_settle, icon="task_alt")
    def settle_it(self, request: HttpRequest, rows: QuerySet[Notice], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Somebody has seen to it."""
        return settled(request, rows)

    @confirmed_action(description="Settle", permission=SETTLE, plan=plan_to_settle)
    def settle_them(self, request: HttpRequest, rows: QuerySet[Notice], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """The same for several."""
        return settled(request, rows)


def state_of(notice: Notice) -> SafeString:
    """As a mark."""
    if notice.level != Level.ALARM:
        return cells.state("resting", "for information")
    return cells.state("in_sync", "settled") if notice.settled_at else cells.state("failed", "open")


def settled(request: HttpRequest, rows: QuerySet[Notice]) -> str:
    """Close those that are open, and say how many."""
    by = request.user.get_username()
    alarms = rows.select_related("tenant").open_alarms()  # type: ignore[attr-defined]
    done = sum(settle(alarm.tenant, code=alarm.code, about=alarm.about, by=by) for alarm in alarms)
    return f"{done} alarm{'' if done == 1 else 's'} settled."
