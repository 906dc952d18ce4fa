"""Several devices in one request: their order, where it stops, and what is never begun."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups import runs
from backups.device_writing import WritingSession
from backups.models import Attempt, Run
from backups.simulator import DeviceSpec, Fleet
from backups.transport import Limits, Session, Target
from checkpoints.compare import compare
from checkpoints.device_restore import RowJournal
from checkpoints.errors import (
    DeviceTaken,
    NotRestorable,
    NotSeen,
    OutsideWindow,
    PlanOutdated,
    SamePerson,
    UnknownVersion,
    WrongMoment,
)
from checkpoints.live import collect_network
from checkpoints.models import Checkpoint, Restore, RestoreGroup
from checkpoints.restore_group import approve_group, plan_group, push_group, reap_groups, request_group, stop_group
from checkpoints.restore_means import Means
from checkpoints.restore_planning import collected_now, plan_from
from checkpoints.restore_rules import set_rules
from checkpoints.services import create_checkpoint
from inventory.audit import AuditEntry
from inventory.models import Device
from inventory.notices import Notice
from inventory.platforms.sheet import Platform
from tests.checkpoints.conftest import TENANT
from tests.checkpoints.remembered import remembered
from tests.checkpoints.restoring import LIMITS, ConsoleWriter, SkippedTime
from tests.factories import make_credential, make_device, make_tenant


class FleetWriter:
    """A way to each device of a fleet, at its console."""

    def __init__(self, fleet: Fleet) -> None:
        self.ways = {device.name: ConsoleWriter(device) for device in fleet}

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        with self.ways[target.name].open(target, platform, limits) as session:
            yield session

    @contextmanager
    def open_for_writing(self, target: Target, platform: Platform, limits: Limits) -> Iterator[WritingSession]:
        with self.ways[target.name].open_for_writing(target, platform, limits) as session:
            yield session

    def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
        self.ways[target.name].put(target, path, content, by=by, limits=limits)

    def remove(self, target: Target, path: str, *, limits: Limits) -> None:
        self.ways[target.name].remove(target, path, limits=limits)


class Rack:
    """Three devices that were backed up, named by a checkpoint, and changed; the last but for one."""

    def __init__(self) -> None:
        self.fleet = Fleet([DeviceSpec("cisco_ios", size=600) for _ in range(3)], seed=5)
        self.means = Means(FleetWriter(self.fleet), LIMITS, SkippedTime(self.fleet), clock=self.fleet.clock.now)
        self.golden = {each.name: each.running_config for each in self.fleet}
        self.tenant = make_tenant(pk=TENANT)
        remembered(self.tenant, "rack", self.back_up)
        self.devices = [Device.objects.get(tenant=self.tenant, name=each.name) for each in self.fleet]
        self.checkpoint = Checkpoint.objects.get(tenant=self.tenant, message="golden")
        for each in self.fleet:
            each.edit(["snmp-server location elsewhere"])

    def back_up(self) -> None:
        """Register the devices, collect them, and name what came."""
        credential = make_credential(self.tenant, username=self.fleet[0].username)
        credential.set_password(self.fleet[0].password)
        credential.save()
        for each in self.fleet:
            device = make_device(self.tenant, each.name, "cisco_ios", address=each.address, credential=credential)
            collected_now(device, by="ada", means=self.means)
        create_checkpoint(self.tenant, message="golden", author="ada", now=self.fleet.clock.now())

    def planned(self) -> RestoreGroup:
        group = request_group(self.checkpoint, self.devices, by="ada", now=self.fleet.clock.now())
        plan_group(group, by="ada", means=self.means, threads=1)
        return group

    def approved(self) -> RestoreGroup:
        group = self.planned()
        approve_group(group, fingerprint=group.fingerprint, by="eve", now=self.fleet.clock.now())
        return group

    def states(self, group: RestoreGroup) -> list[str]:
        return [restore.state for restore in group.in_order()]

    def gone_back(self) -> list[bool]:
        return [each.running_config == self.golden[each.name] for each in self.fleet]


@pytest.fixture
def rack(db: None, store_root: Path) -> Rack:
    return Rack()


def test_several_devices_go_back_in_their_order(rack: Rack) -> None:
    """The edge before the core: an order that a person chose is kept, and every step has its person."""
    group = rack.approved()
    seen: list[str] = []
    push_group(group, by="bob", means=replace(rack.means, ended=lambda one: seen.append(one.device.name)))

    assert seen == [device.name for device in rack.devices]
    assert (group.state, rack.states(group), rack.gone_back()) == ("done", ["confirmed"] * 3, [True] * 3)
    told = set(AuditEntry.objects.of(rack.tenant).filter(action__startswith="restores.").values_list("action", "by"))
    assert told == {
        ("restores.requested", "ada"), ("restores.approved", "eve"), ("restores.pushed", "bob"),
        ("restores.done", "system"),
    }  # fmt: skip
    assert Notice.objects.filter(code="restores.done", tenant=rack.tenant).exists()


def test_the_first_failure_stops_the_rest(rack: Rack) -> None:
    """What broke one device may break the next ones; they are not even begun."""
    group = rack.approved()
    rack.fleet[1].set_faults("accept-and-ignore")
    push_group(group, by="bob", means=rack.means)

    assert (group.state, rack.states(group)) == ("stopped", ["confirmed", "reverted", "cancelled"])
    assert rack.devices[1].name in group.stopped
    assert rack.gone_back() == [True, False, False]
    assert not any("replace" in line for line in rack.fleet[2].commands)
    assert Notice.objects.open_alarms().filter(code="restores.stopped").exists()


@pytest.mark.long
def test_a_device_that_runs_the_version_already_is_left_out(rack: Rack) -> None:
    """Nothing is pushed where nothing differs, and it stops nobody."""
    rack.fleet[0].edit(["no snmp-server location elsewhere"])
    rack.fleet[0].running = rack.golden[rack.fleet[0].name]
    group = rack.approved()
    push_group(group, by="bob", means=rack.means)

    assert (group.state, rack.states(group)) == ("done", ["cancelled", "confirmed", "confirmed"])


def test_somebody_says_stop_and_no_more_is_begun(rack: Rack) -> None:
    """In the middle of the night, from another screen."""
    group = rack.approved()

    def stop(_: Restore) -> None:
        if not RestoreGroup.objects.get(pk=group.pk).stopped:
            stop_group(group, by="eve", now=rack.fleet.clock.now())

    push_group(group, by="bob", means=replace(rack.means, ended=stop))

    assert rack.states(group) == ["confirmed", "cancelled", "cancelled"]
    assert group.stopped == "Stopped by eve."


def test_a_request_whose_process_died_begins_nothing_more(rack: Rack) -> None:
    """Devices that waited for their turn wait no longer: somebody has to look first."""
    group = rack.approved()

    def die(_: Restore) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push_group(group, by="bob", means=replace(rack.means, ended=die))
    assert reap_groups(rack.means) == []  # it may still be alive
    rack.fleet.advance(3 * 3600)
    assert reap_groups(rack.means) == [group]

    group.refresh_from_db()
    assert (group.state, rack.states(group)) == ("stopped", ["confirmed", "cancelled", "cancelled"])


def test_all_plans_are_agreed_to_or_none(rack: Rack) -> None:
    """Half an agreement would be carried out as a whole."""
    group = rack.planned()
    set_rules(rack.tenant, by="boss", four_eyes=True)

    with pytest.raises(SamePerson):
        approve_group(group, fingerprint=group.fingerprint, by="ada", now=rack.fleet.clock.now())
    with pytest.raises(PlanOutdated):
        approve_group(group, fingerprint="of an old page", by="eve", now=rack.fleet.clock.now())
    with pytest.raises(WrongMoment):
        push_group(group, by="bob", means=rack.means)

    assert rack.states(group) == ["planned"] * 3


def test_a_device_that_the_checkpoint_does_not_hold_refuses_the_request(rack: Rack) -> None:
    """Before anything is written down."""
    stranger = make_device(rack.tenant, "stranger", "cisco_ios")
    for devices, error in (([*rack.devices, stranger], UnknownVersion), ([], NotRestorable)):
        with pytest.raises(error):
            request_group(rack.checkpoint, devices, by="ada", now=rack.fleet.clock.now())

    assert not RestoreGroup.objects.exists() and not Restore.objects.exists()


@pytest.mark.long
def test_nothing_is_sent_outside_the_maintenance_window(rack: Rack) -> None:
    """Plans at any time, changes only at night."""
    group = rack.approved()
    hour = rack.fleet.clock.now().hour
    set_rules(rack.tenant, by="boss", windows=[f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00"])

    with pytest.raises(OutsideWindow):
        push_group(group, by="bob", means=rack.means)
    assert rack.states(group) == ["approved"] * 3

    set_rules(rack.tenant, by="boss", windows=[])
    push_group(group, by="bob", means=rack.means)
    assert rack.states(group) == ["confirmed"] * 3


def test_a_backup_keeps_away_from_a_device_that_is_being_restored(rack: Rack) -> None:
    """Two logins at once would see half a change, and on some devices end each other."""
    (run,) = runs.start_runs(
        rack.devices, requested_by="x", trigger=Run.Trigger.HAND, by_queue=True, now=rack.means.clock()
    )
    restore = rack.approved().in_order()[0]
    Restore.objects.filter(pk=restore.pk).update(state=Restore.State.PUSHING)

    claimed = run.attempts.claim(token=run.pk, limit=10, now=rack.means.clock())

    assert {attempt.device for attempt in claimed} == set(rack.devices[1:])


def test_a_restore_keeps_away_from_a_device_that_is_being_backed_up(rack: Rack) -> None:
    """The same the other way round: nothing is put onto the device while somebody else reads it."""
    restore, now = rack.approved().in_order()[0], rack.means.clock()
    (run,) = runs.start_runs([restore.device], requested_by="x", trigger=Run.Trigger.HAND, by_queue=True, now=now)
    run.attempts.update(state=Attempt.State.RUNNING, heartbeat_at=now)
    Restore.objects.filter(pk=restore.pk).update(state=Restore.State.PRE_BACKUP, token=run.pk)
    restore.refresh_from_db()
    assert restore.before
    journal = RowJournal(restore, plan_from(restore, restore.before), token=run.pk, means=rack.means)

    with pytest.raises(DeviceTaken, match="being backed up"):
        journal.enter("armed", seconds=1)


def test_a_checkpoint_is_compared_with_the_network_as_it_is(rack: Rack) -> None:
    """Capability D9. Every device is looked at first; one that cannot be seen is no network without differences."""
    look: dict[str, Any] = {
        "by": "ada",
        "transport": rack.means.writer,
        "limits": LIMITS,
        "threads": 1,
        "clock": rack.means.clock,
    }
    now = collect_network(rack.checkpoint, **look)

    changes = compare(rack.checkpoint, now).changes
    assert {change.device for change in changes if change.name == "running.cfg"} == set(rack.devices)
    assert not Checkpoint.objects.filter(pk=now.pk).exists()

    rack.fleet[2].set_faults("refuse-login")
    with pytest.raises(NotSeen, match=rack.devices[2].name):
        collect_network(rack.checkpoint, **look)
