"""What the actions around checkpoints would do, in the words of the page that asks, and the calls that do it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.http import content_disposition_header
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backups.content import SECRETS
from checkpoints import services
from checkpoints.export import zip_checkpoint
from checkpoints.keeping import protect_checkpoint
from checkpoints.models import HEAD, Checkpoint, Ref
from checkpoints.record import RecordPlan, plan_record_restore, restore_record
from checkpoints.retention_models import NOBODY
from inventory.confirmation import AnswerForm, Plan
from inventory.device_actions import number_of
from inventory.models import Device, Tenant
from inventory.roles import may, tenants_with

NAMED = 50  # lines of a plan; more would be scrolled past, not read
ADD = "checkpoints.add_checkpoint"


def by(request: HttpRequest) -> str:
    """Who does it, as rows and commits name them."""
    return request.user.get_username()


def first(lines: Sequence[str]) -> list[str]:
    """So many lines as people read, and how many there are more."""
    return [*lines[:NAMED], *([f"and {len(lines) - NAMED:,} more"] if len(lines) > NAMED else [])]


# Making one


class MessageForm(AnswerForm):
    """What is said about a new checkpoint."""

    message = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Why this moment has a name."
    )
    tags = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="Separated by commas.")

    def clean_tags(self) -> list[str]:
        """As a list; what a tag may be is the service's rule."""
        return [tag for tag in map(str.strip, self.cleaned_data["tags"].split(",")) if tag]


class CheckpointForm(MessageForm):
    """The same where no device was chosen in a list."""

    tenant = forms.ModelChoiceField(Tenant.objects.none(), widget=UnfoldAdminSelectWidget)
    devices = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Names of devices, separated by blanks. Empty: the whole tenant.",
    )
    field_order: Sequence[str] = ("tenant", "message", "tags", "devices")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Tenants in which the user may make one; the only one is chosen already."""
        super().__init__(*args, **kwargs)
        tenants = tenants_with(self.request.user, ADD).order_by("name")
        field = self.fields["tenant"]
        field.queryset = tenants  # type: ignore[attr-defined]
        if len(tenants) == 1:
            field.initial = tenants[0]

    def clean(self) -> dict[str, Any]:
        """Every name must be a device of that tenant."""
        answers = super().clean() or {}
        if tenant := answers.get("tenant"):
            answers["devices"] = devices_named(tenant, answers.get("devices", ""))
        return answers


def devices_named(tenant: Tenant, names: str) -> list[Device] | None:
    """The devices of these names; None: all. Raises ValidationError."""
    wanted = set(re.split(r"[\s,]+", names.strip())) - {""}
    found = list(Device.objects.filter(tenant=tenant, name__in=wanted))
    if missing := sorted(wanted - {device.name for device in found}):
        raise ValidationError({"devices": f"{tenant} has no device {', '.join(missing[:5])}."})
    return found or None


def plan_to_create(_page: Any, _request: HttpRequest, _rows: QuerySet) -> Plan:
    """The questions are the plan."""
    told = [
        "It names the newest versions as they are kept now.",
        "Nothing is collected, and nothing is sent to a device.",
    ]
    return Plan("Make a checkpoint?", told, button="Make it")


def create(request: HttpRequest, answers: dict[str, Any]) -> str:
    """By hand, from the form."""
    made = services.create_checkpoint(
        answers["tenant"],
        message=answers["message"],
        author=by(request),
        tags=answers["tags"],
        devices=answers["devices"],
        now=timezone.now(),
    )
    return f"Made checkpoint {made.short_id} of {number_of(made.device_count)}: {made}"


def plan_of_devices(_page: Any, _request: HttpRequest, rows: QuerySet[Device]) -> Plan:
    """One tenant's devices only: a checkpoint belongs to one."""
    devices = list(rows.select_related("tenant").order_by("name"))
    if len({device.tenant_id for device in devices}) > 1:
        return Plan("Make a checkpoint?", refusal="A checkpoint is of one tenant. Choose devices of one.")
    names = first([device.name for device in devices])
    return Plan(f"Make a checkpoint of {number_of(len(devices))} of {devices[0].tenant}?", names, button="Make it")


def create_of(request: HttpRequest, devices: Sequence[Device], answers: dict[str, Any]) -> str:
    """Of the devices that were chosen in a list."""
    return create(request, answers | {"tenant": devices[0].tenant, "devices": devices})


# Going back


