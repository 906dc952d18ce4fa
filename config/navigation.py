"""The sidebar, the palette of Ctrl-K and the look of the admin, as django-unfold wants to be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

if TYPE_CHECKING:
    # The settings import this module before any model exists: what needs models is imported when a page asks for it.
    from unfold.dataclasses import SearchResult

PALETTE_LIMIT = 8  # per kind: a palette is for jumping, not for reading lists

# Cool stone for surfaces, the blue of deep water for what can be pressed. Text on either meets WCAG AA (4.5 to 1) in
# both themes: white on primary-600, primary-600 on white and base-100, primary-500 on base-900, base-500 on white.
STONE = {
    "50": "#f8fafb",
    "100": "#f1f4f6",
    "200": "#e2e7ea",
    "300": "#cbd3d8",
    "400": "#93a0a9",
    "500": "#63717b",
    "600": "#47545d",
    "700": "#364249",
    "800": "#222c33",
    "900": "#141c22",
    "950": "#0b1116",
}
WATER = {
    "50": "#eef9fc",
    "100": "#d6f0f7",
    "200": "#b0e1ef",
    "300": "#7ccbe2",
    "400": "#40acca",
    "500": "#2fa4c4",
    "600": "#0c6f8c",
    "700": "#0c5a73",
    "800": "#124b5f",
    "900": "#143f50",
    "950": "#072936",
}


def file(name: str) -> Callable[[HttpRequest], str]:
    """The address of one of our static files, asked for only when a page is made: its name carries a digest."""
    return lambda _request: static(f"netcairn/{name}")


def entry(title: str, icon: str, page: str, permission: str = "", **more: Any) -> dict[str, Any]:
    """One line of the sidebar, shown to those who may open it."""
    allowed = (lambda request: request.user.has_perm(permission)) if permission else None
    return {"title": title, "icon": icon, "link": reverse(f"admin:{page}"), "permission": allowed, **more}


def below(page: str, *others: str) -> Callable[[HttpRequest], bool]:
    """Marks a line of the sidebar on the pages below its own, except those that have lines of their own."""

    def marked(request: HttpRequest) -> bool:
        here = request.path.startswith
        return here(reverse(f"admin:{page}")) and not any(here(reverse(f"admin:{other}")) for other in others)

    return marked


def superuser(request: HttpRequest) -> bool:
    """Whether people and their rights are this user's business."""
    return bool(request.user.is_superuser)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, in the order of a working day."""
    people, waiting = {"permission": superuser}, counted(request)
    return [
        {"items": [entry("Dashboard", "space_dashboard", "index")]},
        {
            "title": "Network",
            "separator": True,
            "items": [
                entry(
                    "Devices",
                    "router",
                    "inventory_device_changelist",
                    "inventory.view_device",
                    active=below("inventory_device_changelist", "inventory_device_platforms"),
                ),
                entry("Tenants", "domain", "inventory_tenant_changelist", "inventory.view_tenant"),
                entry("Credentials", "key", "inventory_credential_changelist", "inventory.view_credential"),
                entry("Platforms", "memory", "inventory_device_platforms", "inventory.view_device"),
                entry("Jump hosts", "alt_route", "inventory_jumphost_changelist", "inventory.view_jumphost"),
            ],
        },
        {
            "title": "Backups",
            "separator": True,
            "items": [
                entry("Runs", "sync", "backups_run_changelist", "backups.view_run"),
                entry("Schedules", "schedule", "backups_schedule_changelist", "backups.view_schedule"),
                entry(
                    "Post-processing",
                    "auto_fix_high",
                    "backups_postprocessing_changelist",
                    "backups.view_postprocessing",
                ),
                entry(
                    "Versions",
                    "history",
                    "backups_snapshot_changelist",
                    "backups.view_snapshot",
                    active=below("backups_snapshot_changelist", "backups_snapshot_search"),
                ),
                entry("Mirrors", "content_copy", "backups_mirror_changelist", "backups.view_mirror"),
                entry("Search", "manage_search", "backups_snapshot_search", "backups.view_snapshot"),
                entry(
                    "Quarantine",
                    "report",
                    "backups_quarantinedfile_changelist",
                    "backups.view_quarantinedfile",
                    **badge(waiting["quarantined"], "warning"),
                ),
                entry(
                    "Notices",
                    "notifications",
                    "inventory_notice_changelist",
                    "inventory.view_notice",
                    **badge(waiting["alarms"], "danger"),
                ),
            ],
        },
        {
            "title": "Checkpoints",
            "separator": True,
            "items": [
                entry("Checkpoints", "flag", "checkpoints_checkpoint_changelist", "checkpoints.view_checkpoint"),
                entry(
                    "Retention",
                    "rule",
                    "checkpoints_retentionpolicy_changelist",
                    "checkpoints.view_retentionpolicy",
                ),
                entry("Epochs", "stacks", "backups_epoch_changelist", "backups.view_epoch"),
                entry("Purges", "delete_forever", "checkpoints_purge_changelist", "checkpoints.view_purge"),
                entry("Refs", "bookmark", "checkpoints_ref_changelist", "checkpoints.view_ref"),
                entry(
                    "Restores",
                    "settings_backup_restore",
                    "checkpoints_restore_changelist",
                    "checkpoints.view_restore",
                    **badge(waiting["unknown"], "danger"),
                ),
                entry(
                    "Restores of several",
                    "dynamic_feed",
                    "checkpoints_restoregroup_changelist",
                    "checkpoints.view_restoregroup",
                ),
            ],
        },
        {
            "title": "People",
            "separator": True,
            "items": [
                {**entry("Users", "person", "auth_user_changelist"), **people},
                {**entry("Groups", "group", "auth_group_changelist"), **people},
                {**entry("Failed logins", "lock_clock", "inventory_lockout_changelist"), **people},
                entry("Audit log", "policy", "inventory_auditentry_changelist", "inventory.view_auditentry"),
            ],
        },
        {
            "title": "Installation",
            "separator": True,
            "items": [
                {**entry("Hosts", "dns", "backups_host_changelist"), **people},
                {**entry("Queues of sites", "call_split", "backups_sitequeue_changelist"), **people},
            ],
        },
    ]


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu under one's own name."""
    links = [{"title": "Second factor", "link": reverse("mfa_index")}]
    if request.user.is_authenticated and request.user.has_usable_password():
        links.append({"title": "Change password", "link": reverse("admin:password_change")})
    return links


