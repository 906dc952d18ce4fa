"""A restore to a device, up to where somebody has agreed to it: asked for, planned, approved, or called off.

Planning looks at the device and changes nothing. An approval is of one fingerprint, and takes the device for this
restore alone. What then happens is in `device_restore.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from backups import runs, shard
from backups.errors import BackupError
from backups.models import Attempt, Run, Snapshot
from backups.processing import originals
from backups.store.reader import open_store
from backups.targets import platform_of
from checkpoints import manifest
from checkpoints.errors import Deleted, NotRestorable, PlanOutdated, SamePerson, UnknownVersion, WrongMoment
from checkpoints.models import Checkpoint, Restore, RestoreGroup
from checkpoints.plan import Plan, make_plan
from checkpoints.plan_checks import Processed
from checkpoints.restore_means import Means, give_up, leased, released
from checkpoints.restore_rules import MINUTES, needs_four_eyes, refuse_when_stopped
from inventory.models import Device

State = Restore.State


def request_restore(
    device: Device,
    version: Checkpoint | Snapshot,
    *,
    by: str,
    minutes: int = 5,
    now: datetime,
    files: Mapping[str, manifest.Content] | None = None,
    group: RestoreGroup | None = None,
    place: int = 0,
) -> Restore:
    """Note that somebody wants a version back on a device. Nothing is collected or sent yet.

    `minutes` are the device's own timer's; `files` is what the version holds of the device, where that is known
    already; `group` and `place` say where it stands among several. Raises RestoresStopped, UnknownVersion, Deleted,
    NotRestorable.
    """
    refuse_when_stopped()
    if device.retired_at:
        raise NotRestorable(f"{device} is retired: bring it back into service before it is restored.")
    if minutes not in MINUTES:
        raise NotRestorable(f"The timer must have {MINUTES[0]} to {MINUTES[-1]} minutes, not {minutes}.")
    files = files_of(version, device) if files is None else files
    restore = Restore(
        tenant_id=device.tenant_id,
        device=device,
        checkpoint=version if isinstance(version, Checkpoint) else None,
        version=version if isinstance(version, Snapshot) else None,
        target=target_of(device, files),
        requested_by=by,
        requested_at=now,
        minutes=minutes,
        group=group,
        place=place,
    )
    restore.full_clean(validate_constraints=False)
    restore.save(force_insert=True)
    restore.move(State.REQUESTED, of=[State.REQUESTED], now=now, by=by, told="Asked for.")
    return restore


def files_of(version: Checkpoint | Snapshot, device: Device) -> Mapping[str, manifest.Content]:
    """What the version holds of the device. Raises UnknownVersion, Deleted, StoreDamaged."""
    if isinstance(version, Checkpoint):
        if version.deleted_at:
            raise Deleted(f"Checkpoint {version.short_id} is deleted; undelete it before you go back to it.")
        found = manifest.of_commit(open_store(version.tenant_id), version.content, [device.pk])
    else:
        found = manifest.of_snapshot(version)
    if version.tenant_id != device.tenant_id or device.pk not in found:
        raise UnknownVersion(f"The version holds nothing of {device}; choose one that does.")
    return found[device.pk]


def target_of(device: Device, files: Mapping[str, manifest.Content]) -> dict[str, dict[str, object]]:
    """What is to be put back: each file as the device said it, where that is kept; else its row says `processed`."""
    stored = {name: {"blob": content.blob, "size": content.size} for name, content in files.items()}
    said = originals(stored)
    processed = Snapshot.objects.filter(device=device).processed_among(said)
    told: dict[str, dict[str, object]] = {name: {"processed": True} for name in processed}
    told |= {name: {"raw": True} for name in said if said[name] is not stored[name]}
    return {name: {**file, **told.get(name, {})} for name, file in said.items()}


def plan_restore(restore: Restore, *, by: str, means: Means) -> Plan:
    """Look at the device and work out what would have to be done; the row is `planned` then.

    May be called again before an approval. Raises RestoresStopped, WrongMoment, NotRestorable when the device cannot
    be read.
    """
    refuse_when_stopped()
    token, now = uuid4(), means.clock()
    restore.move(
        State.REQUESTED,
        of=[State.REQUESTED, State.PLANNED],
        now=now,
        by=by,
        told="Collecting the device.",
        **leased(token, now + means.a_look),
    )
    try:
        plan, before = look_and_plan(restore, by=by, means=means)
    except BackupError as exc:
        give_up(restore, exc, token=token, means=means)
        raise NotRestorable(f"{restore.device} cannot be restored: {exc}") from exc
    write_plan(restore, plan, before, of=[State.REQUESTED], token=token, told="Planned.", now=means.clock())
    return plan


def look_and_plan(restore: Restore, *, by: str, means: Means) -> tuple[Plan, Snapshot]:
    """A fresh version of the device, and the plan from there. Raises a BackupError."""
    before = collected_now(restore.device, by=by, means=means)
    return plan_from(restore, before), before


def collected_now(device: Device, *, by: str, means: Means) -> Snapshot:
    """Back the device up now; its newest version, which is what it runs. Raises NotRestorable."""
    (run,) = runs.start_runs([device], requested_by=by, trigger=Run.Trigger.RESTORE, by_queue=False, now=means.clock())
    shard.work_on(run, transport=means.writer, limits=means.limits, threads=1, clock=means.clock)
    attempt = run.attempts.get()
    if attempt.state not in (Attempt.State.CHANGED, Attempt.State.UNCHANGED):
        raise NotRestorable(attempt.detail or f"{device} could not be collected.")
    return Snapshot.objects.filter(device=device).latest("seq")


def plan_from(restore: Restore, before: Snapshot) -> Plan:
    """The plan from one version to the restore's own. Raises NoStore, StoreDamaged, UnknownPlatform."""
    device = restore.device
    now = originals(before.files)
    return make_plan(
        platform_of(device),
        current=contents(restore.tenant_id, now),
        target=contents(restore.tenant_id, restore.target),
        processed=Processed(
            now=Snapshot.objects.filter(device=device).processed_among(now),
            then=frozenset(name for name, file in restore.target.items() if file.get("processed")),
            raw=frozenset(name for name, file in restore.target.items() if file.get("raw")),
            brought=brought(restore.checkpoint),
        ),
        name=restore.name_on_device,
        minutes=restore.minutes,
        address=device.address,
    )


