"""Carrying a plan out, over real SSH against simulated devices that hold real state: every way in which it may end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import pytest

from backups.device_writing import NetmikoWriter
from backups.simulator import DeviceSpec, Fault, Fleet
from backups.simulator.device import Device
from backups.transport import Limits, Target
from checkpoints.errors import RestoresStopped
from checkpoints.push import Outcome, carry_out
from tests.checkpoints.restoring import (
    COMMITS,
    CONFIRMS,
    LIMITS,
    CutWriter,
    Notes,
    SkippedTime,
    change_ten_things,
    files_of,
    planned,
    target_of,
)
from tests.simulated import SIMULATED

T = TypeVar("T")


class Scene:
    """A device that was changed, and the plan back."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.device: Device = fleet[0]
        self.system = self.device.platform
        self.golden = self.device.running_config
        then = files_of(self.device)
        change_ten_things(self.device)
        self.changed = self.device.running_config
        self.plan, self.platform = planned(self.device, then)
        assert self.plan.can_be_pushed, self.plan.obstacles
        self.notes = Notes()

    def begin(self) -> None:
        """As it was when the plan was made."""
        device = self.device
        with device.lock:
            device.set_faults()
            device.stop_timer()
            device.running = self.changed
            device.save("engineer")
            for kept in (device.memory, device.files, device.history, device.log, device.attempts):
                kept.clear()

    def push(
        self,
        *faults: Fault | str,
        writer: NetmikoWriter | None = None,
        at: dict[str, Callable[[], None]] | None = None,
    ) -> Outcome:
        """Carry the plan out on a device with these faults; `at` does something when a stage begins."""
        self.notes = Notes(at)
        self.device.set_faults(*faults)
        return carry_out(
            self.plan,
            target_of(self.device),
            self.platform,
            writer=writer or NetmikoWriter(),
            limits=LIMITS,
            journal=self.notes,
            time=SkippedTime(self.fleet),
        )

    def runs(self) -> str:
        """What the device runs once every timer has run out: the version, what was before, or something else."""
        self.fleet.advance(3600)
        known = {self.golden: "the version", self.changed: "as before"}
        return known.get(self.device.running_config, "something else")

    def said(self, line: str) -> int:
        """How often a line was said to the device."""
        return sum(each.startswith(line) for each in self.device.commands)

    def pushes(self) -> int:
        """How often the line that takes effect was said."""
        return sum(bool(re.match(COMMITS[self.system], each)) for each in self.device.commands)

    @property
    def leftovers(self) -> list[str]:
        """Files of ours that are still on the device."""
        return [name for name in self.device.files if "netcairn" in name]


class Scenes:
    """The same on every system, at the same time: most of it is waiting for devices."""

    def __init__(self, scenes: list[Scene], pool: ThreadPoolExecutor) -> None:
        self.scenes, self.pool = scenes, pool

    def each(self, act: Callable[[Scene], T]) -> dict[str, T]:
        """What it comes to, by system."""
        return dict(zip((scene.system for scene in self.scenes), self.pool.map(act, self.scenes), strict=True))

    def everywhere(self, value: T, but: Mapping[str, T] = {}) -> dict[str, T]:
        """The same value for every system, but for those that are named with their own."""
        return {scene.system: but.get(scene.system, value) for scene in self.scenes}


# One of each way in the suite: replaced, a candidate, reset, merged. The run of the long ones takes the others.
IN_THE_SUITE = ("cisco_ios", "juniper_junos", "mikrotik_routeros", "aruba_aoscx")
OTHERS = tuple(system for system in SIMULATED if system not in IN_THE_SUITE)


@pytest.fixture(
    scope="module", params=[IN_THE_SUITE, pytest.param(OTHERS, marks=pytest.mark.long)], ids=["four", "others"]
)
def made(request: pytest.FixtureRequest) -> Iterator[Scenes]:
    """One changed device of each system that can be restored."""
    with ExitStack() as stack:
        systems = request.param
        fleets = [stack.enter_context(Fleet([DeviceSpec(system, size=3000)], seed=3)) for system in systems]
        pool = stack.enter_context(ThreadPoolExecutor(len(systems)))
        yield Scenes(list(pool.map(Scene, fleets)), pool)


