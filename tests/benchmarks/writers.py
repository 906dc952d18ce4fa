"""Three ways to keep new versions of devices, for comparing: ours, and two that are at hand.

The rivals are given every advantage: they need not be durable (git's and libgit2's defaults), they write no rows, and
their first versions are there already. Each keeps a tenant's devices as files of one flat tree, a commit for a device.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.benchmarks import reads

if TYPE_CHECKING:
    from inventory.models import Device, Tenant

NOON = datetime(2020, 3, 1, 12, tzinfo=UTC)
MAIN = "refs/heads/main"


def edited(content: bytes, dice: random.Random) -> bytes:
    """The configuration with one to five lines changed."""
    for _ in range(dice.randint(1, 5)):
        content = reads.changed(content, dice)
    return content


class Writer(Protocol):
    """Keeps new versions of some devices, by their numbers."""

    name: str

    def keep(self, chosen: Sequence[int], contents: Sequence[bytes]) -> None:
        """All of them; they count when this returns."""


class Netcairn:
    """The product: one commit and one transaction for all, durable, with rows."""

    name = "netcairn"

    def __init__(self, tenant: Tenant, devices: Sequence[Device]) -> None:
        self.tenant, self.devices = tenant, devices

    def keep(self, chosen: Sequence[int], contents: Sequence[bytes]) -> None:
        """As a run does with what it has collected."""
        from backups.commit import Kept, keep

        pairs = zip(chosen, contents, strict=True)
        kept = [Kept(self.devices[number], {reads.FILE: content}, "d" * 64, NOON) for number, content in pairs]
        result = keep(
            self.tenant.pk, kept, author="bench", message="Back up", run_id=None, now=NOON, also=lambda _: None
        )
        assert len(result.snapshots) == len(chosen), f"{len(result.snapshots)} of {len(chosen)} were kept"


def file_of(number: int) -> str:
    """Where the rivals keep a device."""
    return f"edge{number:05d}.cfg"


def flat_repository(path: Path, contents: Sequence[bytes], *, bare: bool) -> None:
    """A repository with the first versions of all, in one commit and one pack."""
    subprocess.run(["git", "init", "-q", "-b", "main", *(["--bare"] if bare else []), path], check=True)
    stream = [f"commit {MAIN}\ncommitter bench <> 0 +0000\ndata 0\n".encode()]
    for number, content in enumerate(contents):
        stream.append(b"M 644 inline %b\ndata %d\n%b\n" % (file_of(number).encode(), len(content), content))
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"], input=b"".join(stream), check=True)


class FlatPygit2:
    """libgit2: one blob, one tree of all devices, one commit."""

    name = "pygit2"

    def __init__(self, path: Path, contents: Sequence[bytes]) -> None:
        import pygit2

        flat_repository(path, contents, bare=True)
        self.git = pygit2
        self.repository = pygit2.Repository(str(path))

    def keep(self, chosen: Sequence[int], contents: Sequence[bytes]) -> None:
        """A commit for each."""
        who = self.git.Signature("bench", "bench@localhost")
        for number, content in zip(chosen, contents, strict=True):
            head = self.repository.references[MAIN].target
            tree = self.repository.TreeBuilder(self.repository[head].tree)
            tree.insert(file_of(number), self.repository.create_blob(content), self.git.enums.FileMode.BLOB)
            self.repository.create_commit(MAIN, who, who, "Back up", tree.write(), [head])


class IndexCommit:
    """GitPython as its manual shows it: a file, the index, a commit."""

    name = "index.commit"

    def __init__(self, path: Path, contents: Sequence[bytes]) -> None:
        import git

        flat_repository(path, contents, bare=False)
        subprocess.run(["git", "-C", path, "reset", "-q", "--hard"], check=True)
        self.path = path
        self.index = git.Repo(path).index

    def keep(self, chosen: Sequence[int], contents: Sequence[bytes]) -> None:
        """A commit for each."""
        for number, content in zip(chosen, contents, strict=True):
            (self.path / file_of(number)).write_bytes(content)
            self.index.add([file_of(number)])
            self.index.commit("Back up")
