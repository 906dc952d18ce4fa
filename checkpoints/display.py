"""Hunks as rows of a page: unified or side by side, with the words that differ marked. Pure.

The cost is bounded for hostile input: words are compared within a budget for the whole page, beyond it lines stand
without marks. `difflib.SequenceMatcher` is not used: it took 16 s on 20,000 adversarial lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Literal

from checkpoints.diff import Hunk, Line, visible

WORD = re.compile(r"\w+|\s+|[^\w\s]")
LONG_LINE = 2_000  # characters; longer ones are not cut into words
MANY_WORDS = 64  # between common beginning and end; beyond that everything between is marked
BUDGET = 1_000_000  # steps of comparing words for one page, about 0.3 s

Kind = Literal["fold", "same", "changed", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line; marked where it differs from the other side's line."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A line on one side."""

    number: int | None
    segments: tuple[Segment, ...]
    ended: bool = True  # False: the file ends here without a newline

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. A fold stands for `hidden` unchanged lines and begins a hunk in the section `heading`."""

    kind: Kind
    left: Cell | None = None
    right: Cell | None = None
    hidden: int = 0
    heading: str = ""


@dataclass(frozen=True)
class Numbers:
    """Line numbers as the device's file has them, where lines were left out before comparing; index 0 is line 1."""

    old: Sequence[int] | None = None
    new: Sequence[int] | None = None


COUNTED = Numbers()  # nothing was left out


def side_by_side(hunks: Iterable[Hunk], numbers: Numbers = COUNTED, *, old_lines: int | None = None) -> list[Row]:
    """Rows with the old line left and the new line right; a changed line stands beside what it became.

    `old_lines`, the number of lines of the old side, adds a last fold for what follows the last hunk.
    """
    return list(_Page(numbers, lambda rows: rows).rows(hunks, old_lines))


def unified(hunks: Iterable[Hunk], numbers: Numbers = COUNTED, *, old_lines: int | None = None) -> list[Row]:
    """Rows under each other: of each change first what went, then what came. Marks as in `side_by_side`."""
    return list(_Page(numbers, _below).rows(hunks, old_lines))


def _below(rows: list[Row]) -> list[Row]:
    gone = [Row("removed", left=row.left) for row in rows if row.left]
    return gone + [Row("added", right=row.right) for row in rows if row.right]


class _Page:
    """One file's rows in the making."""

    def __init__(self, numbers: Numbers, arrange: Callable[[list[Row]], list[Row]]) -> None:
        self.numbers = numbers
        self.arrange = arrange  # the rows of one change, which come as pairs
        self.purse = _Purse(BUDGET)

    def rows(self, hunks: Iterable[Hunk], old_lines: int | None) -> Iterator[Row]:
        """Each hunk behind a fold."""
        shown = 0  # lines of the old side that are behind us
        for hunk in hunks:
            yield Row("fold", hidden=hunk.old_first - 1 - shown, heading=hunk.heading)
            yield from self.hunk_rows(hunk)
            shown = hunk.old_first - 1 + hunk.old_count
        if old_lines is not None and old_lines > shown:
            yield Row("fold", hidden=old_lines - shown)

    def hunk_rows(self, hunk: Hunk) -> Iterator[Row]:
        """Unchanged lines and changes in turn."""
        left, right = hunk.old_first - 1, hunk.new_first - 1
        for same, group in groupby(hunk.lines, key=lambda line: line.sign == "same"):
            block = list(group)
            gone = [line for line in block if line.sign != "added"]
            come = [line for line in block if line.sign != "removed"]
            yield from self.unchanged(block, left, right) if same else self.change(gone, come, left, right)
            left, right = left + len(gone), right + len(come)

    def unchanged(self, block: list[Line], left: int, right: int) -> Iterator[Row]:
        """Lines that both sides have."""
        for at, line in enumerate(block):
            segments = (Segment(visible(line.text)),)
            yield Row("same", self.left(line, left + at, segments), self.right(line, right + at, segments))

    def change(self, gone: list[Line], come: list[Line], left: int, right: int) -> list[Row]:
        """The first line that went beside the first that came, and so on; what is left over stands alone."""
        rows = []
        for at, (old, new) in enumerate(zip_longest(gone, come)):
            before, after = self.segments(old, new)
            beside = self.right(new, right + at, after) if new else None
            kind: Kind = "changed" if old and new else "removed" if old else "added"
            rows.append(Row(kind, self.left(old, left + at, before) if old else None, beside))
        return self.arrange(rows)

    def segments(self, old: Line | None, new: Line | None) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """The text of both, marked where there are two to compare."""
        before, after = visible(old.text) if old else "", visible(new.text) if new else ""
        if old and new:
            return _marked(before, after, self.purse)
        return (Segment(before),), (Segment(after),)

    def left(self, line: Line, at: int, segments: tuple[Segment, ...]) -> Cell:
        """A cell of the old side."""
        return Cell(_number(self.numbers.old, at), segments, line.ended)

    def right(self, line: Line, at: int, segments: tuple[Segment, ...]) -> Cell:
        """A cell of the new side."""
        return Cell(_number(self.numbers.new, at), segments, line.ended)


