"""git's unified patch as hunks. Pure: bytes in, values out.

A patch quotes what a device said, so every line of it may be hostile: text that looks like a header, control
characters, bytes that are no text. Only the counts in the hunk headers, which git made, decide what is content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from checkpoints.errors import PatchUnreadable

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(?: (.*))?\Z", re.DOTALL)
SIGNS: dict[bytes, Sign] = {b" ": "same", b"-": "removed", b"+": "added"}
SECTION_REACH = 5_000  # lines that are looked at for a heading: a section of a configuration is far shorter
COMMENT_MARKS = (b"", b"!", b"#", b"*", b"}", b"exit")

Sign = Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk, as the device said it."""

    sign: Sign
    text: bytes  # without the newline
    ended: bool = True  # False: the file ends here, without a newline


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that changed, with the context around them. Starts count from 1, as git counts."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[Line, ...]
    heading: str = ""  # the section of the configuration that the first change is in

    @property
    def old_first(self) -> int:
        """Number of the first line of the old side; git names the line before where a side is empty."""
        return self.old_start if self.old_count else self.old_start + 1

    @property
    def new_first(self) -> int:
        """Number of the first line of the new side."""
        return self.new_start if self.new_count else self.new_start + 1


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What changed in one file."""

    header: bytes  # the line `diff --git …`, without its newline
    hunks: tuple[Hunk, ...]
    binary: bool = False  # git shows no lines of it
    cut: bool = False  # the patch was cut short inside this file

    @property
    def lines_added(self) -> int:
        """Lines on the new side only."""
        return sum(line.sign == "added" for hunk in self.hunks for line in hunk.lines)

    @property
    def lines_removed(self) -> int:
        """Lines on the old side only."""
        return sum(line.sign == "removed" for hunk in self.hunks for line in hunk.lines)


def parse_patch(patch: bytes, *, cut: bool = False) -> tuple[FilePatch, ...]:
    """The files of a patch of `git diff` (with `--no-renames --no-ext-diff --no-textconv`, without colours).

    `cut` says that the patch was shortened to a limit: its last hunk may then be incomplete.
    Raises PatchUnreadable when a patch that is not cut breaks off or is none.
    """
    lines = patch.split(b"\n")
    if lines.pop() and not cut:
        raise PatchUnreadable("The patch ends in the middle of a line.")
    reader = _Reader(lines, cut)
    return tuple(reader.files())


class _Reader:
    """Goes through the lines of a patch once."""

    def __init__(self, lines: Sequence[bytes], cut: bool) -> None:
        self.lines = lines
        self.at = 0
        self.cut = cut

    def files(self) -> Iterator[FilePatch]:
        """Each file: its header, then what git says about modes and names, then hunks."""
        while self.at < len(self.lines):
            header = self.take()
            if not header.startswith(b"diff --git "):
                raise PatchUnreadable(f"A patch cannot go on with {header[:60]!r}.")
            binary = self.skip_extended_header()
            hunks = tuple(self.hunks())
            yield FilePatch(header, hunks, binary, cut=self.cut and self.at >= len(self.lines))

    def take(self) -> bytes:
        """The next line."""
        self.at += 1
        return self.lines[self.at - 1]

    def next_is(self, *beginnings: bytes) -> bool:
        """Whether there is a next line that begins so."""
        return self.at < len(self.lines) and self.lines[self.at].startswith(beginnings)

    def skip_extended_header(self) -> bool:
        """Pass modes, ids and names; True where git says that the file is binary."""
        binary = False
        while self.at < len(self.lines) and not self.next_is(b"@@ ", b"diff --git "):
            binary = self.take().startswith(b"Binary files ") or binary
        return binary

    def hunks(self) -> Iterator[Hunk]:
        """The hunks of one file."""
        while self.next_is(b"@@ "):
            found = HUNK.match(self.take())
            if found is None:
                raise PatchUnreadable(f"{self.lines[self.at - 1][:60]!r} is no header of a hunk.")
            old_start, old_count, new_start, new_count = (1 if n is None else int(n) for n in found.groups()[:4])
            content = tuple(self.content(old_count, new_count))
            yield Hunk(old_start, old_count, new_start, new_count, content, visible(found[5] or b""))

    def content(self, old: int, new: int) -> Iterator[Line]:
        """Exactly as many lines as the hunk's header counts, whatever they look like."""
        while old or new:
            if self.at >= len(self.lines):
                if self.cut:
                    return
                raise PatchUnreadable("The patch ends in the middle of a hunk.")
            line = self.take()
            sign = SIGNS.get(line[:1])
            old -= sign in ("same", "removed")
            new -= sign in ("same", "added")
            if sign is None or old < 0 or new < 0:
                raise PatchUnreadable(f"A hunk cannot contain {line[:60]!r} there.")
            ended = not self.next_is(b"\\ ")
            self.at += not ended
            yield Line(sign, line[1:], ended)


def visible(text: bytes) -> str:
    """Device output as text that is safe to look at: nothing in it can move a cursor or turn the reading direction.

    Bytes that are no UTF-8, control characters but the tab, and invisible format characters are written out.
    """
    decoded = text.decode("utf-8", "backslashreplace")
    return decoded if decoded.isascii() and decoded.isprintable() else "".join(map(_shown, decoded))


def _shown(character: str) -> str:
    """One character, written out where it has no shape of its own (category C and Z but the space)."""
    if character == "\t" or character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()


def with_headings(patch: FilePatch, old: bytes, new: bytes) -> FilePatch:
    """The patch with each hunk headed by the section of the configuration that its first change is in."""
    sides = {"removed": old.split(b"\n"), "added": new.split(b"\n")}
    return replace(patch, hunks=tuple(_headed(hunk, sides) for hunk in patch.hunks))


def _headed(hunk: Hunk, sides: dict[str, list[bytes]]) -> Hunk:
    unchanged = next((at for at, line in enumerate(hunk.lines) if line.sign != "same"), None)
    if unchanged is None:
        return hunk
    side = hunk.lines[unchanged].sign
    first = hunk.old_first if side == "removed" else hunk.new_first
    return replace(hunk, heading=section(sides[side], first - 1 + unchanged))


def section(lines: Sequence[bytes], at: int) -> str:
    """The nearest line above `lines[at]` that is indented less: the interface, the router, the policy it belongs to.

    Empty for a line that belongs to nothing. True for every configuration that is indented, braces or not.
    """
    if at >= len(lines) or not (depth := _indentation(lines[at])):
        return ""
    for line in reversed(lines[max(0, at - SECTION_REACH) : at]):
        if _indentation(line) < depth and line.strip() not in COMMENT_MARKS:
            return visible(line.strip())
    return ""


def _indentation(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))
