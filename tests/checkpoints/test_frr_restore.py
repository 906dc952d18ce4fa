"""A real router is put back: FRRouting behind OpenSSH. Needs what `tests/backups/frr_router.py` needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoints.push import Outcome
from tests.backups.frr_router import missing
from tests.checkpoints.frr_bench import NAME, Bench, Scene, bench, running

MISSING = missing()
pytestmark = [pytest.mark.long, pytest.mark.frr, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


@pytest.fixture(scope="module")
def router() -> Iterator[Bench]:
    """One for all."""
    with bench() as made:
        yield made


def test_a_real_router_is_put_back(router: Bench) -> None:
    """Ten things were changed by hand; the router is read back equal, and nothing of the file is left on it."""
    scene = Scene(router.target)
    assert scene.plan.can_be_pushed, scene.plan.obstacles

    outcome = scene.push()

    assert outcome == Outcome("confirmed", saved=True), outcome.detail
    assert running(scene.target) == scene.plan.target
    assert not list(Path.home().glob(f"{NAME}*"))  # configurations hold secrets
