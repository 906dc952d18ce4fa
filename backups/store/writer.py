"""Commits, refs and packs: every change to a repository. Whoever calls holds the tenant's lock (`backups/locks.py`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from backups.errors import StoreDamaged
from backups.store import layout, trees
from backups.store.contents import Packed
from backups.store.creation import fsync
from backups.store.disk import disk_refusal
from backups.store.git import Git
from backups.store.lookup import Lookup
from backups.store.packing import index_of, pack_of, packed, packed_all
from backups.store.stream import NewCommit, stream

SUM = 20  # bytes of a checksum


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


def write_commit(git: Git, new: NewCommit) -> str:
    """Write a commit and all that it brings, durably, and name it by its ref; its id. Raises GitFailed."""
    # --depth=0: fast-import knows no better base for a delta than the device before, in chains of 50. Without them a
    # batch takes half the time, reading a quarter, and the repack that finds the real ones makes half the size.
    out = git.run("fast-import", "--quiet", "--done", "--depth=0", stdin=stream(new)).out
    # git makes the files durable, not the names that they got: without this a power cut lost 4 of 1,704 commits.
    fsync(git.path / "objects" / "pack")
    fsync(git.path / "objects")
    commit = layout.checked_id(out.decode("ascii", "replace").strip())
    # A pack of one object, as a commit of a tree that is there already makes it, git unpacks whatever the limit says.
    if (loose := git.path / "objects" / commit[:2]).is_dir():
        fsync(loose)
    return commit


def write_batch(lookup: Lookup, new: NewCommit, contents: Iterable[Packed]) -> str:
    """Write a commit and all that it brings as one pack, durably, and named by no ref; its id. Raises StoreError.

    `contents`: what of the puts' bytes is packed already; what none of them names is left out. The pack is of our own
    making: fast-import begins only when all is known, and ends only when all is on the disk (docs/decisions/0044).
    """
    objects = {put.content.id: put.content for put in new.puts if isinstance(put.content, Packed)}
    wanted = {put.id: put.content for put in new.puts if isinstance(put.content, bytes)}
    objects |= {one.id: one for one in contents if wanted.pop(one.id.hex(), None) is not None}
    objects |= {one.id: one for one in packed_all(list(wanted.values()))}
    root = lookup.root_of(new.parent) if new.parent else None
    grown = trees.grown(lookup.folder, root, new.puts, new.removals)
    commit = packed("commit", trees.commit_content(new, list(grown)[-1]))
    objects |= {one: packed("tree", content) for one, content in grown.items()} | {commit.id: commit}
    try:
        write_pack(lookup.git.path / "objects" / "pack", list(objects.values()))
    except OSError as exc:
        raise disk_refusal(exc, lookup.git.path) from exc
    return commit.id.hex()


def write_pack(folder: Path, objects: Sequence[Packed]) -> None:
    """A pack and its index, complete and durable before they have their names. Raises OSError."""
    pack = pack_of(objects)
    checksum = pack[-SUM:]
    with ExitStack() as drafts:
        content = drafts.enter_context(draft_of(folder, pack))
        index = drafts.enter_context(draft_of(folder, index_of(objects, checksum)))
        content.rename(folder / f"pack-{checksum.hex()}.pack")
        index.rename(folder / f"pack-{checksum.hex()}.idx")  # last: without its index git sees no pack
    fsync(folder)


@contextmanager
def draft_of(folder: Path, content: bytes) -> Iterator[Path]:
    """A new durable file, to be renamed; what is not renamed goes, at the latest with the next writer."""
    descriptor, name = mkstemp(prefix="tmp_pack_", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, 0o444)  # as git's own are
            os.fsync(descriptor)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


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