def badge(count: int, variant: str) -> dict[str, Any]:
    """A number beside a line of the sidebar; nothing where nobody is needed."""
    return {"badge": count, "badge_variant": variant} if count else {}


def counted(request: HttpRequest) -> dict[str, int]:
    """What of this user's tenants waits for a person: devices whose last answer is in quarantine, alarms that nobody
    has settled, and restores after which nobody knows what the device runs. One query, because every page asks it."""
    from django.db.models import Count, Value

    from backups.standing import quarantined_devices
    from checkpoints.models import Restore
    from inventory.notices import Notice

    kinds = {
        "quarantined": quarantined_devices(request.user),
        "alarms": Notice.objects.visible_to(request.user).open_alarms(),
        "unknown": Restore.objects.visible_to(request.user).unresolved(),
    }
    first, *others = (
        rows.order_by().values(kind=Value(kind)).annotate(n=Count("pk")).values_list("kind", "n")
        for kind, rows in kinds.items()
    )
    return dict.fromkeys(kinds, 0) | dict(first.union(*others, all=True))


def palette(request: HttpRequest, term: str) -> list[SearchResult]:
    """What Ctrl-K finds beside lists: devices and tenants of this user whose name holds the term, and other pages."""
    from unfold.dataclasses import SearchResult

    from inventory.models import Device, Tenant

    user = request.user
    found = []
    if user.has_perm("inventory.view_device"):
        devices = Device.objects.visible_to(user).filter(name__icontains=term).select_related("tenant")
        found += [
            SearchResult(
                device.name,
                f"Device of {device.tenant.name}",
                reverse("admin:inventory_device_overview", args=[device.pk]),
                "router",
            )
            for device in devices.order_by("name")[:PALETTE_LIMIT]
        ]
    if user.has_perm("inventory.view_tenant"):
        tenants = Tenant.objects.visible_to(user).filter(name__icontains=term).order_by("name")
        found += [
            SearchResult(tenant.name, "Tenant", reverse("admin:inventory_tenant_change", args=[tenant.pk]), "domain")
            for tenant in tenants[:PALETTE_LIMIT]
        ]
    return [*found, *pages_called(term, request)]


def pages_called(term: str, request: HttpRequest) -> list[SearchResult]:
    """Lines of the sidebar that are called otherwise than a list, which unfold finds by itself."""
    from django.contrib.admin import site
    from unfold.dataclasses import SearchResult

    lists = {str(model._meta.verbose_name_plural).lower() for model in site._registry}
    return [
        SearchResult(item["title"], "Page", str(item["link"]), item["icon"])
        for group in sidebar(request)
        for item in group["items"]
        if term in item["title"].lower() and item["title"].lower() not in lists
        if "permission" not in item or item["permission"](request)
    ]


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Netcairn",
    "SITE_HEADER": "Netcairn",
    "SITE_SUBHEADER": "Network configurations, kept",
    "SITE_URL": None,
    "SITE_ICON": {"light": file("logo.svg"), "dark": file("logo-dark.svg")},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": file("logo.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"base": STONE, "primary": WATER},
    "STYLES": [file("netcairn.css"), file("lists.css")],
    "SCRIPTS": [file("netcairn.js"), file("code.js"), file("filters.js")],
    "ACCOUNT": {"navigation": "config.navigation.account"},
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "COMMAND": {"search_callback": "config.navigation.palette"},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "config.navigation.sidebar"},
}
