"""A little of the campaign against hosts that die."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.faults.worker import ROOT

pytest.importorskip("asyncssh", reason="the simulated fleet needs asyncssh")


@pytest.mark.long
def test_a_run_survives_the_death_of_a_host_and_of_its_caches() -> None:
    """Whatever was acknowledged is read again, and whoever has no cache, or an old one, works at once. Capability C12."""
    campaign = [sys.executable, "-m", "tests.faults.hosts", "--together", "--mode", "home", "--only", "alpha"]
    little = ["--hosts", "2", "--workers", "1", "--devices", "20", "--latency", "0.5"]

    done = subprocess.run([*campaign, *little], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["versions read again"] == 3 * 20
