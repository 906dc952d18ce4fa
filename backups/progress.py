"""How far runs are: plain numbers for pages that show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count

from backups.models import Attempt, Run

ENDS = (Attempt.State.UNCHANGED, Attempt.State.CHANGED, Attempt.State.QUARANTINED, Attempt.State.FAILED)
MEANINGFUL = 3  # a rate of fewer devices than that is a guess


@dataclass(frozen=True)
class Share:
    """One state's part of a run."""

    state: str
    label: str
    count: int
    percent: float


@dataclass(frozen=True)
class Progress:
    """The attempts of a run by state, and what follows from them."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """Devices of the run."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Devices whose attempt has a final state."""
        return self.total - sum(self.counts.get(state, 0) for state in Attempt.OPEN)

    @property
    def percent(self) -> int:
        """How much has ended, in whole per cent and never 100 before it is."""
        return 100 * self.ended // self.total if self.total else 100

    @property
    def troubled(self) -> int:
        """Attempts that came to nothing good."""
        return self.counts.get(Attempt.State.FAILED, 0) + self.counts.get(Attempt.State.QUARANTINED, 0)

    @property
    def shares(self) -> list[Share]:
        """The states that occur: good ends, bad ends, and what is still to come."""
        return [
            Share(state, Attempt.State(state).label, count, 100 * count / self.total)
            for state in (*ENDS, *Attempt.OPEN)
            if (count := self.counts.get(state, 0))
        ]

    def per_minute(self, run: Run, now: datetime) -> float | None:
        """Devices ended per minute; None before that means anything, and once a cancelled run has left some out."""
        if run.cancelled_at is not None:
            return None
        seconds = ((run.ended_at or now) - run.started_at).total_seconds() if run.started_at else 0.0
        return 60 * self.ended / seconds if seconds > 0 and self.ended >= MEANINGFUL else None

    def left(self, run: Run, now: datetime) -> timedelta | None:
        """How long it will go on at that pace; None where that is unknown or the run has ended.

        Unknown also when all that is left is being asked: what hangs does not end at the pace of the others.
        """
        rate = self.per_minute(run, now)
        if run.state == Run.State.DONE or not rate or not self.counts.get(Attempt.State.QUEUED):
            return None
        return timedelta(minutes=(self.total - self.ended) / rate)


def progress_of(runs: Iterable[Run]) -> dict[UUID, Progress]:
    """The progress of several runs in one query."""
    counts: dict[UUID, dict[str, int]] = {run.pk: {} for run in runs}
    rows = Attempt.objects.filter(run__in=list(counts)).values_list("run", "state").annotate(n=Count("pk")).order_by()
    for run_id, state, number in rows:
        counts[run_id][state] = number
    return {run_id: Progress(by_state) for run_id, by_state in counts.items()}
