"""What is what in a line of a configuration, and where its sections begin and end. Pure; the same for every system.

A rule for each of a hundred systems would be a second set of sheets. What nearly all of them share is enough for an
eye that looks for something: comments, the word that a line begins with, addresses, numbers, texts in quotes, and
sections that are indented below their first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from inventory.platforms.masking import MASK

Kind = str  # plain, comment, word, off, value, quoted or masked

DEEPEST = 8  # sections within sections; what is deeper stands open in the last of them
LONG_LINE = 2_000  # characters; nobody reads colours in a longer one
TAB = 8

_BEGIN = re.compile(
    r"(\s*)(?:(?P<comment>!.*|#.*|/\*.*|--.*)|(?P<off>(?:no|undo|unset|delete|disable)\b)|(?P<word>[\w./-]+))"
)
_REST = re.compile(
    rf"(?P<masked>{re.escape(MASK)})"
    r'|(?P<quoted>"[^"]*")'
    r"|(?P<value>(?<![\w.:/-])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:[/:][0-9]{1,5})?"
    r"|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:/[0-9]{1,3})?|[0-9]+)(?![\w.:]))"
)
_MENU = re.compile(r"/[a-z]")  # RouterOS writes sections as paths, and nothing is indented below them


def coloured(line: str) -> Iterator[tuple[Kind, str]]:
    """The line cut into pieces, each with what it is; together they are the line."""
    if len(line) > LONG_LINE:
        yield "plain", line
        return
    at = 0
    if begin := _BEGIN.match(line):
        kind = begin.lastgroup or "plain"
        at = begin.start(kind)
        if at:
            yield "plain", line[:at]
        yield kind, begin[kind]
        at = begin.end()
    yield from _rest(line, at)


def _rest(line: str, at: int) -> Iterator[tuple[Kind, str]]:
    """What follows a line's first word."""
    for found in _REST.finditer(line, at):
        if found.start() > at:
            yield "plain", line[at : found.start()]
        yield found.lastgroup or "plain", found[0]
        at = found.end()
    if at < len(line):
        yield "plain", line[at:]


def sections(lines: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """For each line: how many open sections end before it, and whether a section begins with it."""
    levels = [level(line) for line in lines]
    below = _next_levels(levels)
    headings: list[int] = []  # levels of the sections that are open
    for line, here, following in zip(lines, levels, below, strict=True):
        if here is None:
            yield 0, False
            continue
        ended = sum(heading >= here for heading in headings)
        del headings[len(headings) - ended :]
        begins = following is not None and following > here and len(headings) < DEEPEST and not is_comment(line)
        if begins:
            headings.append(here)
        yield ended, begins


def _next_levels(levels: Sequence[int | None]) -> list[int | None]:
    """For each line the level of the next one that is not blank."""
    below: list[int | None] = []
    last: int | None = None
    for here in reversed(levels):
        below.append(last)
        last = last if here is None else here
    return below[::-1]


def level(line: str) -> int | None:
    """How far a line is indented; -1 for a menu of RouterOS, None for a blank line."""
    if _MENU.match(line):
        return -1
    rest = line.lstrip(" \t")
    return len(line[: len(line) - len(rest)].expandtabs(TAB)) if rest else None


def is_comment(line: str) -> bool:
    """Whether a device would read past it."""
    return line.lstrip().startswith(("!", "#", "/*", "--"))
