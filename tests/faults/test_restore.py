"""A sample of the campaign in `tests/faults/restore.py`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.faults.restore import ROOT

pytest.importorskip("asyncssh", reason="the simulated devices need asyncssh")


@pytest.mark.long
def test_a_killed_restore_tells_the_truth() -> None:
    """The power goes while a core router is being changed; its row must say what it runs, and nothing be sent twice."""
    campaign = [sys.executable, "-m", "tests.faults.restore", "--kills", "1"]

    done = subprocess.run(campaign, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kills"] == 1
