"""Commits for tests of the store alone."""

from __future__ import annotations

from datetime import UTC, datetime

from backups.store.reader import TenantStore
from backups.store.stream import NewCommit, Put
from backups.store.writer import RefMove, move_refs, write_commit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def commit(
    store: TenantStore,
    files: dict[str, bytes | None],
    *,
    parent: str | None = None,
    ref: str = "refs/txn/1-1-00",
    when: datetime = NOON,
    message: str = "Change",
) -> str:
    """Write a commit and leave nothing but main naming it; None removes a file."""
    puts = [Put(path, content) for path, content in files.items() if content is not None]
    removals = [path for path, content in files.items() if content is None]
    made = write_commit(store.git, NewCommit(ref, parent, message, "alice", when, puts, removals))
    move_refs(store.git, [RefMove("refs/heads/main", made, None), RefMove(ref, None, None)])
    return made
