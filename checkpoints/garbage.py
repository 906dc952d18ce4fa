"""What git knows about garbage: what is there, what is needed, what is missing; and how it goes (`Workshop`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backups.errors import GitFailed
from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import Git
from backups.store.housekeeping import indexes, remove_pack
from backups.store.rereading import absent, lines_of
from backups.store.workshop import Workshop as PlainWorkshop

SECONDS = 3600.0  # for each step: a large repository takes minutes
DAMAGE = 0b111  # of fsck's exit status: an object, a link between objects, a pack; the rest is no content
ANY = tuple(range(256))
TRIES = 3  # at counting beside writers
MANY = 20_000  # commits; a command line has an end


@dataclass(frozen=True)
class Examined:
    """What a walk over everything that is kept has found."""

    missing: tuple[str, ...]  # ids that something kept needs
    damaged: bool  # something is there, but is not what it was


def examine(git: Git, tips: Collection[str]) -> Examined:
    """Read everything in the repository, to say what is wrong where something is; slow. Raises GitFailed.

    Too many commits for a command line are left to the refs.
    """
    options = ("--full", "--no-reflogs", "--no-dangling", "--no-progress")
    kept = sorted({layout.checked_id(tip) for tip in tips})
    answer = git.run("fsck", *options, *(kept if len(kept) <= MANY else ()), seconds=SECONDS, expect=ANY)
    lines = [line.split() for line in answer.out.decode("ascii", "replace").splitlines()]
    missing = tuple(sorted({line[2] for line in lines if line[0] == "missing"}))
    return Examined(missing, bool(answer.status & DAMAGE))


def reachable(git: Git, tips: Iterable[str]) -> tuple[set[str], set[str]]:
    """Every object that these commits need: those that are there, and those that are missing. Raises GitFailed."""
    options = ("--objects", "--no-object-names", "--missing=print", "--stdin")
    out = git.run("rev-list", *options, stdin=lines_of(tips), seconds=SECONDS).out.decode("ascii").split()
    missing = {line[1:] for line in out if line.startswith("?")}
    return {line for line in out if not line.startswith("?")} - missing, missing


def all_objects(git: Git) -> dict[str, int]:
    """Every object there is, with the bytes that it takes in its pack."""
    options = ("--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objectsize:disk)")
    out = git.run("cat-file", *options, seconds=SECONDS).out.decode("ascii")
    return {name: int(size) for name, size in (line.split() for line in out.splitlines())}


def object_count(git: Git) -> int:
    """How many objects there are, each counted once. Raises GitFailed.

    A pack that a writer joins with others while it is listed is no failure: then all are listed again.
    """
    everything = ("--batch-all-objects", "--unordered", "--batch-check=%(objectname)")
    for _ in range(TRIES - 1):
        with suppress(GitFailed):
            return git.run("cat-file", *everything, seconds=SECONDS).out.count(b"\n")
    return git.run("cat-file", *everything, seconds=SECONDS).out.count(b"\n")


def bytes_on_disk(path: Path) -> int:
    """What a repository's objects take on the disk: packs, their indexes and single objects, without what git can
    compute from them at any time (`objects/info`). What a writer takes away meanwhile does not count."""
    size = 0
    for place, folders, files in os.walk(path / "objects"):
        folders[:] = [folder for folder in folders if folder != "info"]
        for name in files:
            with suppress(FileNotFoundError):
                size += Path(place, name).stat().st_size
    return size


class Workshop(PlainWorkshop):
    """A workshop in which a pack of all that is kept is made, and proven to be whole.

    It borrows the objects of the repository; without them git sees only what was packed here.
    """

    def pack(self, tips: Collection[str], *, without: Collection[str] = (), quickly: bool = False) -> None:
        """Pack all that these commits need and those others do not. Raises GitFailed where something is missing."""
        self.borrow()
        asked = lines_of(tips) + b"".join(b"^" + line for line in lines_of(without).splitlines(keepends=True))
        options = ["--revs", "--delta-base-offset", "--non-empty", "--quiet", *(["--window=0"] if quickly else [])]
        out = self.git.run("pack-objects", *options, self.base, stdin=asked, seconds=SECONDS).out
        self.packs += out.decode("ascii").split()

    def prove(self, tips: Collection[str]) -> None:
        """Read every object of the pack, and walk from the commits to all that they need. Raises GitFailed.

        A repository of nothing but this pack has to be whole: that is what is left when the others are gone.
        """
        self.alternates.unlink()
        refs = "".join(f"{tip} refs/kept/{tip}\n" for tip in sorted(set(tips)))
        (self.path / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{refs}")
        self.git.run("fsck", "--full", "--no-dangling", "--no-progress", seconds=SECONDS)

    def clear(self) -> None:
        """Begin anew."""
        for found in (self.path / "objects" / "pack").iterdir():
            found.unlink()
        self.packs = []

    def absent(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that were not packed; once it is proven."""
        return absent(self.git, ids)

    def object_count(self) -> int:
        """How many objects were packed; once it is proven."""
        return object_count(self.git)

    def remove_others(self, still_ours: Callable[[], None]) -> None:
        """Remove every pack and single object that was there before.

        `still_ours` raises where the lock is not held any more; it is asked before each pack. What goes is listed
        before that, so that whoever has lost the lock never removes what the next writer has brought.
        """
        objects = self.source.path / "objects"
        mine = {f"pack-{name}" for name in self.packs}
        packs = [index for index in indexes(self.source.path) if index.stem not in mine]
        others = [found for found in (objects / "pack").iterdir() if found.stem not in mine]  # of several packs too
        single = list(objects.glob("[0-9a-f][0-9a-f]/*"))
        for index in packs:
            still_ours()
            remove_pack(index)
        still_ours()
        for found in [*others, *single]:
            found.unlink(missing_ok=True)
        fsync(objects / "pack")
