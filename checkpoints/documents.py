"""Checkpoints, plans and differences as `--json` shows them, and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checkpoints.compare import Comparison, FileDiff
from checkpoints.gc import Collected
from checkpoints.models import Checkpoint, Ref
from checkpoints.record import OUTCOMES, DeviceStep, RecordPlan, WentBack
from inventory.commands import Table


def checkpoint_document(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint; `parent` is the nearest kept one."""
    return {
        "id": checkpoint.pk,
        "tenant": checkpoint.tenant.name,
        "message": checkpoint.message,
        "author": checkpoint.author,
        "created_at": checkpoint.created_at,
        "deleted_at": checkpoint.deleted_at,
        "parent": checkpoint.parent_id,
        "run": checkpoint.run_id,
        "tags": checkpoint.tags,
        "refs": sorted(ref.name for ref in checkpoint.refs.all()),
        "whole": checkpoint.whole,
        "uploaded": checkpoint.uploaded,
        "seq": checkpoint.seq,
        "commit": checkpoint.commit,
        "pin": checkpoint.pin,
        "content": "lost" if checkpoint.lost_at else "kept",
        "devices": checkpoint.device_count,
        "files": checkpoint.file_count,
        "bytes": checkpoint.total_bytes,
        "changed": checkpoint.changed_count,
    }


def marks(checkpoint: Checkpoint) -> list[str]:
    """What somebody has to know before they use it."""
    held = {"deleted": checkpoint.deleted_at, "lost": checkpoint.lost_at, "uploaded": checkpoint.uploaded}
    return [f"({mark})" for mark, holds in held.items() if holds]


def checkpoint_table(checkpoints: Iterable[Checkpoint], *, with_tenant: bool) -> Table:
    """A line for each."""
    headings = ["id", "made at (UTC)", "author", "devices", "changed", "refs, tags", "message"]
    rows: list[list[object]] = [
        [
            one.short_id,
            one.created_at,
            one.author,
            one.device_count,
            one.changed_count,
            ", ".join([*sorted(ref.name for ref in one.refs.all()), *one.tags]) or None,
            " ".join([*marks(one), str(one)]),
        ]
        for one in checkpoints
    ]
    if with_tenant:
        headings.insert(1, "tenant")
        rows = [[row[0], one.tenant.name, *row[1:]] for row, one in zip(rows, checkpoints, strict=True)]
    return Table(headings, rows, empty="There are no such checkpoints; each backup that changes something makes one.")


def ref_document(ref: Ref) -> dict[str, Any]:
    """A ref and what it names."""
    return {
        "name": ref.name,
        "tenant": ref.tenant.name,
        "checkpoint": ref.checkpoint_id,
        "message": ref.checkpoint.message,
        "moved_at": ref.moved_at,
        "moved_by": ref.moved_by,
    }


def diff_document(comparison: Comparison, diffs: Sequence[FileDiff], *, masked: bool, volatile: bool) -> dict[str, Any]:
    """A comparison; files that differ only in what is hidden are counted apart."""
    sides = {"old": comparison.old, "new": comparison.new}
    return {
        **{name: {"id": side.version.pk, "is": side.label} for name, side in sides.items()},
        "tenant": comparison.new.version.tenant.name,
        "masked": masked,
        "volatile_hidden": volatile,
        "files": [file_document(diff) for diff in diffs if not diff.hidden],
        "only_hidden": [diff.change.path for diff in diffs if diff.hidden],
    }


def file_document(diff: FileDiff) -> dict[str, Any]:
    """One file that differs."""
    return {
        "path": diff.change.path,
        "device": diff.change.device.name,
        "file": diff.change.name,
        "status": diff.change.status,
        "lines_added": diff.diff.lines_added,
        "lines_removed": diff.diff.lines_removed,
        "binary": diff.diff.patch.binary,
    }


def diff_table(diffs: Iterable[FileDiff]) -> Table:
    """A line for each file."""
    rows = [
        [diff.change.path, diff.change.status, f"+{diff.diff.lines_added}", f"-{diff.diff.lines_removed}"]
        for diff in diffs
        if not diff.hidden
    ]
    return Table(["file", "status", "added", "removed"], rows, empty="No difference.")


def plan_document(plan: RecordPlan) -> dict[str, Any]:
    """What going back would do."""
    return {
        "checkpoint": plan.checkpoint.pk,
        "fingerprint": plan.fingerprint,
        "devices": [step_document(step) for step in plan.steps],
    }


def step_document(step: DeviceStep) -> dict[str, Any]:
    """What becomes of one device."""
    added, removed = step.lines
    files = [
        {"file": file.name, "status": file.status, "lines_added": file.lines_added, "lines_removed": file.lines_removed}
        for file in step.files
    ]
    return {
        "device": step.device_name,
        "outcome": step.outcome,
        "lines_added": added,
        "lines_removed": removed,
        "files": files,
    }


def plan_table(plan: RecordPlan) -> Table:
    """The devices that go back, and those that are left alone though something might be expected of them."""
    rows = [
        [
            step.device_name,
            OUTCOMES[step.outcome],
            ", ".join(f"{file.name} ({file.status})" for file in step.files),
            *(f"{sign}{count}" for sign, count in zip("+-", step.lines, strict=True)),
        ]
        for step in plan.steps
        if step.outcome != "unchanged"
    ]
    return Table(["device", "what", "files", "added", "removed"], rows, empty="No device differs from the checkpoint.")


def went_back_document(went: WentBack) -> dict[str, Any]:
    """What came of going back."""
    return {
        "plan": plan_document(went.plan),
        "done": went.checkpoint is not None,
        "checkpoint": went.checkpoint.pk if went.checkpoint else None,
        "commit": went.checkpoint.commit if went.checkpoint else None,
        "snapshots": [snapshot.pk for snapshot in went.snapshots],
    }


def collected_document(collected: Collected) -> dict[str, Any]:
    """What a collection of one tenant came to."""
    return {
        "tenant": collected.tenant.name,
        "objects_removed": collected.objects_removed,
        "bytes_freed": collected.bytes_freed,
        "kept": collected.kept,
        "checkpoints_removed": collected.checkpoints_removed,
        "refs_removed": collected.refs_removed,
        "epochs_removed": collected.epochs_removed,
        "versions_pruned": collected.versions_pruned,
        "refused": list(collected.refused),
    }
