"""What the actions around restores would do, in the words of the page that asks, and the calls that do it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backups.models import Snapshot
from checkpoints import restore_jobs
from checkpoints.checkpoint_actions import by, first
from checkpoints.models import Checkpoint, Restore
from checkpoints.restore_means import Means
from checkpoints.restore_next import is_own, own_refusal
from checkpoints.restore_planning import approve_restore, cancel_restore, request_restore
from checkpoints.restore_reaper import SHOWS, look_again, settle_restore
from checkpoints.restore_rules import MINUTES, needs_four_eyes, rules_of, set_rules
from inventory.confirmation import AnswerForm, Plan
from inventory.models import Device, Tenant

FOUR_EYES = "checkpoints.set_four_eyes"
PLAN, SETTLE = "checkpoints.plan_restore", "checkpoints.settle_restore"
State = Restore.State


# Asking for one


class PutBackForm(AnswerForm):
    """Which device, and how long it waits before it goes back by itself."""

    device = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="The name of the device that goes back.")
    minutes = forms.IntegerField(
        initial=5,
        min_value=MINUTES[0],
        max_value=MINUTES[-1],
        widget=UnfoldAdminTextInputWidget,
        help_text="Minutes after which the device goes back by itself, unless the restore is confirmed.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The device is known where a version is of one, or the address names one."""
        super().__init__(*args, **kwargs)
        version = self.rows.get()
        if isinstance(version, Snapshot):
            del self.fields["device"]
        else:
            self.fields["device"].initial = self.request.GET.get("name", "")

    def clean(self) -> dict[str, Any]:
        """The device itself, of the version's tenant."""
        answers = super().clean() or {}
        version = self.rows.get()
        if isinstance(version, Snapshot):
            return answers | {"device": version.device}
        found = Device.objects.filter(tenant=version.tenant_id, name=answers.get("device", "")).first()
        if found is None:
            raise ValidationError({"device": "This tenant has no device of that name."})
        return answers | {"device": found}


def plan_to_put_back(_page: Any, _request: HttpRequest, rows: QuerySet) -> Plan:
    """Nothing dangerous yet: the device is only looked at."""
    version: Snapshot | Checkpoint = rows.get()
    what = f"this version of {version.device}" if isinstance(version, Snapshot) else f"“{version}”"
    told = [
        "The device is backed up now, so that the plan begins with what it runs.",
        "Then you see what would change, and every line that would be said to it.",
        "Nothing is sent to the device before the plan is approved and pushed.",
    ]
    return Plan(f"Plan to put {what} back onto the device?", told, button="Plan it")


def put_back(request: HttpRequest, version: Snapshot | Checkpoint, answers: dict[str, Any]) -> Restore:
    """Ask for it, and let a worker plan."""
    restore = request_restore(
        answers["device"], version, by=by(request), minutes=answers["minutes"], now=timezone.now()
    )
    restore_jobs.enqueue_plan(restore)
    return restore


# Agreeing


class AgreedForm(AnswerForm):
    """Carries the fingerprint of the plan that was on the page."""

    agreed = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As of now."""
        super().__init__(*args, **kwargs)
        self.fields["agreed"].initial = self.rows.get().fingerprint


def lines_of(restore: Restore) -> list[str]:
    """The plan, as much of it as somebody agrees to."""
    return [*first(restore.plan.get("commands", [])), f"Plan {restore.fingerprint[:12]}"]


def warning_of(restore: Restore) -> str:
    """What to look at, and what the device does not undo."""
    plan = restore.plan
    told = [*plan.get("warnings", []), plan.get("undone", ""), plan.get("not_undone", "")]
    return " · ".join(text for text in told if text)


def plan_to_approve(_page: Any, request: HttpRequest, rows: QuerySet[Restore]) -> Plan:
    """What is said to the device, and the device's name to type."""
    restore = rows.select_related("device", "tenant").get()
    question = f"Approve what will be said to {restore.device}?"
    if restore.state != State.PLANNED:
        return Plan(question, refusal=f"It is {restore.get_state_display().lower()}: only a plan can be approved.")
    if restore.plan["obstacles"]:
        return Plan(question, refusal=" ".join(restore.plan["obstacles"]))
    if is_own(restore, by(request)):
        return Plan(question, refusal=own_refusal(restore))
    return Plan(question, lines_of(restore), warning=warning_of(restore), typed=restore.device.name, button="Approve")


def approve(request: HttpRequest, restore: Restore, answers: dict[str, Any]) -> str:
    """Exactly the plan that was on the page."""
    approve_restore(restore, fingerprint=answers["agreed"], by=by(request), now=timezone.now())
    return f"Approved. Nothing was sent to {restore.device} yet."


def plan_to_push(_page: Any, _request: HttpRequest, rows: QuerySet[Restore]) -> Plan:
    """The last page before something happens."""
    restore = rows.select_related("device").get()
    question = f"Change {restore.device} now?"
    if restore.state != State.APPROVED:
        return Plan(question, refusal=f"It is {restore.get_state_display().lower()}: approve the plan first.")
    return Plan(
        question, lines_of(restore), warning=warning_of(restore), typed=restore.device.name, button="Change the device"
    )