def record_plan(request: HttpRequest, checkpoint: Checkpoint) -> RecordPlan:
    """For the devices that the address names, else for all. Raises Deleted, NothingKept, StoreDamaged."""
    chosen = request.GET.getlist("device")
    try:
        devices = list(Device.objects.filter(tenant=checkpoint.tenant_id, pk__in=chosen)) if chosen else None
    except ValidationError:
        devices = []
    return plan_record_restore(checkpoint, devices)


def plan_to_go_back(_page: Any, request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """Device by device and file by file."""
    checkpoint = rows.get()
    plan = record_plan(request, checkpoint)
    question = f"Go back to “{checkpoint}” of {checkpoint.created_at:%Y-%m-%d %H:%M} UTC in the record?"
    if not plan.back:
        return Plan(question, refusal="Nothing would change: the record is as it was then.")
    lines = first([step_line(step) for step in plan.back])
    others = len(plan.steps) - len(plan.back)
    lines += [f"{number_of(others)} stay as they are: the same, retired, or not in the checkpoint"] if others else []
    lines.append(f"Plan {plan.fingerprint[:12]}")
    warning = "Only the record goes back, by a new commit that undoes nothing. Nothing is sent to a device."
    return Plan(question, lines, warning=warning, button=f"Take {number_of(len(plan.back))} back")


def step_line(step: Any) -> str:
    """What becomes of one device."""
    added, removed = step.lines
    files = ", ".join(file.name for file in step.files)
    return f"{step.device_name}: {files} (+{added} −{removed} lines)"


def go_back(request: HttpRequest, checkpoint: Checkpoint) -> str:
    """Carry out the plan; the service refuses where the record moves on meanwhile."""
    done = restore_record(record_plan(request, checkpoint), author=by(request), now=timezone.now())
    if done.checkpoint is None:
        return "Nothing had to change."
    return f"{number_of(len(done.snapshots))} went back; checkpoint {done.checkpoint.short_id} holds the result."


# Exporting


def plan_to_export(_page: Any, request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """What leaves the program, and whether secrets do."""
    checkpoint = rows.get()
    question = f"Export “{checkpoint}” as a zip archive?"
    holds = f"{number_of(checkpoint.device_count)}, {checkpoint.file_count:,} files, "
    lines = [f"{holds}{filesizeformat(checkpoint.total_bytes)}", "SHA256SUMS, with which the files can be checked"]
    if may(request.user, SECRETS, checkpoint.tenant_id):
        return Plan(
            question, lines, warning="The files are as the devices said them, secrets in clear.", button="Export"
        )
    return Plan(question, [*lines, "Secrets are masked: these files cannot be put back"], button="Export")


def export(request: HttpRequest, checkpoint: Checkpoint) -> StreamingHttpResponse:
    """The archive, sent while it is made. Raises Deleted, StoreDamaged before the first byte."""
    masked = not may(request.user, SECRETS, checkpoint.tenant_id)
    pieces = zip_checkpoint(checkpoint, masked=masked)
    begin = next(pieces)
    name = f"{checkpoint.tenant.name}-{checkpoint.created_at:%Y%m%dT%H%M%SZ}-{checkpoint.short_id}"
    told = content_disposition_header(True, f"{name}{'-masked' if masked else ''}.zip")
    return StreamingHttpResponse(
        chain([begin], pieces), content_type="application/zip", headers={"Content-Disposition": str(told)}
    )


# Deleting, undeleting, tagging, naming


def plan_to_delete(_page: Any, _request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """Which, and what stands in the way."""
    found = list(rows.select_related("tenant").prefetch_related("refs"))
    question = "Delete this checkpoint?" if len(found) == 1 else f"Delete {len(found)} checkpoints?"
    named = [f"{one.short_id} is named by {ref.name}" for one in found for ref in one.refs.all() if ref.name != HEAD]
    if named:
        return Plan(question, refusal=f"Move or delete the refs first: {'; '.join(named)}.")
    if any(one.deleted_at for one in found):
        return Plan(question, refusal="Some of them are deleted already.")
    lines = first([deletion_line(one) for one in found])
    return Plan(question, lines, warning="Until the garbage is collected it can be undeleted.", button="Delete")


def deletion_line(one: Checkpoint) -> str:
    """Which one, and that somebody protected it: from the rules, not from people."""
    told = f"{one.short_id}: {one} ({one.tenant}, {one.created_at:%Y-%m-%d %H:%M} UTC)"
    return f"{told}; protected from retention, and you delete it all the same" if one.protected else told


def delete(request: HttpRequest, rows: Sequence[Checkpoint]) -> str:
    """Each with its own transaction."""
    for one in rows:
        services.delete_checkpoint(one, by=by(request), now=timezone.now())
    return "The checkpoint was deleted." if len(rows) == 1 else f"{len(rows)} checkpoints were deleted."


def plan_to_undelete(_page: Any, _request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """Back to its place."""
    found = [one for one in rows if one.deleted_at]
    question = "Undelete this checkpoint?" if len(found) == 1 else f"Undelete {len(found)} checkpoints?"
    if not found:
        return Plan(question, refusal="None of them is deleted.")
    marked = any(one.deleted_by == NOBODY for one in found)
    warning = "What retention has marked is protected from then on: no rule deletes it again." if marked else ""
    return Plan(question, first([f"{one.short_id}: {one}" for one in found]), warning=warning, button="Undelete")


def undelete(request: HttpRequest, rows: Sequence[Checkpoint]) -> str:
    """Each with its own transaction."""
    for one in rows:
        services.undelete_checkpoint(one, by=by(request), now=timezone.now())
    return "The checkpoint is back." if len(rows) == 1 else f"{len(rows)} checkpoints are back."


class TagForm(AnswerForm):
    """All tags of one checkpoint."""

    tags = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="Separated by commas.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """With the tags it has."""
        super().__init__(*args, **kwargs)
        self.fields["tags"].initial = ", ".join(self.rows.get().tags)

    def clean_tags(self) -> list[str]:
        """As a list."""
        return [tag for tag in map(str.strip, self.cleaned_data["tags"].split(",")) if tag]


def plan_to_tag(_page: Any, _request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """The form has the tags."""
    return Plan(f"Tags of “{rows.get()}”", button="Keep these tags")


def tag(checkpoint: Checkpoint, tags: Sequence[str], *, who: str) -> str:
    """What is in the form stands, what is not goes."""
    found = services.tag_checkpoint(checkpoint, add=tags, remove=set(checkpoint.tags) - set(tags), by=who)
    return f"Tags: {', '.join(found.tags)}" if found.tags else "It has no tags now."


class RefForm(AnswerForm):
    """A name for a checkpoint."""

    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget, help_text="A new name, or one that moves."
    )


def plan_to_name(_page: Any, _request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """Which names there are, because one of them may move."""
    checkpoint = rows.get()
    refs = Ref.objects.filter(tenant=checkpoint.tenant_id).select_related("checkpoint")
    lines = first([f"{ref.name} names {ref.checkpoint.short_id}: {ref.checkpoint}" for ref in refs])
    warning = "Moving HEAD changes what the next checkpoint has as its parent, and nothing in the record."
    return Plan(f"Let a name mean “{checkpoint}”?", lines, warning=warning, button="Set the ref")


def name(request: HttpRequest, checkpoint: Checkpoint, wanted: str) -> str:
    """Make or move the ref."""
    services.set_ref(checkpoint.tenant, wanted, checkpoint, by=by(request), now=timezone.now())
    return f"{wanted} names {checkpoint.short_id} now."


def plan_to_unname(_page: Any, _request: HttpRequest, rows: QuerySet[Ref]) -> Plan:
    """Only names go."""
    found = list(rows.select_related("checkpoint", "tenant"))
    if any(ref.name == HEAD for ref in found):
        return Plan("Delete refs?", refusal="HEAD stays: it is what the next checkpoint has as its parent.")
    lines = first([f"{ref.name} of {ref.tenant}, which names {ref.checkpoint.short_id}" for ref in found])
    question = f"Delete the ref {found[0].name}?" if len(found) == 1 else f"Delete {len(found)} refs?"
    return Plan(question, lines, warning="What they name stays.", button="Delete")


def unname(request: HttpRequest, refs: Sequence[Ref]) -> str:
    """Each with its own transaction."""
    for ref in refs:
        services.delete_ref(ref.tenant, ref.name, by=by(request), now=timezone.now())
    return f"Deleted {', '.join(ref.name for ref in refs)}."


# Protecting


def plan_to_protect(_page: Any, _request: HttpRequest, rows: QuerySet[Checkpoint]) -> Plan:
    """One way or the other."""
    row = rows.get()
    if row.protected:
        return Plan(f"Release “{row}”?", ["The rules of retention decide about it again"], button="Release")
    return Plan(f"Protect “{row}”?", ["No rule of retention deletes it; people still can"], button="Protect")


def protect(request: HttpRequest, checkpoint: Checkpoint) -> str:
    """The other of what it is."""
    protect_checkpoint(checkpoint, on=not checkpoint.protected, by=by(request))
    return "It is protected." if checkpoint.protected else "The rules decide about it again."
