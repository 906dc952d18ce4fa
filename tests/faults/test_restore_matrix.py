"""A sample of the matrix in `tests/faults/restore_matrix.py`: some systems, the outcomes that cost most when they go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from backups.simulator import DeviceSpec, Fleet

pytest.importorskip("asyncssh", reason="the simulated devices need asyncssh")

from tests.faults.restore_matrix import SimulatedLab, Tally, one_run

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("system", "outcomes"),
    [
        ("mikrotik_routeros", ("killed while pushing", "ok")),
        ("arista_eos", ("accepted, then something else", "killed while confirming")),
        ("cisco_xr", ("link lost while pushing", "ok")),
        ("aruba_aoscx", ("line refused", "ok")),
    ],
)
def test_what_a_row_says_is_what_its_device_runs(
    db: None, settings: LazySettings, tmp_path: Path, system: str, outcomes: tuple[str, ...]
) -> None:
    """Whatever goes wrong: the version, the state before, or an alarm; and nothing is pushed twice."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    tally = Tally()
    with Fleet([DeviceSpec(system, size=1000)], seed=1) as fleet:
        lab = SimulatedLab(system, fleet)
        for outcome in outcomes:
            one_run(lab, outcome, tally)

    assert tally.lies == []
    assert tally.most_pushes == 1
