"""The ids of many objects in one piece of memory, by their place.

A set of fifty thousand ids takes 7 MB, and a dictionary of them 11, in a worker that talks to a hundred devices.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate

ID_BYTES = 20
BEGINNINGS = 2**16  # of ids: their first two bytes. Of a million, some fifteen begin alike, and are looked through


class ObjectIds:
    """Each once, in order."""

    def __init__(self, ordered: Iterable[bytes]) -> None:
        """Twenty bytes each, in order; the same may come several times."""
        joined = bytearray()
        counts = array("I", bytes(4 * BEGINNINGS))
        last = b""
        for one in ordered:
            if one != last:
                counts[one[0] << 8 | one[1]] += 1
                joined += one
                last = one
        self._all = bytes(joined)
        self._starts = array("I", accumulate(counts, initial=0))

    def are(self, others: ObjectIds) -> bool:
        """Whether these are those."""
        return self._all == others._all

    def __len__(self) -> int:
        return len(self._all) // ID_BYTES

    def __getitem__(self, place: int) -> bytes:
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._all[place * ID_BYTES : (place + 1) * ID_BYTES]

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, one: bytes) -> bool:
        return self.place(one) is not None

    def place(self, one: bytes) -> int | None:
        """Where an id stands, from 0; None where it is not among them."""
        beginning = one[0] << 8 | one[1]
        at, end = (ID_BYTES * start for start in self._starts[beginning : beginning + 2])
        while (at := self._all.find(one, at, end)) >= 0:
            place, beside = divmod(at, ID_BYTES)
            if not beside:
                return place
            at += 1  # the end of one id and the beginning of the next, which happen to read like it
        return None
