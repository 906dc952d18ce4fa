"""What `git fast-import` is told, as bytes. Pure.

Everything is framed by its length or built from checked names, so that no text from outside is ever read as a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from backups.store import layout
from backups.store.contents import Content, id_of_file

COMMITTER = "Netcairn <netcairn@localhost>"
CONTROL = re.compile(r"[\x00-\x1f\x7f<>]+")
TRAILER = re.compile(r"([A-Z][A-Za-z0-9-]*): (.*)\Z")
TRAILER_KEY = re.compile(r"[A-Z][A-Za-z0-9-]*\Z")


@dataclass(frozen=True)
class Put:
    """A path that names this content from now on: new content, or the id of an object that is there already."""

    path: str
    content: Content | str
    mode: str = layout.FILE_MODE

    @cached_property
    def id(self) -> str:
        """The id that the path names afterwards."""
        return self.content if isinstance(self.content, str) else id_of_file(self.content)


@dataclass(frozen=True)
class NewCommit:
    """A commit to be written: the changes to its parent, or the whole tree where there is none."""

    ref: str  # that goes on with it
    parent: str | None
    message: str
    author: str
    when: datetime
    puts: Sequence[Put]
    removals: Sequence[str] = ()


def stream(*commits: NewCommit) -> bytes:
    """The whole input of fast-import, which answers with the id of each commit, a line each.

    Several are of one ref and say no parent: each goes on from the one before.

    `done` at the end: fast-import, started with --done, takes an input that was cut off for an error.
    """
    return b"".join(piece for new in commits for piece in parts(new)) + b"done\n"


def parts(new: NewCommit) -> Iterator[bytes]:
    """The pieces of one commit, in order."""
    stamp = f"{int(new.when.timestamp())} +0000"
    yield f"commit {new.ref}\nmark :1\n".encode()
    yield f"author {identity(new.author)} {stamp}\ncommitter {COMMITTER} {stamp}\n".encode()
    yield data(text(new.message))
    if new.parent:
        yield f"from {layout.checked_id(new.parent)}\n".encode()
    # First, so that two devices that swap their names do not remove each other's new link.
    for path in new.removals:
        yield f'D "{path}"\n'.encode()
    for put in new.puts:
        yield from modification(put)
    yield b"get-mark :1\n"


def modification(put: Put) -> Iterator[bytes]:
    """One path with its content."""
    if isinstance(put.content, bytes):
        yield f'M {put.mode} inline "{put.path}"\n'.encode()
        yield data(put.content)
    else:
        yield f'M {put.mode} {layout.checked_id(put.id)} "{put.path}"\n'.encode()


def data(content: bytes) -> bytes:
    """Bytes framed by their length."""
    return b"data %d\n%b\n" % (len(content), content)


def text(message: str) -> bytes:
    """A message without what git cannot keep; a lone surrogate becomes a question mark instead of an error."""
    return message.replace("\0", "").encode("utf-8", "replace")


def identity(name: str) -> str:
    """An author for git: the name alone, without anything that could end it early."""
    clean = CONTROL.sub(" ", name).encode("utf-8", "replace").decode().strip(" .,:;\"'")
    return f"{clean or 'unknown'} <>"


def with_trailers(message: str, trailers: Mapping[str, str]) -> str:
    """The message and, as its last paragraph, the trailers that the database can be rebuilt from."""
    for key in trailers:
        if not TRAILER_KEY.match(key):
            raise ValueError(f"{key!r} cannot be the key of a trailer")
    lines = (f"{key}: {' '.join(value.split())}" for key, value in trailers.items())
    return f"{message.strip() or 'Change'}\n\n" + "\n".join(lines) + "\n"


def trailers_of(message: str) -> dict[str, str]:
    """The trailers of one of our commits: its last paragraph, whatever the others look like."""
    found = (TRAILER.match(line) for line in message.strip().rpartition("\n\n")[2].splitlines())
    return {line[1]: line[2] for line in found if line}
