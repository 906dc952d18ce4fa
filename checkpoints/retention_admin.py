"""The pages of retention: a policy whose plan is shown before it is saved, and the epochs that can be undeleted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from backups import cells
from backups.models import Epoch
from backups.pages import RecordAdmin
from backups.schedule_admin import LinesField
from checkpoints.keeping import RetentionPlan, apply_retention, is_drastic, plan_retention, set_policy, undelete_epoch
from checkpoints.models import Purge, RetentionPolicy
from checkpoints.retention_documents import PlanShown, plan_lines, plan_shown
from inventory.confirmation import Plan, confirmed_action
from inventory.models import Tenant
from inventory.scoping import TenantModelAdmin

LINES = 20
COLLECT = "checkpoints.collect_garbage"
READ = "Nothing is saved yet. Below is what the policy would do: read it, then save once more."
MANY = "It drops more than a fifth of what is kept now: type the tenant's name at the end of the page as well."


class PolicyForm(forms.ModelForm):
    """A policy; the first time it is sent, the plan comes back instead of a row."""

    tags = LinesField(help_text="Checkpoints with one of these tags stay for ever.")
    typed = forms.CharField(
        label="Tenant's name",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Only where more than a fifth would be dropped.",
    )
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = RetentionPolicy
        fields = (
            "tenant",
            "everything",
            "last",
            "within_days",
            "hourly",
            "daily",
            "weekly",
            "monthly",
            "yearly",
            "tags",
            "zone",
            "hold",
            "automatic",
        )

    looked_at: RetentionPlan | None = None  # the plan of what was sent

    @property
    def plan(self) -> PlanShown | None:
        """What the page shows above the fields: the plan of what was sent, or of the policy as it is."""
        plan = self.looked_at
        if plan is None and not self.is_bound and self.instance.pk:
            plan = plan_retention(self.instance.tenant, now=timezone.now())
        return plan_shown(plan, most=LINES) if plan else None

    @property
    def asks(self) -> list[str]:
        """What has to be done before it is saved, where nothing is wrong with it."""
        return [str(told) for told in super().non_field_errors()] if self.looked_at else []

    def non_field_errors(self) -> Any:
        """Faults alone: that the plan has to be read is none."""
        return self.error_class() if self.looked_at else super().non_field_errors()

    def _post_clean(self) -> None:
        """After the row was checked: what it would do, unless just that was shown."""
        super()._post_clean()  # type: ignore[misc]
        tenant = self.instance.tenant if self.instance.tenant_id else self.cleaned_data.get("tenant")
        if not self.errors and isinstance(tenant, Tenant):
            self.show_plan(tenant)

    def show_plan(self, tenant: Tenant) -> None:
        """Refuse with the plan, until the one that was shown is the one that comes."""
        now, policy = timezone.now(), self.instance.policy()
        plan = plan_retention(tenant, policy=policy, now=now)
        drastic = is_drastic(tenant, policy, plan, now=now)
        asked = [MANY] if drastic and self.cleaned_data.get("typed") != tenant.name else []
        if self.cleaned_data.get("shown") == plan.fingerprint and not asked:
            return
        sent = {**self.data.dict(), self.add_prefix("shown"): plan.fingerprint}  # type: ignore[attr-defined]
        self.data = sent
        self.looked_at = plan
        self.add_error(None, ValidationError([READ, *asked]))


def plan_to_apply(_page: Any, _request: HttpRequest, rows: QuerySet[RetentionPolicy]) -> Plan:
    """The same plan as everywhere."""
    plan = plan_retention(rows.get().tenant, now=timezone.now())
    warning = "What is marked can be undeleted for a day; then the collection of garbage removes it."
    return Plan(
        f"Apply the policy of {plan.tenant}?", plan_lines(plan, most=LINES), warning=warning, button="Mark them"
    )


def plan_to_undelete(_page: Any, _request: HttpRequest, rows: QuerySet[Epoch]) -> Plan:
    """Which ones."""
    if rows.exclude(swept_at=None).exists():
        return Plan("Undelete epochs?", refusal="Some of them are swept: their commits are gone.")
    lines = [f"{epoch} of {epoch.tenant}" for epoch in rows.select_related("tenant")]
    return Plan("Undelete epochs?", lines, warning="No rule will mark them again.", button="Undelete")


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(TenantModelAdmin):
    """What each tenant keeps."""

    nothing = "Without a policy everything is kept. A policy says what may go, and shows it before anything does."
    form = PolicyForm
    list_display = ("tenant", "in_words", "zone", "hold", "automatic", "applied")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    ordering = ("tenant__name",)
    actions_detail = ("apply_now",)
    fieldsets = (
        (None, {"fields": ("tenant", "everything", "hold")}),
        ("Recent", {"fields": (("last", "within_days"),)}),
        ("By the calendar", {"fields": (("hourly", "daily", "weekly"), ("monthly", "yearly", "zone"))}),
        ("Chosen ones", {"fields": ("tags",)}),
        ("When", {"fields": ("automatic",)}),
        ("Agreement", {"fields": ("typed", "shown")}),
    )

    def save_model(self, request: HttpRequest, obj: RetentionPolicy, form: Any, change: bool) -> None:  # noqa: ARG002
        """By the service, which leaves an entry in the audit log; the permission was asked for by the page."""
        if self.allows(request, "change" if change else "add", obj):
            set_policy(obj.tenant, obj, by=request.user.get_username())

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Without a call to correct errors where there are none."""
        if context["adminform"].form.looked_at:
            context["errors"] = []
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Keeps")
    def in_words(self, row: RetentionPolicy) -> str:
        """The rules that are set."""
        if row.everything:
            return "everything"
        names = ("last", "within_days", "hourly", "daily", "weekly", "monthly", "yearly")
        said = [f"{name.replace('_', ' ')} {getattr(row, name)}" for name in names if getattr(row, name)]
        return ", ".join([*said, *(f"tag {tag}" for tag in row.tags)])

    @display(description="Applied", ordering="applied_at")
    def applied(self, row: RetentionPolicy) -> str:
        """When last."""
        return cells.when(row.applied_at) if row.applied_at else "never"

    @confirmed_action(description="Apply now", permission=COLLECT, plan=plan_to_apply, icon="rule", danger=True)
    def apply_now(self, request: HttpRequest, rows: QuerySet[RetentionPolicy], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Marks only; what is marked goes a day later."""
        done = apply_retention(rows.get().tenant, by=request.user.get_username(), now=timezone.now())
        return f"{len(done.marked)} checkpoints and {len(done.epochs_marked)} epochs are marked."


@admin.register(Epoch)
class EpochAdmin(RecordAdmin):
    """Parts of records that have ended."""

    nothing = (
        "The record is one whole. It is cut into epochs when a policy, under “Retention”, lets old parts of it go."
    )
    list_display = ("number", "tenant", "first_seq", "last_seq", "began_at", "ended_at", "state")
    list_display_links = None
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    ordering = ("tenant__name", "-number")
    actions = ("undelete_epochs",)

    @display(description="State")
    def state(self, epoch: Epoch) -> str:
        """Kept, marked or gone."""
        if epoch.swept_at:
            return f"swept {epoch.swept_at:%Y-%m-%d}"
        if epoch.marked_at:
            return f"marked {epoch.marked_at:%Y-%m-%d %H:%M} UTC"
        return "protected" if epoch.protected else "kept"

    @confirmed_action(description="Undelete", permission=COLLECT, plan=plan_to_undelete)
    def undelete_epochs(self, request: HttpRequest, rows: QuerySet[Epoch], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """And keep them."""
        for epoch in rows.select_related("tenant"):
            undelete_epoch(epoch.tenant, epoch.number, by=request.user.get_username())
        return f"{len(rows)} epochs are kept from now on."


@admin.register(Purge)
class PurgeAdmin(RecordAdmin):
    """Records that were rewritten."""

    nothing = (
        "Nothing was ever purged. To take a secret out of every version of a tenant, run this on the server: "
        "./netcairn purge_secret --tenant NAME"
    )
    list_display = ("made", "tenant", "by", "reason", "files", "versions", "finished")
    list_display_links = None
    list_filter = ("tenant",)
    list_select_related = ("tenant",)

    @display(description="Purged", ordering="at")
    def made(self, row: Purge) -> str:
        """When."""
        return cells.when(row.at)

    @display(description="Off the disk", ordering="finished_at")
    def finished(self, row: Purge) -> str:
        """When the old content went; what has to be done where it is still there."""
        return cells.when(row.finished_at) if row.finished_at else "not yet: collect the tenant's garbage"