def push(request: HttpRequest, restore: Restore) -> str:
    """Let a worker carry it out."""
    restore_jobs.enqueue_push(restore, by=by(request))
    return f"A worker changes {restore.device} now; this page shows how it goes."


# The rest


def plan_to_plan_again(_page: Any, _request: HttpRequest, rows: QuerySet[Restore]) -> Plan:
    """A new look at the device."""
    restore = rows.select_related("device").get()
    question = f"Look at {restore.device} again, and make a new plan?"
    if restore.state not in (State.REQUESTED, State.PLANNED):
        return Plan(question, refusal=f"It is {restore.get_state_display().lower()}.")
    return Plan(question, ["The device is backed up. Nothing is sent to it."], button="Plan again")


def plan_again(restore: Restore) -> str:
    """By a worker."""
    restore_jobs.enqueue_plan(restore)
    return "A worker makes a new plan; this page shows it when it is there."


def plan_to_cancel(_page: Any, _request: HttpRequest, rows: QuerySet[Restore]) -> Plan:
    """Only what has not begun."""
    restore = rows.select_related("device").get()
    question = f"Call off the restore of {restore.device}?"
    if restore.state not in Restore.WAITING:
        return Plan(question, refusal=f"It is {restore.get_state_display().lower()}, and cannot be called off.")
    return Plan(question, ["Nothing was sent to the device, and nothing will be."], button="Call it off")


def cancel(request: HttpRequest, restore: Restore) -> str:
    """By whoever may plan."""
    cancel_restore(restore, by=by(request), now=timezone.now())
    return "Called off."


class NoteForm(AnswerForm):
    """What somebody found."""

    note = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="What you found on the device, and how."
    )


def plan_to_settle(_page: Any, _request: HttpRequest, rows: QuerySet[Restore]) -> Plan:
    """Somebody answers for the device from here on."""
    restore = rows.select_related("device").get()
    question = f"Have you seen what {restore.device} runs?"
    if restore.state != State.UNKNOWN or restore.settled_at:
        return Plan(question, refusal="Nobody has to look at this device.")
    told = [restore.detail, "The device can be restored again afterwards."]
    return Plan(question, told, warning="Netcairn does not know what it runs. You say that you do.", button="I have")


def settle(request: HttpRequest, restore: Restore, note: str) -> str:
    """The device is free again."""
    settle_restore(restore, by=by(request), note=note, now=timezone.now())
    return f"{restore.device} can be restored again."


def plan_to_look(_page: Any, _request: HttpRequest, rows: QuerySet[Restore]) -> Plan:
    """Harmless."""
    restore = rows.select_related("device").get()
    question = f"Read {restore.device} again?"
    if restore.state != State.UNKNOWN or restore.settled_at:
        return Plan(question, refusal="Nobody has to look at this device.")
    return Plan(question, ["It is read over SSH. Nothing is sent to it."], button="Read it")


def look(request: HttpRequest, restore: Restore, means: Means) -> str:
    """While the person waits: it is one collection."""
    seen = look_again(restore, by=by(request), means=means)
    return f"{restore.device}: {SHOWS[seen]}."


def plan_to_change_eyes(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """From two eyes to four, or back."""
    tenant = rows.get()
    if needs_four_eyes(tenant):
        told = ["Whoever asks for a restore may approve it again."]
        return Plan(f"Let one person alone restore devices of {tenant}?", told, button="One is enough")
    told = ["Whoever asks for a restore needs somebody else to approve it."]
    return Plan(f"Want four eyes for restores of {tenant}?", told, button="Want four eyes")


def change_eyes(tenant: Tenant, *, who: str) -> str:
    """The other way round."""
    wanted = not needs_four_eyes(tenant)
    set_rules(tenant, by=who, four_eyes=wanted)
    return f"Restores of {tenant} need {'a second person' if wanted else 'nobody else'} to approve."


class WindowsForm(AnswerForm):
    """When devices may be changed."""

    windows = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="One in each line: Sat,Sun 00:00-24:00, or 22:00-06:00. None: at any time.",
    )
    zone = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="Time zone, such as Europe/Zurich.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As they are."""
        super().__init__(*args, **kwargs)
        rules = rules_of(self.rows.get())
        self.fields["windows"].initial = "\n".join(rules.windows)
        self.fields["zone"].initial = rules.zone


def plan_to_set_windows(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """Outside of them nothing is sent."""
    told = ["Outside of these times nothing is sent to a device; plans can be made at any time."]
    return Plan(f"When may devices of {rows.get()} be changed?", told, button="Set it")


def set_windows(request: HttpRequest, tenant: Tenant, answers: dict[str, Any]) -> str:
    """For every restore that is pushed from now on."""
    wanted = [line.strip() for line in answers["windows"].splitlines() if line.strip()]
    set_rules(tenant, by=by(request), windows=wanted, zone=answers["zone"])
    return f"Devices of {tenant} are changed {'; '.join(wanted) or 'at any time'}."
