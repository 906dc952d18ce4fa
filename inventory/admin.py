"""Pages of tenants, members, credentials and devices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django_q.models import Failure, OrmQ, Schedule, Success
from import_export.admin import ImportExportModelAdmin
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import display

from inventory import (  # noqa: F401  (three register pages)
    audit,
    bulk_edit,
    device_actions,
    jump_host_admin,
    lockout_admin,
    people_admin,
    sources,
    trails,
)
from inventory.confirmation import confirmed_action
from inventory.errors import NetcairnError
from inventory.filters import PlatformFilter, RetiredFilter, SiteFilter
from inventory.forms import CredentialForm, DeviceForm, DeviceImportForm
from inventory.host_key_actions import host_key_actions
from inventory.login.login_actions import DemandsSecondFactor
from inventory.models import Credential, Device, Membership, Tenant
from inventory.platforms import registry
from inventory.resources import ConfirmDeviceImportForm, DeviceCSV, DeviceResource, WaitingFile
from inventory.roles import is_superuser, tenants_with
from inventory.scoping import TenantModelAdmin, TenantTabularInline

# Their pages would show arguments of all tenants, and adding a schedule is running any function at all.
for queue_model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(queue_model)

HostKeyActions: Any = host_key_actions("inventory.accept_host_key")


class MembershipInline(TenantTabularInline):
    """Who belongs to a tenant, and as what."""

    model = Membership
    extra = 0
    fields = ("user", "role")
    tab = True


def number_of(model: type[Device | Membership]) -> Coalesce:
    """Within a query of tenants: how many rows of the model each has. Not a join: the query may be joined to the
    memberships of who looks, and would count only those."""
    mine = model._default_manager.filter(tenant=OuterRef("pk")).order_by().values("tenant")
    return Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n")), 0)


@admin.register(Tenant)
class TenantAdmin(DemandsSecondFactor, TenantModelAdmin):
    """Customers and organisations."""

    nothing = "A tenant owns devices and has a repository of its own. “First device” on the dashboard makes one."
    list_display: tuple[str, ...] = ("name", "device_count", "member_count", "created_at")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", ("max_sessions", "max_sessions_a_site"), "objective_hours", ("second_factor", "created_at"))
    readonly_fields = ("second_factor", "created_at")
    inlines = (MembershipInline,)
    actions_detail: tuple[Any, ...] = ("change_second_factor",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Who was let in, or out, is written down."""
        super().save_related(request, form, formsets, change)
        trails.memberships_left(request, formsets)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        """With the numbers that the list shows."""
        rows = super().get_queryset(request)
        return rows.annotate(devices_n=number_of(Device), members_n=number_of(Membership))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Trying names would tell which other customers there are, so only superusers rename."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if is_superuser(request.user) else (*fixed, "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tenants are made by those who run the program."""
        return is_superuser(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:  # noqa: ARG002
        """And ended by them."""
        return is_superuser(request.user)

    @display(description="Devices", ordering="devices_n")
    def device_count(self, tenant: Any) -> int:
        """How many devices it has."""
        return int(tenant.devices_n)

    @display(description="Members", ordering="members_n")
    def member_count(self, tenant: Any) -> int:
        """How many people belong to it."""
        return int(tenant.members_n)


@method_decorator(sensitive_post_parameters(), name="changeform_view")
@admin.register(Credential)
class CredentialAdmin(TenantModelAdmin):
    """How to log in. Secrets can be entered and removed here, and never read."""

    nothing = "A credential is how devices are logged in to; its secrets are sealed, and never shown again."
    form = CredentialForm
    list_display = ("name", "tenant", "username", "secrets_set", "device_count", "changed_at")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("name", "username")
    ordering = ("name",)
    readonly_fields = ("secrets_set",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        """With the number that the list shows."""
        return super().get_queryset(request).annotate(devices_n=Count("devices"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Inputs for secrets only where something can be entered."""
        identity = (
            None,
            {"fields": ("tenant", "name", "username", ("source", "source_name"), ("fallback_order", "fallback_site"))},
        )
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return (identity, ("Secrets", {"fields": ("secrets_set",)}))
        secrets = tuple(
            (name, f"clear_{name}") if isinstance(obj, Credential) and obj.has_secret(name) else name
            for name in Credential.SECRETS
        )
        return (identity, ("Secrets", {"fields": secrets}))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Not even sealed secrets can be felt for through the address bar."""
        return "_sealed" not in lookup and super().lookup_allowed(lookup, value, request)

    @display(description="Secrets")
    def secrets_set(self, credential: Credential) -> str:
        """Which secrets it has; of those that are kept elsewhere, where."""
        if credential.source != Credential.Source.DATABASE:
            return place_of(credential)
        held = [name.replace("_", " ") for name in Credential.SECRETS if credential.has_secret(name)]
        return ", ".join(held) or "none"

    @display(description="Devices", ordering="devices_n")
    def device_count(self, credential: Any) -> int:
        """How many devices use it."""
        return int(credential.devices_n)


def place_of(credential: Credential) -> str:
    """Where its secrets are kept, or why this server does not know."""
    try:
        return f"kept in {sources.where(credential)}"
    except NetcairnError as error:
        return str(error)


@admin.register(Device)
class DeviceAdmin(HostKeyActions, TenantModelAdmin, ImportExportModelAdmin):
    """Boxes. `backups` adds what was kept of them."""

    nothing = "Add one and test its connection under “First device”, or import many from a CSV file."
    form = DeviceForm
    list_display: tuple[str, ...] = ("name", "tenant", "shown_address", "shown_platform", "site", "enabled")
    list_filter: tuple[Any, ...] = ("tenant", PlatformFilter, SiteFilter, "enabled", RetiredFilter)
    list_select_related = ("tenant", "credential", "jump_host")
    search_fields = ("name", "address", "site", "tags__icontains")
    search_help_text = "Name, address, site or tag"
    readonly_fields = ("pinned_host_key", "other_host_key", "created_at", "retired_at")
    actions: tuple[str, ...] = (
        "enable",
        "disable",
        "retire",
        "bring_back",
        "edit_several",
        "accept_host_key",
        "keep_host_key",
        "forget_host_key",
    )
    actions_detail: tuple[Any, ...] = ("accept_host_key", "keep_host_key", "forget_host_key")
    fieldsets = (
        (None, {"fields": ("tenant", "name", ("address", "port"), "platform", "credential", "jump_host")}),
        ("Place", {"fields": ("site", "tags")}),
        ("Collecting", {"fields": ("enabled", "transport", "legacy_algorithms", "created_at", "retired_at")}),
        ("Host key", {"fields": ("pinned_host_key", "other_host_key")}),
    )
    resource_classes = (DeviceResource,)
    formats = (DeviceCSV,)
    import_form_class = DeviceImportForm
    confirm_form_class = ConfirmDeviceImportForm
    export_form_class = ExportForm
    tmp_storage_class = WaitingFile

    @display(description="Address", ordering="address")
    def shown_address(self, device: Device) -> str:
        """With the port where it is not SSH's own."""
        return device.address if device.port == 22 else f"{device.address} port {device.port}"

    @display(description="Platform", ordering="platform")
    def shown_platform(self, device: Device) -> str:
        """The sheet's label."""
        return dict(registry.choices()).get(device.platform, f"{device.platform} (no sheet of that name)")

    @confirmed_action(description="Enable", permission="inventory.change_device", plan=device_actions.plan_to_enable)
    def enable(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Let runs collect them."""
        return device_actions.told("enabled", rows.update(enabled=True))

    @confirmed_action(description="Disable", permission="inventory.change_device", plan=device_actions.plan_to_disable)
    def disable(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Let runs pass them by."""
        return device_actions.told("disabled", rows.update(enabled=False))

    @confirmed_action(description="Retire", permission="inventory.change_device", plan=device_actions.plan_to_retire)
    def retire(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Out of service, with all their history."""
        return device_actions.told("retired", rows.retire(now=device_actions.now()))

    @confirmed_action(
        description="Bring back", permission="inventory.change_device", plan=device_actions.plan_to_bring_back
    )
    def bring_back(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Undo retiring."""
        return device_actions.told("brought back", rows.bring_back())

    @confirmed_action(
        description="Edit", permission="inventory.change_device", plan=bulk_edit.plan_to_edit, form=bulk_edit.BulkForm
    )
    def edit_several(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:
        """What is filled in, on all of them."""
        return bulk_edit.edit(request, rows, answers)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import adds and changes."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may look."""
        return self.has_view_permission(request)

    def get_valid_export_item_pks(self, request: HttpRequest) -> Any:
        """The library's default names the ids of all tenants."""
        return self.get_queryset(request).values_list("pk", flat=True)

    def create_import_form(self, request: HttpRequest) -> Any:
        """With the tenants whose devices the user may add and change."""
        form = super().create_import_form(request)
        form.fields["tenant"].queryset = tenants = self.import_tenants(request)
        if len(tenants) == 1:
            form.fields["tenant"].initial = tenants[0]
        return form

    def create_confirm_form(self, request: HttpRequest, import_form: Any = None) -> Any:
        """The same tenants: what was shown is not trusted on its way back."""
        form = super().create_confirm_form(request, import_form)
        form.fields["tenant"].queryset = self.import_tenants(request)
        return form

    def import_tenants(self, request: HttpRequest) -> QuerySet[Tenant]:
        """Tenants whose devices the user may both add and change."""
        changeable = tenants_with(request.user, self.permission("change"))
        return tenants_with(request.user, self.permission("add")).filter(pk__in=changeable).order_by("name")

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        """The tenant goes along."""
        initial = super().get_confirm_form_initial(request, import_form)
        return initial | {"tenant": import_form.cleaned_data["tenant"].pk} if import_form else initial

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        """The tenant that was chosen; none while the form is first shown."""
        form = kwargs.get("form")
        return {"tenant": form.cleaned_data.get("tenant") if form is not None and form.is_bound else None}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        """An export needs to know nothing."""
        return {}

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Carry out what was shown, or say why not."""
        try:
            return super().process_import(request, **kwargs)
        except NetcairnError as error:
            return self.import_refused(request, str(error))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """The world may have moved on since the preview: then nothing was written."""
        if result.has_errors():
            return self.import_refused(request, str(result.base_errors[0].error))
        tenant = Tenant.objects.get(pk=request.POST["tenant"])
        told = {kind: number for kind, number in result.totals.items() if number}
        audit.record(tenant, by=trails.name_of(request), action="device.imported", about=tenant.name, detail=told)
        return super().process_result(result, request)

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        """What leaves is written down."""
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        trails.left(request, "exported", queryset.select_related("tenant"))
        return data

    def import_refused(self, request: HttpRequest, sentence: str) -> HttpResponse:
        """Back to the form with the reason."""
        self.message_user(request, sentence, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:inventory_device_import"))
