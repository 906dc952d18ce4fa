"""The pages of schedules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from backups import cells
from backups.errors import BadSchedule
from backups.schedule_models import Schedule
from backups.scheduling import TIMES
from inventory.forms import TagsField
from inventory.models import Device
from inventory.scoping import TenantModelAdmin

SHOWN_STARTS = 5


class LinesField(forms.CharField):
    """Several values, each in a line of its own or between commas."""

    def __init__(self, *, commas: bool = True, **kwargs: Any) -> None:
        """Without `commas` only lines part values."""
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), required=False, **kwargs)
        self.commas = commas

    def prepare_value(self, value: Any) -> Any:
        """A line each."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Each value once, in the order written."""
        text = value if isinstance(value, str) else "\n".join(value or [])
        lines = (text.replace(",", "\n") if self.commas else text).splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def run_validators(self, value: Any) -> None:
        """The model's own are for each value, and run with the row."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as lists."""
        return list(initial or []) != self.to_python(data)


class ScheduleForm(forms.ModelForm):
    """A schedule, with its devices by name: a list of ten thousand boxes to tick would help nobody."""

    sites = LinesField(help_text="Only devices of these sites, one in each line.")
    tags = TagsField(required=False, help_text="Only devices with one of these tags, separated by blanks.")
    devices = LinesField(help_text="Only these devices, by name.")
    blackouts = LinesField(
        commas=False, help_text="Never start then, one window in each line: Mon-Fri 08:00-18:00, or 22:00-06:00."
    )

    class Meta:
        model = Schedule
        fields = ("tenant", "name", "enabled", "cron", "zone", "jitter", "blackouts", "sites", "tags")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "devices" in self.fields and self.instance.by_name:
            chosen = self.instance.chosen.order_by("device__name")
            self.fields["devices"].initial = list(chosen.values_list("device__name", flat=True))

    def clean(self) -> dict[str, Any]:
        """The named devices must be the tenant's own; names of others are not even confirmed."""
        cleaned = super().clean() or self.cleaned_data
        tenant_id = self.instance.tenant_id or getattr(cleaned.get("tenant"), "pk", None)
        names = cleaned.get("devices", [])
        found = {device.name: device for device in Device.objects.filter(tenant=tenant_id, name__in=names)}
        missing = [name for name in names if name not in found]
        if missing:
            self.add_error("devices", ValidationError(f"The tenant has no device {', '.join(missing)}."))
        self.chosen = list(found.values())
        return cleaned


@admin.register(Schedule)
class ScheduleAdmin(TenantModelAdmin):
    """When devices are collected without anybody asking."""

    nothing = "A schedule backs devices up by itself: every night at two is “0 2 * * *”."
    form = ScheduleForm
    list_display = ("name", "tenant", "cron", "zone", "shown_scope", "enabled", "shown_next", "trouble")
    list_filter = ("tenant", "enabled")
    list_select_related = ("tenant",)
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("next_starts", "shown_last_run", "trouble")
    fieldsets = (
        (None, {"fields": ("tenant", "name", "enabled")}),
        ("When", {"fields": ("cron", "zone", "jitter", "blackouts", "next_starts")}),
        ("Which devices", {"fields": ("sites", "tags", "devices")}),
        ("Until now", {"fields": ("shown_last_run", "trouble")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        """With what the list shows."""
        return super().get_queryset(request).prefetch_related("chosen")

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        """The next start follows from the times, and stays where they did."""
        if not change or set(form.changed_data) & set(TIMES):
            obj.trouble = ""
            obj.plan_next(timezone.now())
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The devices by name."""
        super().save_related(request, form, formsets, change)
        if "devices" in form.changed_data:
            form.instance.choose(form.chosen)

    @display(description="Which devices")
    def shown_scope(self, schedule: Schedule) -> str:
        """In words."""
        return schedule.scope()

    @display(description="Next start", ordering="next_at")
    def shown_next(self, schedule: Schedule) -> str:
        """On the clock of its own zone."""
        return told(schedule, [schedule.next_at])[0] if schedule.next_at else "–"

    @display(description="Next starts")
    def next_starts(self, schedule: Schedule) -> SafeString | str:
        """The next five, as the row stands now."""
        if not schedule.next_at:
            return "None while it is not enabled." if schedule.cron else "Shown once it is saved."
        try:
            later = schedule.timing().upcoming(schedule.next_at, SHOWN_STARTS - 1)
        except BadSchedule as error:
            return str(error)
        return format_html_join("", "<div>{}</div>", ((text,) for text in told(schedule, [schedule.next_at, *later])))

    @display(description="Last run")
    def shown_last_run(self, schedule: Schedule) -> SafeString | str:
        """A link to it."""
        return cells.link(schedule.last_run) if schedule.last_run else "None yet."


def told(schedule: Schedule, moments: list[Any]) -> list[str]:
    """Moments on the schedule's own clock."""
    try:
        clock = schedule.timing().clock
    except BadSchedule as error:
        return [str(error)]
    return [f"{moment.astimezone(clock):%a %Y-%m-%d %H:%M:%S} {schedule.zone}" for moment in moments]
