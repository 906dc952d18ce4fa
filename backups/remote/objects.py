"""Objects by name, somewhere else: the few things that are asked of an object store, and what their failures mean.

Two kinds: a bucket (`bucket.py`, the only user of obstore), and a directory (`directory.py`). Both keep two conditions,
and nothing else is relied on: an object is made only where there is none of its name, and replaced only where it is
still what was read.
"""

from __future__ import annotations

import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from typing import BinaryIO, TypeVar

from backups.remote.errors import RemoteDamaged, RemoteFailed, RemoteMissing, RemoteMoved

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

TRIES = 4
PAUSE = 0.2  # seconds before the second try; twice as long before each further one, and up to half as much more


@dataclass(frozen=True)
class Found:
    """An object as it was read."""

    content: bytes
    etag: str  # changes with the content
    at: datetime  # when it was written


@dataclass(frozen=True)
class Listed:
    """An object as a list names it."""

    name: str
    size: int
    at: datetime  # when it was written


class Conflict(Exception):
    """A condition did not hold: the object is there, or is not what it was. Never leaves this package."""


class Objects(ABC):
    """Named objects. All methods block, bear threads, and raise RemoteFailed and RemoteRefused."""

    @abstractmethod
    def read(self, name: str) -> Found:
        """An object, once. Raises RemoteMissing."""

    @abstractmethod
    def copy_to(self, name: str, file: BinaryIO) -> None:
        """Write an object's content to a file, once, piece by piece. Raises RemoteMissing."""

    @abstractmethod
    def read_part(self, name: str, start: int, length: int) -> bytes:
        """Some bytes of an object, once; fewer at its end. Raises RemoteMissing."""

    @abstractmethod
    def create(self, name: str, content: bytes) -> None:
        """Make an object, once; durable when this returns. Raises Conflict where there is one of that name."""

    @abstractmethod
    def replace(self, name: str, content: bytes, etag: str | None) -> str:
        """Replace the object of that etag (None: there is none), once; its new etag. Raises Conflict."""

    @abstractmethod
    def listed(self, prefix: str) -> Iterator[Listed]:
        """Every object below a prefix that ends with a slash."""

    @abstractmethod
    def delete(self, names: Sequence[str]) -> None:
        """Remove these objects; those that are gone are no error."""

    def get(self, name: str) -> Found:
        """An object. Raises RemoteMissing."""
        return tried(lambda: self.read(name))

    def get_part(self, name: str, start: int, length: int) -> bytes:
        """Some bytes of an object; fewer at its end. Raises RemoteMissing."""
        return tried(lambda: self.read_part(name, start, length))

    def download(self, name: str, file: BinaryIO) -> None:
        """Write an object's content to a file, from the file's beginning. Raises RemoteMissing."""

        def copy() -> None:
            file.seek(0)
            file.truncate()
            self.copy_to(name, file)

        tried(copy)

    def put_new(self, name: str, content: bytes) -> datetime | None:
        """Have an object of this content; where there was one, when it was written. Raises RemoteDamaged.

        A first try whose answer was lost looks like somebody else's object, so what is there is read.
        """
        try:
            tried(lambda: self.create(name, content))
        except Conflict:
            there = self.get(name)
            if there.content != content:
                raise RemoteDamaged(
                    f"{name} is in the object store already, with another content: somebody else writes there."
                ) from None
            return there.at
        return None

    def swap(self, name: str, content: bytes, etag: str | None) -> str:
        """Replace an object, if it is still the one that was read; its new etag. Raises RemoteMoved.

        The content must be one that nobody else writes: where an answer was lost, or a try repeated, it tells whether
        it was us.
        """
        try:
            return tried(lambda: self.replace(name, content, etag))
        except Conflict:
            there = self.found(name)
            if there is not None and there.content == content:
                return there.etag
            raise RemoteMoved(f"Another writer has replaced {name} in the object store meanwhile.") from None

    def found(self, name: str) -> Found | None:
        """An object, or None where there is none."""
        try:
            return self.get(name)
        except RemoteMissing:
            return None


def tried(once: Callable[[], Answer]) -> Answer:
    """Do it, and again after a failure that may pass; what is done here bears being done twice."""
    for attempt in range(1, TRIES + 1):
        try:
            return once()
        except RemoteFailed as error:
            if attempt == TRIES:
                raise
            log.info("Trying again: %s", error)
            apart = 1 + random.random() / 2  # noqa: S311  no secret: only not all at once  # nosec B311
            sleep(PAUSE * 2 ** (attempt - 1) * apart)
    raise AssertionError("the last try returns or raises")
