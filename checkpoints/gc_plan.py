"""What a collection of garbage removes and what it keeps, from the rows and the refs of a tenant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from backups.models import Epoch
from backups.store import layout
from checkpoints.models import Checkpoint
from checkpoints.retention_models import NOBODY

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class GcPlan:
    """What is kept and what goes."""

    head: str | None
    kept: Mapping[UUID, Checkpoint]
    expired: tuple[Checkpoint, ...]  # deleted for longer than the grace
    stray: Mapping[str, str]  # refs of checkpoints without a row and of swept epochs, with what they name
    astray: Mapping[str, str]  # refs of what is kept that are not what the row says, with what it says
    foreign: frozenset[str]  # commits that other refs name: not ours to judge, so they are kept
    epochs: tuple[Epoch, ...] = ()  # that are kept
    expired_epochs: tuple[Epoch, ...] = ()  # marked for longer than the grace

    @property
    def tips(self) -> set[str]:
        """The commits that everything kept is reachable from."""
        pins = {checkpoint.pin for checkpoint in self.kept.values()} | {epoch.tip for epoch in self.epochs}
        return pins | self.foreign | ({self.head} if self.head else set())

    @property
    def idle(self) -> bool:
        """Whether no row and no ref goes."""
        return not (self.expired or self.expired_epochs or self.stray)


def plan_gc(
    checkpoints: Iterable[Checkpoint],
    refs: Mapping[str, str],
    head: str | None,
    *,
    now: datetime,
    grace: timedelta,
    epochs: Iterable[Epoch] = (),
    held: bool = False,
) -> GcPlan:
    """What goes and what stays, from all rows of a tenant and all refs of its repository. Pure.

    A ref of a checkpoint without a row is what a crash has left, or a collection that was cut short. Under a legal
    hold nothing expires. What retention has marked has its day, however short the grace is for what people deleted.
    """
    rows = {checkpoint.pk: checkpoint for checkpoint in checkpoints}
    due, marked_due = now - grace, now - max(grace, A_DAY)
    expired = {
        pk: row
        for pk, row in rows.items()
        if not held and row.deleted_at and row.deleted_at <= (marked_due if row.deleted_by == NOBODY else due)
    }
    kept = {pk: row for pk, row in rows.items() if pk not in expired}
    eras = list(epochs)
    going = [era for era in eras if not held and not era.swept_at and era.marked_at and era.marked_at <= marked_due]
    staying = [era for era in eras if not era.swept_at and era not in going]
    wanted = {layout.checkpoint_ref(pk): row.pin for pk, row in kept.items()}
    wanted |= {layout.epoch_ref(era.number): era.tip for era in staying}
    leaving = {layout.checkpoint_ref(pk) for pk in expired} | {layout.epoch_ref(era.number) for era in going}
    swept = {layout.epoch_ref(era.number) for era in eras if era.swept_at}
    ours = {ref: commit for ref, commit in refs.items() if ref.startswith(f"{layout.CHECKPOINTS}/") or ref in swept}
    own = ours.keys() | wanted.keys() | leaving
    return GcPlan(
        head=head,
        kept=kept,
        expired=tuple(expired.values()),
        stray={ref: commit for ref, commit in ours.items() if ref not in wanted and ref not in leaving},
        astray={ref: pin for ref, pin in wanted.items() if refs.get(ref) != pin},
        foreign=frozenset(commit for ref, commit in refs.items() if ref not in own),
        epochs=tuple(staying),
        expired_epochs=tuple(going),
    )


def missing_commits(plan: GcPlan, gone: set[str]) -> Iterator[str]:
    """A sentence for each commit that must be there and is not."""
    for checkpoint in plan.kept.values():
        if checkpoint.pin in gone:
            yield f"The content of checkpoint {checkpoint.short_id} ({checkpoint}) is missing; run `fsck`."
    for epoch in plan.epochs:
        if epoch.tip in gone:
            yield f"The newest commit of {epoch}, {epoch.tip}, is missing; run `fsck`."
    if plan.head in gone:
        yield f"The newest commit of the record, {plan.head}, is missing; run `fsck`."
    for commit in sorted((gone & plan.foreign) - {plan.head or ""}):
        yield f"The commit {commit}, which a ref names, is missing; run `fsck`."