def brought(version: Checkpoint | None) -> str:
    """Who uploaded a version, and when; nothing where a device said it."""
    if version is None or not version.uploaded:
        return ""
    return f"{version.author} on {version.created_at:%Y-%m-%d}"


def contents(tenant_id: UUID, files: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    """The files' bytes, from the store. Raises NoStore, StoreDamaged."""
    store = open_store(tenant_id)
    return {name: store.blob(entry["blob"]) for name, entry in files.items()}


def write_plan(
    restore: Restore, plan: Plan, before: Snapshot, *, of: Sequence[str], token: UUID, told: str, now: datetime
) -> None:
    """The plan becomes what is shown and what can be approved; an approval of another one is gone."""
    restore.move(
        State.PLANNED,
        of=of,
        holder=token,
        now=now,
        told=told,
        before=before,
        plan=shown(plan),
        fingerprint=plan.fingerprint,
        approved_by="",
        pushed_by="",
        **released(),
    )


def shown(plan: Plan) -> dict[str, object]:
    """What of a plan may lie in a row: no file's content, no secret."""
    return {
        "platform": plan.platform,
        "way": plan.way,
        "running": plan.running,
        "commands": list(plan.commands),
        "by_hand": bool(plan.by_hand),
        "undone": plan.undone,
        "not_undone": plan.not_undone,
        "warnings": list(plan.warnings),
        "obstacles": list(plan.obstacles),
    }


# Agreeing


def approve_restore(restore: Restore, *, fingerprint: str, by: str, now: datetime) -> None:
    """Agree to the plan of this fingerprint; from here on the device is this restore's alone.

    Raises RestoresStopped, WrongMoment, PlanOutdated, NotRestorable, SamePerson, DeviceTaken.
    """
    refuse_when_stopped()
    restore.refresh_from_db()
    if restore.state != State.PLANNED:
        raise WrongMoment(f"Restore {restore.short_id} is {restore.state}: only a plan can be approved.")
    if restore.fingerprint != fingerprint:
        raise PlanOutdated("There is a newer plan than the one that was shown; look at it first.")
    if restore.plan["obstacles"]:
        raise NotRestorable(" ".join(restore.plan["obstacles"]))
    if by == restore.requested_by and needs_four_eyes(restore.tenant):
        raise SamePerson(f"{restore.tenant} wants four eyes: somebody else than {by} has to approve.")
    same = {"fingerprint": fingerprint}
    restore.move(State.APPROVED, of=[State.PLANNED], only=same, now=now, by=by, told="Approved.", approved_by=by)


def cancel_restore(restore: Restore, *, by: str, now: datetime) -> None:
    """Call off what nobody works on yet. Raises WrongMoment."""
    restore.move(
        State.CANCELLED,
        of=list(Restore.WAITING),
        now=now,
        by=by,
        told="Called off.",
        cause="called-off",
        detail=f"{by} called it off. Nothing was sent to the device.",
        ended_at=now,
        **released(),
    )
