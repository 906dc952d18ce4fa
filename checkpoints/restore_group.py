"""Several devices in one request: planned and agreed to together, carried out in order, stopped at the first failure.

Each device's way is that of a single restore (`device_restore.py`); here is only which comes when, and whether any
more does. The process that carries a request out holds a lease; when it dies nothing more is begun, by anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connections, transaction

from backups import runs, shard
from backups.errors import BackupError
from backups.models import Attempt, Run, Snapshot
from backups.store.reader import open_store
from checkpoints import manifest
from checkpoints.device_restore import push_restore
from checkpoints.errors import Deleted, NotRestorable, PlanOutdated, RestoreError, UnknownVersion, WrongMoment
from checkpoints.models import Checkpoint, Restore, RestoreGroup
from checkpoints.restore_means import Means, give_up, leased
from checkpoints.restore_planning import approve_restore, cancel_restore, plan_from, request_restore, write_plan
from checkpoints.restore_rules import refuse_outside_windows, refuse_when_stopped
from inventory import audit
from inventory.models import Device
from inventory.notices import Level, tell

MOST_DEVICES = 2000  # in one request
BESIDES = timedelta(minutes=30)  # that a restore may take beyond its device's own timer, with all that can go wrong

State = Restore.State
Act = Callable[[Restore], None]


def request_group(
    checkpoint: Checkpoint, devices: Sequence[Device], *, by: str, minutes: int = 5, at_a_time: int = 1, now: datetime
) -> RestoreGroup:
    """Note that somebody wants these devices back at a checkpoint, in this order. Nothing is collected or sent yet.

    Raises RestoresStopped, UnknownVersion, Deleted, NotRestorable; then there is no request at all.
    """
    refuse_when_stopped()
    files = files_of_all(checkpoint, devices)
    group = RestoreGroup(
        tenant_id=checkpoint.tenant_id, checkpoint=checkpoint, requested_by=by, requested_at=now, at_a_time=at_a_time
    )
    group.full_clean(validate_constraints=False)
    with transaction.atomic():
        group.save(force_insert=True)
        record(group, by, "requested", devices=len(devices))
    for place, device in enumerate(devices, start=1):
        request_restore(
            device, checkpoint, by=by, minutes=minutes, now=now, files=files[device.pk], group=group, place=place
        )
    return group


def files_of_all(checkpoint: Checkpoint, devices: Sequence[Device]) -> manifest.Manifest:
    """What the checkpoint holds of each. Raises UnknownVersion, Deleted, NotRestorable, StoreDamaged."""
    if checkpoint.deleted_at:
        raise Deleted(f"Checkpoint {checkpoint.short_id} is deleted; undelete it before you go back to it.")
    if not 0 < len(devices) <= MOST_DEVICES or len({device.pk for device in devices}) < len(devices):
        raise NotRestorable(f"Name 1 to {MOST_DEVICES} devices, each once.")
    found = manifest.of_commit(open_store(checkpoint.tenant_id), checkpoint.content, [device.pk for device in devices])
    for device in devices:
        if device.tenant_id != checkpoint.tenant_id or device.pk not in found:
            raise UnknownVersion(f"The checkpoint holds nothing of {device}; leave it out.")
        if device.retired_at:
            raise NotRestorable(f"{device} is retired: leave it out, or bring it back into service.")
    return found


def devices_of(checkpoint: Checkpoint) -> list[Device]:
    """Every device in service that the checkpoint holds, by name."""
    held = manifest.of_commit(open_store(checkpoint.tenant_id), checkpoint.content)
    return list(Device.objects.filter(pk__in=list(held), retired_at=None).order_by("name"))


# Planning


def plan_group(group: RestoreGroup, *, by: str, means: Means, threads: int = 8) -> None:
    """Look at all the devices in one run, and plan each; one that runs the version already is called off.

    Raises RestoresStopped, WrongMoment.
    """
    refuse_when_stopped()
    if group.approved_by or group.ended_at:
        raise WrongMoment(f"{group} is {group.state}: it cannot be planned again.")
    token, now = uuid4(), means.clock()
    until = now + means.a_look * max(1, group.restores.count() // threads)
    waiting = [one for one in group.in_order() if one.state in (State.REQUESTED, State.PLANNED)]
    for restore in waiting:
        told = "Collecting the device."
        restore.move(State.REQUESTED, of=[restore.state], now=now, by=by, told=told, **leased(token, until))
    devices = [restore.device for restore in waiting]
    for run in runs.start_runs(devices, requested_by=by, trigger=Run.Trigger.RESTORE, by_queue=False, now=now):
        shard.work_on(run, transport=means.writer, limits=means.limits, threads=threads, clock=means.clock)
        attempts = {attempt.device_id: attempt for attempt in run.attempts.all()}
        for restore in waiting:
            plan_one(restore, attempts[restore.device_id], token=token, means=means)


def plan_one(restore: Restore, attempt: Attempt, *, token: UUID, means: Means) -> None:
    """The plan from what was just collected, or the end of this device's restore."""
    try:
        if attempt.state not in (Attempt.State.CHANGED, Attempt.State.UNCHANGED):
            raise NotRestorable(attempt.detail or f"{restore.device} could not be collected.")
        before = Snapshot.objects.filter(device=restore.device_id).latest("seq")
        plan = plan_from(restore, before)
    except BackupError as exc:
        give_up(restore, exc, token=token, means=means)
        return
    if plan.before and plan.before == plan.target:
        give_up(restore, NotRestorable("It runs this version already."), token=token, means=means)
        return
    write_plan(restore, plan, before, of=[State.REQUESTED], token=token, told="Planned.", now=means.clock())


