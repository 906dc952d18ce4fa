"""The first command on a bare machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import manage

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.long
@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="a database of the operator's own is left alone")
def test_the_first_command_finds_its_tables(tmp_path: Path) -> None:
    """Nobody should have to know of migrations to add the first tenant."""
    environment = {**os.environ, "NETCAIRN_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", "tenant", "list", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, json.loads(done.stdout)) == (0, {"tenants": []})
    assert "Preparing the database." in done.stderr


def test_an_unknown_command_is_wrong_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A script with a slip of the pen must not take it for a network that refused."""
    monkeypatch.setattr(sys, "argv", ["manage.py", "bakcup"])

    with pytest.raises(SystemExit) as end:
        manage.main()

    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    assert "did you mean `backup`?" in said.err
