"""The real router of `tests/backups/frr_router.py`, changed in ten places, and the plan back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from backups.capture import stable
from backups.collect import collect
from backups.device_writing import NetmikoWriter
from backups.transport import Limits, Target
from checkpoints.plan import Plan, make_plan
from checkpoints.push import Outcome, carry_out
from inventory.platforms import registry
from tests.backups import frr_router
from tests.checkpoints.restoring import Notes

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


class RealSeconds:
    """Real time; a restore that goes well waits for nothing."""

    def now(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        raise AssertionError(f"waited {seconds} seconds")


class Scene:
    """The router, changed in ten places, and the plan back."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.golden = files_of(target)
        frr_router.vtysh("configure terminal", *TEN_CHANGES)
        self.changed = files_of(target)
        self.plan: Plan = make_plan(LINUX, current=self.changed, target=self.golden, name=NAME, minutes=2)
        self.notes = Notes()

    def push(self, notes: Notes | None = None, *, writer: NetmikoWriter | None = None) -> Outcome:
        self.notes = notes or Notes()
        return carry_out(
            self.plan,
            self.target,
            LINUX,
            writer=writer or NetmikoWriter(),
            limits=LIMITS,
            journal=self.notes,
            time=RealSeconds(),
        )


def files_of(target: Target) -> dict[str, bytes]:
    capture = collect(target, LINUX, transport=NetmikoWriter(), limits=LIMITS).capture
    assert capture.good, capture.doubts
    return dict(capture.files)


def running(target: Target) -> bytes:
    return stable(LINUX, files_of(target)["frr.conf"])


class Bench:
    """The router, with wrappers that lead frr-reload.py to it and let a test say when its timer has run out."""

    def __init__(self, place: Path, target: Target) -> None:
        self.place, self.target = place, target
        reload = (
            'eval "file=\\${$#}"\n'
            f'case "$*" in *--reload*.cfg) [ -e {place}/ignore ] && exit 0\n'
            f"[ -e {place}/refuse ] && sed -i '/198.51.100.0/d' $file; esac\n"
            f'/usr/lib/frr/frr-reload.py --pathspace {frr_router.NAME} "$@" || exit 1\n'
            f'case "$*" in *--reload*.cfg) [ -e {place}/refuse ] && exit 1; esac\nexit 0\n'
        )
        sleep = (
            f"touch {place}/timers/$PPID\n"
            f"for _ in $(seq 1200); do [ -e {place}/over ] && exit 0; /bin/sleep 0.1; done\n"
        )
        for name, text in (("frr-reload.py", reload), ("sleep", sleep)):
            (place / name).write_text(f"#!/bin/sh\n{text}")
            (place / name).chmod(0o755)
        (place / "timers").mkdir()
        (place / "golden.conf").write_text(frr_router.vtysh("show running-config").partition("configuration:\n")[2])

    def begin(self) -> None:
        """As it was at first; what a timer of before would do is forgotten."""
        self.clear()
        reload = [str(self.place / "frr-reload.py"), "--reload", "--stdout", str(self.place / "golden.conf")]
        subprocess.run(reload, check=True, capture_output=True)

    def clear(self) -> None:
        """Take away what restores left at the router, and end its timers."""
        for file in Path.home().glob("netcairn-????????.*"):
            file.unlink()
        self.let_timers_run_out()
        for name in ("over", "ignore", "refuse"):
            (self.place / name).unlink(missing_ok=True)

    def misbehave(self, how: str) -> None:
        """`ignore`: a reload only says that it was done; `refuse`: it is done without a line, and says so."""
        (self.place / how).touch()

    def let_timers_run_out(self) -> None:
        """Until each has done what it does; later ones have no time at all."""
        (self.place / "over").touch()
        until = time.monotonic() + 60
        for file in (self.place / "timers").iterdir():
            while Path(f"/proc/{file.name}").exists() and time.monotonic() < until:
                time.sleep(0.02)
            file.unlink()


@contextmanager
def bench() -> Iterator[Bench]:
    """A router of its own."""
    with (
        TemporaryDirectory(prefix="netcairn-frr-") as place,
        frr_router.running_router(),
        frr_router.ways_into(Path(place)) as ways,
    ):
        made = Bench(Path(place), ways["shell"])
        try:
            yield made
        finally:
            made.clear()
