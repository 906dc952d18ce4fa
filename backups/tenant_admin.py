"""What backups add to a tenant's page: what it keeps and may keep, and what becomes of secrets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from backups import quota
from backups.verification import verified
from inventory import deletion, secrets_policy
from inventory.admin import TenantAdmin as InventoryTenantAdmin
from inventory.confirmation import AnswerForm, Plan, confirmed_action
from inventory.errors import Invalid
from inventory.models import Tenant


class QuotaForm(AnswerForm):
    """How much it may keep."""

    size = forms.CharField(
        label="New quota", widget=UnfoldAdminTextInputWidget, help_text="500M, 20G, a number of bytes, or none."
    )

    def clean_size(self) -> int:
        """In bytes."""
        try:
            return quota.parse_size(self.cleaned_data["size"])
        except Invalid as refusal:
            raise ValidationError(str(refusal)) from refusal


def plan_to_set_quota(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """What it keeps now, and what a smaller quota does."""
    tenant = rows.get()
    effects = [
        f"{tenant} keeps {quota.usage_of(tenant.pk)}.",
        "Nothing that is kept is removed, however small the quota.",
        "What is over it from then on is reported by runs, and not kept.",
    ]
    return Plan(f"Give {tenant} another quota?", effects, button="Set the quota")


def plan_to_change_policy(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """The other policy, with all that follows from it."""
    tenant = rows.get()
    if tenant.secrets_policy == secrets_policy.MASK:
        return Plan(
            f"Store the secrets inside configurations of {tenant} again?",
            secrets_policy.consequences(secrets_policy.KEEP),
            button="Store secrets",
        )
    return Plan(
        f"Mask the secrets inside configurations of {tenant} before they are stored?",
        secrets_policy.consequences(secrets_policy.MASK),
        warning=secrets_policy.NO_RESTORE,
        button="Mask from now on",
        typed=tenant.name,
    )


def plan_to_end(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """All that goes, and what nobody can call back."""
    tenant = rows.get()
    question = f"Delete {tenant} with all that it keeps?"
    if tenant.ends_at:
        return Plan(question, refusal="Its deletion is asked for already.")
    effects = [
        f"{tenant} keeps {quota.usage_of(tenant.pk)}, of {tenant.devices.count()} devices.",
        "From now on none of its devices is collected.",
        f"In {settings.NETCAIRN_DELETE_DAYS} days it goes for good: repository, object store, keys, credentials, rows. "
        "Until then this can be undone here.",
        *(f"It cannot reach: {one}" for one in deletion.LEFT_BEHIND),
    ]
    warning = "After that nobody can bring a configuration of it back."
    return Plan(question, effects, warning=warning, button="Delete the tenant", typed=tenant.name)


def plan_to_keep(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """The way back."""
    tenant = rows.get()
    if not tenant.ends_at:
        return Plan(f"Keep {tenant}?", refusal="Nobody has asked for its deletion.")
    return Plan(f"Keep {tenant} after all?", ["Its devices are collected again."], button="Keep the tenant")


class TenantAdmin(InventoryTenantAdmin):
    """Tenants, with what they keep."""

    list_display = (*InventoryTenantAdmin.list_display[:-1], "kept", *InventoryTenantAdmin.list_display[-1:])
    list_select_related = ("repository",)
    actions_detail: tuple[Any, ...] = (
        *InventoryTenantAdmin.actions_detail,
        {"title": "Storing", "items": ["set_quota", "change_secrets_policy"]},
        {"title": "Deleting", "items": ["end_tenant", "keep_tenant"]},
    )

    @display(description="Keeps")
    def kept(self, tenant: Tenant) -> str:
        """Unique bytes, and the quota."""
        used = tenant.repository.stored_bytes if hasattr(tenant, "repository") else 0
        return str(quota.Usage(used, tenant.quota_bytes))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, below what the tenant keeps."""
        tenant = self.get_object(request, object_id) if object_id else None
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **head_of(tenant)})

    @confirmed_action(
        description="Delete the tenant",
        permission="inventory.end_tenant",
        plan=plan_to_end,
        icon="delete_forever",
        danger=True,
    )
    def end_tenant(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """After the waiting time."""
        due = deletion.ask(rows.get(), by=request.user.get_username(), now=timezone.now())
        return f"It is deleted for good on {due:%Y-%m-%d at %H:%M} UTC, unless somebody keeps it."

    @confirmed_action(description="Keep the tenant", permission="inventory.end_tenant", plan=plan_to_keep, icon="undo")
    def keep_tenant(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """It was a mistake."""
        deletion.undo(rows.get(), by=request.user.get_username())
        return "It is kept."

    @confirmed_action(
        description="Set the quota",
        permission="inventory.set_quota",
        plan=plan_to_set_quota,
        form=QuotaForm,
        icon="data_usage",
    )
    def set_quota(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:
        """As it was typed."""
        tenant = rows.get()
        usage = quota.set_quota(tenant, answers["size"], by=request.user.get_username())
        return f"{tenant} keeps {usage}."

    @confirmed_action(
        description="Change what becomes of secrets",
        permission="inventory.set_secrets_policy",
        plan=plan_to_change_policy,
        icon="password",
        danger=True,
    )
    def change_secrets_policy(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """The other way round."""
        tenant = rows.get()
        masked = tenant.secrets_policy == secrets_policy.MASK
        new = secrets_policy.KEEP if masked else secrets_policy.MASK
        secrets_policy.set_secrets_policy(tenant, new, by=request.user.get_username())
        return f"Secrets of {tenant} are {'stored' if masked else 'masked before storing'} from now on."


def head_of(tenant: Model | None) -> dict[str, Any]:
    """What stands above a tenant's form."""
    if not isinstance(tenant, Tenant):
        return {}
    return {
        "tenant": tenant,
        "usage": quota.usage_of(tenant.pk),
        "no_restore": secrets_policy.told(tenant),
        "verified": verified([tenant.pk], now=timezone.now()),
    }
