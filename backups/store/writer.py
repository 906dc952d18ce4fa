"""Commits, refs and packs: every change to a repository. Whoever calls holds the tenant's lock (`backups/locks.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import SECONDS, Git, in_memory
from backups.store.lookup import Lookup
from backups.store.stream import NewCommit, stream


@dataclass(frozen=True)
class RefMove:
    """One ref from one value to another, or not at all: git compares `old` and swaps."""

    ref: str
    new: str | None  # None: delete it
    old: str | None = layout.NO_ID  # NO_ID: it must not exist; None: whatever it is

    def instruction(self) -> bytes:
        """A line for `update-ref --stdin -z`."""
        old = self.old or ""
        if self.new is None:
            return f"delete {self.ref}\0{old}\0".encode()
        return f"update {self.ref}\0{layout.checked_id(self.new)}\0{old}\0".encode()


def write_commit(git: Git, new: NewCommit, meanwhile: Callable[[], None] = lambda: None) -> str:
    """Write a commit and all that it brings, durably, and name it by its ref; its id. Raises GitFailed.

    `meanwhile` is done while git is at work; git comes to its end whatever that raises.
    """
    # --depth=0: fast-import knows no better base for a delta than the device before, in chains of 50. Without them a
    # batch takes half the time, reading a quarter, and the repack that finds the real ones makes half the size.
    with (
        in_memory(stream(new)) as said,
        git.start("fast-import", "--quiet", "--done", "--depth=0", stdin=said) as writer,
    ):
        try:
            meanwhile()
        finally:
            out = writer.finish(SECONDS, (0,)).out
    # git makes the files durable, not the names that they got: without this a power cut lost 4 of 1,704 commits.
    fsync(git.path / "objects" / "pack")
    fsync(git.path / "objects")
    commit = layout.checked_id(out.decode("ascii", "replace").strip())
    # A pack of one object, as a commit of a tree that is there already makes it, git unpacks whatever the limit says.
    if (loose := git.path / "objects" / commit[:2]).is_dir():
        fsync(loose)
    return commit


def verify(lookup: Lookup, commit: str, outcome: Mapping[str, str | None]) -> None:
    """Raise StoreDamaged unless every path of a new commit names what it was meant to."""
    there = lookup.entries(commit, outcome)
    for path, wanted in outcome.items():
        found = there[path].id if path in there else None
        if found != wanted:
            raise StoreDamaged(
                f"git stored {found or 'nothing'} at {path} in {lookup.git.path}, not {wanted or 'nothing'}."
            )


def verify_change(git: Git, found: Mapping[str, str | None], outcome: Mapping[str, str | None]) -> None:
    """Raise StoreDamaged unless a new commit differs from its parent as `found`, just as it was meant to."""
    for path in outcome.keys() | found.keys():
        there, wanted = found.get(path, "no change"), outcome.get(path, "no change")
        if there != wanted:
            raise StoreDamaged(f"git stored {there or 'nothing'} at {path} in {git.path}, not {wanted or 'nothing'}.")


def move_refs(git: Git, moves: Iterable[RefMove]) -> None:
    """All of these moves, or none. Raises GitFailed where a ref is not what it was taken for."""
    instructions = b"".join(move.instruction() for move in moves)
    if instructions:
        git.run("update-ref", "--stdin", "-z", stdin=instructions)


def make_ref_durable(git: Git, ref: str) -> None:
    """Have the name of a ref on the disk; git has seen to its content."""
    directory = (git.path / ref).parent
    while directory != git.path.parent:
        fsync(directory)
        directory = directory.parent


def drop_quietly(git: Git, refs: Sequence[str]) -> None:
    """Remove refs of a batch that came to nothing; what cannot be removed is left to the next writer."""
    move_refs(git, [RefMove(ref, None, None) for ref in refs])
