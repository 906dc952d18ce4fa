"""Restores as rows: who may, when, how often, and what is left of one whose process died. Real SSH, real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from backups.device_writing import WritingSession
from backups.models import PostProcessing, Run, Snapshot
from backups.simulator import DeviceSpec, Fleet
from backups.simulator.device import Device as Simulated
from backups.transport import Limits, Session, Target
from checkpoints import restore_planning
from checkpoints.errors import (
    DeviceTaken,
    NotRestorable,
    PlanOutdated,
    RestoreLost,
    RestoresStopped,
    SamePerson,
    UnknownVersion,
    WrongMoment,
)
from checkpoints.models import Restore, RestoreRules
from checkpoints.restore_documents import restore_diff
from checkpoints.restore_planning import (
    approve_restore,
    cancel_restore,
    collected_now,
    plan_restore,
    request_restore,
)
from checkpoints.restore_reaper import look_again, reap_restores, settle_restore
from checkpoints.services import create_checkpoint
from inventory.models import Membership
from inventory.platforms import registry
from inventory.platforms.sheet import Platform
from inventory.roles import role_grants
from tests.checkpoints.conftest import back_up
from tests.checkpoints.restoring import ConsoleWriter, World, passed
from tests.factories import make_device, make_tenant
from tests.sampling import sampled

State = Restore.State
PUSH = "configure replace"


@pytest.fixture
def world(db: None, store_root: Path) -> World:
    """A changed IOS device, at its console."""
    return World(Fleet([DeviceSpec("cisco_ios", size=2000)], seed=3))


@pytest.fixture
def ssh_world(db: None, store_root: Path) -> Iterator[World]:
    """The same over SSH."""
    with Fleet([DeviceSpec("cisco_ios", size=2000, enable_secret="s3")], seed=3) as fleet:
        yield World(fleet, over_ssh=True)


def state_of(restore: Restore) -> tuple[str, str]:
    """What the row says, read again."""
    restore.refresh_from_db()
    return restore.state, restore.cause


# The whole way


def test_a_restore_passes_every_state_and_is_recorded(ssh_world: World) -> None:
    """From the wish to the record: each step with its time and its person, and nothing of it guessed."""
    world = ssh_world
    restore = world.approved()
    outcome = world.push(restore)

    assert (outcome.result, world.runs()) == ("confirmed", "the version")
    assert passed(restore) == [
        "requested", "planned", "approved", "pre-backup", "armed", "pushing", "verifying", "confirmed",
    ]  # fmt: skip
    assert (restore.requested_by, restore.approved_by, restore.pushed_by, restore.saved) == ("ada", "eve", "bob", True)
    assert (restore.token, restore.lease_until, restore.ended) == (None, None, True)
    newest = Snapshot.objects.filter(device=world.device).latest("seq")
    first = Snapshot.objects.filter(device=world.device).earliest("seq")
    assert newest.digest == first.digest  # the record knows that the device went back
    assert restore.before and restore.before.digest != newest.digest  # and what was before is kept
    assert Run.objects.filter(trigger=Run.Trigger.RESTORE).count() >= 3


def test_planning_changes_nothing_on_the_device(world: World) -> None:
    """Whoever plans only looks."""
    restore = world.planned()

    assert restore.plan["commands"][2].startswith(PUSH) and restore.plan["warnings"]
    assert {line.split()[0] for line in world.simulated.commands} <= {"show", "terminal", "enable"}
    assert world.simulated.files == {}


def test_the_row_holds_no_secret(world: World) -> None:
    """It is shown, sent around and dumped: the configuration itself stays in the store."""
    restore = world.planned()

    with connection.cursor() as cursor:
        cursor.execute("SELECT r::text FROM checkpoints_restore r UNION SELECT e::text FROM checkpoints_restoreevent e")
        told = " ".join(row for (row,) in cursor.fetchall())
    assert restore.fingerprint in told
    assert "$9$" not in told and "0822455D0A16" not in told


def test_a_version_of_one_device_can_be_the_target(world: World) -> None:
    """Not only a checkpoint has a way back: any kept version has."""
    first = Snapshot.objects.filter(device=world.device).earliest("seq")
    restore = request_restore(world.device, first, by="ada", now=world.fleet.clock.now())
    plan_restore(restore, by="ada", means=world.means)

    assert world.push(world.approve(restore)).result == "confirmed"
    assert restore.version == first and restore.checkpoint is None


def test_the_raw_capture_is_what_is_put_back_and_without_it_nothing_is_pushed(world: World) -> None:
    """A device gets what it said, never what somebody's regular expression made of it without being told so."""
    steps = "replace ^hostname .* => hostname X"
    processing = PostProcessing.objects.create(tenant=world.tenant, platform="cisco_ios", steps=steps, keep_raw=True)
    collected_now(world.device, by="ada", means=world.means)
    world.checkpoint = create_checkpoint(world.tenant, message="raw", author="ada", now=world.fleet.clock.now())
    said = world.simulated.running_config
    world.simulated.edit(["snmp-server location a third place"])
    restore = world.approved()
    found = restore_diff(restore, masked=False)

    assert world.push(restore).result == "confirmed"
    assert world.simulated.running_config == said and "hostname X" not in said
    assert found and found[0].lines_removed == 1

    processing.keep_raw = False
    processing.save()
    world.simulated.edit(["snmp-server location a fourth place"])
    again = world.planned()

    assert not again.plan["warnings"] or "processed text" not in again.plan["warnings"][0]
    with pytest.raises(NotRestorable, match="keep the raw capture too"):
        world.approve(again)
    newest = Snapshot.objects.filter(device=world.device).latest("seq")
    assert newest.files["running.cfg"]["processed"] and "running.cfg.raw" not in newest.files
    told = request_restore(world.device, newest, by="ada", now=world.fleet.clock.now())
    assert told.target["running.cfg"]["processed"]