@pytest.fixture
def scenes(made: Scenes) -> Scenes:
    """Each as it was when the plan was made."""
    made.each(Scene.begin)
    return made


@pytest.fixture(scope="module")
def router() -> Iterator[Scene]:
    """One IOS device, changed."""
    with Fleet([DeviceSpec("cisco_ios", size=3000)], seed=3) as fleet:
        yield Scene(fleet)


@pytest.fixture
def ios(router: Scene) -> Scene:
    """It alone, as it was when the plan was made."""
    router.begin()
    return router


def test_a_version_is_put_back_whole(scenes: Scenes) -> None:
    """Ten things were changed; each device is read back equal, keeps it after its timer, and starts with it."""
    outcomes = scenes.each(Scene.push)

    assert outcomes == scenes.everywhere(Outcome("confirmed", saved=True))
    assert scenes.each(Scene.runs) == scenes.everywhere("the version")
    assert scenes.each(lambda scene: scene.device.startup_config == scene.golden) == scenes.everywhere(True)
    assert scenes.each(lambda scene: scene.notes.stages) == scenes.everywhere(["armed", "pushing", "verifying"])
    assert scenes.each(lambda scene: scene.leftovers) == scenes.everywhere([])  # configurations hold secrets


def test_a_refused_line_changes_nothing(scenes: Scenes) -> None:
    """The first no ends it. Some find out when it takes effect, and go back; the others before anything runs.

    RouterOS tells nobody how far its script came: that it runs something else is seen, and its timer takes it back.
    """
    outcomes = scenes.each(lambda scene: scene.push(Fault("refuse-line")))

    results = {system: outcome.result for system, outcome in outcomes.items()}
    late = ("cisco_ios", "mikrotik_routeros", "cisco_nxos", "aruba_aoscx")
    assert results == scenes.everywhere("cancelled", dict.fromkeys(late, "reverted"))
    said = {system: "did not accept" in outcome.detail for system, outcome in outcomes.items()}
    assert said == scenes.everywhere(True, {"mikrotik_routeros": False})
    assert scenes.each(Scene.runs) == scenes.everywhere("as before")
    assert scenes.each(lambda scene: scene.leftovers) == scenes.everywhere([])


def test_a_device_that_accepts_and_ignores_is_caught(scenes: Scenes) -> None:
    """A friendly answer is no proof; only reading back is."""
    outcomes = scenes.each(lambda scene: scene.push("accept-and-ignore"))

    assert {system: outcome.result for system, outcome in outcomes.items()} == scenes.everywhere("reverted")
    assert all("did not carry it out" in outcome.detail for outcome in outcomes.values())
    assert scenes.each(Scene.runs) == scenes.everywhere("as before")


def test_a_device_that_locks_us_out_comes_back_by_itself(scenes: Scenes) -> None:
    """The case that costs a journey: nothing is confirmed that could not be reached again."""
    outcomes = scenes.each(lambda scene: scene.push("lockout"))

    told = {system: (outcome.result, outcome.cause) for system, outcome in outcomes.items()}
    assert told == scenes.everywhere(("reverted", "timer"))
    assert scenes.each(Scene.runs) == scenes.everywhere("as before")
    assert scenes.each(lambda scene: scene.device.unreachable) == scenes.everywhere(False)


def test_a_link_that_breaks_while_pushing_is_no_reason_to_push_again(scenes: Scenes) -> None:
    """The device did as told; that is found out by looking, and confirmed.

    IOS-XR lets nobody confirm but the session that is gone, and AOS-CX had heard no more than that its timer runs.
    """
    outcomes = scenes.each(lambda scene: scene.push(writer=CutWriter(COMMITS[scene.system] + ".*")))

    back = ("cisco_xr", "aruba_aoscx")
    results = {system: outcome.result for system, outcome in outcomes.items()}
    assert results == scenes.everywhere("confirmed", dict.fromkeys(back, "reverted"))
    assert scenes.each(Scene.runs) == scenes.everywhere("the version", dict.fromkeys(back, "as before"))
    assert scenes.each(Scene.pushes) == scenes.everywhere(1)


