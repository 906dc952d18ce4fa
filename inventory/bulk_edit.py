"""Editing many devices at once: only what somebody fills in changes, each device checked as by its own form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from inventory import trails
from inventory.confirmation import AnswerForm, Plan
from inventory.device_actions import named, number_of, told
from inventory.errors import Invalid
from inventory.forms import TagsField
from inventory.jump_hosts import JumpHost
from inventory.models import Credential, Device
from inventory.platforms import registry
from inventory.validators import validate_line

KEEP = "leave as it is"


class BulkForm(AnswerForm):
    """What is to be the same on all of them; rows of a tenant can be chosen where all devices are of one."""

    platform = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    credential = forms.ModelChoiceField(
        Credential.objects.none(), required=False, empty_label=KEEP, widget=UnfoldAdminSelectWidget
    )
    jump_host = forms.ModelChoiceField(
        JumpHost.objects.none(), required=False, empty_label=KEEP, widget=UnfoldAdminSelectWidget
    )
    site = forms.CharField(required=False, validators=[validate_line], widget=UnfoldAdminTextInputWidget)
    add_tags = TagsField(required=False, help_text="Separated by blanks.")
    remove_tags = TagsField(required=False, help_text="Separated by blanks.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offers what the devices may have."""
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["platform"].choices = [("", KEEP), *registry.choices()]
        tenants = list(self.rows.order_by().values_list("tenant", flat=True).distinct()[:2])
        if len(tenants) == 1:
            fields["credential"].queryset = Credential.objects.visible_to(self.request.user).filter(tenant=tenants[0])
            fields["jump_host"].queryset = JumpHost.objects.visible_to(self.request.user).filter(tenant=tenants[0])
        else:
            del fields["credential"], fields["jump_host"]

    def clean(self) -> dict[str, Any]:
        """Something there must be to change."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(value for name, value in data.items() if name != "typed"):
            self.add_error("platform", "Fill in what is to change.")
        return data


def plan_to_edit(_page: Any, _request: HttpRequest, rows: QuerySet[Device]) -> Plan:
    """Which devices; what becomes of them is filled in below their names."""
    devices = list(rows.select_related("tenant").order_by("tenant__name", "name"))
    question = f"Edit {number_of(len(devices))}?"
    return Plan(question, named(devices), button=f"Edit {number_of(len(devices))}")


def edit(request: HttpRequest, rows: QuerySet[Device], answers: dict[str, Any]) -> str:
    """Change what was filled in, on all devices or on none. Raises Invalid with the first that refuses."""
    values = {name: answers[name] for name in ("platform", "credential", "jump_host", "site") if answers.get(name)}
    add, remove = answers.get("add_tags") or [], answers.get("remove_tags") or []
    devices = list(rows.select_related("tenant", "credential", "jump_host"))
    for device in devices:
        for name, value in values.items():
            setattr(device, name, value)
        device.tags = tags_of(device.tags, add=add, remove=remove)
        check(device)
    fields = [*values, *(["tags"] if add or remove else [])]
    with transaction.atomic():
        Device.objects.visible_to(request.user).bulk_update(devices, fields)
        trails.left(request, "changed", devices, {"fields": fields, "together": len(devices)})
    return told("edited", len(devices))


def tags_of(tags: Iterable[str], *, add: Iterable[str], remove: Iterable[str]) -> list[str]:
    """Each once, new ones at the end."""
    gone = set(remove)
    return list(dict.fromkeys(tag for tag in (*tags, *add) if tag not in gone))


def check(device: Device) -> None:
    """By the rules of its own form. Raises Invalid."""
    try:
        device.full_clean()
    except ValidationError as error:
        raise Invalid(
            f"{device.name} cannot be edited so, and nothing was changed: {' '.join(error.messages)}"
        ) from error
