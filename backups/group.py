"""Attempts whose end is known and that are written down together: one commit, one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backups.commit import Kept
from backups.models import Attempt, QuarantinedFile, Snapshot
from backups.store.layout import blob_id

GROUP_COUNT = 100  # captures, bytes and seconds: whichever comes first ends a group; a crash loses at most one
GROUP_BYTES = 16 * 1024 * 1024
GROUP_SECONDS = 2.0


@dataclass(frozen=True)
class Decided:
    """An attempt whose final state is known, but not yet written down."""

    attempt: Attempt
    kept: Kept | None = None  # what has to be committed
    doubtful: Mapping[str, bytes] = field(default_factory=dict)  # what is put into quarantine

    @property
    def size(self) -> int:
        """Bytes to be committed."""
        return sum(map(len, self.kept.files.values())) if self.kept else 0

    def say_what_changed(self, last: Snapshot | None) -> None:
        """Begin the reason why nothing was kept with the files that differ from the last version's."""
        before = {name: file["blob"] for name, file in last.files.items()} if last else {}
        now = {name: blob_id(content) for name, content in self.kept.files.items()} if self.kept else {}
        names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        self.attempt.detail = f"{', '.join(names)} changed, and was not kept. {self.attempt.detail}"

    def quarantined(self) -> Iterator[QuarantinedFile]:
        """The rows of what is put into quarantine."""
        for name, content in self.doubtful.items():
            yield QuarantinedFile(tenant_id=self.attempt.tenant_id, attempt=self.attempt, name=name, content=content)


@dataclass
class Group:
    """Decided attempts that are written down together."""

    decided: list[Decided] = field(default_factory=list)
    since: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether it has to be written now."""
        if self.since is None:
            return False
        aged = now - self.since >= timedelta(seconds=GROUP_SECONDS)
        return aged or len(self.decided) >= GROUP_COUNT or sum(one.size for one in self.decided) >= GROUP_BYTES

    def add(self, decided: Decided, now: datetime) -> None:
        """One more."""
        self.decided.append(decided)
        self.since = self.since or now