def test_a_router_without_a_procedure_is_put_back_by_hand(
    db: None, store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference and the steps are shown, and nothing is ever sent."""
    sheet = registry.platform("mikrotik_routeros")
    by_hand = replace(sheet, restore=replace(sheet.restore, procedure=None))
    monkeypatch.setattr(restore_planning, "platform_of", lambda _device: by_hand)
    world = World(Fleet([DeviceSpec("mikrotik_routeros", size=2000)], seed=3))
    restore = world.planned()

    assert restore.plan["by_hand"] and any("run-after-reset=export.rsc" in line for line in restore.plan["commands"])
    found = restore_diff(restore, masked=True)
    assert found and found[0].lines_removed == 1
    with pytest.raises(NotRestorable, match="Nothing is sent to a MikroTik"):
        world.approve(restore)


# What must not happen


def test_a_device_that_changed_since_the_approval_is_planned_again(world: World) -> None:
    """Nobody has agreed to what would be done now, so nothing is."""
    restore = world.approved()
    agreed = restore.fingerprint
    world.simulated.edit(["snmp-server location moved meanwhile"])

    with pytest.raises(PlanOutdated):
        world.push(restore)

    assert state_of(restore) == ("planned", "")
    assert restore.fingerprint != agreed and restore.approved_by == ""
    assert world.said(PUSH) == 0 and world.simulated.files == {}
    assert world.push(world.approve(restore)).result == "confirmed"  # the new plan, agreed to


def test_an_approval_is_of_the_plan_that_was_shown(world: World) -> None:
    """A second planning in between makes the page in somebody's browser an old one."""
    restore = world.planned()
    shown = restore.fingerprint
    world.simulated.edit(["snmp-server location moved meanwhile"])
    plan_restore(restore, by="ada", means=world.means)

    with pytest.raises(PlanOutdated):
        approve_restore(restore, fingerprint=shown, by="eve", now=world.fleet.clock.now())
    assert restore.state == State.PLANNED


def test_one_restore_of_a_device_at_a_time(world: World) -> None:
    """The database says so, whatever two people, processes or hosts do at once."""
    first, second = world.planned("ada"), world.planned("eve")
    world.approve(first)

    with pytest.raises(DeviceTaken, match=first.short_id):
        world.approve(second)
    with pytest.raises(IntegrityError), transaction.atomic():
        Restore.objects.filter(pk=second.pk).update(state=State.PUSHING)

    cancel_restore(first, by="ada", now=world.fleet.clock.now())
    assert world.approve(second).state == State.APPROVED


def test_a_restore_is_pushed_once(world: World) -> None:
    """A task may be delivered twice, a button pressed twice."""
    restore = world.approved()
    again = Restore.objects.get(pk=restore.pk)
    world.push(restore)

    with pytest.raises(WrongMoment):
        world.push(again)
    assert world.said(PUSH) == 1


def test_only_an_approved_plan_is_pushed(world: World) -> None:
    """Planning, approving and pushing are three things."""
    restore = world.planned()

    with pytest.raises(WrongMoment):
        world.push(restore)
    assert world.said(PUSH) == 0


def test_four_eyes_are_four(world: World) -> None:
    """Where the tenant wants it, nobody approves their own wish."""
    RestoreRules.objects.create(tenant=world.tenant, four_eyes=True)
    restore = world.planned("ada")

    with pytest.raises(SamePerson):
        world.approve(restore, by="ada")
    assert world.approve(restore, by="eve").approved_by == "eve"


def test_a_restorer_cannot_close_two_of_the_four_eyes() -> None:
    """The rule is for them."""
    assert role_grants(Membership.Role.RESTORER, "checkpoints.push_restore")
    assert not role_grants(Membership.Role.RESTORER, "checkpoints.set_four_eyes")
    assert not role_grants(Membership.Role.OPERATOR, "checkpoints.plan_restore")
    assert role_grants(Membership.Role.ADMINISTRATOR, "checkpoints.set_four_eyes")


@pytest.mark.parametrize("how", ["setting", "file"])
def test_the_kill_switch_closes_every_door(world: World, settings: LazySettings, tmp_path: Path, how: str) -> None:
    """At any moment up to the last; the file works without a restart."""
    planned, approved = world.planned(), world.approved()
    settings.NETCAIRN_VAR = tmp_path
    if how == "setting":
        settings.NETCAIRN_RESTORES = False
    else:
        (tmp_path / "no-restores").touch()

    for door in (world.requested, lambda: world.approve(planned), lambda: world.push(approved)):
        with pytest.raises(RestoresStopped):
            door()
    assert (state_of(approved), world.said(PUSH)) == (("approved", ""), 0)


def test_the_kill_switch_works_up_to_the_last_moment(world: World, settings: LazySettings, tmp_path: Path) -> None:
    """The file is on the device already, and taken away again."""
    settings.NETCAIRN_VAR = tmp_path
    restore = world.approved()

    class Stops(ConsoleWriter):
        def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
            super().put(target, path, content, by=by, limits=limits)
            (tmp_path / "no-restores").touch()

    with pytest.raises(RestoresStopped):
        world.push(restore, Stops(world.simulated))

    assert (state_of(restore), world.runs()) == (("cancelled", "restores-stopped"), "as before")
    assert (world.said(PUSH), world.simulated.files) == (0, {})


def test_a_plan_with_an_obstacle_cannot_be_approved(world: World) -> None:
    """Masked secrets would become the device's passwords."""
    masked = world.golden.replace("secret 9 ", "secret 9 (masked) ")
    version = back_up(world.device, running_cfg=masked)
    assert version
    restore = request_restore(world.device, version, by="ada", now=world.fleet.clock.now())
    plan_restore(restore, by="ada", means=world.means)

    with pytest.raises(NotRestorable, match="masked"):
        world.approve(restore)


def test_what_is_not_the_devices_is_not_put_onto_it(world: World) -> None:
    """Neither another device's version nor another tenant's."""
    other, stranger = make_device(world.tenant, "other"), make_device(make_tenant("stranger"), "theirs")

    for device in (other, stranger):
        with pytest.raises(UnknownVersion):
            request_restore(device, world.checkpoint, by="ada", now=world.fleet.clock.now())
    with pytest.raises(ValidationError):
        Restore(tenant=world.tenant, device=stranger, requested_by="ada").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Restore.objects.create(tenant=world.tenant, device=stranger, requested_by="ada")
        connection.check_constraints()


def test_a_device_that_cannot_be_read_is_not_planned(ssh_world: World) -> None:
    """Half a configuration to compare with is none."""
    world = ssh_world
    world.simulated.set_faults("truncate")
    restore = world.requested()

    with pytest.raises(NotRestorable):
        plan_restore(restore, by="ada", means=world.means)
    assert state_of(restore)[0] == "cancelled"


def test_a_retired_device_is_left_alone(world: World) -> None:
    """What is out of service may be somebody else's by now."""
    type(world.device).objects.filter(pk=world.device.pk).retire(now=world.fleet.clock.now())
    world.device.refresh_from_db()

    with pytest.raises(NotRestorable, match="retired"):
        world.requested()


def test_what_did_not_hold_ends_reverted(world: World) -> None:
    """And the device is free for the next try."""
    restore = world.approved()
    world.simulated.set_faults("lockout")
    world.push(restore)

    assert (state_of(restore), world.runs()) == (("reverted", "timer"), "as before")
    assert not Restore.objects.holding().exists()


# Processes that die


class Killed(BaseException):
    """As if the process had been killed: nothing in the program catches it."""


class Deadly(ConsoleWriter):
    """Kills its process at the nth thing of a kind: "open", "put", or a line, before or after it."""

    def __init__(self, device: Simulated, moment: str, nth: int = 1) -> None:
        super().__init__(device)
        self.moment, self.left = moment, nth

    def strikes(self, moment: str) -> None:
        """Perhaps now."""
        if moment == self.moment:
            self.left -= 1
            if self.left == 0:
                raise Killed

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        self.strikes("open")
        with super().open(target, platform, limits) as session:
            yield session

    def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
        super().put(target, path, content, by=by, limits=limits)
        self.strikes("put")

    @contextmanager
    def open_for_writing(self, target: Target, platform: Platform, limits: Limits) -> Iterator[WritingSession]:
        with super().open_for_writing(target, platform, limits) as session:
            yield DeadlySession(session, self)


class DeadlySession:
    """See Deadly."""

    def __init__(self, session: WritingSession, writer: Deadly) -> None:
        self.session, self.writer = session, writer

    def say(self, line: str, **how: object) -> bytes:
        self.writer.strikes(f"before {line.split(' flash', maxsplit=1)[0]}")
        answer = self.session.say(line, **how)  # type: ignore[arg-type]
        self.writer.strikes(f"after {line.split(' flash', maxsplit=1)[0]}")
        return answer


# What kills, in which state the row is left, how the device is once its timer is over, and what the reaper calls it.
# "open": 1 is the pre-backup, 2 the reading back.
DEATHS = {
    "after the upload": ("put", 1, "armed", "as before", "cancelled"),
    "before the line that takes effect": ("before configure replace", 1, "pushing", "as before", "reverted"),
    "after the line that takes effect": ("after configure replace", 1, "pushing", "as before", "reverted"),
    "while reading back": ("open", 2, "verifying", "as before", "reverted"),
    "before confirming": ("before configure confirm", 1, "verifying", "as before", "reverted"),
    "after confirming": ("after configure confirm", 1, "verifying", "the version", "unknown"),
    "after saving": ("after write memory", 1, "verifying", "the version", "unknown"),
}


@pytest.mark.parametrize(
    "death", sampled(DEATHS, ("after the line that takes effect", "while reading back", "after confirming"))
)
def test_a_killed_process_leaves_a_row_that_tells_the_truth(world: World, death: str) -> None:
    """Whatever it was doing: the reaper waits for the timer, looks, and never pushes."""
    moment, nth, left, runs, called = DEATHS[death]
    restore = world.approved()
    with pytest.raises(Killed):
        world.push(restore, Deadly(world.simulated, moment, nth))
    assert state_of(restore)[0] == left
    pushes = world.said(PUSH)

    assert reap_restores(world.means) == []  # it may still be alive
    while not restore.ended:
        world.fleet.advance(60)
        reap_restores(world.means)
        restore.refresh_from_db()

    assert (restore.state, restore.cause, world.runs()) == (called, "worker-lost", runs)
    assert world.said(PUSH) == pushes <= 1
    assert called == "unknown" or world.simulated.files == {}  # the file holds secrets
    assert Restore.objects.holding().exists() == (called == "unknown")


@pytest.mark.parametrize("left", ["requested", "pre-backup"])
def test_a_process_that_is_killed_while_it_only_looks_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Nothing was sent: it is planned again by whoever wants it."""
    restore = world.requested() if left == "requested" else world.approved()

    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr("backups.shard.work_on", die)
    with pytest.raises(Killed):
        world.push(restore) if left == "pre-backup" else plan_restore(restore, by="ada", means=world.means)
    assert (state_of(restore)[0], reap_restores(world.means)) == (left, [])

    world.fleet.advance(3600)
    assert [each.pk for each in reap_restores(world.means)] == [restore.pk]
    assert state_of(restore) == ("cancelled", "worker-lost")


def test_a_process_that_was_only_slow_does_nothing_more(world: World) -> None:
    """The reaper has spoken: whoever wakes up late finds the row taken, and leaves the device as it is."""
    restore = world.approved()

    class Sleeps(ConsoleWriter):
        def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
            super().put(target, path, content, by=by, limits=limits)
            world.fleet.advance(3600)
            reap_restores(world.means)

    with pytest.raises(RestoreLost):
        world.push(restore, Sleeps(world.simulated))

    assert (state_of(restore), world.said(PUSH)) == (("cancelled", "worker-lost"), 0)


def test_a_device_that_does_not_come_back_is_unknown_after_a_while(world: World) -> None:
    """Reading it back is tried for two minutes beyond its timer."""
    restore = world.approved()
    with pytest.raises(Killed):
        world.push(restore, Deadly(world.simulated, "after configure replace"))
    world.simulated.set_faults("refuse-login")
    world.fleet.advance(3600)

    assert [each.state for each in reap_restores(world.means)] == ["unknown"]
    assert "cannot be read" in restore.events.last().told


@pytest.mark.django_db(transaction=True)
def test_each_state_is_on_disk_before_what_it_announces(store_root: Path) -> None:
    """Seen by another connection at the very moment of the side effect; else a crash would leave a lie."""
    world = World(Fleet([DeviceSpec("cisco_ios", size=2000)], seed=3))
    restore = world.approved()
    seen: list[tuple[str, str]] = []

    def look(what: str) -> None:
        def ask() -> None:
            seen.append((what, Restore.objects.get(pk=restore.pk).state))
            connection.close()

        thread = Thread(target=ask)
        thread.start()
        thread.join()

    class Watched(Deadly):
        def strikes(self, moment: str) -> None:
            look(moment)

    world.push(restore, Watched(world.simulated, ""))

    assert ("put", "armed") in seen
    assert ("before configure replace", "pushing") in seen
    assert ("before configure confirm", "verifying") in seen
    assert seen[-1] == ("open", "confirmed")  # the last look, for the record


# A device of which nobody knows what it runs


@pytest.fixture
def lost(world: World) -> Restore:
    """A restore that ended unknown: the device could not be read any more."""
    restore = world.approved()
    with pytest.raises(Killed):
        world.push(restore, Deadly(world.simulated, "after configure replace"))
    world.simulated.set_faults("refuse-login")
    world.fleet.advance(3600)
    reap_restores(world.means)
    restore.refresh_from_db()
    assert restore.state == State.UNKNOWN
    world.simulated.set_faults()
    return restore


def test_an_unknown_device_is_blocked_until_somebody_looks(world: World, lost: Restore) -> None:
    """Never retried by itself, and not by anybody who has not looked."""
    another = world.planned()
    with pytest.raises(DeviceTaken, match="unknown"):
        world.approve(another)

    with pytest.raises(WrongMoment):
        settle_restore(lost, by="eve", note=" ", now=world.fleet.clock.now())
    settle_restore(lost, by="eve", note="on the console: as before", now=world.fleet.clock.now())

    assert (lost.state, lost.settled_by) == ("unknown", "eve")
    assert world.approve(another).state == State.APPROVED
    with pytest.raises(WrongMoment):
        settle_restore(lost, by="eve", note="again", now=world.fleet.clock.now())


def test_looking_again_finds_a_device_that_went_back(world: World, lost: Restore) -> None:
    """The timer did its work; only we could not see it."""
    assert look_again(lost, by="eve", means=world.means) == "before"
    assert (state_of(lost)[0], Restore.objects.holding().exists()) == ("reverted", False)


def test_looking_again_decides_nothing_else(world: World, lost: Restore) -> None:
    """What runs now may not be what the device starts with: that is for a person."""
    world.simulated.running = world.golden

    assert look_again(lost, by="eve", means=world.means) == "target"
    assert state_of(lost)[0] == "unknown"


def test_a_forgotten_checkpoint_does_not_forget_its_restores(world: World) -> None:
    """The history of a device outlives the names of its versions."""
    restore = world.approved()
    world.push(restore)
    world.checkpoint.refs.all().delete()
    world.checkpoint.children.update(parent=None)
    world.checkpoint.first_children.update(first_parent=None)
    world.checkpoint.delete()

    restore.refresh_from_db()
    assert restore.checkpoint is None and restore.target["running.cfg"]["blob"]
