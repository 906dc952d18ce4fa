"""`restore plan`, `apply`, `status` and the rest: what people and programs get to see, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.simulator import DeviceSpec, Fleet
from checkpoints import restore_jobs
from checkpoints.models import Restore
from tests.checkpoints.restoring import World
from tests.checkpoints.test_commands import run
from tests.command_line import CommandLine

__all__ = ["run"]
COMMAND = "checkpoints.management.commands._restore_device"


@pytest.fixture
def world(db: None, store_root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A changed IOS device at its console, and time that can be skipped."""
    made = World(Fleet([DeviceSpec("cisco_ios", size=2000)], seed=3))
    monkeypatch.setattr(f"{COMMAND}.live_means", lambda: made.means)
    monkeypatch.setattr(f"{COMMAND}.operator", lambda: "ada")
    return made


def planned(run: CommandLine, world: World) -> str:
    """A plan's id, by the command."""
    said = run(f"restore plan {world.checkpoint.short_id} --device {world.device.name} --json")
    assert said.status == 0, said.err
    return str(said.document["id"])


def test_a_plan_is_shown_whole(run: CommandLine, world: World) -> None:
    """What changes, what is said, what to look at first, and what happens when it goes wrong."""
    said = run(f"restore plan HEAD --device {world.device.name}")

    assert said.status == 0
    for part in (
        "-snmp-server location elsewhere",
        "configure replace",
        "Users or their passwords",
        "If it goes wrong",
    ):
        assert part in said.out
    assert "0822455D0A16" not in said.out and "(masked)" in said.out
    assert "Nothing was sent to the device" in said.err


def test_a_plan_for_a_program(run: CommandLine, world: World) -> None:
    """The same as one document; `--raw` shows secrets to those who ask for them."""
    said = run(f"restore plan {world.checkpoint.short_id} --device {world.device.name} --json --raw").document

    assert (said["state"], said["device"], said["obstacles"]) == ("planned", world.device.name, [])
    assert [event["state"] for event in said["passed"]][-1] == "planned"
    assert any("0822455D0A16" in line for line in said["diff"]["lines"])
    assert said["diff"]["lines_removed"] == 2 and said["commands"] and said["fingerprint"]


def test_a_plan_is_applied(run: CommandLine, world: World) -> None:
    """And the status tells every state with its time."""
    restore = planned(run, world)
    said = run(f"restore apply {restore[:8]} --yes --json")

    assert (said.status, said.document["state"], said.document["saved"]) == (0, "confirmed", True)
    assert "its timer runs" in said.err
    status = run(f"restore status {restore} --json").document
    states = [event["state"] for event in status["passed"]]
    assert states == sorted(states, key=list(Restore.State.values).index)
    assert {"pre-backup", "armed", "pushing", "verifying", "confirmed"} <= set(states)
    assert all(event["at"] for event in status["passed"])
    assert world.runs() == "the version"


def test_nothing_is_applied_without_the_device_s_name(run: CommandLine, world: World) -> None:
    """A yes is typed too quickly."""
    restore = planned(run, world)

    assert run(f"restore apply {restore}").status == 2
    assert run(f"restore apply {restore}", typed="yes\n").status == 2
    assert world.said("configure replace") == 0
    said = run(f"restore apply {restore}", typed=f"{world.device.name}\n")
    assert (said.status, "runs the version" in said.out) == (0, True)


def test_what_did_not_hold_has_status_1(run: CommandLine, world: World) -> None:
    """The next line of a script must not run."""
    restore = planned(run, world)
    world.simulated.set_faults("accept-and-ignore")
    said = run(f"restore apply {restore} --yes")

    assert (said.status, said.out.startswith("Reverted: ")) == (1, True)
    assert "Reverted" not in run(f"restore list --device {world.device.name}").err


def test_a_device_that_changed_since_asks_for_a_new_look(run: CommandLine, world: World) -> None:
    """One sentence, and the new plan is there to be read."""
    restore = planned(run, world)
    world.simulated.edit(["snmp-server location third"])
    said = run(f"restore apply {restore} --yes")

    assert (said.status, "has changed since" in said.err, "Traceback" in said.err) == (1, True, False)
    assert "-snmp-server location third" in run(f"restore status {restore}").out


