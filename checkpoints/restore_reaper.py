"""Restores whose process died, and devices of which nobody knows what they run.

What a dead process left behind follows from its row: each state was committed before what it announces, and every
session with the device has ended by the end of the lease. Up to `armed` nothing took effect. From `pushing` on the
device is asked, but only once its own timer must have run out: until then the answer would not last. Nothing here ever
changes what a device runs.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from backups.errors import BackupError
from backups.hosts.queues import mine
from backups.targets import platform_of, target_of
from checkpoints.errors import NotRestorable, RestoreError, WrongMoment
from checkpoints.models import Restore
from checkpoints.push import LATE
from checkpoints.restore_means import Means, alarm, calm, released
from checkpoints.restore_planning import plan_from
from checkpoints.restored_device import Device, Seen
from inventory.models import Device as DeviceRow

log = logging.getLogger(__name__)

State = Restore.State

SHOWS = {
    "target": "it runs the version",
    "before": "it runs what it ran before",
    "other": "it runs neither the version nor what it ran before",
    None: "it cannot be read",
}


def reap_restores(means: Means) -> list[Restore]:
    """Bring restores whose process is gone to their end; those that were ended now.

    Called every minute, and by any number of processes at once.
    """
    forsaken = mine(Restore.objects.forsaken(means.clock()))  # others could not reach the device
    found = forsaken.select_related("device__credential", "device__tenant")
    return [restore for restore in found if reaped(restore, means)]


def reaped(restore: Restore, means: Means) -> bool:
    """Whether the restore was ended now; another process may be quicker, or it may be too early."""
    try:
        if restore.state in Restore.HARMLESS:
            armed = restore.state == State.ARMED
            cancel(restore, means.clock())
            if armed:
                clear_up(restore, means)
            return True
        return look_once(restore, means)
    except RestoreError:  # somebody else has moved the row
        return False


def cancel(restore: Restore, now: datetime) -> None:
    """End what had not taken effect yet. Raises WrongMoment."""
    detail = "The process that worked on it ended before anything took effect on the device. Plan it again."
    restore.move(
        State.CANCELLED,
        of=[restore.state],
        only={"token": restore.token, "lease_until": restore.lease_until},
        now=now,
        told=detail,
        cause="worker-lost",
        detail=detail,
        ended_at=now,
        **released(),
    )


def look_once(restore: Restore, means: Means) -> bool:
    """Read the device back, where its timer is over; whether that ended the restore. Raises RestoreError.

    The row is taken first: a process that was only slow finds its token gone and does nothing more.
    """
    now = means.clock()
    early = restore.reverts_at is not None and now < restore.reverts_at
    until = restore.reverts_at if early else now + means.a_look
    told = "Its process is gone: waiting for the device's timer." if early else "Its process is gone: reading it back."
    restore.move(
        restore.state,
        of=[restore.state],
        only={"token": restore.token, "lease_until": restore.lease_until},
        now=now,
        told=told,
        token=uuid4(),
        lease_until=until,
    )
    if early:
        return False
    seen, trouble = look(restore, means)
    late = restore.reverts_at is None or means.clock() >= restore.reverts_at + timedelta(seconds=LATE)
    if seen is None and not late:
        return False  # it may still be starting; the next lease comes back to it
    conclude(restore, seen, trouble, means)
    return True


def conclude(restore: Restore, seen: Seen | None, trouble: str, means: Means) -> None:
    """The end that follows from what the device shows after its timer. Raises RestoreLost."""
    now = means.clock()
    reverted = seen == "before"
    detail = f"The process that worked on it ended in the middle; after the device's timer {SHOWS[seen]}."
    detail += f" {trouble}" if trouble else ""
    restore.move(
        State.REVERTED if reverted else State.UNKNOWN,
        of=Restore.TOUCHED,
        holder=restore.token,
        now=now,
        told=detail,
        cause="worker-lost",
        detail=detail,
        ended_at=now,
        **released(),
    )
    if not reverted:
        alarm(restore)


def look(restore: Restore, means: Means) -> tuple[Seen | None, str]:
    """What the device shows now, and why nothing can be said where that is so."""
    try:
        there = device_of(restore, means)
    except BackupError as exc:
        return None, str(exc)
    seen = there.look()
    if seen == "before":
        there.clear_up()
    return seen, there.trouble if seen is None else ""


def clear_up(restore: Restore, means: Means) -> None:
    """Take the file away that a dead process may have left; it holds secrets."""
    try:
        device_of(restore, means).clear_up()
    except BackupError as exc:
        log.info("The file of restore %s may be left on its device: %s", restore.short_id, exc)


def device_of(restore: Restore, means: Means) -> Device:
    """The device with the restore's plan. Raises a BackupError."""
    if restore.before is None:
        raise NotRestorable("What the device ran before is not kept any more.")
    device = DeviceRow.objects.select_related("credential").get(pk=restore.device_id)
    plan = plan_from(restore, restore.before)
    return Device(plan, target_of(device), platform_of(device), means.writer, means.limits)


# A restore that ended unknown, and the person who looks after it


def look_again(restore: Restore, *, by: str, means: Means) -> Seen | None:
    """Read back a device in an unknown state; one that runs what it ran before is `reverted`. Raises WrongMoment."""
    refuse_unless_unknown(restore)
    seen, trouble = look(restore, means)
    told = f"Looked again: {SHOWS[seen]}." + (f" {trouble}" if trouble else "")
    to = State.REVERTED if seen == "before" else State.UNKNOWN
    restore.move(
        to,
        of=[State.UNKNOWN],
        only={"settled_at": None},
        now=means.clock(),
        by=by,
        told=told,
        detail=told,
        action="looked",
    )
    if to == State.REVERTED:
        calm(restore, by=by)
    return seen


def settle_restore(restore: Restore, *, by: str, note: str, now: datetime) -> None:
    """Somebody has looked at the device and answers for it: it may be restored again. Raises WrongMoment."""
    refuse_unless_unknown(restore)
    if not note.strip():
        raise WrongMoment("Say what you found on the device.")
    restore.move(
        State.UNKNOWN,
        of=[State.UNKNOWN],
        only={"settled_at": None},
        now=now,
        by=by,
        told=f"Settled: {note.strip()}",
        settled_by=by,
        settled_at=now,
        settled_note=note.strip(),
        action="settled",
    )
    calm(restore, by=by)


def refuse_unless_unknown(restore: Restore) -> None:
    """Raise WrongMoment unless the restore waits for somebody to look."""
    restore.refresh_from_db()
    if restore.state != State.UNKNOWN or restore.settled_at is not None:
        raise WrongMoment(f"Restore {restore.short_id} is {restore.state}: nobody has to look at its device.")
