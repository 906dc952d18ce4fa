"""One object out of a pack by a few reads of parts of it and of its index, wherever they are (gitformat-pack).

For a pack that is far away: git reads packs from a disk only, and would have to be given all of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from backups.errors import StoreDamaged

Part = Callable[[int, int], bytes]
"""Bytes from a place on, so many or fewer at the end."""

HEAD, FAN_OUT, ID = 8, 1024, 20  # bytes
PIECE = 16 * 1024  # bytes at a time: most configurations take less, packed
LONGEST_CHAIN = 100  # differences; packs are made with 50 at most
COMMON = ("", "commit", "tree", "blob", "tag")
OFFSET_DELTA, ID_DELTA = 6, 7


@dataclass(frozen=True)
class FarPack:
    """A pack and its index, as two ways to read parts of them."""

    pack: Part
    index: Part

    def place_of(self, object_id: str) -> int | None:
        """Where in the pack an object begins; None where it is not in there."""
        wanted = bytes.fromhex(object_id)
        fan = self.index(HEAD, FAN_OUT)
        ends = [int.from_bytes(fan[at : at + 4], "big") for at in range(0, FAN_OUT, 4)]
        if len(fan) < FAN_OUT:
            raise StoreDamaged("An index of a pack was cut off.")
        first, last = ends[wanted[0] - 1] if wanted[0] else 0, ends[wanted[0]]
        if first == last:
            return None
        ids = self.index(HEAD + FAN_OUT + ID * first, ID * (last - first))
        found = next((at for at in range(last - first) if ids[ID * at : ID * at + ID] == wanted), None)
        return None if found is None else self.offset(first + found, ends[-1])

    def offset(self, position: int, count: int) -> int:
        """Where the object at that position of the index begins."""
        offsets = HEAD + FAN_OUT + (ID + 4) * count
        told = int.from_bytes(self.index(offsets + 4 * position, 4), "big")
        if told < 1 << 31:
            return told
        return int.from_bytes(self.index(offsets + 4 * count + 8 * (told - (1 << 31)), 8), "big")

    def read(self, place: int, chain: int = 0) -> tuple[str, bytes]:
        """Kind and content of the object that begins there. Raises StoreDamaged."""
        if chain > LONGEST_CHAIN:
            raise StoreDamaged("A pack has a chain of differences without end.")
        piece = self.pack(place, PIECE)
        kind, at = piece[0] >> 4 & 7, 1
        while piece[at - 1] & 0x80:  # the size, which the content tells as well
            at += 1
        base: int | None = None
        if kind == OFFSET_DELTA:
            back, at = distance(piece, at)
            base = place - back
        elif kind == ID_DELTA:
            base, at = self.place_of(piece[at : at + ID].hex()), at + ID
        elif not 1 <= kind < len(COMMON):
            raise StoreDamaged(f"A pack has an object of the kind {kind}.")
        content = self.inflated(place, piece, at)
        if kind < len(COMMON):
            return COMMON[kind], content
        if base is None:
            raise StoreDamaged("A pack needs another one.")
        name, old = self.read(base, chain + 1)
        return name, applied(old, content)

    def inflated(self, place: int, piece: bytes, at: int) -> bytes:
        """What is packed from there on."""
        packed, out, read = zlib.decompressobj(), [], len(piece)
        try:
            out.append(packed.decompress(piece[at:]))
            while not packed.eof:
                more = self.pack(place + read, 4 * PIECE)
                if not more:
                    raise StoreDamaged("A pack was cut off.")
                out.append(packed.decompress(more))
                read += len(more)
        except zlib.error as exc:
            raise StoreDamaged(f"A pack is damaged: {exc}.") from exc
        return b"".join(out)


def distance(piece: bytes, at: int) -> tuple[int, int]:
    """How far back a base begins, and what follows that."""
    back = piece[at] & 0x7F
    while piece[at] & 0x80:
        at += 1
        back = (back + 1 << 7) | (piece[at] & 0x7F)
    return back, at + 1


def number(delta: bytes, at: int) -> tuple[int, int]:
    """A size in front of a difference, and what follows that."""
    size = shift = 0
    while True:
        size |= (delta[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not delta[at - 1] & 0x80:
            return size, at


def applied(old: bytes, delta: bytes) -> bytes:
    """What a difference makes of its base. Raises StoreDamaged."""
    size, at = number(delta, 0)
    wanted, at = number(delta, at)
    out: list[bytes] = []
    while at < len(delta):
        order, at = delta[at], at + 1
        if order & 0x80:
            values = []
            for bits in (range(4), range(4, 7)):
                value = 0
                for shift, bit in enumerate(bits):
                    if order >> bit & 1:
                        value, at = value | delta[at] << 8 * shift, at + 1
                values.append(value)
            start, length = values[0], values[1] or 0x10000
            out.append(old[start : start + length])
        else:
            out.append(delta[at : at + order])
            at += order
    new = b"".join(out)
    if size != len(old) or wanted != len(new):
        raise StoreDamaged("A difference in a pack is damaged.")
    return new
