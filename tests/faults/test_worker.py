"""A sample of the campaign in `tests/faults/worker.py`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.faults.worker import ROOT

pytest.importorskip("asyncssh", reason="the simulated fleet needs asyncssh")


@pytest.mark.long
def test_killing_the_collecting_process_loses_nothing_acknowledged() -> None:
    """A power cut comes in the middle of the night's run; the morning must find every version that was promised."""
    campaign = [sys.executable, "-m", "tests.faults.worker", "--kills", "1", "--devices", "8"]

    done = subprocess.run(campaign, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kills"] == 1
