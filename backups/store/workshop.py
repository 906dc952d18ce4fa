"""A small repository beside the packs of another, in which packs are made and looked at before they count.

Not among the packs, because a writer takes half-written files there for those of a crash.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Self

from backups import claimers
from backups.store.creation import fsync
from backups.store.git import Git

WORKSHOP = "collecting-"  # then which process it belongs to, and a random word
ABANDONED = 7200.0  # seconds; a workshop of another host that is older belongs to nobody any more


class Workshop:
    """Such a repository, with the names of the packs that were made in it."""

    def __init__(self, git: Git, path: Path) -> None:
        self.source = git
        self.path = path
        self.git = Git(path)
        self.packs: list[str] = []

    @classmethod
    @contextmanager
    def beside(cls, git: Git) -> Iterator[Self]:
        """A new one; gone at the end."""
        workshop = cls.opened(git)
        try:
            yield workshop
        finally:
            workshop.close()

    @classmethod
    def opened(cls, git: Git) -> Self:
        """A new one, for whoever closes it."""
        path = git.path / f"{WORKSHOP}{claimers.this_process().replace(' ', '_')}-{token_hex(4)}"
        for folder in ("refs", "objects/info", "objects/pack", "info"):
            (path / folder).mkdir(parents=True, mode=0o700)
        (path / "HEAD").write_text("ref: refs/heads/none\n")
        return cls(git, path)

    def close(self) -> None:
        """Remove it with all that was not installed."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def alternates(self) -> Path:
        """The file that names where else objects are."""
        return self.path / "objects" / "info" / "alternates"

    @property
    def base(self) -> str:
        """What the packs made here begin with, for `git pack-objects`."""
        return str(self.path / "objects" / "pack" / "pack")

    def borrow(self) -> None:
        """Let git see the objects of the repository from here."""
        self.alternates.write_text(f"{self.source.path.absolute() / 'objects'}\n")

    def install(self) -> None:
        """Move the packs to the others, durably; each becomes visible with its index, which goes last."""
        there = self.source.path / "objects" / "pack"
        mine = self.path / "objects" / "pack"
        for suffix in (".rev", ".pack", ".idx"):
            for name in self.packs:
                if (found := mine / f"pack-{name}{suffix}").exists():
                    fsync(found)
                    found.rename(there / found.name)
        fsync(there)

    def install_index(self) -> None:
        """Let git's index of commits be the workshop's: another may name some that go. The lock is held."""
        drop_commit_graph(self.source.path)
        graph = Path("objects", "info", "commit-graph")
        if (self.path / graph).exists():
            (self.path / graph).rename(self.source.path / graph)
            fsync(self.source.path / graph.parent)


def drop_commit_graph(path: Path) -> None:
    """Remove git's index of commits, which may name some that are about to go."""
    info = path / "objects" / "info"
    (info / "commit-graph").unlink(missing_ok=True)
    shutil.rmtree(info / "commit-graphs", ignore_errors=True)
    fsync(info)


def remove_abandoned(path: Path) -> None:
    """Remove the workshops whose process is no more; a number alone may be somebody else's by now."""
    for left in path.glob(f"{WORKSHOP}*"):
        claimer = left.name.removeprefix(WORKSHOP).rpartition("-")[0].replace("_", " ")
        with suppress(FileNotFoundError):  # whose it is has just removed it
            if claimers.is_gone(claimer) or time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)
