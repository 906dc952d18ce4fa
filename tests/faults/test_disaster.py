"""A little of the campaign against everything at once."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.long
def test_everything_comes_back_from_the_object_store() -> None:
    """The day on which every host burns. Capability C7."""
    command = [sys.executable, "-m", "tests.faults.disaster", "--tenants", "2", "--commits", "70"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal byte by byte; recovered") == 3
