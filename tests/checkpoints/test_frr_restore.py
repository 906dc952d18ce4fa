"""A real router is put back: FRRouting behind OpenSSH, changed in ten places. Needs what `tests/backups/test_frr.py` needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.capture import stable
from backups.collect import collect
from backups.device_writing import NetmikoWriter
from backups.transport import Limits, Target
from checkpoints.plan import Plan, make_plan
from checkpoints.push import Outcome, carry_out
from inventory.platforms import registry
from tests.backups import test_frr as frr
from tests.checkpoints.restoring import Notes

router, ways_in, pytestmark = frr.router, frr.ways_in, frr.pytestmark

LINUX = registry.platform("linux")
LIMITS = Limits(deadline=60)
NAME = "netcairn-0a1b2c3d"
TEN_CHANGES = (
    "hostname elsewhere",
    "banner motd line somebody was here",
    "no ip route 198.51.100.0/24 Null0",
    "ip route 203.0.113.0/24 Null0",
    "ip route 10.0.0.0/24 Null0 77",
    "no ip route 10.0.1.0/24 Null0",
    "ip prefix-list NEW seq 5 permit 192.0.2.0/24",
    "route-map NEW permit 10",
    "exit",
    "router bgp 64512",
    "neighbor 192.0.2.1 remote-as 64999",
    "neighbor 192.0.2.9 remote-as 64513",
    "exit",
)  # fmt: skip


class ShortTime:
    """Real time on which a long wait ends as soon as the router runs what it ran before."""

    def __init__(self, target: Target, before: bytes) -> None:
        self.target, self.before, self.skipped = target, before, 0.0

    def now(self) -> float:
        return time.monotonic() + self.skipped

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + 30
        while running(self.target) != self.before and time.monotonic() < until:
            pass
        self.skipped += seconds


class Scene:
    """The router, changed in ten places, and the plan back."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.golden = files_of(target)
        frr.vtysh("configure terminal", *TEN_CHANGES)
        self.changed = files_of(target)
        self.plan: Plan = make_plan(LINUX, current=self.changed, target=self.golden, name=NAME, minutes=2)
        self.notes = Notes()

    def push(self, notes: Notes | None = None) -> Outcome:
        self.notes = notes or Notes()
        return carry_out(
            self.plan,
            self.target,
            LINUX,
            writer=NetmikoWriter(),
            limits=LIMITS,
            journal=self.notes,
            time=ShortTime(self.target, self.plan.before),
        )


def files_of(target: Target) -> dict[str, bytes]:
    capture = collect(target, LINUX, transport=NetmikoWriter(), limits=LIMITS).capture
    assert capture.good, capture.doubts
    return dict(capture.files)


def running(target: Target) -> bytes:
    return stable(LINUX, files_of(target)["frr.conf"])


@pytest.fixture
def scene(router: Path, ways_in: dict[str, Target]) -> Iterator[Scene]:
    """A wrapper leads frr-reload.py to this router; the timer's minutes are seconds."""
    reload = f'#!/bin/sh\nexec /usr/lib/frr/frr-reload.py --pathspace {frr.NAME} "$@"\n'
    for name, text in (("frr-reload.py", reload), ("sleep", "#!/bin/sh\nexec /bin/sleep 1\n")):
        (router / name).write_text(text)
        (router / name).chmod(0o755)
    scene = Scene(ways_in["shell"])
    yield scene
    for name in (f"{NAME}.cfg", f"{NAME}.before"):
        (Path.home() / name).unlink(missing_ok=True)


def test_a_real_router_is_put_back(scene: Scene) -> None:
    """Ten things were changed by hand; the router is read back equal, and what is saved equals it too."""
    assert scene.plan.can_be_pushed, scene.plan.obstacles

    outcome = scene.push()

    assert outcome == Outcome("confirmed", saved=True)
    assert running(scene.target) == scene.plan.target
    assert not list(Path.home().glob(f"{NAME}*"))  # configurations hold secrets
