"""What git knows about garbage: what is missing, what nothing needs, and how it goes. Whoever sweeps holds the lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import Git

SECONDS = 3600.0  # for each step: a large repository takes minutes, and nothing else may write meanwhile
DAMAGE = 0b111  # of fsck's exit status: an object, a link between objects, a pack; the rest is no content
ANY = tuple(range(256))
MANY = 20_000  # commits; a command line has an end


@dataclass(frozen=True)
class Examined:
    """What a walk over everything that is kept has found."""

    missing: tuple[str, ...]  # ids that something kept needs
    damaged: bool  # something is there, but is not what it was
    unreachable: frozenset[str]  # ids that nothing kept needs

    @property
    def sound(self) -> bool:
        """Whether everything that is kept is there."""
        return not self.missing and not self.damaged


def examine(git: Git, tips: Collection[str], *, read_all: bool) -> Examined:
    """Walk from the commits that are kept to every object they need; with `read_all` their content is checked, too.

    Raises GitFailed. The commits themselves must be there (`absent`). Too many for a command line are left to the refs:
    then what a ref names counts as kept, so the next collection takes it.
    """
    depth = ("--full",) if read_all else ("--connectivity-only",)
    options = (*depth, "--unreachable", "--no-reflogs", "--no-dangling", "--no-progress")
    kept = sorted({layout.checked_id(tip) for tip in tips})
    answer = git.run("fsck", *options, *(kept if len(kept) <= MANY else ()), seconds=SECONDS, expect=ANY)
    lines = [line.split() for line in answer.out.decode("ascii", "replace").splitlines()]
    return Examined(
        missing=tuple(sorted({line[2] for line in lines if line[0] == "missing"})),
        damaged=bool(answer.status & DAMAGE),
        unreachable=frozenset(line[2] for line in lines if line[0] == "unreachable"),
    )


def absent(git: Git, ids: Iterable[str]) -> set[str]:
    """Those of the ids that are in no pack and no file."""
    asked = "".join(f"{layout.checked_id(one)}\n" for one in ids).encode()
    answer = git.run("cat-file", "--batch-check=%(objectname)", stdin=asked, seconds=SECONDS)
    return {line.split()[0].decode() for line in answer.out.splitlines() if line.endswith(b" missing")}


def object_count(git: Git) -> int:
    """How many objects there are, each counted once."""
    everything = ("--batch-all-objects", "--unordered", "--batch-check=%(objectname)")
    return git.run("cat-file", *everything, seconds=SECONDS).out.count(b"\n")


def stored_bytes(git: Git, ids: Iterable[str]) -> int:
    """What these objects take in their packs."""
    asked = "".join(f"{layout.checked_id(one)}\n" for one in ids).encode()
    out = git.run("cat-file", "--batch-check=%(objectsize:disk)", stdin=asked, seconds=SECONDS).out
    return sum(int(line) for line in out.splitlines() if line.isdigit())


def bytes_on_disk(path: Path) -> int:
    """What a repository's objects take on the disk: packs, their indexes and single objects, without what git can
    compute from them at any time (`objects/info`)."""
    objects = path / "objects"
    folders = [folder for folder in objects.iterdir() if folder.name != "info"]
    return sum(found.stat().st_size for folder in folders for found in folder.iterdir())


def sweep(git: Git) -> None:
    """Remove every object that no ref needs. Raises GitFailed; then nothing that a ref needs is lost.

    The first repack only adds: it reads all that is kept, and ends where something cannot be read. The old packs go
    when the new one, and its name, are on the disk.
    """
    options = ("-a", "-q", "--no-write-bitmap-index")
    git.run("repack", *options, seconds=SECONDS)
    fsync(git.path / "objects" / "pack")
    # Before the commits that it may name are gone.
    git.run("commit-graph", "write", "--reachable", "--changed-paths", "--no-progress", seconds=SECONDS)
    git.run("repack", "-d", *options, seconds=SECONDS)
    git.run("prune", "--expire=now", seconds=SECONDS)
    fsync(git.path / "objects" / "pack")
