"""A quick sample of the campaigns against the store; the numbers that prove something are run by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_what_was_acknowledged_survives_a_sample_of_every_fault(transactional_db: None) -> None:
    """A4, A5, A23: no acknowledged version is lost to a killed writer, a late one, a cut of power or a collection of
    garbage, and two workers of a tenant do not disturb each other. All in one process, for starting one takes a second."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.sample", connection.settings_dict["NAME"]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
