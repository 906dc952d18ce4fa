"""What the actions around restores of several devices would do, in the words of the page that asks, and the calls."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from checkpoints import restore_jobs
from checkpoints.checkpoint_actions import by, first
from checkpoints.models import Checkpoint, Restore, RestoreGroup
from checkpoints.restore_group import approve_group, devices_of, request_group, stop_group
from checkpoints.restore_group_models import MOST_AT_A_TIME
from checkpoints.restore_next import is_own, own_refusal, stuck
from checkpoints.restore_rules import MINUTES
from inventory.confirmation import AnswerForm, Plan
from inventory.models import Device

State = Restore.State


class SeveralForm(AnswerForm):
    """Which devices in which order, how many at a time, and how long each waits."""

    devices = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="Names in the order in which they go back, one in each line. None: all of the checkpoint, by name.",
    )
    at_a_time = forms.IntegerField(
        initial=1,
        min_value=1,
        max_value=MOST_AT_A_TIME,
        widget=UnfoldAdminTextInputWidget,
        help_text="So many at once.",
    )
    minutes = forms.IntegerField(
        initial=5,
        min_value=MINUTES[0],
        max_value=MINUTES[-1],
        widget=UnfoldAdminTextInputWidget,
        help_text="Minutes after which a device goes back by itself, unless its restore is confirmed.",
    )

    def clean_devices(self) -> list[Device]:
        """The tenant's own, in the order in which they were named."""
        checkpoint: Checkpoint = self.rows.get()
        names = list(dict.fromkeys(str(self.cleaned_data["devices"]).split()))
        if not names:
            return devices_of(checkpoint)
        found = {device.name: device for device in Device.objects.filter(tenant=checkpoint.tenant_id, name__in=names)}
        lacking = [name for name in names if name not in found]
        if lacking:
            raise ValidationError(f"This tenant has no device named {', '.join(lacking)}.")
        return [found[name] for name in names]


def plan_to_put_several_back(_page: Any, _request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """Nothing dangerous yet."""
    told = [
        "The devices are backed up now, so that the plans begin with what they run.",
        "Then you see every plan on one page, and approve all of them or none.",
        "They go back in their order; the first that does not come to run its version stops the rest.",
    ]
    return Plan(f"Plan to put devices back to “{rows.get()}”?", told, button="Plan them")


def put_several_back(request: HttpRequest, checkpoint: Checkpoint, answers: dict[str, Any]) -> RestoreGroup:
    """Ask for it, and let a worker plan."""
    restore_jobs.one_queue(answers["devices"])
    group = request_group(
        checkpoint,
        answers["devices"],
        by=by(request),
        minutes=answers["minutes"],
        at_a_time=answers["at_a_time"],
        now=timezone.now(),
    )
    restore_jobs.enqueue_group_plan(group)
    return group


def planned(group: RestoreGroup) -> list[Restore]:
    """The restores that would be carried out."""
    return [one for one in group.in_order() if one.state in (State.PLANNED, State.APPROVED)]


def lines_of(group: RestoreGroup) -> list[str]:
    """A line for each device, and which plans are meant."""
    told = [f"{one.place}. {one.device.name}: {len(one.plan.get('commands', []))} steps" for one in planned(group)]
    return [*first(told), f"Plans {group.fingerprint[:12]}"]


def warning_of(group: RestoreGroup) -> str:
    """What to look at, each once."""
    told = [f"{one.device.name}: {text}" for one in planned(group) for text in one.plan.get("warnings", [])]
    told += [one.plan.get("not_undone", "") for one in planned(group)]
    return " · ".join(dict.fromkeys(text for text in told if text))


def plan_to_approve(_page: Any, request: HttpRequest, rows: QuerySet[RestoreGroup]) -> Plan:
    """All the plans, and the number of devices to type."""
    group = rows.select_related("tenant").get()
    number = len(planned(group))
    question = f"Approve what will be said to {number} devices?"
    if group.state != "planned" or not number:
        return Plan(question, refusal=f"It is {group.state}: there is nothing to approve.")
    if lines := stuck(group):
        return Plan(question, refusal=" · ".join(lines))
    if is_own(group, by(request)):
        return Plan(question, refusal=own_refusal(group))
    return Plan(question, lines_of(group), warning=warning_of(group), typed=str(number), button="Approve")


def approve(request: HttpRequest, group: RestoreGroup, answers: dict[str, Any]) -> str:
    """Exactly the plans that were on the page."""
    approve_group(group, fingerprint=answers["agreed"], by=by(request), now=timezone.now())
    return "Approved. Nothing was sent to a device yet."


def plan_to_push(_page: Any, _request: HttpRequest, rows: QuerySet[RestoreGroup]) -> Plan:
    """The last page before something happens."""
    group = rows.get()
    number = len(planned(group))
    question = f"Change {number} devices now, {group.at_a_time} at a time?"
    if group.state != "approved":
        return Plan(question, refusal=f"It is {group.state}: approve the plans first.")
    warning = warning_of(group)
    return Plan(question, lines_of(group), warning=warning, typed=str(number), button="Change the devices")


def push(request: HttpRequest, group: RestoreGroup) -> str:
    """Let a worker carry it out."""
    restore_jobs.enqueue_group_push(group, by=by(request))
    return "A worker changes the devices now; this page shows how it goes."


def plan_to_stop(_page: Any, _request: HttpRequest, rows: QuerySet[RestoreGroup]) -> Plan:
    """At any time before its end."""
    group = rows.get()
    question = "Begin no more devices?"
    if group.ended_at:
        return Plan(question, refusal="It has ended already.")
    return Plan(question, ["Devices that are being changed are finished; the others stay as they are."], button="Stop")


def stop(request: HttpRequest, group: RestoreGroup) -> str:
    """By whoever may plan."""
    stop_group(group, by=by(request), now=timezone.now())
    return "No more devices are begun."
