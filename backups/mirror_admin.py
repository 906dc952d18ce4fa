"""The pages of mirrors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import display

from backups import cells
from backups.content import SECRETS
from backups.mirrors import jobs, services
from backups.mirrors.models import Mirror
from backups.mirrors.pushing import behind
from inventory.confirmation import Plan, confirmed_action
from inventory.host_key_actions import host_key_actions
from inventory.roles import may, tenant_id_of
from inventory.scoping import TenantModelAdmin

HostKeyActions: Any = host_key_actions("backups.accept_mirror_key")


class MirrorForm(forms.ModelForm):
    """What the model's own rules say about it."""

    class Meta:
        model = Mirror
        fields = ("tenant", "name", "url", "credential", "enabled")


def plan_to_push(_page: Any, _request: HttpRequest, rows: QuerySet[Mirror]) -> Plan:
    """Where to."""
    mirrors = list(rows.filter(enabled=True))
    if not mirrors:
        return Plan("Push now?", refusal="None of them is enabled.")
    return Plan("Push now?", [f"{one}: {one.url}" for one in mirrors], button="Push now")


@admin.register(Mirror)
class MirrorAdmin(HostKeyActions, TenantModelAdmin):
    """Repositories elsewhere that get all that a tenant's holds."""

    nothing = "A mirror is a git repository elsewhere that gets all that a tenant's repository holds, after each run."
    form = MirrorForm
    list_display = ("name", "tenant", "url", "enabled", "shown_state", "shown_lag", "shown_same", "trouble")
    list_filter = ("tenant", "enabled")
    list_select_related = ("tenant", "tenant__repository")
    search_fields = ("name", "url")
    ordering = ("name",)
    readonly_fields = ("shown_state", "shown_lag", "shown_same", "trouble", "pinned_host_key", "other_host_key")
    actions = ("push_now",)
    actions_detail = ("push_now", "accept_host_key", "keep_host_key", "forget_host_key")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:  # noqa: ARG002
        """With the plain word on what it hands out."""
        tenant = obj.tenant if isinstance(obj, Mirror) else None
        return (
            (
                None,
                {
                    "fields": ("tenant", "name", "url", "credential", "enabled"),
                    "description": services.told(tenant),
                },
            ),
            ("How it stands", {"fields": ("shown_state", "shown_lag", "shown_same", "trouble")}),
            ("Host key of an SSH server", {"fields": ("pinned_host_key", "other_host_key")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The address stays: what was pushed, and whose key is pinned, is about it."""
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, "url") if obj is not None else fixed

    def allows(self, request: HttpRequest, verb: str, row: Model | None = None) -> bool:
        """Whoever adds one hands out secrets, so they must be allowed to see them."""
        allowed = super().allows(request, verb, row)
        if verb not in ("add", "change"):
            return allowed
        return allowed and may(request.user, SECRETS, tenant_id_of(row) if row is not None else None)

    @display(description="State")
    def shown_state(self, mirror: Mirror) -> SafeString:
        """As a mark."""
        if not mirror.enabled:
            return cells.state("resting", "not enabled")
        if mirror.trouble:
            return cells.state("failed", "in trouble")
        return cells.state("in_sync", "up to date") if mirror.same_at else cells.state("queued", "not pushed yet")

    @display(description="Behind")
    def shown_lag(self, mirror: Mirror) -> str:
        """In changes of the record."""
        repository = getattr(mirror.tenant, "repository", None)
        changes = behind(mirror, repository.seq if repository else 0)
        return f"{changes} change{'' if changes == 1 else 's'}" if changes else "nothing"

    @display(description="Up to date", ordering="same_at")
    def shown_same(self, mirror: Mirror) -> SafeString:
        """When it was last seen to have everything."""
        return cells.when(mirror.same_at)

    @confirmed_action(description="Push now", permission="backups.push_mirror", plan=plan_to_push, icon="upload")
    def push_now(self, request: HttpRequest, rows: QuerySet[Mirror], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """With the queue: a remote may take its time."""
        for mirror in rows.filter(enabled=True):
            services.want_now(mirror, now=timezone.now())
        jobs.ask()
        return "Asked for; the list shows what comes of it."
