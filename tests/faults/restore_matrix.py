"""Every way in which a restore may go, on every system that has a way back: the outcomes that `restore.py --runs` counts.

Each run changes ten things on a device, plans and approves the way back, lets one thing go wrong, and looks at what the
device runs once every timer has run out. Simulated devices over SSH, on a clock that is moved; FRRouting for real,
where it is installed. A worker that is killed is an exception that nothing catches, right before or after the step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from unittest.mock import patch

from backups.device_writing import NetmikoWriter, WritingSession
from backups.errors import LinkLost, Unreachable
from backups.simulator import DeviceSpec, Fault, Fleet
from backups.transport import Limits, Session, Target
from inventory.platforms.sheet import Platform
from tests.simulated import SIMULATED

OUTCOMES = (
    "ok",
    "line refused",
    "accepted and ignored",
    "accepted, then something else",
    "locked out",
    "link lost while pushing",
    "timer ran out",
    "changed since the plan",
    "killed in pre-backup",
    "killed in armed",
    "killed before pushing",
    "killed while pushing",
    "killed in verifying",
    "killed while confirming",
)
# What a row may end in, and what the device then runs. `unknown` is an open alarm, whatever it runs.
TRUE = {"cancelled": "as before", "planned": "as before", "reverted": "as before", "confirmed": "the version"}
TOLD = {  # what a restore says when it enters a state: there a worker is killed
    "killed in armed": "Putting the file",
    "killed before pushing": "Telling the device to change",
    "killed in verifying": "Reading the configuration back",
    "killed while confirming": "The device runs the version",
}


class Killed(BaseException):
    """The worker is gone; nothing of ours may catch this."""


@dataclass
class Tally:
    """What a campaign saw."""

    runs: int = 0
    ended: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)  # system, outcome, state: how often
    confirmed: int = 0
    equal: int = 0  # of the confirmed: read back, tidied, the same as the checkpoint
    most_pushes: int = 0
    lies: list[str] = field(default_factory=list)


class Lab(Protocol):
    """A device that can be changed, broken and looked at."""

    system: str
    world: Any  # tests.checkpoints.restoring.World, or what looks like it
    commit: str  # how the line that takes effect begins

    def begin(self) -> None:
        """Healthy, with ten changes against the checkpoint."""

    def edit(self) -> None:
        """One change more."""

    def spoil(self, outcome: str) -> None:
        """Let this go wrong from now on."""

    def pass_time(self) -> None:
        """Every timer of the device runs out."""

    def runs(self) -> str:
        """What it runs: the version, as before, or something else."""


class Watcher(NetmikoWriter):
    """A way to a device that counts what takes effect, and breaks or kills at a line."""

    def __init__(self, commit: str, *, at: str = "", how: Callable[[], Exception | Killed] = Killed) -> None:
        self.commit, self.at, self.how = commit, at, how
        self.pushes = 0
        self.gone = False

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        if self.gone:
            raise Unreachable(f"{target.name} cannot be reached; check the way to it.")
        with super().open(target, platform, limits) as session:
            yield session

    @contextmanager
    def open_for_writing(self, target: Target, platform: Platform, limits: Limits) -> Iterator[WritingSession]:
        with super().open_for_writing(target, platform, limits) as session:
            yield Watched(session, self)


class Watched:
    """One session of a Watcher."""

    def __init__(self, session: WritingSession, watcher: Watcher) -> None:
        self.session, self.watcher = session, watcher

    def say(self, line: str, **how: Any) -> bytes:
        """As it is, then break."""
        self.watcher.pushes += bool(re.match(self.watcher.commit, line))
        try:
            answer = self.session.say(line, **how)
        finally:
            # Also where the device ends the session itself, as RouterOS does.
            if self.watcher.at and re.match(self.watcher.at, line):
                raise self.watcher.how()
        return answer


class SimulatedLab:
    """A device of the simulator."""

    def __init__(self, system: str, fleet: Fleet) -> None:
        from tests.checkpoints.restoring import COMMITS, World, change_ten_things

        self.system, self.fleet, self.change = system, fleet, change_ten_things
        self.world = World(fleet, over_ssh=True)
        self.device = self.world.simulated
        self.commit = COMMITS[system]

    def begin(self) -> None:
        """As the checkpoint says, then ten changes."""
        device = self.device
        with device.lock:
            device.set_faults()
            device.stop_timer()
            for kept in (device.memory, device.files, device.history, device.log):
                kept.clear()
            device.running = self.world.golden
            device.save("engineer")
        self.change(device)
        self.world.changed = device.running_config

    def edit(self) -> None:
        """Somebody at the console."""
        one_more = {
            "mikrotik_routeros": "/snmp set contact=somebody",
            "juniper_junos": "set snmp contact somebody",
            "vyos": "set service snmp contact somebody",
            "aruba_aoscx": "snmp-server system-contact somebody",
        }
        if self.system == "cisco_xr" and self.device.timer:
            # It lets nobody commit beside a trial: something in the router itself has to do it.
            self.device.running = self.device.running.replace("description router id", "description meddled")
            return
        self.device.edit([one_more.get(self.system, "snmp-server contact somebody")])
        self.device.save("engineer")
        self.world.changed = self.device.running_config

    def spoil(self, outcome: str) -> None:
        """By a fault of the simulator, or by hand."""
        fault = {"line refused": "refuse-line", "accepted and ignored": "accept-and-ignore", "locked out": "lockout"}
        if outcome in fault:
            self.device.set_faults(Fault(fault[outcome]))
        elif outcome == "accepted, then something else":
            with self.device.lock:
                before = self.world.changed
                self.edit()
                self.world.changed = before

    def pass_time(self) -> None:
        """An hour, at once."""
        self.fleet.advance(3600)

    def runs(self) -> str:
        """By its own configuration, not by what it says over SSH."""
        known = {self.world.golden: "the version", self.world.changed: "as before"}
        return known.get(self.device.running_config, "something else")


class FrrLab:
    """A real router. Its clock is real; ours is moved."""

    system, commit = "linux (FRRouting)", r"PATH=.* --reload --stdout \S+\.cfg"

    def __init__(self, bench: Any) -> None:
        from tests.checkpoints.frr_world import FrrWorld

        self.bench = bench
        self.world = FrrWorld(bench)

    def begin(self) -> None:
        """As the checkpoint says, then ten changes."""
        self.bench.begin()
        self.world.change()

    def edit(self) -> None:
        """Somebody in vtysh."""
        self.world.edit("ip route 203.0.113.77/32 Null0")
        self.world.changed = self.world.running()

    def spoil(self, outcome: str) -> None:
        """By the wrapper around frr-reload.py, or by hand."""
        if outcome in ("line refused", "accepted and ignored"):
            self.bench.misbehave("refuse" if outcome == "line refused" else "ignore")
        elif outcome == "accepted, then something else":
            self.world.edit("ip route 203.0.113.77/32 Null0")

    def pass_time(self) -> None:
        """Until its timer has done what it does, or will do nothing any more."""
        self.world.time.pause(3600)

    def runs(self) -> str:
        """By vtysh, not over SSH."""
        known = {self.world.golden: "the version", self.world.changed: "as before"}
        return known.get(self.world.running(), "something else")


@contextmanager
def labs(systems: Sequence[str] = ()) -> Iterator[list[Lab]]:
    """One device of each system, or of these; FRRouting where it can be started."""
    from tests.backups.frr_router import missing

    with ExitStack() as stack:
        made: list[Lab] = []
        for number, system in enumerate(systems or SIMULATED):
            fleet = stack.enter_context(Fleet([DeviceSpec(system, size=2000)], seed=number))
            made.append(SimulatedLab(system, fleet))
        if not systems and not missing():
            from tests.checkpoints.frr_bench import bench

            made.append(FrrLab(stack.enter_context(bench())))
        yield made


def campaign(runs: int, *, first: int = 0, systems: Sequence[str] = ()) -> Tally:
    """So many runs, the outcomes in turn on each system in turn. Django has to be set up, on an empty place."""
    tally = Tally()
    with labs(systems) as made:
        for number in range(first, first + runs):
            lab = made[number % len(made)]
            outcome = OUTCOMES[number // len(made) % len(OUTCOMES)]
            one_run(lab, outcome, tally)
            tally.runs += 1
    return tally


def one_run(lab: Lab, outcome: str, tally: Tally) -> None:
    """Change, plan, approve, let it go wrong, look."""
    lab.begin()
    restore = lab.world.approved()
    if outcome == "changed since the plan":
        lab.edit()
    watcher = watcher_for(lab, outcome)
    push(lab, restore, outcome, watcher)
    if restore.state != "planned":
        settle(lab, restore)
    lab.pass_time()
    examine(lab, restore, outcome, watcher.pushes, tally)


def watcher_for(lab: Lab, outcome: str) -> Watcher:
    """What happens to the link or to the worker at the line that takes effect."""
    if outcome == "link lost while pushing":
        return Watcher(lab.commit, at=lab.commit, how=lambda: LinkLost("the link broke"))
    return Watcher(lab.commit, at=lab.commit if outcome == "killed while pushing" else "")


def push(lab: Lab, restore: Any, outcome: str, watcher: Watcher) -> None:
    """Carry it out, as far as it comes."""
    from checkpoints import device_restore
    from checkpoints.errors import PlanOutdated

    def told(what: str) -> None:
        if outcome in TOLD and what.startswith(TOLD[outcome]):
            raise Killed
        if what.startswith("Telling"):
            if outcome in ("line refused", "locked out", "accepted and ignored"):
                lab.spoil(outcome)
            watcher.gone = outcome == "locked out" and isinstance(lab, FrrLab)
        if what.startswith("Looking") and outcome == "accepted, then something else":
            lab.spoil(outcome)
        if what.startswith("The device runs the version") and outcome == "timer ran out":
            lab.pass_time()
        if what.startswith("The timer has run out"):
            watcher.gone = False

    if outcome == "line refused" and isinstance(lab, SimulatedLab):
        lab.spoil(outcome)
    means = replace(lab.world.means, writer=watcher, told=told)
    dead = patch.object(device_restore, "look_and_plan", side_effect=Killed)
    with ExitStack() as stack:
        if outcome == "killed in pre-backup":
            stack.enter_context(dead)
        with suppress(Killed, PlanOutdated):
            device_restore.push_restore(restore, by="bob", means=means)
    restore.refresh_from_db()


def settle(lab: Lab, restore: Any) -> None:
    """Let time pass until the reaper has said what became of it."""
    from backups import runs
    from checkpoints.restore_reaper import reap_restores

    lab_time = lab.world.means.time
    for _ in range(60):
        restore.refresh_from_db()
        if restore.ended:
            break
        lab.pass_time() if isinstance(lab, SimulatedLab) else lab_time.pause(600)
        reap_restores(lab.world.means)
    runs.reap(lab.world.means.clock())


def examine(lab: Lab, restore: Any, outcome: str, pushes: int, tally: Tally) -> None:
    """Whether the row says what the device shows."""
    from checkpoints.restore_reaper import settle_restore
    from inventory.notices import Notice

    where = f"{lab.system}, {outcome}"
    runs, state = lab.runs(), restore.state
    states = tally.ended.setdefault(lab.system, {}).setdefault(outcome, {})
    states[state] = states.get(state, 0) + 1
    tally.most_pushes = max(tally.most_pushes, pushes)
    if pushes > 1:
        tally.lies.append(f"{where}: pushed {pushes} times")
    if state != "unknown" and TRUE.get(state) != runs:
        tally.lies.append(f"{where}: {state}, but it runs {runs}: {restore.detail}")
    if outcome == "ok" and state != "confirmed":
        tally.lies.append(f"{where}: {state}: {restore.detail}")
    if state == "confirmed":
        tally.confirmed += 1
        same = equal(lab, restore)
        tally.equal += same
        if not same:
            tally.lies.append(f"{where}: confirmed, and not equal to the checkpoint")
    if state == "unknown":
        if not Notice.objects.open_alarms().filter(about__contains=restore.device.name).exists():
            tally.lies.append(f"{where}: unknown, and nobody was told")
        settle_restore(restore, by="ada", note="looked", now=restore.ended_at)


def equal(lab: Lab, restore: Any) -> bool:
    """Whether a new capture, tidied, is the version's, tidied."""
    from backups.capture import stable
    from backups.collect import collect
    from backups.store.reader import open_store
    from backups.targets import platform_of, target_of

    platform, name = platform_of(restore.device), restore.plan["running"]
    capture = collect(
        target_of(restore.device), platform, transport=NetmikoWriter(), limits=lab.world.means.limits
    ).capture
    wanted = open_store(restore.tenant_id).blob(restore.target[name]["blob"])
    return stable(platform, capture.files[name]) == stable(platform, wanted)


def table(tally: Tally) -> str:
    """The matrix for the documents: a row for each outcome, a column for each system."""
    systems = list(tally.ended)
    rows = [["outcome", *systems], ["---"] * (len(systems) + 1)]
    for outcome in OUTCOMES:
        cells = [
            ", ".join(f"{state} {count}" for state, count in sorted(tally.ended[system].get(outcome, {}).items()))
            or "-"
            for system in systems
        ]
        rows.append([outcome, *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
