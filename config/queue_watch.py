"""Finding out that the queue's workers only look alive.

A worker that is killed while it waits for work can take the lock of the cluster's inner queue with it; all others
then wait for ever, and nothing in django-q2 notices. From outside it shows like this: tasks wait, in the database or
fetched from it, and nobody works.
"""

from __future__ import annotations

import fcntl
import logging
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signals import post_execute_in_worker, pre_execute

from backups import jobs
from backups.hosts import beats
from backups.hosts.queues import cluster_of, here
from config import queue_broker

log = logging.getLogger(__name__)

WAITED_TOO_LONG = timedelta(seconds=15)
"""A cluster with a free worker fetches a task within a second or two."""

PATIENCE = timedelta(seconds=20)
"""So long nothing may move before the cluster is called stuck. Together with the time between two looks less than a
minute: so long a task may wait after the death of any process. Nobody is at work then, so that nothing is cut off."""

_busy: list[int] = []
"""This worker's shared lock while it has a task."""


def busy_lock() -> Path:
    """Held by every worker that has a task; the kernel takes it from one that was killed."""
    return Path(settings.NETCAIRN_VAR) / "queue-busy.lock"


def connect() -> None:
    """Have the workers say when they are busy."""
    pre_execute.connect(mark_busy, dispatch_uid="netcairn busy")
    post_execute_in_worker.connect(mark_idle, dispatch_uid="netcairn idle")


def mark_busy(**_: Any) -> None:
    """Take the lock, in the worker, before a task."""
    descriptor = os.open(busy_lock(), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _busy.append(descriptor)


def mark_idle(**_: Any) -> None:
    """Give the lock back, in the worker, after a task."""
    while _busy:
        os.close(_busy.pop())


def somebody_is_busy() -> bool:
    """Whether a worker on this machine has a task."""
    descriptor = os.open(busy_lock(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


class QueueWatch:
    """Looks at the queue now and then, and remembers what it saw."""

    def __init__(self, *, waited_too_long: timedelta = WAITED_TOO_LONG, patience: timedelta = PATIENCE) -> None:
        self.waited_too_long = waited_too_long
        self.patience = patience
        self.waiting: set[int] = set()
        self.still_since: datetime | None = None

    def stuck(self) -> bool:
        """Whether the cluster has stopped taking work; False while the database cannot be asked.

        What a killed worker had begun is given to others meanwhile: the tick that does this comes by the same queue.
        """
        try:
            jobs.take_up_lost()
            waiting = set(self._waiting_too_long())
        except OperationalError:
            return False  # the workers cannot work without it either, and it is not them who are stuck
        finally:
            connection.close()
        return self.judge(waiting, busy=somebody_is_busy(), now=timezone.now())

    def judge(self, waiting: set[int], *, busy: bool, now: datetime) -> bool:
        """Whether tasks have waited, all the same ones, with nobody at work, for longer than our patience."""
        moved = bool(self.waiting - waiting)
        self.waiting = waiting
        if not waiting or busy or moved or self.still_since is None:
            self.still_since = now
        if now - self.still_since < self.patience:
            return False
        self.still_since = None  # the next cluster begins with a clean slate
        return True

    def _waiting_too_long(self) -> list[int]:
        """Tasks that nobody has fetched, and those that this machine has: where nobody works, they wait as well."""
        long_ago = timezone.now() - self.waited_too_long
        waiting = OrmQ.objects.filter(key=cluster_of(here()), lock__lt=long_ago).values_list("pk", flat=True)
        unfetched = waiting[:1000] if beats.takes_work() else []  # a host that drains leaves them to others
        return [*unfetched, *queue_broker.fetched()]


def give_back_fetched() -> None:
    """Before a cluster starts: what the one before had fetched and not done is there for it."""
    try:
        queue_broker.give_back()
    except OperationalError as error:
        log.warning("What the queue had fetched before it ended is not given back now: %s", error)
    finally:
        connection.close()
