"""The units of `deploy/` call what exists, and leave no process behind."""

from __future__ import annotations

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from django.core.management import get_commands

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def service(unit: Path) -> dict[str, str]:
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text().replace("\\\n", " "))
    return dict(parser["Service"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_something_that_exists(unit: Path) -> None:
    """A renamed command is found here, and not at the next start of a server."""
    words = service(unit)["ExecStart"].split()

    assert words[0] == "/opt/netcairn/.venv/bin/python"
    assert (words[1:3] == ["-m", "gunicorn"]) or (words[1] == "manage.py" and words[2] in get_commands())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_comes_back_and_leaves_nothing_behind(unit: Path) -> None:
    """Orphaned queue workers go on unguarded, without a scheduler and without a watch."""
    said = service(unit)

    assert (said["Restart"], said["KillMode"], said["User"]) == ("always", "mixed", "netcairn")
    assert said["NoNewPrivileges"] == "yes"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_can_read_the_units() -> None:
    """A misspelt line is ignored silently when the service starts."""
    told = subprocess.run(["systemd-analyze", "verify", *map(str, UNITS)], capture_output=True, text=True, check=False)

    assert "Unknown" not in told.stderr
