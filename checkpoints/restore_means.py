"""What a restore needs of the world, and how a process takes one into its hands and lets it go again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from backups.device_writing import Writer
from backups.errors import BackupError
from backups.transport import Limits
from checkpoints.models import Restore
from checkpoints.push import MARGIN, Outcome, Time
from inventory.notices import Level, settle, tell

UNKNOWN = "restore.unknown"
log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def database_clock() -> datetime:
    """The time that all hosts agree on: one whose clock is ahead would take a living process for dead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now


@dataclass(frozen=True)
class Means:
    """What a restore needs of the world."""

    writer: Writer
    limits: Limits
    time: Time
    clock: Clock
    told: Callable[[str], None] = lambda _: None  # hears of each step, for somebody who watches
    ended: Callable[[Restore], None] = lambda _: None  # hears of each of several restores that has come to its end

    @property
    def a_look(self) -> timedelta:
        """How long a collection may take, with another run's that has to be waited for."""
        return timedelta(seconds=3 * self.limits.deadline + MARGIN)


class RealTime:
    """Waiting that takes its time."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)


def leased(token: UUID, until: datetime) -> dict[str, Any]:
    """The row is this process's until then."""
    return {"token": token, "lease_until": until}


def released() -> dict[str, Any]:
    """Nobody works on the row any more."""
    # Not a password, but nobody's.
    return {"token": None, "lease_until": None}  # nosec B105


def end_restore(restore: Restore, outcome: Outcome, *, token: UUID, means: Means) -> None:
    """Write down what came of it, and tell somebody when nobody knows. Raises RestoreLost."""
    now = means.clock()
    restore.move(
        outcome.result,
        of=[restore.state],
        holder=token,
        now=now,
        told=outcome.detail or "It runs the version, was read back, and starts with it.",
        cause=outcome.cause,
        detail=outcome.detail,
        saved=outcome.saved,
        ended_at=now,
        **released(),
    )
    if restore.state == Restore.State.UNKNOWN:
        alarm(restore)
    else:
        text = restore.detail or f"{restore.device.name} runs the version, and was read back."
        tell(restore.tenant, code=f"restore.{restore.state}", about=restore.device.name, text=text)


def give_up(restore: Restore, error: BackupError, *, token: UUID, means: Means) -> None:
    """End what has changed nothing. Raises RestoreLost."""
    end_restore(restore, Outcome("cancelled", error.cause, str(error)), token=token, means=means)


def alarm(restore: Restore) -> None:
    """Tell the people who run this: a device is blocked until somebody has looked at it."""
    log.critical(
        "Restore %s of device %s ended in an unknown state: %s", restore.short_id, restore.device.name, restore.detail
    )
    text = f"{restore.detail} Nothing more is restored to it until somebody has looked: restore {restore.short_id}."
    tell(restore.tenant, code=UNKNOWN, about=restore.device.name, text=text, level=Level.ALARM)


def calm(restore: Restore, *, by: str) -> None:
    """The device is known again: close its alarm."""
    settle(restore.tenant, code=UNKNOWN, about=restore.device.name, by=by)
