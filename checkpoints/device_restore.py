"""Carrying out a restore that was approved: the rows around `push.py`.

It begins with another look. When the device, the version or the sheet have changed since the approval, there is a new
plan that nobody has approved. Nothing is ever pushed twice: the row passes `pushing` once, with one token.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from backups.errors import BackupError
from backups.models import Attempt
from backups.targets import platform_of, target_of
from checkpoints.errors import DeviceTaken, NotRestorable, PlanOutdated, RestoreLost
from checkpoints.models import Restore
from checkpoints.plan import Plan
from checkpoints.push import MARGIN, Outcome, Stage, carry_out
from checkpoints.restore_means import Means, end_restore, give_up, leased
from checkpoints.restore_planning import collected_now, look_and_plan, write_plan
from checkpoints.restore_rules import refuse_outside_windows, refuse_when_stopped
from inventory.models import Device, Tenant

State = Restore.State
BEFORE: dict[Stage, str] = {"armed": State.PRE_BACKUP, "pushing": State.ARMED, "verifying": State.PUSHING}
TOLD: dict[Stage, str] = {
    "armed": "Putting the file onto the device and preparing.",
    "pushing": "Telling the device to change; its timer runs.",
    "verifying": "Looking at what the device made of it.",
}


def push_restore(restore: Restore, *, by: str, means: Means) -> Outcome:
    """Carry an approved plan out, once, to its end: the row says which.

    Raises RestoresStopped, OutsideWindow, WrongMoment, NotRestorable, RestoreLost, and PlanOutdated when the device has
    changed since (the row is `planned` again then).
    """
    refuse_when_stopped()
    token, now = uuid4(), means.clock()
    refuse_outside_windows(restore.tenant, now)
    restore.move(
        State.PRE_BACKUP,
        of=[State.APPROVED],
        now=now,
        by=by,
        told="Backing the device up.",
        pushed_by=by,
        **leased(token, now + means.a_look),
    )
    try:
        plan = same_plan(restore, by=by, token=token, means=means)
        outcome = pushed(restore, plan, token=token, means=means)
    except RestoreLost:
        raise
    except BackupError as exc:
        if restore.state in Restore.HARMLESS:
            give_up(restore, exc, token=token, means=means)
        raise
    end_restore(restore, outcome, token=token, means=means)
    record(restore, by=by, means=means)
    return outcome


def same_plan(restore: Restore, *, by: str, token: UUID, means: Means) -> Plan:
    """The plan made again from a fresh look, if it is the approved one. Raises PlanOutdated, NotRestorable."""
    try:
        plan, before = look_and_plan(restore, by=by, means=means)
    except BackupError as exc:
        give_up(restore, exc, token=token, means=means)
        raise NotRestorable(f"{restore.device} cannot be restored: {exc}") from exc
    if plan.fingerprint != restore.fingerprint:
        told = "The device or the version has changed since the approval: planned again."
        write_plan(restore, plan, before, of=[State.PRE_BACKUP], token=token, told=told, now=means.clock())
        raise PlanOutdated(
            f"{restore.device} or the version has changed since the plan was approved; nothing was sent. Look at the "
            "new plan."
        )
    return plan


def pushed(restore: Restore, plan: Plan, *, token: UUID, means: Means) -> Outcome:
    """The plan, carried out."""
    device = Device.objects.select_related("credential").get(pk=restore.device_id)
    return carry_out(
        plan,
        target_of(device),
        platform_of(device),
        writer=means.writer,
        limits=means.limits,
        journal=RowJournal(restore, plan, token=token, means=means),
        time=means.time,
    )


class RowJournal:
    """The journal of `push.py` in the restore's rows."""

    def __init__(self, restore: Restore, plan: Plan, *, token: UUID, means: Means) -> None:
        self.restore, self.plan, self.token, self.means = restore, plan, token, means

    def enter(self, stage: Stage, *, seconds: float) -> None:
        """A stage begins. Raises RestoreLost, and RestoresStopped as long as nothing has taken effect."""
        now = self.means.clock()
        ends = now + timedelta(seconds=seconds)
        fields: dict[str, Any] = {"lease_until": ends}
        if stage == "pushing":
            refuse_when_stopped()
            fields |= {"pushed_at": now, "reverts_at": ends + self.timer}
        if stage == "verifying":
            fields |= {"reverts_at": now + self.timer + timedelta(seconds=MARGIN)}
        self.restore.move(stage, of=[BEFORE[stage]], holder=self.token, now=now, told=TOLD[stage], **fields)
        if stage == "armed":
            self.refuse_beside_a_backup()
        self.means.told(TOLD[stage])

    def refuse_beside_a_backup(self) -> None:
        """No backup begins from `armed` on; one that began before is a reason to stop. Raises DeviceTaken."""
        with transaction.atomic():
            # Claims of attempts take the same row: after this, each has seen that the device is held.
            Tenant.objects.select_for_update(no_key=True).get(pk=self.restore.tenant_id)
            talking = Attempt.objects.filter(device=self.restore.device_id, state=Attempt.State.RUNNING)
            if talking.exists():
                raise DeviceTaken(f"{self.restore.device} is being backed up; try again when that has ended.")

    @property
    def timer(self) -> timedelta:
        """The device's own, and what it needs to come back."""
        return timedelta(minutes=self.plan.minutes, seconds=self.plan.settles)

    def note(self, what: str) -> None:
        """The next thing that is done. Raises RestoreLost."""
        self.restore.note(what, holder=self.token, now=self.means.clock())
        self.means.told(what)


def record(restore: Restore, *, by: str, means: Means) -> None:
    """Keep what the device runs now as its newest version; a failure is noted, the next backup makes up for it."""
    if restore.state == State.CANCELLED:
        return
    try:
        collected_now(restore.device, by=by, means=means)
    except BackupError as exc:
        restore.events.create(
            tenant_id=restore.tenant_id, state=restore.state, at=means.clock(), told=f"Not recorded: {exc}"
        )
