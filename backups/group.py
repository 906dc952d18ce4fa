"""Attempts whose end is known and that are written down together: one commit, one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backups.commit import Kept
from backups.models import Attempt

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
