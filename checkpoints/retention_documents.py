"""What retention keeps and lets go, as `--json` shows it, as a table, and in the words of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.defaultfilters import filesizeformat

from checkpoints.keeping import Applied, RetentionPlan, counts, told
from checkpoints.retention import Era, Moment, Verdict
from inventory.commands import Table

NOTHING = "nothing"


def plan_document(plan: RetentionPlan) -> dict[str, Any]:
    """Every checkpoint and epoch, the newest first, with what keeps it."""
    return {
        "tenant": plan.tenant.name,
        "policy": told(plan.policy),
        "begins_epoch": plan.cuts,
        "objects_going": plan.objects_going,
        "bytes_going": plan.bytes_going,
        "checkpoints": [moment_document(plan, verdict) for verdict in plan.judgement.moments],
        "epochs": [era_document(plan, verdict) for verdict in plan.judgement.eras],
    }


def moment_document(plan: RetentionPlan, verdict: Verdict[Moment]) -> dict[str, Any]:
    """A checkpoint."""
    row = plan.checkpoints[verdict.of.id]
    return {
        "id": row.pk,
        "created_at": row.created_at,
        "message": row.message,
        "kept": verdict.kept,
        "rules": [str(reason) for reason in verdict.reasons],
        "marked_at": row.deleted_at,
    }


def era_document(plan: RetentionPlan, verdict: Verdict[Era]) -> dict[str, Any]:
    """An epoch."""
    row = plan.epochs.get(verdict.of.number)
    return {
        "number": verdict.of.number,
        "first_seq": verdict.of.first_seq,
        "last_seq": verdict.of.last_seq,
        "ended_at": verdict.of.ended,
        "kept": verdict.kept,
        "rules": [str(reason) for reason in verdict.reasons],
        "marked_at": row.marked_at if row else None,
    }


def plan_table(plans: Sequence[RetentionPlan]) -> Table:
    """A line for each checkpoint and epoch, then one for what would be freed."""
    rows: list[list[object]] = []
    for plan in plans:
        name = plan.tenant.name
        for verdict in plan.judgement.moments:
            row = plan.checkpoints[verdict.of.id]
            rows.append([name, row.short_id, row.created_at, kept_by(verdict), str(row)])
        for era in plan.judgement.eras:
            span = f"changes {era.of.first_seq} to {era.of.last_seq}"
            rows.append([name, f"epoch {era.of.number}", era.of.ended, kept_by(era), span])
        rows.append([name, "would go", None, filesizeformat(plan.bytes_going), f"{plan.objects_going} objects"])
    return Table(["tenant", "what", "made, ended at (UTC)", "kept by", ""], rows, empty="There are no tenants yet.")


def kept_by(verdict: Verdict[Any]) -> str:
    """The rules in one cell."""
    return "; ".join(map(str, verdict.reasons)) or NOTHING


@dataclass(frozen=True)
class PlanLine:
    """A checkpoint or an epoch on a page."""

    name: str
    at: datetime | None
    rules: list[str]  # empty: it goes
    pk: UUID | None = None  # of the checkpoint


@dataclass(frozen=True)
class PlanShown:
    """A plan on a page: what goes first, then why the rest stays, the newest first."""

    counts: list[tuple[str, int, int]]  # what, how many stay, of how many
    lines: list[PlanLine]
    more: int  # lines that are left out
    bytes: int
    cuts: bool


def plan_shown(plan: RetentionPlan, *, most: int) -> PlanShown:
    """A plan for a page; of what goes and of what stays at most so many lines each."""
    moments, eras = plan.judgement.moments, plan.judgement.eras
    lines = [
        PlanLine(
            f"Epoch {one.of.number}: changes {one.of.first_seq:,} to {one.of.last_seq:,}", one.of.ended, rules(one)
        )
        for one in eras
    ]
    for verdict in moments:
        row = plan.checkpoints[verdict.of.id]
        lines.append(PlanLine(f"{row.short_id}: {row}", row.created_at, rules(verdict), row.pk))
    going, staying = [line for line in lines if not line.rules], [line for line in lines if line.rules]
    shown = going[:most] + staying[:most]
    counts = [
        ("Checkpoints", len(moments) - len(plan.expired), len(moments)),
        ("Epochs", len(eras) - len(plan.expired_epochs), len(eras)),
    ]
    return PlanShown(counts, shown, len(lines) - len(shown), plan.bytes_going, plan.cuts)


def rules(verdict: Verdict[Any]) -> list[str]:
    """What keeps it."""
    return list(map(str, verdict.reasons))


def plan_lines(plan: RetentionPlan, *, most: int) -> list[str]:
    """A plan for a page: how much stays and goes, then what goes, then why the rest stays."""
    moments, eras = plan.judgement.moments, plan.judgement.eras
    gone = [verdict for verdict in moments if not verdict.kept]
    lines = [
        f"{len(moments) - len(gone):,} of {len(moments):,} checkpoints stay, {len(gone):,} go",
        f"{len(eras) - len(plan.expired_epochs):,} of {len(eras):,} epochs stay, {len(plan.expired_epochs):,} go",
        f"{filesizeformat(plan.bytes_going)} would be freed",
    ]
    lines += [f"goes: {epoch} (changes {epoch.first_seq} to {epoch.last_seq})" for epoch in plan.expired_epochs]
    lines += cut([f"goes: {moment_line(plan, verdict)}" for verdict in gone], most)
    kept = [verdict for verdict in moments if verdict.kept]
    return lines + cut([f"stays: {moment_line(plan, one)} ({kept_by(one)})" for one in kept], most)


def moment_line(plan: RetentionPlan, verdict: Verdict[Moment]) -> str:
    """One checkpoint."""
    row = plan.checkpoints[verdict.of.id]
    return f"{row.created_at:%Y-%m-%d %H:%M} UTC, {row.short_id}: {row}"


def cut(lines: Sequence[str], most: int) -> list[str]:
    """So many as people read."""
    return [*lines[:most], *([f"and {len(lines) - most:,} more"] if len(lines) > most else [])]


def applied_document(done: Applied) -> dict[str, Any]:
    """What an application came to."""
    return {"tenant": done.tenant.name, **counts(done), "checkpoints": ids(row.pk for row in done.marked)}


def ids(keys: Iterable[object]) -> list[str]:
    """As text, in order."""
    return sorted(map(str, keys))
