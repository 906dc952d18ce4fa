"""The queue's doors: what is put into the queue, and what comes back for runs that were lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from backups import jobs, runs, schedules
from backups.hosts.models import Host
from backups.models import Run
from inventory.models import Device
from tests.factories import make_credential, make_device, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def device() -> Device:
    tenant = make_tenant()
    credential = make_credential(tenant)
    credential.set_password("canary-in-the-queue")
    credential.save()
    return make_device(tenant, credential=credential)


def test_run_and_task_appear_together(device: Device) -> None:
    """A task without its run fails; a run without its task waits for the reaper."""
    (run,) = jobs.enqueue_run([device], requested_by="ada")

    (task,) = OrmQ.objects.all()
    assert task.task["args"] == (str(run.pk),)
    assert (run.by_queue, run.attempts.count()) == (True, 1)


def test_neither_appears_when_the_request_is_rolled_back(device: Device) -> None:
    """An error after the click must not leave half a request behind."""
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.enqueue_run([device], requested_by="ada")
        raise RuntimeError

    assert (Run.objects.count(), OrmQ.objects.count()) == (0, 0)


def test_no_secret_is_put_into_the_queue(device: Device) -> None:
    """Queue rows are pickles that every administrator of the database can read."""
    jobs.enqueue_run([device], requested_by="ada")

    (row,) = OrmQ.objects.all()
    assert "canary-in-the-queue" not in repr(row.task) + row.payload


def test_a_task_for_a_run_that_has_ended_does_nothing(device: Device) -> None:
    """A task may be delivered twice, or late."""
    (run,) = jobs.enqueue_run([device], requested_by="ada")
    runs.abandon(run, timezone.now())

    jobs.collect_shard(str(run.pk))

    assert run.attempts.get().cause == "interrupted"


def test_the_tick_asks_again_for_a_run_that_nobody_works_on(device: Device) -> None:
    """The queue may lose a task; the row is the truth."""
    (run,) = jobs.enqueue_run([device], requested_by="ada")
    OrmQ.objects.all().delete()
    Run.objects.update(heartbeat_at=timezone.now() - runs.SILENCE - timedelta(seconds=1))

    jobs.tick()

    assert [row.task["args"] for row in OrmQ.objects.all()] == [(str(run.pk),)]


def test_a_large_run_is_shared_by_several_workers() -> None:
    """A thousand devices on one worker would leave the other cores idle."""
    assert [jobs.shards(count) for count in (1, 99, 250, 10_000)] == [1, 1, 2, jobs.MAX_SHARDS]


def test_a_run_is_worth_as_many_workers_as_all_hosts_have() -> None:
    """Four of two hundred workers would leave a fleet of a hundred hosts idle, and the night too short."""
    for number in range(100):
        Host.objects.create(name=f"host{number}", workers=2)
    Host.objects.create(name="elsewhere", queue="b1", workers=50)

    assert (jobs.shards(300), jobs.shards(10_000), jobs.shards(100_000)) == (3, 100, 200)


def test_there_is_one_tick_however_often_it_is_asked_for() -> None:
    """Two schedules would reap twice a minute, after ten starts ten times."""
    for _ in range(3):
        schedules.ensure_tick()

    assert list(Schedule.objects.values_list("func", "schedule_type", "minutes")) == [
        ("backups.jobs.tick", Schedule.MINUTES, 1)
    ]
