"""django-q2's broker on the database, which also notes on this machine what its cluster has fetched.

A fetched task is locked for hours, and nothing in the database says by whom: the cluster that dies, or freezes, takes
it along. With the note the watch over the queue sees that it is not worked on, and gives it back (queue_watch.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from backups.hosts import beats
from backups.hosts.queues import FIRST, cluster_of, here

TICK = "backups.jobs.tick"  # waits for no more than one turn: schedules, retries and lost work depend on it
BEFORE_RUNS = FIRST + timedelta(days=1)  # its lock
LOOK_EVERY = 1.0  # seconds, while this host takes no work
ENOUGH = 4096  # bytes of the note after which what has been done is left out of it


class Broker(ORM):
    """As `Q_CLUSTER["broker_class"]` names it."""

    goes_first = False  # whether what is put into the queue goes before all that waits there

    @staticmethod
    def get_connection(list_key: str | None = None) -> QuerySet[OrmQ]:
        """The queue in the order in which it is fetched, which django-q2 leaves to chance."""
        return ORM.get_connection(list_key).order_by("lock", "pk")

    def enqueue(self, task: str) -> int:
        """Put a task into the queue; its number."""
        lock = FIRST if self.goes_first else timezone.now()
        if SignedPackage.loads(task)["func"] == TICK:
            lock = BEFORE_RUNS
        return self.get_connection().create(key=self.list_key, payload=task, lock=lock).pk

    def dequeue(self) -> Any:
        """The next tasks; none after waiting a moment, and none while this host is to take no work."""
        if not beats.takes_work():
            sleep(LOOK_EVERY)
            return None
        tasks = super().dequeue()
        note(pk for pk, _ in tasks or ())
        return tasks


def place() -> Path:
    """The note: a number in each line."""
    return Path(settings.NETCAIRN_VAR) / "queue-fetched"


def note(tasks: Iterable[int]) -> None:
    """Remember that these are here now."""
    lines = "".join(f"{task}\n" for task in tasks)
    if lines:
        with place().open("a") as file:
            file.write(lines)


def fetched() -> list[int]:
    """Tasks that are here, and not done with."""
    try:
        noted = {int(line) for line in place().read_text().split()}
    except FileNotFoundError:
        return []
    fetched_here = OrmQ.objects.filter(pk__in=noted, key=cluster_of(here()), lock__gt=timezone.now())
    left = list(fetched_here.values_list("pk", flat=True))
    if place().stat().st_size > ENOUGH:
        rewrite(left)
    return left


def give_back() -> None:
    """Let whoever comes next fetch again what is here: the cluster that has fetched it is gone.

    Where two clusters share this machine the other's are delivered a second time; a task must bear that in any case.
    """
    OrmQ.objects.filter(pk__in=fetched()).update(lock=timezone.now())
    place().unlink(missing_ok=True)


def rewrite(tasks: Iterable[int]) -> None:
    """Note these alone."""
    beside = place().with_suffix(f".{os.getpid()}")
    beside.write_text("".join(f"{task}\n" for task in tasks))
    beside.replace(place())
