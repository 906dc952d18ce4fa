"""A sample of the campaigns in `tests/faults/collector.py`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.faults.worker import ROOT

pytest.importorskip("asyncssh", reason="the simulated fleet needs asyncssh")


@pytest.mark.long
def test_whatever_devices_do_and_however_often_tasks_come_the_rows_tell_the_truth() -> None:
    """A night with broken devices and a queue that delivers twice must leave nothing that is not so."""
    campaign = [sys.executable, "-m", "tests.faults.collector", "--only", "faults", "thrice"]
    little = ["--devices", "25", "--alone", "6", "--deadline", "5", "--seed", "3"]

    done = subprocess.run([*campaign, *little], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["thrice"]["changed"] == 6
