"""Attempts whose end is known and that are written down together: one commit, one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from backups.commit import Kept
from backups.models import Attempt, QuarantinedFile, Snapshot, Transcript
from backups.store.contents import id_of_file

GROUP_COUNT = 100  # captures, bytes and seconds: whichever comes first ends a group; a crash loses at most one
GROUP_BYTES = 4 * 1024 * 1024
GROUP_SECONDS = 2.0
BRIEFLY = 0.2  # seconds that an ended attempt may keep a place that others of its tenant wait for
LONG_TURN = 0.15  # seconds with the tenant's lock: nobody who waits for it shall wait for more than 0.25
WELL_BELOW = 0.8  # part of it that is aimed at
SMALLEST = GROUP_BYTES // 4  # bytes. A turn takes 40 ms of CPU whatever its size: few large ones cost less


@dataclass(frozen=True)
class Decided:
    """An attempt whose final state is known, but not yet written down."""

    attempt: Attempt
    kept: Kept | None = None  # what has to be committed
    doubtful: Mapping[str, bytes] = field(default_factory=dict)  # what is put into quarantine
    transcript: str = ""  # what was said before it failed

    @property
    def size(self) -> int:
        """Bytes to be committed."""
        return sum(map(len, self.kept.files.values())) if self.kept else 0

    def say_what_changed(self, last: Snapshot | None) -> None:
        """Begin the reason why nothing was kept with the files that differ from the last version's."""
        before = {name: file["blob"] for name, file in last.files.items()} if last else {}
        now = {name: id_of_file(content) for name, content in self.kept.files.items()} if self.kept else {}
        names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        self.attempt.detail = f"{', '.join(names)} changed, and was not kept. {self.attempt.detail}"

    def quarantined(self) -> Iterator[QuarantinedFile]:
        """The rows of what is put into quarantine."""
        for name, content in self.doubtful.items():
            yield QuarantinedFile(tenant_id=self.attempt.tenant_id, attempt=self.attempt, name=name, content=content)

    def transcripts(self) -> Iterator[Transcript]:
        """The row of what was said, where something was."""
        if self.transcript:
            yield Transcript(tenant_id=self.attempt.tenant_id, attempt=self.attempt, text=self.transcript)


def keep_evidence(group: Sequence[Decided]) -> None:
    """Write down what people may want to look at; of a device that is tried again the last transcript is kept."""
    QuarantinedFile.objects.bulk_create([file for one in group for file in one.quarantined()])
    Transcript.objects.bulk_create(
        [row for one in group for row in one.transcripts()],
        update_conflicts=True,
        unique_fields=["attempt"],
        update_fields=["text", "made_at"],
    )


@dataclass
class Group:
    """Decided attempts that are written down together."""

    decided: list[Decided] = field(default_factory=list)
    since: datetime | None = None
    most: int = SMALLEST  # bytes; few at first, or the first turn would be the longest
    size: int = 0  # bytes to be committed

    def due(self, now: datetime) -> bool:
        """Whether it has to be written now."""
        if self.since is None:
            return False
        return self.full or now - self.since >= timedelta(seconds=GROUP_SECONDS)

    def keeps_places(self, now: datetime) -> bool:
        """Whether ended attempts have kept the places that a tenant's limits allow for as long as they may."""
        return self.since is not None and now - self.since >= timedelta(seconds=BRIEFLY)

    @property
    def full(self) -> bool:
        """Whether no more are to be written at once."""
        return len(self.decided) >= GROUP_COUNT or self.size >= self.most

    def following(self, held: float) -> Group:
        """An empty one, as large as may be after this one has held the tenant's lock for so many seconds.

        Found out while it goes: a busy machine with a hundred threads takes ten times as long as a quiet one.
        """
        if held > LONG_TURN:
            return Group(most=max(SMALLEST, self.most // 2))
        if self.full and 0 < held < WELL_BELOW * LONG_TURN:
            return Group(most=min(GROUP_BYTES, 2 * self.most, round(self.most * WELL_BELOW * LONG_TURN / held)))
        return Group(most=self.most)

    def add(self, decided: Decided, now: datetime) -> None:
        """One more."""
        self.decided.append(decided)
        self.size += decided.size
        self.since = self.since or now


# One statement with plain arrays: Django's bulk_update words a CASE for every row and column, which cost 2 ms of CPU a
# device, half of what collecting it costs, most of it under the tenant's lock.
_FINISH = """
    UPDATE backups_attempt AS a
    SET state = v.state, cause = v.cause, detail = v.detail, not_before = v.not_before, ended_at = v.ended_at,
        seconds = v.seconds
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::float8[])
        AS v(id, state, cause, detail, not_before, ended_at, seconds)
    WHERE a.id = v.id AND a.token = %s AND a.state = %s
"""


def finish(attempts: Sequence[Attempt], *, token: UUID) -> int:
    """Write what became of them, where the holder of the token may still say so; how many those were."""
    if not attempts:
        return 0
    rows = [(a.pk, a.state, a.cause, a.detail, a.not_before, a.ended_at, a.seconds) for a in attempts]
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, [*map(list, zip(*rows, strict=True)), token, Attempt.State.RUNNING])
        return int(cursor.rowcount)