def test_a_timer_that_runs_out_before_the_confirmation_is_respected(scenes: Scenes) -> None:
    """EOS would take a late confirmation for a new commit, and this time without a timer."""
    late = "The device runs the version"
    outcomes = scenes.each(lambda scene: scene.push(at={late: partial(scene.fleet.advance, 3600)}))

    assert {system: outcome.result for system, outcome in outcomes.items()} == scenes.everywhere("reverted")
    assert scenes.each(Scene.runs) == scenes.everywhere("as before")


def test_a_lost_answer_to_the_confirmation_is_not_called_success(scenes: Scenes) -> None:
    """Nobody saw it saved: a person has to look."""
    outcomes = scenes.each(lambda scene: scene.push(writer=CutWriter(CONFIRMS[scene.system])))

    assert {system: outcome.result for system, outcome in outcomes.items()} == scenes.everywhere("unknown")
    assert all("nobody saw" in outcome.detail for outcome in outcomes.values())


def test_the_kill_switch_stops_it_before_anything_takes_effect(scenes: Scenes) -> None:
    """At the last moment the candidate is thrown away and the file is gone."""

    def stop() -> None:
        raise RestoresStopped("Nothing is restored at the moment.")

    def stopped(scene: Scene) -> bool:
        with pytest.raises(RestoresStopped):
            scene.push(at={"pushing": stop})
        return True

    assert scenes.each(stopped) == scenes.everywhere(True)
    assert scenes.each(Scene.pushes) == scenes.everywhere(0)
    assert scenes.each(Scene.runs) == scenes.everywhere("as before")
    assert scenes.each(lambda scene: scene.leftovers) == scenes.everywhere([])


def test_a_device_that_does_not_let_us_in_is_left_alone(scenes: Scenes) -> None:
    """Nothing was said to it, so nothing is in doubt."""
    outcomes = scenes.each(lambda scene: scene.push("refuse-login"))

    told = {system: (outcome.result, outcome.cause) for system, outcome in outcomes.items()}
    assert told == scenes.everywhere(("cancelled", "login-refused"))


def test_a_device_that_cannot_be_read_afterwards_is_unknown(ios: Scene) -> None:
    """Not even after the timer: nobody knows what it runs. And no account is locked by asking again and again."""
    outcome = ios.push(at={"verifying": partial(ios.device.set_faults, "refuse-login")})

    assert outcome.result == "unknown"
    assert "cannot be read" in outcome.detail
    assert sum(not attempt.accepted for attempt in ios.device.password_attempts) == 2


def test_something_else_that_runs_afterwards_is_unknown(ios: Scene) -> None:
    """Somebody at the console at the same time: neither the version nor what was before."""

    def meddle() -> None:
        ios.device.edit(["snmp-server location a third thing"])
        ios.device.stop_timer()

    outcome = ios.push(at={"verifying": meddle})

    assert (outcome.result, ios.runs()) == ("unknown", "something else")
    assert "neither" in outcome.detail


def test_a_file_that_did_not_arrive_whole_is_never_loaded(ios: Scene) -> None:
    """Everything that is missing in it would be removed from the device."""

    class Half(NetmikoWriter):
        def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
            super().put(target, path, content[: len(content) // 2], by=by, limits=limits)

    outcome = ios.push(writer=Half())

    assert (outcome.result, ios.runs(), ios.said("configure replace")) == ("cancelled", "as before", 0)


def test_a_device_that_does_not_save_says_so(ios: Scene) -> None:
    """It runs the version, and would lose it with the next restart."""
    outcome = ios.push(at={"Confirmed": partial(ios.device.set_faults, "invalid")})

    assert (outcome.result, outcome.cause, outcome.saved) == ("confirmed", "not-saved", False)
    assert ios.runs() == "the version"
