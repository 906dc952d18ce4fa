"""A directory as an object store: another disk, a file server, or what a test needs.

Not obstore's, because that one cannot replace an object on a condition, and does not wait for the disk: a power cut
would lose what was acknowledged.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from backups.remote.errors import RemoteFailed, RemoteMissing, RemoteRefused
from backups.remote.objects import Conflict, Found, Listed, Objects
from backups.store.creation import sync

LOCK = ".lock"
DRAFT = ".draft-"


class Directory(Objects):
    """Objects as files below a directory, which several hosts may share where its locks and links work for all."""

    def __init__(self, root: Path) -> None:
        self.root = root
        if not root.is_dir():
            raise RemoteRefused(f"The object store {root} is no directory: make it, or mount what it is to be on.")

    def read(self, name: str) -> Found:
        """See Objects."""
        path = self.root / name
        with self.translated(name):
            content, at = path.read_bytes(), path.stat().st_mtime
        return Found(content, etag_of(content), datetime.fromtimestamp(at, UTC))

    def copy_to(self, name: str, file: BinaryIO) -> None:
        """See Objects."""
        with self.translated(name), (self.root / name).open("rb") as there:
            shutil.copyfileobj(there, file)

    def read_part(self, name: str, start: int, length: int) -> bytes:
        """See Objects."""
        with self.translated(name), (self.root / name).open("rb") as there:
            there.seek(start)
            return there.read(length)

    def create(self, name: str, content: bytes) -> None:
        """See Objects. A link, not a rename: it refuses to take another's place."""
        path = self.root / name
        with self.translated(name), self.draft(path, content) as draft:
            try:
                os.link(draft, path)
            except FileExistsError as exc:
                raise Conflict(name) from exc

    def replace(self, name: str, content: bytes, etag: str | None) -> str:
        """See Objects. One writer at a time compares and renames."""
        path = self.root / name
        with self.translated(name), self.locked(), self.draft(path, content) as draft:
            if (etag_of(path.read_bytes()) if path.exists() else None) != etag:
                raise Conflict(name)
            draft.replace(path)
        return etag_of(content)

    def listed(self, prefix: str) -> Iterator[Listed]:
        """See Objects. What a crash has left of one that was being made is listed, too."""
        with self.translated(prefix):
            for found in sorted((self.root / prefix).rglob("*")):
                if found.is_file():
                    told = found.stat()
                    at = datetime.fromtimestamp(told.st_mtime, UTC)
                    yield Listed(str(found.relative_to(self.root)), told.st_size, at)

    def delete(self, names: Sequence[str]) -> None:
        """See Objects. Directories that are empty by then go, too."""
        for name in names:
            with self.translated(name):
                (self.root / name).unlink(missing_ok=True)
        for folder in sorted({(self.root / name).parent for name in names}, reverse=True):
            while folder != self.root and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
                folder = folder.parent  # noqa: PLW2901

    @contextmanager
    def draft(self, path: Path, content: bytes) -> Iterator[Path]:
        """The content under another name, on the disk; whatever name it gets from here is durable afterwards."""
        make_durably(path.parent, self.root)
        draft = path.with_name(f"{DRAFT}{secrets.token_hex(8)}")
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield draft
        finally:
            draft.unlink(missing_ok=True)
        sync(path.parent)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The only one who replaces; the system takes the lock from whoever dies."""
        with (self.root / LOCK).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def translated(self, name: str) -> Iterator[None]:
        """The system's errors as ours."""
        try:
            yield
        except FileNotFoundError as exc:
            raise RemoteMissing(f"{name} is not in the object store {self.root}.") from exc
        except OSError as exc:
            raise RemoteFailed(f"The object store {self.root} failed at {name}: {exc.strerror}.") from exc


def etag_of(content: bytes) -> str:
    """What tells one content from another."""
    return hashlib.sha256(content).hexdigest()


def make_durably(folder: Path, root: Path) -> None:
    """Make a directory and those above it, up to the root, with their names on the disk."""
    missing = []
    while folder != root and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync(one.parent)
