"""The page of jump hosts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from inventory.host_key_actions import host_key_actions
from inventory.jump_hosts import JumpHost
from inventory.scoping import TenantModelAdmin

HostKeyActions: Any = host_key_actions("inventory.accept_jump_host_key")


@admin.register(JumpHost)
class JumpHostAdmin(HostKeyActions, TenantModelAdmin):
    """Hosts that devices are reached through."""

    nothing = "A jump host is logged in to on the way to devices that cannot be reached directly."
    list_display = ("name", "tenant", "address", "port", "credential", "through", "device_count")
    list_filter = ("tenant",)
    list_select_related = ("tenant", "credential", "through")
    search_fields = ("name", "address")
    ordering = ("name",)
    readonly_fields = ("pinned_host_key", "other_host_key")
    actions = ("accept_host_key", "keep_host_key", "forget_host_key")
    actions_detail = ("accept_host_key", "keep_host_key", "forget_host_key")
    fieldsets = (
        (None, {"fields": ("tenant", "name", ("address", "port"), "credential", "through", "max_sessions")}),
        ("Host key", {"fields": ("pinned_host_key", "other_host_key")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[JumpHost]:
        """With the number that the list shows."""
        return super().get_queryset(request).annotate(devices_n=Count("devices"))

    @display(description="Devices", ordering="devices_n")
    def device_count(self, jump_host: Any) -> int:
        """How many devices are reached through it at the last hop."""
        return int(jump_host.devices_n)
