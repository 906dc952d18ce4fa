"""How long the tenant's lock is held by one process, and how long another one waits for it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from inventory.models import Device

LAST = "sweeping"  # the step of a collection in which the old packs go


@dataclass
class Holds:
    """Each time that this process has held the lock: from when until when, by a clock that all processes share."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    last_step: float = 0.0  # when the last step began
    since: float = 0.0  # when the transaction that goes on now took it; 0: none has it

    def end(self) -> None:
        """The transaction has ended."""
        self.spans.append((self.since, monotonic()))
        self.since = 0.0

    def told(self, step: str) -> None:
        """A collection has come to this step."""
        if step == LAST:
            self.last_step = monotonic()

    @property
    def prune(self) -> tuple[float, float]:
        """The turn in which the old packs went: the first of the last step."""
        return next((span for span in self.spans if self.last_step and span[0] >= self.last_step), (0.0, 0.0))

    @property
    def longest(self) -> float:
        """Seconds of the longest turn but that one."""
        return max((end - start for start, end in self.spans if (start, end) != self.prune), default=0.0)


@contextmanager
def watched() -> Iterator[Holds]:
    """Notes when this thread's transactions take the lock, and when they end."""
    from django.db import connection, transaction

    holds = Holds()

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        done = execute(sql, params, many, context)
        waited = "pg_advisory_xact_lock" in sql
        if waited or "pg_try_advisory_xact_lock" in sql:
            if not holds.since:
                transaction.on_commit(holds.end)
            # Tried first, then waited for: it is held from the second on. Tried once more while it is held: a check.
            holds.since = monotonic() if waited or not holds.since else holds.since
        return done

    with connection.execute_wrapper(watch):
        yield holds


@contextmanager
def writer_beside(device: Device, *, pause: float = 0.02) -> Iterator[list[tuple[float, float]]]:
    """A process that commits versions of a device without end; in the end, from when until when each waited."""
    from django.db import connection

    waits: list[tuple[float, float]] = []
    here, there = os.pipe()
    connection.close()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.close(here)
            write_without_end(device.pk, there, pause)
            status = 0
        finally:
            os._exit(status)
    os.close(there)
    try:
        yield waits
    finally:
        os.kill(pid, signal.SIGTERM)
        with os.fdopen(here) as lines:
            waits += [tuple(json.loads(line)) for line in lines]
        _, status = os.waitpid(pid, 0)
    assert not status, "the writer failed"


def write_without_end(device_id: UUID, out: int, pause: float) -> None:
    """Until it is told to end: commit, and say how long it took from asking for the lock to having it."""
    from django.utils import timezone

    from backups import batch
    from backups.commit import Kept, keep
    from inventory.models import Device

    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    device = Device.objects.get(pk=device_id)
    lock = batch.lock_tenant

    def timed(tenant_id: UUID, *, wait: float) -> None:
        start = monotonic()
        lock(tenant_id, wait=wait)
        os.write(out, f"{json.dumps([start, monotonic()])}\n".encode())

    batch.lock_tenant = timed
    number = 0
    while not ended:
        number += 1
        content = f"hostname x\n! {number}\n".encode()
        kept = [Kept(device, {"running.cfg": content}, f"{number:064x}", timezone.now())]
        now = timezone.now()
        keep(device.tenant_id, kept, author="a", message="m", run_id=None, now=now, also=lambda _: None)
        sleep(pause)


def longest_wait(waits: list[tuple[float, float]], but: tuple[float, float]) -> float:
    """Seconds of the longest wait that did not end in, or right after, this span."""
    return max((end - start for start, end in waits if end < but[0] or start > but[1]), default=0.0)
