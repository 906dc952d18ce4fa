"""The page of post-processing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from backups.processing_models import PostProcessing
from inventory import audit
from inventory.platforms.registry import choices
from inventory.roles import is_superuser
from inventory.scoping import TenantModelAdmin


class ProcessingForm(forms.ModelForm):
    """Platforms by their names."""

    platform = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = PostProcessing
        fields = (
            "tenant",
            "platform",
            "enabled",
            "only",
            "steps",
            "keep_raw",
            "command",
            "seconds",
            "memory_mb",
            "output_mb",
        )
        widgets = {"steps": UnfoldAdminTextareaWidget(attrs={"rows": 5})}


@admin.register(PostProcessing)
class PostProcessingAdmin(TenantModelAdmin):
    """What is done with captures before they are kept."""

    nothing = (
        "Post-processing changes what is kept of a capture, such as its line ends; the raw capture is kept beside it."
    )
    form = ProcessingForm
    list_display = ("platform", "tenant", "enabled", "shown_steps", "command", "keep_raw")
    list_filter = ("tenant", "enabled")
    list_select_related = ("tenant",)
    search_fields = ("platform",)
    ordering = ("platform",)
    fieldsets = (
        (None, {"fields": ("tenant", "platform", "enabled", "only", "steps", "keep_raw")}),
        ("External command", {"fields": ("command",)}),
        ("Limits", {"fields": (("seconds", "memory_mb", "output_mb"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A command is code on this machine, with this program's rights: no tenant's administrator names one."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if is_superuser(request.user) else (*fixed, "command")

    def save_model(self, request: HttpRequest, obj: PostProcessing, form: Any, change: bool) -> None:
        """With an entry in the audit log."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            detail = {"steps": obj.steps, "command": obj.command, "only": obj.only, "enabled": obj.enabled}
            by = request.user.get_username()
            audit.record(obj.tenant, by=by, action="processing.set", about=obj.platform, detail=detail)

    @display(description="Steps")
    def shown_steps(self, row: PostProcessing) -> int:
        """How many."""
        return len(row.steps.split("\n")) if row.steps else 0