# Agreeing


def approve_group(group: RestoreGroup, *, fingerprint: str, by: str, now: datetime) -> None:
    """Agree to all the plans of this fingerprint, or to none; every device is its restore's alone from here on.

    Raises RestoresStopped, WrongMoment, PlanOutdated, NotRestorable, SamePerson, DeviceTaken.
    """
    if group.state != "planned":
        raise WrongMoment(f"{group} is {group.state}: only plans can be approved.")
    if group.fingerprint != fingerprint:
        raise PlanOutdated("There are newer plans than those that were shown; look at them first.")
    planned = [restore for restore in group.in_order() if restore.state == State.PLANNED]
    if not planned:
        raise NotRestorable("None of the devices has anything to be put back.")
    agreed: list[Restore] = []
    try:
        for restore in planned:
            approve_restore(restore, fingerprint=restore.fingerprint, by=by, now=now)
            agreed.append(restore)
    except RestoreError:
        for restore in agreed:
            told = "Not approved after all: another device of the request could not be."
            restore.move(State.PLANNED, of=[State.APPROVED], now=now, told=told, approved_by="")
        raise
    with transaction.atomic():
        RestoreGroup.objects.filter(pk=group.pk).update(approved_by=by)
        record(group, by, "approved", devices=len(agreed), fingerprint=fingerprint)
    group.refresh_from_db()


def stop_group(group: RestoreGroup, *, by: str, now: datetime) -> None:
    """Begin no more devices; those under way are finished. Raises WrongMoment when it has ended."""
    stopped = f"Stopped by {by}."
    with transaction.atomic():
        if not RestoreGroup.objects.filter(pk=group.pk, ended_at=None).update(stopped=stopped):
            raise WrongMoment(f"{group} has ended already.")
        record(group, by, "stopped")
    group.refresh_from_db()
    if not group.lease_until:  # nobody carries it out
        finish(group, now=now)


# Carrying out


def push_group(group: RestoreGroup, *, by: str, means: Means) -> RestoreGroup:
    """Carry the approved plans out in their order, `at_a_time` at once, until all are done or one has failed.

    Raises RestoresStopped, OutsideWindow, WrongMoment; what goes wrong with a device stands in its row.
    """
    refuse_when_stopped()
    refuse_outside_windows(group.tenant, means.clock())
    token = uuid4()
    with transaction.atomic():
        mine = RestoreGroup.objects.filter(pk=group.pk, ended_at=None, token=None).exclude(approved_by="")
        if not mine.update(pushed_by=by, token=token, lease_until=means.clock() + longest(group)):
            raise WrongMoment(f"{group} is {group.state}: only what was approved can be pushed, and once.")
        record(group, by, "pushed")
    group.refresh_from_db()
    carried_out = one_by_one if group.at_a_time == 1 else some_at_a_time
    carried_out(group, begun(group, token, means), lambda one: push_one(one, by=by, means=means), means.ended)
    finish(group, now=means.clock())
    return group


