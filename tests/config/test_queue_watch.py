"""When is a queue stuck, and when only busy."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from config import queue_broker, queue_watch
from config.queue_watch import QueueWatch

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def own_var(settings: object, tmp_path: Path) -> Iterator[None]:
    """Other tests' workers are none of ours."""
    settings.NETCAIRN_VAR = tmp_path
    yield
    queue_watch.mark_idle()


def test_tasks_that_nobody_fetches_while_nobody_works_mean_a_stuck_cluster() -> None:
    """A killed worker can freeze all others for ever; django-q2 does not notice."""
    watch = QueueWatch(patience=60 * SECOND)

    assert not watch.judge({1, 2}, busy=False, now=NOON)
    assert not watch.judge({1, 2, 3}, busy=False, now=NOON + 59 * SECOND)
    assert watch.judge({1, 2, 3}, busy=False, now=NOON + 60 * SECOND)


@pytest.mark.parametrize(
    ("waiting", "busy"),
    [
        pytest.param(set(), False, id="nothing waits"),
        pytest.param({1, 2}, True, id="a worker is at work for an hour"),
        pytest.param({2, 3}, False, id="a task was fetched"),
    ],
)
def test_a_sign_of_life_begins_the_patience_anew(waiting: set[int], busy: bool) -> None:
    """Restarting a healthy cluster would cut off the work that it does."""
    watch = QueueWatch(patience=60 * SECOND)
    watch.judge({1, 2}, busy=False, now=NOON)

    assert not watch.judge(waiting, busy=busy, now=NOON + 59 * SECOND)
    assert not watch.judge(waiting, busy=False, now=NOON + 118 * SECOND)


def test_a_restarted_cluster_gets_time_to_begin() -> None:
    """The tasks that waited for the stuck one are still there when its successor starts."""
    watch = QueueWatch(patience=60 * SECOND)
    watch.judge({1}, busy=False, now=NOON)
    assert watch.judge({1}, busy=False, now=NOON + 60 * SECOND)

    assert not watch.judge({1}, busy=False, now=NOON + 70 * SECOND)
    assert not watch.judge({1}, busy=False, now=NOON + 120 * SECOND)


@pytest.mark.django_db(transaction=True)
def test_only_tasks_that_wait_for_long_count() -> None:
    """A fetched task has its lock in the future, a fresh one has only just come."""
    now = timezone.now()
    for key, age in (("netcairn", 120), ("netcairn", 1), ("netcairn", -600), ("another", 120)):
        OrmQ.objects.create(key=key, payload="", lock=now - age * SECOND)
    watch = QueueWatch(waited_too_long=60 * SECOND, patience=timedelta(0))

    assert watch.stuck()
    assert watch.waiting == set(
        OrmQ.objects.filter(key="netcairn", lock=now - 120 * SECOND).values_list("pk", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_what_a_cluster_has_fetched_waits_too_where_nobody_works() -> None:
    """It is locked for hours: after a freeze nobody would count it, and after a death nobody would do it."""
    OrmQ.objects.create(key="netcairn", payload="", lock=timezone.now() - SECOND)
    (task, _), *_others = queue_broker.Broker("netcairn").dequeue()
    watch = QueueWatch(patience=timedelta(0))

    assert watch.stuck()
    assert watch.waiting == {task}

    queue_watch.give_back_fetched()
    assert OrmQ.objects.get().lock <= timezone.now()
    assert queue_broker.fetched() == []


@pytest.mark.django_db(transaction=True)
def test_the_note_of_what_was_fetched_stays_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of a task each minute is half a million lines."""
    monkeypatch.setattr(queue_broker, "ENOUGH", 10)
    queue_broker.note(range(900, 950))

    assert queue_broker.fetched() == []
    assert queue_broker.place().read_text() == ""


def test_a_worker_is_busy_until_its_task_has_ended() -> None:
    """The only sign that tells a long task from a frozen cluster."""
    assert not queue_watch.somebody_is_busy()

    queue_watch.mark_busy(func=None, task={})
    assert queue_watch.somebody_is_busy()

    queue_watch.mark_idle(func=None, task={})
    assert not queue_watch.somebody_is_busy()


def test_a_killed_worker_is_not_busy() -> None:
    """Nobody tidies up after SIGKILL but the kernel."""
    ours, theirs = os.pipe()
    worker = os.fork()
    if not worker:
        queue_watch.mark_busy()
        os.write(theirs, b"busy")
        signal.pause()
    assert os.read(ours, 4) == b"busy"
    assert queue_watch.somebody_is_busy()

    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)

    assert not queue_watch.somebody_is_busy()
    os.close(ours)
    os.close(theirs)