def test_restores_are_listed_and_called_off(run: CommandLine, world: World) -> None:
    """Newest first."""
    first, second = planned(run, world), planned(run, world)

    assert [one["id"] for one in run("restore list --json").document["restores"]] == [second, first]
    assert run(f"restore cancel {first} --json").document["state"] == "cancelled"
    assert run(f"restore cancel {first}").status == 1
    assert run(f"restore approve {second} --json").document["approved_by"] == "ada"


def test_an_unknown_outcome_is_looked_at_and_settled(run: CommandLine, world: World) -> None:
    """By a person, in two steps."""
    restore = planned(run, world)
    Restore.objects.filter(pk=restore).update(state="unknown")

    assert run(f"restore settle {restore}").status == 2
    said = run(f"restore settle {restore} --json --note", "as it should be")
    assert (said.status, said.document["settled"]["note"]) == (0, "as it should be")
    assert run(f"restore look {restore}").status == 1  # nobody has to look any more

    again = planned(run, world)
    Restore.objects.filter(pk=again).update(state="unknown")
    looked = run(f"restore look {again} --json")
    assert (looked.status, looked.document["state"]) == (0, "reverted")


WRONG = [
    ("restore plan HEAD", 2, "--device"),
    ("restore plan HEAD --device nothing", 1, "There is no device 'nothing'"),
    ("restore plan nothing --device {device}", 1, "There is no version 'nothing'"),
    ("restore plan {device} --device {device}", 2, "is a device"),
    ("restore plan HEAD --device {device} --minutes 0", 1, "2 to 60 minutes"),
    ("restore apply 00000000 --yes", 1, "There is no restore '00000000'"),
    ("restore status 12", 1, "at least 8 digits"),
]


def test_what_goes_wrong_is_one_sentence(run: CommandLine, world: World) -> None:
    """2 for wrong use, 1 for a refusal, never a traceback."""
    for line, status, sentence in WRONG:
        said = run(line.format(device=world.device.name))

        assert (said.status, said.out, sentence in said.err) == (status, "", True), (line, said.err)
        assert "Traceback" not in said.err


def test_four_eyes_are_wanted_or_not(run: CommandLine, world: World) -> None:
    """Whoever asked is told to find somebody else."""
    assert run(f"restore rules --tenant {world.tenant} --json").document["four_eyes"] is False
    assert run(f"restore rules --tenant {world.tenant} --four-eyes yes --json").document["four_eyes"] is True
    restore = planned(run, world)

    said = run(f"restore apply {restore} --yes")
    assert (said.status, "somebody else than ada" in said.err) == (1, True)
    assert run(f"restore rules --tenant {world.tenant} --four-eyes no").status == 0
    assert run(f"restore apply {restore} --yes").status == 0


def test_the_queue_carries_it_out(run: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that comes twice pushes once, and nothing but an id is in the queue."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("backups.jobs.async_task", lambda *call, **_: asked.append(call))
    monkeypatch.setattr(restore_jobs, "live_means", lambda: world.means)
    restore = planned(run, world)
    assert run(f"restore apply {restore} --yes --queue").status == 0
    assert asked == [("checkpoints.restore_jobs.push", restore)]

    restore_jobs.push(restore)
    restore_jobs.push(restore)

    row = Restore.objects.get(pk=restore)
    assert (row.state, row.pushed_by, world.said("configure replace")) == ("confirmed", "ada", 1)


def test_the_minute_s_tick_finds_what_lost_its_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves the looking to a worker."""
    asked: list[str] = []
    monkeypatch.setattr("backups.jobs.async_task", lambda call, **_: asked.append(call))
    restore = world.planned()
    restore_jobs.tick()
    assert asked == []

    Restore.objects.filter(pk=restore.pk).update(state="armed", lease_until=restore.requested_at)
    restore_jobs.tick()
    assert asked == ["checkpoints.restore_jobs.reap"]
