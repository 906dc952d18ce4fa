"""What opens holes is not written: found in the source, before any page is asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.contrib import admin

from inventory.models import Tenant
from inventory.visibility import has_tenant

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for app in ("inventory", "backups", "checkpoints", "config")
    for path in (ROOT / app).rglob("*.py")
    if path.stem.endswith(("admin", "page", "pages", "dashboard", "navigation", "filters", "actions"))
)
# What limits a query to rows that the user may see: the user's eyes, their tenants, or a row that was scoped before.
SCOPES = (
    "visible_to",
    "none",
    "tenant",
    "tenant__in",
    "tenant_id",
    "tenant_id__in",
    "device",
    "device__in",
    "device_id",
    "run",
)
# Each with the reason why no scope is needed there.
ALLOWED = {
    ("inventory/people_admin.py", "User"): "superusers only",
    ("inventory/admin.py", "Tenant"): "an import's tenant, which its form has let through",
    ("checkpoints/admin.py", "Checkpoint"): "ids that the moves of a ref of the tenant name",
    ("config/dashboard.py", "Tenant"): "of tenants that were asked for by visible_to",
    ("backups/search_page.py", "Tenant"): "of scopes that were made for the user",
}


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call in a module."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def chains(path: Path) -> Iterator[tuple[str, str, int]]:
    """Every chain of calls that begins with Model.objects: the model, all names and keywords in it, the line."""
    tree = ast.parse(path.read_text())
    inner = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in inner and (model := start_of(node)):
            yield model, " ".join(names_in(node)), node.lineno


def start_of(node: ast.expr) -> str:
    """The model of `Model.objects.…()`; empty for any other call."""
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager"):
            return node.value.id if isinstance(node.value, ast.Name) else ""
        node = node.func if isinstance(node, ast.Call) else node.value
    return ""


def names_in(node: ast.Call) -> Iterator[str]:
    """Methods and keywords of a chain."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.keyword) and one.arg:
            yield one.arg


def is_scoped(told: str) -> bool:
    """Whether something in the chain limits it."""
    return bool(set(told.split()) & set(SCOPES))


def unscoped(path: Path) -> list[str]:
    """Queries of a page's module that nothing limits to what the user may see."""
    name = str(path.relative_to(ROOT))
    return [
        f"{name}:{line} {model}"
        for model, told, line in chains(path)
        if not is_scoped(told) and (name, model) not in ALLOWED
    ]


def is_guarded(view: object) -> bool:
    """Whether an action names its permission: those of `confirmed_action` do, and Django's own that only look."""
    return bool(getattr(view, "permission", None) or getattr(view, "allowed_permissions", None))


def test_no_page_asks_for_rows_of_everybody() -> None:
    """`Model.objects` on a page is one forgotten filter away from another customer."""
    assert len(PAGES) > 20
    assert [hole for path in PAGES for hole in unscoped(path)] == []


def test_no_text_is_called_safe() -> None:
    """Devices say what they like, and some say it in HTML."""
    words = ("mark_safe", "SafeText", "html_safe")
    modules = [path for app in ("inventory", "backups", "checkpoints", "config") for path in (ROOT / app).rglob("*.py")]
    said = {str(path.relative_to(ROOT)) for path in modules for word in words if word in path.read_text()}
    pages = {
        str(path)
        for path in (ROOT / "templates").rglob("*.html")
        if "|safe" in path.read_text() or "autoescape off" in path.read_text()
    }

    assert said | pages == set()


def test_no_page_has_raw_ids_or_queries_made_of_addresses() -> None:
    """The widget names any row of any tenant; names of fields from outside reach into any column."""
    wrong = []
    for path in PAGES:
        text = path.read_text()
        wrong += [
            f"{path.name}: {word}"
            for word in ("raw_id_fields =", "**request.GET", "**request.POST", ".extra(", "RawSQL")
            if word in text
        ]
    assert wrong == []


def test_every_action_has_a_permission_and_asks_first() -> None:
    """A button without either is pressed by anybody, by a link in a mail."""
    wrong = []
    for page in (page for model, page in admin.site._registry.items() if has_tenant(model) or model is Tenant):
        views = [getattr(page, action) if isinstance(action, str) else action for action in page.actions or ()]
        wrong += [f"{page}.{view.__name__}" for view in views if not is_guarded(view)]
        buttons = [*page._get_base_actions_detail(), *page._get_base_actions_row(), *page._get_base_actions_list()]  # type: ignore[attr-defined]
        wrong += [f"{page}.{entry.path}" for entry in buttons if not is_guarded(entry.method)]
    assert wrong == []


def test_the_hunt_finds_a_hole(tmp_path: Path) -> None:
    """It must be one that can fail."""
    page = tmp_path / "pages.py"
    page.write_text("def view(request):\n    return Device.objects.filter(name=request.GET['q']).first()\n")

    assert [(model, is_scoped(told)) for model, told, _ in chains(page)] == [("Device", False)]
