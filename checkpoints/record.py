"""Going back in the record: a new commit with the old content. Planned, shown, and only that plan is carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from backups.capture import stable_digest
from backups.commit import Batch, DeviceChange, Written, writing
from backups.models import Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from checkpoints import manifest
from checkpoints.compare import sheet
from checkpoints.errors import Deleted, NotCaptured, NothingKept, PlanOutdated
from checkpoints.events import failure_told, happened
from checkpoints.making import make
from checkpoints.manifest import Content, Files, Manifest
from checkpoints.models import Checkpoint
from inventory.models import Device

Outcome = Literal["back", "unchanged", "absent", "retired"]
OUTCOMES: dict[Outcome, str] = {
    "back": "goes back",
    "unchanged": "is the same",
    "absent": "is not in the checkpoint: left as it is",
    "retired": "is retired: left as it is",
}
MANY = 500  # devices; beyond that their paths are not named to git one by one
A_COMMIT = 5_000  # devices of one commit: git takes their paths as arguments, and a command line has an end


@dataclass(frozen=True)
class FileStep:
    """What becomes of one file."""

    name: str
    old: Content | None
    new: Content | None
    lines_added: int = 0
    lines_removed: int = 0

    @property
    def status(self) -> Literal["added", "removed", "changed"]:
        """Seen from the record as it is."""
        if self.old is None:
            return "added"
        return "changed" if self.new else "removed"


@dataclass(frozen=True)
class DeviceStep:
    """What becomes of one device."""

    device_id: UUID
    device_name: str
    outcome: Outcome
    files: tuple[FileStep, ...] = ()  # that differ

    @property
    def lines(self) -> tuple[int, int]:
        """Lines added and removed by going back."""
        return sum(file.lines_added for file in self.files), sum(file.lines_removed for file in self.files)


@dataclass(frozen=True)
class RecordPlan:
    """What going back to a checkpoint would do, device by device in order of name."""

    checkpoint: Checkpoint
    devices: frozenset[UUID] | None  # that were chosen; None: all
    steps: tuple[DeviceStep, ...]

    @property
    def back(self) -> tuple[DeviceStep, ...]:
        """The devices that go back."""
        return tuple(step for step in self.steps if step.outcome == "back")

    @property
    def fingerprint(self) -> str:
        """Differs when anything that the plan does would differ; line counts and names do nothing."""
        does = [
            [str(step.device_id), file.name, file.old and file.old.blob, file.new and file.new.blob]
            for step in sorted(self.back, key=lambda step: step.device_id)
            for file in step.files
        ]
        return hashlib.sha256(json.dumps([str(self.checkpoint.pk), does]).encode()).hexdigest()


@dataclass(frozen=True)
class WentBack:
    """What came of it; without a checkpoint there was nothing to do."""

    plan: RecordPlan
    checkpoint: Checkpoint | None
    snapshots: tuple[Snapshot, ...] = ()


def plan_steps(target: Manifest, current: Manifest, devices: Iterable[Device]) -> tuple[DeviceStep, ...]:
    """What going back to `target` means for each of these devices. Pure."""
    return tuple(
        step_of(device, target.get(device.pk), current.get(device.pk, {}))
        for device in sorted(devices, key=lambda device: device.name)
    )


def step_of(device: Device, then: Files | None, now: Files) -> DeviceStep:
    """What becomes of one device."""
    if then is None:
        return DeviceStep(device.pk, device.name, "absent")
    files = tuple(
        FileStep(name, now.get(name), then.get(name))
        for name in sorted(then.keys() | now.keys())
        if now.get(name) != then.get(name)
    )
    if not files:
        return DeviceStep(device.pk, device.name, "unchanged")
    if device.retired_at:
        return DeviceStep(device.pk, device.name, "retired")
    return DeviceStep(device.pk, device.name, "back", files)


def plan_record_restore(checkpoint: Checkpoint, devices: Collection[Device] | None = None) -> RecordPlan:
    """What going back to a checkpoint would do now, for these devices or for all. Nothing is written.

    Raises Deleted, NotCaptured, NothingKept, StoreDamaged.
    """
    store = open_store(checkpoint.tenant_id)
    head = Repository.objects.values_list("head", flat=True).get(pk=checkpoint.tenant_id)
    chosen = None if devices is None else frozenset(device.pk for device in devices)
    return counted(plan_against(store, head, checkpoint, chosen), store, head)


def plan_against(
    store: TenantStore, head: str | None, checkpoint: Checkpoint, chosen: frozenset[UUID] | None
) -> RecordPlan:
    """The plan against a certain state of the record, without line counts."""
    if checkpoint.deleted_at:
        raise Deleted(f"Checkpoint {checkpoint.short_id} is deleted; undelete it before you go back to it.")
    if checkpoint.uploaded:
        raise NotCaptured(
            f"The files of checkpoint {checkpoint.short_id} were uploaded, and the record holds only what devices have "
            "said. Put them back onto the devices; the backup after that is the record."
        )
    if head is None:
        raise NothingKept("Nothing was kept of this tenant yet, so there is nothing to go back from.")
    target = manifest.of_commit(store, checkpoint.content, chosen)
    current = manifest.of_commit(store, head, chosen)
    ids = target.keys() | current.keys() if chosen is None else chosen
    devices = Device.objects.filter(tenant=checkpoint.tenant_id).in_bulk(ids).values()
    return RecordPlan(checkpoint, chosen, plan_steps(target, current, devices))


def counted(plan: RecordPlan, store: TenantStore, head: str | None) -> RecordPlan:
    """The plan with the lines of each file counted, by git and in one go."""
    if not plan.back:
        return plan
    folders = [layout.device_folder(step.device_id) for step in plan.back]
    lines = store.numstat(head, plan.checkpoint.pin, folders if len(folders) <= MANY else ())
    return replace(plan, steps=tuple(with_lines(step, lines) for step in plan.steps))


def with_lines(step: DeviceStep, lines: Mapping[str, tuple[int, int]]) -> DeviceStep:
    """The step with the counts of its files."""
    files = ((file, lines.get(layout.device_file(step.device_id, file.name), (0, 0))) for file in step.files)
    return replace(step, files=tuple(replace(file, lines_added=n[0], lines_removed=n[1]) for file, n in files))


def restore_record(
    plan: RecordPlan | Checkpoint, *, devices: Collection[Device] | None = None, author: str, now: datetime
) -> WentBack:
    """Carry out a plan that was shown, or go back to a checkpoint at once: one commit, new snapshots, a checkpoint.

    `devices` chooses some where a checkpoint is given. All or nothing: content that cannot be read refuses the whole.
    Raises PlanOutdated where the record has moved on so that the plan would do something else, Deleted, StoreDamaged,
    StoreBusy.
    """
    shown = plan if isinstance(plan, RecordPlan) else plan_record_restore(plan, devices)
    if not shown.back:
        return WentBack(shown, None)
    checkpoint = Checkpoint.objects.select_related("tenant").get(pk=shown.checkpoint.pk)
    failing = failure_told(checkpoint.tenant, "checkpoint.not_restored", "The record could not go back")
    with failing, writing(checkpoint.tenant_id) as batch:
        checkpoint.refresh_from_db()
        current = plan_against(batch.store, batch.head, checkpoint, shown.devices)
        if current.fingerprint != shown.fingerprint:
            raise PlanOutdated("The record has moved on since this plan was shown; look at a new plan.")
        # The same plan, but the one that was shown has its lines counted.
        went = replace(carry_out(batch, current, author=author, now=now), plan=shown)
        text = f"The record went back to “{checkpoint}” with {len(current.back)} devices, by {author}."
        happened(checkpoint, "restored", by=author, text=text)
        return went


def carry_out(batch: Batch, plan: RecordPlan, *, author: str, now: datetime) -> WentBack:
    """Write the commit (several, for thousands of devices), the rows and the checkpoint; all in one transaction."""
    read_all(batch.store, plan)
    message = message_of(plan)
    snapshots: list[Snapshot] = []
    for start in range(0, len(plan.back), A_COMMIT):
        steps = plan.back[start : start + A_COMMIT]
        trailers = {"Restored-Checkpoint": str(plan.checkpoint.pk)}
        written = batch.put(
            [change_of(step) for step in steps], message=message, author=author, when=now, trailers=trailers
        )
        if written:
            snapshots += snapshots_of(batch, plan, written, author=author, now=now)
    Snapshot.objects.bulk_create(snapshots)
    made = make(batch, plan.checkpoint.tenant, message=message, author=author, now=now)
    return WentBack(plan, made, tuple(snapshots))


def read_all(store: TenantStore, plan: RecordPlan) -> None:
    """Raise StoreDamaged unless all the old content can be read and is what it was."""
    for step in plan.back:
        for file in step.files:
            if file.new:
                store.blob(file.new.blob)


def message_of(plan: RecordPlan) -> str:
    """What the log says of it."""
    names = [step.device_name for step in plan.back]
    which = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"Went back to {plan.checkpoint.short_id} ({plan.checkpoint}): {which}"


def change_of(step: DeviceStep) -> DeviceChange:
    """The step for the store: objects that are there already, and files that go."""
    return DeviceChange(
        step.device_id, step.device_name, {file.name: file.new.blob if file.new else None for file in step.files}
    )


def snapshots_of(batch: Batch, plan: RecordPlan, written: Written, *, author: str, now: datetime) -> Iterator[Snapshot]:
    """The new versions: the old content at a new moment."""
    digests = digests_of(batch.store, plan, written)
    for device_id, files in written.files.items():
        added, removed = written.lines[device_id]
        yield Snapshot(
            tenant_id=batch.tenant_id,
            device_id=device_id,
            seq=written.seq,
            taken_at=now,
            commit=written.commit,
            files=files,
            digest=digests[device_id],
            size=sum(int(file["size"]) for file in files.values()),
            lines_added=added,
            lines_removed=removed,
            author=author,
        )


def digests_of(store: TenantStore, plan: RecordPlan, written: Written) -> dict[UUID, str]:
    """The digest of each device's content: that of the version that had it, computed where none is known any more."""
    devices = Device.objects.in_bulk(written.files)
    of_then = {
        snapshot.device_id: snapshot
        for snapshot in Snapshot.objects.filter(device__in=devices, seq__lte=plan.checkpoint.seq).latest_by_device()
    }
    return {
        device_id: then.digest
        if (then := of_then.get(device_id)) and then.files == files
        else digest_of(store, devices[device_id], {name: str(file["blob"]) for name, file in files.items()})
        for device_id, files in written.files.items()
    }


def digest_of(store: TenantStore, device: Device, blobs: Mapping[str, str]) -> str:
    """What `capture` would say of this content; empty where the platform is not known any more."""
    platform = sheet(device.platform)
    return stable_digest(platform, {name: store.blob(blob) for name, blob in blobs.items()}) if platform else ""
