"""How devices stand: the figures of the dashboard and the lists behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backups.models import Attempt, Run, Snapshot
from backups.standing import STANDINGS, changed_devices, in_standing, standings, troubled_devices
from backups.tallies import by_day, tally_days
from inventory.models import Device, Tenant
from tests.factories import make_device, make_tenant

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def attempt(device: Device, state: str, *, at: datetime = NOON) -> Attempt:
    """An attempt in a run of its own."""
    run = Run.objects.create(tenant=device.tenant, requested_by="anna", requested_at=at)
    return Attempt.objects.create(tenant=device.tenant, run=run, device=device, state=state, ended_at=at)


def version(device: Device, seq: int, *, at: datetime = NOON) -> Snapshot:
    """A row of a version; nothing of it is in a store."""
    return Snapshot.objects.create(
        tenant=device.tenant, device=device, seq=seq, taken_at=at, size=1, lines_added=1, lines_removed=0
    )


@pytest.fixture
def network(tenant: Tenant) -> dict[str, Device]:
    """A device of every kind of standing, by its name."""
    devices = {name: make_device(tenant, name.replace("_", "-")) for name in ("good", "bad", "odd", "new", "off")}
    Device.objects.update(created_at=NOON - timedelta(days=9))
    Device.objects.filter(pk=devices["off"].pk).update(enabled=False)
    attempt(devices["good"], "failed")
    attempt(devices["good"], "unchanged")
    attempt(devices["good"], "running")
    version(devices["good"], 1, at=NOON - timedelta(days=3))
    version(devices["good"], 2)
    attempt(devices["bad"], "changed")
    attempt(devices["bad"], "failed")
    version(devices["bad"], 1, at=NOON - timedelta(days=3))
    attempt(devices["odd"], "quarantined")
    attempt(devices["off"], "failed")
    return devices


def test_the_last_ended_attempt_says_how_a_device_stands(network: dict[str, Device]) -> None:
    """One that still runs says nothing yet, and an old failure nothing any more."""
    counted = standings(Device.objects.all(), now=NOON)

    assert (counted.in_sync, counted.failed, counted.quarantined, counted.untried) == (1, 1, 1, 1)
    assert (counted.asked, counted.resting, counted.never_kept, counted.troubled) == (4, 1, 2, 2)


def test_every_list_holds_as_many_as_its_figure_says(network: dict[str, Device]) -> None:
    """A figure that leads to another number is not believed again."""
    counted = standings(Device.objects.all(), now=NOON)

    lists = {name: in_standing(Device.objects.all(), name, now=NOON).count() for name in STANDINGS}

    assert lists.pop("changed") == changed_devices([network["good"].tenant_id], since=NOON - timedelta(days=1))
    assert lists == {name: getattr(counted, name) for name in lists}


def test_a_device_is_stale_after_the_hours_of_its_tenants_objective(tenant: Tenant) -> None:
    """Failing once is a night's noise; nothing good for longer than was promised is what somebody must hear of."""
    Tenant.objects.update(objective_hours=26)
    ages = {"lately": 25, "long-ago": 27, "failed-since": 27}
    for name, hours in ages.items():
        attempt(make_device(tenant, name), "unchanged", at=NOON - timedelta(hours=hours))
    attempt(Device.objects.get(name="failed-since"), "failed")
    make_device(tenant, "never")
    Device.objects.update(created_at=NOON - timedelta(days=9))
    make_device(tenant, "just-added")

    stale = in_standing(Device.objects.all(), "stale", now=NOON)

    assert sorted(stale.values_list("name", flat=True)) == ["failed-since", "long-ago", "never"]


def test_trouble_comes_with_its_cause_the_latest_first(network: dict[str, Device]) -> None:
    """Who has little time reads from the top."""
    Attempt.objects.filter(device=network["odd"]).update(ended_at=NOON + timedelta(hours=1), cause="no-end")

    found = [(device.name, device.last_cause) for device in troubled_devices(Device.objects.all(), 9)]

    assert found == [("odd", "no-end"), ("bad", "")]


def test_a_day_counts_changes_and_not_first_versions(network: dict[str, Device]) -> None:
    """The day on which a network was added would dwarf every other."""
    days = by_day([network["good"].tenant_id], days=4, now=NOON)

    assert days == {"changed": [0, 0, 0, 1], "quarantined": [0, 0, 0, 1], "failed": [0, 0, 0, 3]}


def test_a_day_that_is_over_is_counted_once_and_says_the_same(network: dict[str, Device]) -> None:
    """A chart that changes its mind about last week is not believed again; one that reads all of it is not opened."""
    tenant = network["good"].tenant_id
    live = by_day([tenant], days=4, now=NOON + timedelta(days=2))

    assert tally_days(now=NOON + timedelta(days=2)) > 0
    assert tally_days(now=NOON + timedelta(days=2)) == 0
    assert by_day([tenant], days=4, now=NOON + timedelta(days=2)) == live
    assert live["failed"] == [0, 3, 0, 0]
    assert by_day([make_tenant("other").pk], days=4, now=NOON + timedelta(days=2))["failed"] == [0, 0, 0, 0]


def test_a_day_that_is_not_over_is_counted_anew(network: dict[str, Device]) -> None:
    """What fails this afternoon is on this afternoon's chart."""
    tenant = network["good"].tenant_id
    tally_days(now=NOON)
    attempt(network["good"], "failed", at=NOON + timedelta(hours=1))

    assert by_day([tenant], days=2, now=NOON + timedelta(hours=2))["failed"] == [0, 4]
