"""Schedules: rows that start runs, each once, whatever happens to the queue."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from backups import jobs, runs, scheduling
from backups.models import Run, Schedule, ScheduledDevice
from inventory.models import Device, Tenant
from tests.factories import make_device, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_hooks(settings) -> None:
    settings.NETCAIRN_RUN_ENDED = []


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def nightly(tenant: Tenant, **options: Any) -> Schedule:
    return scheduling.add_schedule(tenant, "nightly", **{"cron": "0 2 * * *", "now": NOON, **options})


def collected(run: Run) -> list[str]:
    return sorted(run.attempts.values_list("device__name", flat=True))


def test_a_due_schedule_starts_a_run_of_its_devices(tenant: Tenant) -> None:
    """The job that nobody has to remember."""
    make_device(tenant, name="edge1")
    make_device(tenant, name="edge2")
    make_device(make_tenant("globex"), name="other")
    schedule = nightly(tenant)

    jobs.start_due(NIGHT)

    run = Run.objects.get()
    schedule.refresh_from_db()
    assert (run.tenant, run.trigger, run.requested_by) == (tenant, "schedule", "schedule nightly")
    assert collected(run) == ["edge1", "edge2"]
    assert (schedule.last_run, schedule.next_at) == (run, NIGHT + timedelta(days=1))


def test_nothing_starts_before_its_time(tenant: Tenant) -> None:
    """Early is as wrong as late where people work on the network."""
    make_device(tenant)
    nightly(tenant)

    jobs.start_due(NIGHT - timedelta(seconds=1))

    assert not Run.objects.exists()


def test_two_ticks_at_once_start_a_schedule_once(tenant: Tenant) -> None:
    """A task may be delivered twice, and two clusters tick at the same second."""
    make_device(tenant)
    nightly(tenant)
    together = threading.Barrier(2)

    def tick() -> None:
        together.wait()
        jobs.start_due(NIGHT)
        connection.close()

    ticks = [threading.Thread(target=tick) for _ in range(2)]
    for one in ticks:
        one.start()
    for one in ticks:
        one.join()

    assert Run.objects.count() == 1


def test_a_moment_that_was_taken_already_is_not_taken_again(tenant: Tenant) -> None:
    """What a slow tick read before a fast one wrote must not count."""
    make_device(tenant)
    nightly(tenant)
    mine, theirs = Schedule.objects.get(), Schedule.objects.get()

    assert (mine.take(NIGHT), theirs.take(NIGHT)) == (True, False)


def test_missed_starts_are_one_start(tenant: Tenant) -> None:
    """After three days without power nobody wants three backups in a row."""
    make_device(tenant)
    nightly(tenant)

    jobs.start_due(NIGHT + timedelta(days=3, hours=5))
    jobs.start_due(NIGHT + timedelta(days=3, hours=5, minutes=1))

    assert Run.objects.count() == 1
    assert Schedule.objects.get().next_at == NIGHT + timedelta(days=4)


def test_a_start_that_was_missed_into_a_window_waits_for_its_end(tenant: Tenant) -> None:
    """A queue that comes back at nine must not collect in the middle of the working day."""
    make_device(tenant)
    schedule = nightly(tenant, blackouts=["08:00-18:00"])

    jobs.start_due(NIGHT + timedelta(hours=7))

    schedule.refresh_from_db()
    assert not Run.objects.exists()
    assert schedule.next_at == NIGHT + timedelta(hours=16)


def test_a_schedule_whose_run_still_goes_on_is_left_out(tenant: Tenant) -> None:
    """A network that takes longer than its interval must not pile up runs."""
    make_device(tenant)
    nightly(tenant)
    jobs.start_due(NIGHT)

    jobs.start_due(NIGHT + timedelta(days=1))

    assert Run.objects.count() == 1
    assert "had not ended" in Schedule.objects.get().trouble


def test_a_schedule_that_fits_no_device_says_so(tenant: Tenant) -> None:
    """Nothing fails silently: a forgotten tag looks like a working schedule otherwise."""
    make_device(tenant, enabled=False)
    nightly(tenant)

    jobs.start_due(NIGHT)

    assert not Run.objects.exists()
    assert "no enabled device" in Schedule.objects.get().trouble


def test_a_broken_schedule_stops_only_itself(tenant: Tenant) -> None:
    """One tenant's row must not cost all others their night."""
    make_device(tenant)
    nightly(tenant)
    scheduling.add_schedule(tenant, "broken", cron="0 1 * * *", now=NOON)
    Schedule.objects.filter(name="broken").update(zone="Mars/Olympus")

    jobs.start_due(NIGHT)

    broken = Schedule.objects.get(name="broken")
    assert Run.objects.get().requested_by == "schedule nightly"
    assert (broken.enabled, broken.next_at) == (False, None)
    assert "Mars/Olympus" in broken.trouble