def longest(group: RestoreGroup) -> timedelta:
    """So long the slowest of its restores may take."""
    return timedelta(minutes=max(group.restores.values_list("minutes", flat=True), default=0)) + BESIDES


def begun(group: RestoreGroup, token: UUID, means: Means) -> Iterator[Restore]:
    """The next device's restore, as long as nothing has failed and nobody has said stop."""
    for restore in group.in_order():
        if restore.state != State.APPROVED:
            continue
        lease = {"lease_until": means.clock() + longest(group)}
        if not RestoreGroup.objects.filter(pk=group.pk, token=token, stopped="").update(**lease):
            return
        yield restore


def one_by_one(group: RestoreGroup, restores: Iterator[Restore], push: Act, ended: Act) -> None:
    """In this thread."""
    for restore in restores:
        push(restore)
        note_failure(group, restore)
        ended(restore)


def some_at_a_time(group: RestoreGroup, restores: Iterator[Restore], push: Act, ended: Act) -> None:
    """In as many threads; a failure lets those under way finish."""

    def alone(restore: Restore) -> Restore:
        try:
            push(restore)
        finally:
            connections.close_all()  # this thread's own
        return restore

    with ThreadPoolExecutor(group.at_a_time, thread_name_prefix="restore") as pool:
        under_way: set[Future[Restore]] = set()
        for restore in restores:
            under_way.add(pool.submit(alone, restore))
            if len(under_way) >= group.at_a_time:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    note_failure(group, future.result())
                    ended(future.result())
        for future in under_way:
            note_failure(group, future.result())
            ended(future.result())


def push_one(restore: Restore, *, by: str, means: Means) -> None:
    """One device; its row says what came of it."""
    with suppress(BackupError):
        push_restore(restore, by=by, means=means)


def note_failure(group: RestoreGroup, restore: Restore) -> None:
    """The first device that does not run the version stops the rest."""
    restore.refresh_from_db()
    if restore.state != State.CONFIRMED:
        told = f"{restore.device.name}: {restore.get_state_display().lower()}. {restore.detail}".strip()
        RestoreGroup.objects.filter(pk=group.pk, stopped="").update(stopped=told)


def finish(group: RestoreGroup, *, now: datetime) -> None:
    """Call off what was not begun, and tell."""
    group.refresh_from_db()
    for restore in group.in_order():
        if restore.state in Restore.WAITING:
            with suppress(RestoreError):
                cancel_restore(restore, by=group.pushed_by or group.requested_by, now=now)
    with transaction.atomic():
        RestoreGroup.objects.filter(pk=group.pk).update(ended_at=now, token=None, lease_until=None)
        group.refresh_from_db()
        counted = ", ".join(f"{number} {word}" for word, number in group.progress().items() if number)
        level = Level.ALARM if group.stopped else Level.INFO
        text = f"{counted}. {group.stopped}".strip()
        tell(group.tenant, code=f"restores.{group.state}", about=str(group), text=text, level=level)
        record(group, audit.SYSTEM, group.state, told=text)


def reap_groups(means: Means) -> list[RestoreGroup]:
    """End requests whose process is gone, once each of their devices has come to an end: nothing more is begun."""
    ended = []
    for group in RestoreGroup.objects.forsaken(means.clock()):
        if group.restores.filter(state__in=Restore.WORKING).exists():
            continue
        told = "The process that carried it out ended in the middle."
        stopped = f"{group.stopped} {told}".strip()
        if RestoreGroup.objects.filter(pk=group.pk, token=group.token, ended_at=None).update(stopped=stopped):
            finish(group, now=means.clock())
            ended.append(group)
    return ended


def record(group: RestoreGroup, by: str, action: str, **detail: object) -> None:
    """Into the audit log."""
    about = f"{group} to {group.checkpoint}"
    audit.record(group.tenant, by=by, action=f"restores.{action}", about=about, detail={"id": str(group.pk), **detail})
