"""Where the lines of a file come from: carried back through the differences between its versions. Pure.

Not `git blame`, which walks the history of the whole repository: a device's versions are a row each, and git is only
asked how two of them differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that others took the place of, counted from 0: those from `old` up to before `old_end` became `new` ..."""

    old: int
    old_end: int
    new: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines that stand together in the newest version, and together in the one that is looked at."""

    final: int  # number of the first in the newest version, from 0
    here: int  # in the one that is looked at
    length: int


def hunk_of(header: bytes) -> Hunk:
    """A hunk from the line that heads it in a patch without context. Raises ValueError for any other line."""
    found = HUNK.match(header)
    if found is None:
        raise ValueError(f"{header[:60]!r} is no header of a hunk")
    old, old_count, new, new_count = (1 if number is None else int(number) for number in found.groups())
    # git counts from 1, and names the line before where a side is empty.
    first, second = old - bool(old_count), new - bool(new_count)
    return Hunk(first, first + old_count, second, second + new_count)


def hunks_in(patch: Iterator[bytes]) -> Iterator[Hunk]:
    """The hunks of a patch without context, by its lines.

    Every line of content is passed over by the counts of the header: a device may have said what looks like one.
    """
    for line in patch:
        if line.startswith(b"@@ "):
            hunk = hunk_of(line)
            yield hunk
            left = hunk.old_end - hunk.old + hunk.new_end - hunk.new
            while left:
                left -= not next(patch).startswith(b"\\")  # "\ No newline at end of file" is no line


def origins(line_count: int, differences: Iterable[Sequence[Hunk]]) -> list[int]:
    """For each line of the newest version, the number of the version that brought it.

    `differences` lead from each version to the one before, newest first: number 0 is the difference that the newest
    version made. No more of them are read than needed; a line that they all leave alone gets their number.
    """
    found = [0] * line_count
    left = [Stretch(0, 0, line_count)] if line_count else []
    number = 0
    for hunks in differences:
        left, brought = carried(left, hunks)
        for stretch in brought:
            found[stretch.final : stretch.final + stretch.length] = [number] * stretch.length
        number += 1
        if not left:
            break
    for stretch in left:
        found[stretch.final : stretch.final + stretch.length] = [number] * stretch.length
    return found


def carried(stretches: Iterable[Stretch], hunks: Sequence[Hunk]) -> tuple[list[Stretch], list[Stretch]]:
    """What the version before had too, by its numbers; and what came with this one. Both sides in order."""
    kept: list[Stretch] = []
    brought: list[Stretch] = []
    ahead = iter(hunks)
    hunk, shift = next(ahead, None), 0
    for stretch in stretches:
        at, end = stretch.here, stretch.here + stretch.length
        while at < end:
            while hunk and hunk.new_end <= at:
                shift = hunk.old_end - hunk.new_end
                hunk = next(ahead, None)
            inside = hunk is not None and hunk.new <= at
            stop = end if hunk is None else min(end, hunk.new_end if inside else hunk.new)
            final = stretch.final + at - stretch.here
            if inside:
                brought.append(Stretch(final, at, stop - at))
            else:
                kept.append(Stretch(final, at + shift, stop - at))
            at = stop
    return kept, brought