def test_a_disabled_schedule_rests(tenant: Tenant) -> None:
    """Off means that nobody logs in."""
    make_device(tenant)
    scheduling.switch(nightly(tenant), on=False, now=NOON)

    jobs.start_due(NIGHT)

    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("sites", "tags", "names", "expected"),
    [
        ([], [], [], ["core1", "edge1", "edge2"]),
        (["Zurich"], [], [], ["core1", "edge1"]),
        ([], ["core"], [], ["core1"]),
        (["Zurich", "Basel"], ["edge"], [], ["edge1", "edge2"]),
        ([], [], ["edge2"], ["edge2"]),
    ],
)
def test_sites_tags_and_names_each_narrow_the_choice(
    tenant: Tenant, sites: list[str], tags: list[str], names: list[str], expected: list[str]
) -> None:
    """A schedule for one site must leave the others alone."""
    make_device(tenant, name="core1", site="Zurich", tags=["core"])
    make_device(tenant, name="edge1", site="Zurich", tags=["edge"])
    make_device(tenant, name="edge2", site="Basel", tags=["edge"])
    named = Device.objects.filter(name__in=names)

    schedule = nightly(tenant, sites=sites, tags=tags, devices=list(named))

    assert sorted(schedule.devices().values_list("name", flat=True)) == expected


def test_a_schedule_that_loses_its_last_device_does_not_grow_to_all(tenant: Tenant) -> None:
    """'Only this device' without the device is nobody, and never everybody."""
    device = make_device(tenant, name="edge1")
    make_device(tenant, name="edge2")
    schedule = nightly(tenant, devices=[device])

    device.delete()

    assert list(schedule.devices()) == []


def test_a_schedule_cannot_name_a_device_of_another_tenant(tenant: Tenant) -> None:
    """Whatever a form did: the database refuses."""
    foreign = make_device(make_tenant("globex"), name="other")
    schedule = nightly(tenant)

    with pytest.raises(IntegrityError), transaction.atomic():
        ScheduledDevice.objects.create(tenant=tenant, schedule=schedule, device=foreign)


def test_the_command_adds_lists_switches_and_removes(tenant: Tenant, capsys) -> None:
    """What a script sets up has to be there to be read, and to go away again."""

    def schedule(*arguments: str) -> Any:
        call_command("schedule", *arguments, "--json")
        return json.loads(capsys.readouterr().out)

    make_device(tenant, name="edge1", site="Zurich")
    added = schedule(
        *("add", "nightly", "--tenant", "acme", "--cron", "0 2 * * *", "--timezone", "Europe/Zurich"),
        *("--site", "Zurich", "--device", "edge1", "--jitter", "20", "--blackout", "Mon-Fri 08:00-18:00"),
    )
    assert (added["timezone"], added["devices"], added["jitter"]) == ("Europe/Zurich", ["edge1"], 20)
    assert schedule("disable", "nightly", "--tenant", "acme")["next_at"] is None
    assert schedule("enable", "nightly", "--tenant", "acme")["next_at"] is not None
    assert [row["name"] for row in schedule("list")["schedules"]] == ["nightly"]
    schedule("remove", "nightly", "--tenant", "acme")
    assert not Schedule.objects.exists()


def test_the_command_refuses_what_means_nothing(tenant: Tenant) -> None:
    """Wrong use is said at once, and not on the night on which nothing starts."""
    with pytest.raises(CommandError, match="cron text") as refusal:
        call_command("schedule", "add", "nightly", "--tenant", "acme", "--cron", "at night")

    assert refusal.value.returncode == 2


def test_an_ended_run_lets_the_next_start(tenant: Tenant) -> None:
    """Left out means once, not for ever."""
    make_device(tenant)
    nightly(tenant)
    jobs.start_due(NIGHT)
    runs.abandon(Run.objects.get(), NIGHT)

    jobs.start_due(NIGHT + timedelta(days=1))

    assert Run.objects.count() == 2
    assert Schedule.objects.get().trouble == ""
