"""Restores to devices as `--json` shows them, as tables, and as text for people; and the difference that each makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backups.processing import originals
from backups.store.patches import DiffCaps
from backups.store.reader import open_store
from checkpoints import texts
from checkpoints.compare import sheet
from checkpoints.diff import visible
from checkpoints.models import Restore, RestoreGroup
from checkpoints.patch import hunk_pieces
from checkpoints.restore_means import database_clock
from checkpoints.texts import Text, TextDiff
from inventory.commands import Table


def restore_diff(
    restore: Restore, *, masked: bool, context: int = 3, caps: DiffCaps | None = None
) -> tuple[TextDiff, Text, Text] | None:
    """What the device would run against what it runs: removed lines go, added ones come; with both texts.

    None as long as there is no plan, or when what it ran before is not kept any more. Raises StoreDamaged, GitTooSlow.
    """
    name = restore.plan.get("running", "")
    sides = originals(restore.before.files if restore.before else {}), restore.target
    if not all(name in side for side in sides):
        return None
    store = open_store(restore.tenant_id)
    platform = sheet(restore.device.platform)
    old, new = (
        texts.prepared(store.blob(side[name]["blob"]), platform, masked=masked, hide_volatile=True) for side in sides
    )
    (diff,) = texts.diff_texts(store.git, [(old, new)], context=context, caps=caps or DiffCaps())
    return diff, old, new


def diff_lines(diff: TextDiff) -> list[str]:
    """The difference as a unified patch without its head, line by line, fit for a terminal."""
    return [visible(line) for hunk in diff.patch.hunks for line in b"".join(hunk_pieces(hunk)).split(b"\n")[:-1]]


def restore_document(restore: Restore, *, masked: bool = True) -> dict[str, Any]:
    """A restore with its plan, and every state that it has passed."""
    return {
        **restore_row(restore),
        "detail": restore.detail,
        "requested_by": restore.requested_by,
        "approved_by": restore.approved_by or None,
        "pushed_by": restore.pushed_by or None,
        "saved": restore.saved,
        "timer_minutes": restore.minutes,
        "reverts_at": restore.reverts_at,
        "process_gone": is_forsaken(restore),
        "settled": {"by": restore.settled_by, "at": restore.settled_at, "note": restore.settled_note}
        if restore.settled_at
        else None,
        "passed": [
            {"state": event.state, "at": event.at, "by": event.by or None, "told": event.told}
            for event in restore.events.all()
        ],
        "fingerprint": restore.fingerprint,
        "way": restore.plan.get("way"),
        "by_hand": restore.plan.get("by_hand", False),
        "commands": restore.plan.get("commands", []),
        "warnings": restore.plan.get("warnings", []),
        "obstacles": restore.plan.get("obstacles", []),
        "undone": restore.plan.get("undone", ""),
        "not_undone": restore.plan.get("not_undone", ""),
        "diff": diff_document(restore, masked=masked),
    }


def restore_row(restore: Restore) -> dict[str, Any]:
    """A restore in a list."""
    return {
        "id": restore.pk,
        "tenant": restore.tenant.name,
        "device": restore.device.name,
        "checkpoint": restore.checkpoint_id,
        "version": restore.version_id,
        "state": restore.state,
        "cause": restore.cause or None,
        "requested_at": restore.requested_at,
        "ended_at": restore.ended_at,
    }


def diff_document(restore: Restore, *, masked: bool) -> dict[str, Any] | None:
    """The difference that it makes."""
    found = restore_diff(restore, masked=masked)
    if found is None:
        return None
    diff = found[0]
    return {
        "file": restore.plan["running"],
        "masked": masked,
        "lines_added": diff.lines_added,
        "lines_removed": diff.lines_removed,
        "cut": diff.cut,
        "lines": diff_lines(diff),
    }


def is_forsaken(restore: Restore) -> bool:
    """Whether its process should have been heard of by now."""
    return bool(restore.state in Restore.WORKING and restore.lease_until and restore.lease_until < database_clock())


def restore_table(restores: Iterable[Restore]) -> Table:
    """A line for each."""
    rows = [
        [
            one.short_id,
            one.tenant.name,
            one.device.name,
            one.requested_at,
            one.requested_by,
            one.state,
            one.cause or None,
        ]
        for one in restores
    ]
    headings = ["id", "tenant", "device", "asked for (UTC)", "by", "state", "cause"]
    return Table(headings, rows, empty="There are no such restores; `restore plan CHECKPOINT --device NAME` makes one.")


def plan_text(restore: Restore, *, masked: bool = True) -> str:
    """A plan as somebody reads it before agreeing."""
    plan = restore.plan
    found = restore_diff(restore, masked=masked)
    parts = [
        f"Restore {restore.short_id} of {restore.device.name}: {restore.state}",
        section("What changes on the device", diff_lines(found[0]) if found else []),
        section("To do by hand" if plan.get("by_hand") else "What is said to it", plan.get("commands", [])),
        section("Look at this first", plan.get("warnings", [])),
        section("It cannot be carried out", plan.get("obstacles", [])),
        section("If it goes wrong", [line for line in (plan.get("undone"), plan.get("not_undone")) if line]),
    ]
    return "\n".join(part for part in parts if part)


def section(title: str, lines: Iterable[str]) -> str:
    """A title with lines below it; nothing without lines."""
    shown = "\n".join(f"  {line}" for line in lines)
    return f"\n{title}:\n{shown}" if shown else ""


def passed_table(restore: Restore) -> Table:
    """Every step, with its time."""
    rows = [[event.at, event.state, event.by or None, event.told] for event in restore.events.all()]
    return Table(["at (UTC)", "state", "by", "what"], rows)


# Several devices in one request


def group_document(group: RestoreGroup) -> dict[str, Any]:
    """A request for several devices, with where each stands."""
    return {
        "id": group.pk,
        "tenant": group.tenant.name,
        "checkpoint": group.checkpoint_id,
        "state": group.state,
        "at_a_time": group.at_a_time,
        "requested_by": group.requested_by,
        "approved_by": group.approved_by or None,
        "pushed_by": group.pushed_by or None,
        "stopped": group.stopped or None,
        "ended_at": group.ended_at,
        "counts": group.progress(),
        "fingerprint": group.fingerprint,
        "restores": [{**restore_row(one), "place": one.place, "detail": one.detail} for one in group.in_order()],
    }


def group_table(group: RestoreGroup) -> Table:
    """A line for each device, in order."""
    rows = [[one.place, one.device.name, one.short_id, one.state, one.detail or None] for one in group.in_order()]
    return Table(["", "device", "restore", "state", "what came of it"], rows)


def group_text(group: RestoreGroup, *, masked: bool) -> str:
    """All plans as somebody reads them before agreeing, and what became of those that have none."""
    texts = [
        plan_text(one, masked=masked) if one.plan else f"{one.device.name}: {one.state}. {one.detail}"
        for one in group.in_order()
    ]
    head = f"Restores {group.short_id}: {group.state}, {len(texts)} devices, {group.at_a_time} at a time"
    return "\n\n".join([head, *texts])
