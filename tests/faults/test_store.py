"""A quick sample of `tests.faults.store`, and what several writers do to one store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).parents[2]


def experiment(*arguments: str) -> str:
    """Run the experiment on this test's database; what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.store", "--database", connection.settings_dict["NAME"], *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_writer_that_is_killed_anywhere_loses_nothing(transactional_db: None) -> None:
    """A23, promise 2: no acknowledged batch is ever lost. A thousand kills are run by hand."""
    assert "nothing lost" in experiment("--kills", "8")


@pytest.mark.slow
def test_four_writers_of_one_tenant_all_succeed(transactional_db: None) -> None:
    """A4, A5: two workers on two hosts are the normal case, not an accident."""
    assert "no error, no gap" in experiment("--writers", "4", "--turns", "4")
