"""The life of a run, whatever happens to its workers."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from backups import runs
from backups.models import Attempt, Run
from tests.factories import make_device, make_tenant

pytestmark = pytest.mark.django_db
NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
LATE = NOON + runs.SILENCE + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_hooks(settings) -> None:
    settings.NETCAIRN_RUN_ENDED = []


def a_run(devices: int = 2, *, by_queue: bool = True) -> Run:
    tenant = make_tenant()
    found = [make_device(tenant, name=f"edge{n}") for n in range(devices)]
    (run,) = runs.start_runs(found, requested_by="ada", trigger="hand", by_queue=by_queue, now=NOON)
    return run


def states(run: Run) -> list[str]:
    return list(run.attempts.order_by("id").values_list("state", flat=True))


def test_a_request_for_two_tenants_is_two_runs() -> None:
    """A run belongs to one tenant, or its page would show one customer's devices to the other."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    devices = [make_device(acme, name="a1"), make_device(globex, name="g1"), make_device(acme, name="a2")]

    asked = runs.start_runs(devices, requested_by="ada", trigger="hand", by_queue=True, now=NOON)

    assert sorted((run.tenant.name, run.attempts.count()) for run in asked) == [("acme", 2), ("globex", 1)]


def test_two_workers_never_claim_the_same_attempt() -> None:
    """A task may be delivered twice; a device must not be logged in to twice."""
    run = a_run(3)

    first = run.attempts.claim(token=uuid4(), limit=2, now=NOON)
    second = run.attempts.claim(token=uuid4(), limit=2, now=NOON)

    assert (len(first), len(second)) == (2, 1)
    assert {one.pk for one in first}.isdisjoint(one.pk for one in second)


def test_a_try_is_counted_before_the_work() -> None:
    """A device that kills its worker never reports; it must be given up all the same."""
    run = a_run(1)

    run.attempts.claim(token=uuid4(), limit=1, now=NOON)

    assert run.attempts.get().tries == 1


def test_an_ended_run_is_not_begun_again() -> None:
    """A queue task that comes late must find nothing to do."""
    run = a_run(1)
    run.attempts.give_up(cause="interrupted", detail="", now=NOON)
    runs.end_run(run, NOON)

    assert run.begin(LATE) is False
    assert Run.objects.get(pk=run.pk).state == Run.State.DONE


def test_a_run_with_open_attempts_is_not_ended() -> None:
    """Done means that every device has a final state."""
    run = a_run(1)

    assert runs.end_run(run, NOON) is False
    assert Run.objects.get(pk=run.pk).state == Run.State.QUEUED


def test_attempts_of_a_dead_worker_go_back_to_the_queue() -> None:
    """A power cut on one worker must not cost a night's backup."""
    run = a_run(2)
    run.attempts.claim(token=uuid4(), limit=1, now=NOON)

    wanting = runs.reap(LATE)

    assert wanting == [run]
    assert states(run) == ["queued", "queued"]


def test_a_living_worker_keeps_its_attempts() -> None:
    """A slow device is not a dead worker."""
    run = a_run(1)
    run.attempts.claim(token=uuid4(), limit=1, now=LATE)

    runs.reap(LATE)

    assert states(run) == ["running"]


def test_the_result_of_a_worker_that_lost_its_claim_does_not_count() -> None:
    """A worker that wakes up after its attempts were given away must not write over the other's."""
    run = a_run(1)
    token = uuid4()
    run.attempts.claim(token=token, limit=1, now=NOON)
    runs.reap(LATE)

    assert run.attempts.held_by(token).update(state=Attempt.State.CHANGED) == 0


def test_a_device_that_kills_its_workers_is_given_up() -> None:
    """One poisonous device must not stop the queue for ever."""
    run = a_run(1)
    now = NOON
    for _ in range(runs.MAX_TRIES):
        run.attempts.claim(token=uuid4(), limit=1, now=now)
        now += runs.SILENCE + timedelta(seconds=1)
        runs.reap(now)

    attempt = run.attempts.get()
    assert (attempt.state, attempt.cause) == ("failed", "worker-lost")
    assert Run.objects.get(pk=run.pk).state == Run.State.DONE


def test_a_run_whose_command_died_is_closed_with_its_reason() -> None:
    """Nobody goes on with a command that was killed; the run must not look as if it were going on."""
    run = a_run(2, by_queue=False)
    run.attempts.claim(token=uuid4(), limit=1, now=NOON)

    wanting = runs.reap(LATE)

    assert wanting == []
    assert list(run.attempts.values_list("state", "cause")) == [("failed", "worker-lost")] * 2
    assert Run.objects.get(pk=run.pk).state == Run.State.DONE


def test_a_queued_run_that_nobody_began_is_asked_for_again() -> None:
    """A queue task may be lost; the row is the truth."""
    run = a_run(1)

    assert runs.reap(LATE) == [run]
    assert runs.reap(LATE) == []
