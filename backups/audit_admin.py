"""The page of the audit log: who did or saw what in the tenants that the user may know of. Nobody changes it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import display

from backups import cells
from backups.pages import RecordAdmin
from inventory.audit import AuditEntry, record
from inventory.audit_export import exported_lines
from inventory.models import Tenant
from inventory.roles import may, tenants_with
from inventory.scoping import tenant_object_or_404

VIEW = "inventory.view_auditentry"
OFFERED = 12  # tenants whose logs are offered without choosing one


def as_id(text: str | None) -> UUID | None:
    """An id of an address; None where it is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


class AboutFilter(DropdownFilter):
    """By what was acted on: the part of a code before its dot."""

    title = "of"
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Fixed: asking a large log which codes it has would read all of it."""
        kinds = ("device", "version", "search", "checkpoint", "restore", "credential", "membership", "user", "tenant")
        return [(kind, kind.capitalize()) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """Entries whose code begins so."""
        return queryset.filter(action__startswith=f"{self.value()}") if self.value() else queryset


@admin.register(AuditEntry)
class AuditAdmin(RecordAdmin):
    """Entries as they were recorded."""

    page_template = "netcairn/audit_entry.html"
    nothing = (
        "Nothing is recorded yet. Whoever sees a secret, downloads, restores or changes rights, leaves a line here."
    )
    list_display = ("shown_at", "by", "action", "about", "tenant")
    list_display_links = ("shown_at",)
    list_filter = (
        "tenant",
        AboutFilter,
        ("action", FieldTextFilter),
        ("by", FieldTextFilter),
        ("at", RangeDateTimeFilter),
    )
    list_select_related = ("tenant",)
    search_fields = ("about",)
    search_help_text = "What it was about"
    ordering = ("-id",)
    show_full_result_count = False
    list_before_template = "netcairn/audit_list_head.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the logs that can be taken along: of the chosen tenant, or of each where they are few."""
        tenants = tenants_with(request.user, VIEW).order_by("name")
        chosen = [one for one in (as_id(request.GET.get("tenant__id__exact")),) if one]
        found = list((tenants.filter(pk__in=chosen) if chosen else tenants)[: OFFERED + 1])
        offered = [(one.name, self.page_url("export", one.pk)) for one in found] if len(found) <= OFFERED else []
        told = {"exports": offered, "many_tenants": len(found) > OFFERED, **(extra_context or {})}
        return super().changelist_view(request, told)

    @display(description="At", ordering="id")
    def shown_at(self, entry: AuditEntry) -> SafeString:
        """When."""
        return cells.when(entry.at)

    def get_urls(self) -> list[URLPattern]:
        """A tenant's chain as a file."""
        return [self.own_page("export/<uuid:tenant_id>/", "export", self.export), *super().get_urls()]

    def export(self, request: HttpRequest, tenant_id: UUID) -> Any:
        """JSON lines that whoever gets them can check; that they left is an entry itself."""
        tenant = tenant_object_or_404(request, Tenant, tenant_id)
        if not may(request.user, VIEW, tenant.pk):
            raise PermissionDenied
        if request.method == "HEAD":  # nothing leaves, so nothing is recorded
            return HttpResponse(content_type="application/jsonl")
        record(tenant, by=request.user.get_username(), action="audit.exported", about=tenant.name)
        name = f"{tenant.name}-audit-{timezone.now():%Y%m%dT%H%M%SZ}.jsonl"
        told = {"Content-Disposition": str(content_disposition_header(True, name)), "X-Content-Type-Options": "nosniff"}
        return StreamingHttpResponse(exported_lines(tenant.pk), content_type="application/jsonl", headers=told)

    def page_context(self, request: HttpRequest, row: AuditEntry) -> dict[str, Any]:  # noqa: ARG002
        """All of it."""
        return {
            "entry": row,
            "detail": json.dumps(row.detail, indent=2, ensure_ascii=False),
            "digest": bytes(row.digest).hex(),
            "previous": bytes(row.previous).hex(),
            "export_url": self.page_url("export", row.tenant_id) if row.tenant_id else "",
        }
