"""A pack of whole objects and its index, as bytes: git's pack format, version 2 of both (gitformat-pack)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from struct import pack

from isal import isal_zlib

from backups.store.contents import Packed
from backups.store.trees import id_of

KINDS = {"commit": 1, "tree": 2, "blob": 3}
HEAD = b"PACK\0\0\0\2"
INDEX_HEAD = b"\377tOc\0\0\0\2"
MOST = 2**31  # bytes: what begins beyond that an index has in a second table, which no batch needs
AT_ONCE = 10  # contents that a thread takes at a time


def packed(kind: str, content: bytes) -> Packed:
    """The object of this content."""
    # ISA-L at its level 1: eight times as fast as zlib's level 1, and 1 % smaller. Housekeeping finds the deltas.
    data = heading(kind, len(content)) + isal_zlib.compress(content, 1)
    return Packed(id_of(kind, content), data, len(content))


@dataclass(frozen=True)
class Share:
    """Some contents, and who is at them."""

    contents: Sequence[bytes]
    made: Future[list[Packed]]

    def take(self) -> list[Packed]:
        """What the other thread has made of them; what it has not begun with, made here."""
        return packed_all(self.contents) if self.made.cancel() else self.made.result()


@contextmanager
def beside(contents: Sequence[bytes]) -> Iterator[list[Share]]:
    """Let another thread pack the contents of files; meanwhile something else can be done.

    Whoever compresses lets others compute, and whoever asks git and the database mostly waits for them.
    """
    with ThreadPoolExecutor(1) as other:
        parts = [contents[at : at + AT_ONCE] for at in range(0, len(contents), AT_ONCE)]
        try:
            yield [Share(part, other.submit(packed_all, part)) for part in parts]
        finally:
            other.shutdown(cancel_futures=True)


def packed_all(contents: Sequence[bytes]) -> list[Packed]:
    """The files of these contents."""
    return [packed("blob", content) for content in contents]


def heading(kind: str, size: int) -> bytes:
    """Kind and size: four bits of the size, then seven in each byte, the lowest first; a top bit says: more follow."""
    head = bytearray([KINDS[kind] << 4 | size & 15])
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head)


def pack_of(objects: Sequence[Packed]) -> bytes:
    """The pack of these, each there once. Its last twenty bytes are its checksum, which it is named by."""
    body = b"".join([HEAD, pack(">I", len(objects)), *(one.data for one in objects)])
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def index_of(objects: Sequence[Packed], checksum: bytes) -> bytes:
    """The index of the pack of these, which has that checksum."""
    starts = accumulate((len(one.data) for one in objects), initial=len(HEAD) + 4)
    ordered = sorted((one.id, zlib.crc32(one.data), start) for one, start in zip(objects, starts, strict=False))
    firsts = [0] * 256
    for one, _, _ in ordered:
        firsts[one[0]] += 1
    ids, sums, places = zip(*ordered, strict=True)
    if max(places) >= MOST:
        raise ValueError(f"a pack of {max(places)} bytes and more needs another index than this")
    numbers = pack(f">{256 + 2 * len(ordered)}I", *accumulate(firsts), *sums, *places)
    body = INDEX_HEAD + numbers[:1024] + b"".join(ids) + numbers[1024:] + checksum
    return body + hashlib.sha1(body, usedforsecurity=False).digest()