def _number(numbers: Sequence[int] | None, at: int) -> int | None:
    if numbers is None:
        return at + 1
    return numbers[at] if at < len(numbers) else None


class _Purse:
    """Steps that one page may still spend on comparing words."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def pay(self, price: int) -> bool:
        """Take the price; False, and nothing taken, when it is too much."""
        if price > self.steps:
            return False
        self.steps -= price
        return True


def marked_words(old: str, new: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Two versions of a line, with the words marked that the other one has not. Unmarked when they share too little."""
    return _marked(old, new, _Purse(BUDGET))


def _marked(old: str, new: str, purse: _Purse) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    if max(len(old), len(new)) > LONG_LINE or not purse.pay(len(old) + len(new)):
        return (Segment(old),), (Segment(new),)
    left, right = WORD.findall(old), WORD.findall(new)
    kept_left, kept_right = _shared(left, right, purse)
    common = sum(len(left[at]) for at in kept_left if not left[at].isspace())
    if 3 * common < max(len(old.strip()), len(new.strip())):
        return (Segment(old),), (Segment(new),)
    return _segments(left, kept_left), _segments(right, kept_right)


def _shared(left: list[str], right: list[str], purse: _Purse) -> tuple[set[int], set[int]]:
    """Positions of the words that both have in the same order: common beginning, common end, and between them."""
    shorter = min(len(left), len(right))
    start = next((at for at in range(shorter) if left[at] != right[at]), shorter)
    room = shorter - start
    end = next((at for at in range(room) if left[-1 - at] != right[-1 - at]), room)
    middle_left, middle_right = left[start : len(left) - end], right[start : len(right) - end]
    pairs = [(at, at) for at in range(start)]
    pairs += [(len(left) - 1 - at, len(right) - 1 - at) for at in range(end)]
    if max(len(middle_left), len(middle_right)) <= MANY_WORDS and purse.pay(len(middle_left) * len(middle_right)):
        pairs += [(start + i, start + j) for i, j in _longest_common(middle_left, middle_right)]
    return {i for i, _ in pairs}, {j for _, j in pairs}


def _longest_common(left: list[str], right: list[str]) -> Iterator[tuple[int, int]]:
    """Positions of a longest common subsequence; quadratic, so only for few words."""
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            best[i][j] = best[i + 1][j + 1] + 1 if left[i] == right[j] else max(best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1


def _segments(words: list[str], kept: set[int]) -> tuple[Segment, ...]:
    """Words as segments; a space between two marked words is marked too, so that a phrase is one piece."""
    marks = [at not in kept for at in range(len(words))]
    for at in range(1, len(words) - 1):
        if words[at].isspace() and marks[at - 1] and marks[at + 1]:
            marks[at] = True
    numbered = groupby(range(len(words)), key=lambda at: marks[at])
    return tuple(Segment("".join(words[at] for at in run), mark) for mark, run in numbered)
