"""Configurations whose structure is their indentation (IOS, EOS): read, change, print in the system's own order.

A device prints the same text for the same content, whatever the order in which the lines were typed. That matters to a
backup program, so it is kept here: `render` sorts by the grammar, and each generated sample is already in that order.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

NO_ORDER = 10_000
Path = tuple[str, ...]


class NotUnderstood(Exception):
    """The line means nothing in this place."""


@dataclass(slots=True)
class Line:
    """One line and what is indented below it. The text of a banner holds line ends."""

    text: str
    children: list[Line] = field(default_factory=list)

    def child(self, text: str) -> Line | None:
        """The child with exactly this text."""
        return next((each for each in self.children if each.text == text), None)


@dataclass(frozen=True)
class Section:
    """Lines that open a mode of their own.

    `opener` matches the opening line, `within` the line of the section around it (none: top level), `accepts` the
    starts of the lines inside, `mode` is what the prompt says. `order` (or, when `numbered`, their numbers) sorts the
    lines inside; a section with `closing` prints that line after its last child. Openers that match `fixed` cannot be
    removed, such as physical ports.
    """

    opener: str
    mode: str
    accepts: str
    within: str = ""
    order: tuple[str, ...] = ()
    closing: str = ""
    numbered: bool = False
    fixed: str = ""


@dataclass(frozen=True)
class Grammar:
    """What a system accepts and how it prints it."""

    words: str
    """The first words of lines at the top level, as alternatives of a regular expression."""
    sections: tuple[Section, ...]
    order: tuple[str, ...]
    """Starts of top-level lines in the order of printing; each entry is a group, and `!` stands between groups."""
    single: str
    """Lines of which only one may stand: what the expression matches is the key, a new value replaces the old."""
    shown_when_off: str
    """Lines whose absence is printed as `no …`."""
    indent: int = 1
    nested_bang: bool = True
    banner_end: str = "^C"
    between: str | None = "!"
    """What stands between groups and sections; None: nothing."""
    last: tuple[str, ...] = ("!", "end")
    """The lines after everything."""

    def section(self, path: Path, text: str) -> Section | None:
        """The section that a line opens in a place."""
        outer = path[-1] if path else ""
        for section in self.sections:
            if (
                bool(section.within) == bool(outer)
                and re.match(section.within, outer)
                and re.match(section.opener, text)
            ):
                return section
        return None

    def inside(self, path: Path) -> Section | None:
        """The section that a path ends in."""
        return self.section(path[:-1], path[-1]) if path else None

    # Reading

    def parse(self, text: str) -> Line:
        """The tree of a text; `!` lines are not content."""
        root = Line("")
        open_lines = [(-1, root)]
        lines = iter(text.splitlines())
        for raw in lines:
            bare = raw.strip()
            if not bare or bare.startswith("!") or bare in ("end", "exit-address-family"):
                continue
            if raw.startswith("banner "):
                bare = self._banner(bare, lines)
            depth = len(raw) - len(raw.lstrip(" "))
            while open_lines[-1][0] >= depth:
                open_lines.pop()
            line = Line(bare)
            open_lines[-1][1].children.append(line)
            open_lines.append((depth, line))
        return root

    def _banner(self, first: str, lines: Iterator[str]) -> str:
        collected = [first]
        for raw in lines:
            collected.append(raw)
            if raw.strip() == self.banner_end:
                break
        return "\n".join(collected)

    # Printing

    def render(self, root: Line) -> str:
        """The text of a tree in the system's order, from the first line to `end`."""
        out: list[str] = []
        group_before, section_before = -1, False
        for (group, _), line in sorted(
            ((self._rank(each.text), each) for each in root.children), key=lambda pair: pair[0]
        ):
            is_section = self.section((), line.text) is not None
            if self.between is not None and out and (is_section or section_before or group != group_before):
                out.append(self.between)
            self._print(line, (), out)
            group_before, section_before = group, is_section
        return "\n".join([*out, *self.last, ""])

    def _print(self, line: Line, path: Path, out: list[str]) -> None:
        section = self.section(path, line.text)
        pad = " " * (self.indent * len(path))
        if path and section is not None and self.nested_bang:
            out.append(f"{pad}!")
        out.append(pad + line.text)
        for child in self._sorted(line, section):
            self._print(child, (*path, line.text), out)
        if section is not None and section.closing:
            out.append(pad + section.closing)

    def _sorted(self, line: Line, section: Section | None) -> list[Line]:
        if section is None or not (section.order or section.numbered):
            return line.children
        if section.numbered:
            return sorted(line.children, key=lambda each: _number(each.text))
        return sorted(line.children, key=lambda each: _position(section.order, each.text))

    def _rank(self, text: str) -> tuple[int, list[tuple[int, str]]]:
        position = _position(self.order, text)
        section = self.section((), text)
        return position, natural(text) if section is not None else []

    # Changing

    def load(self, root: Line, text: str, refuses: Callable[[str], bool]) -> tuple[Line, list[str]]:
        """The tree of a whole text, typed into an empty device, and the lines of it that are refused."""
        refused: list[str] = []
        self._load(root, (), self.parse(text).children, refuses, refused)
        return root, refused

    def bare(self, root: Line) -> Line:
        """What is left of a configuration when everything is removed that can be: the physical ports, empty."""
        return Line("", [Line(each.text) for each in root.children if self._fixed(each.text)])

    def _fixed(self, text: str) -> bool:
        section = self.section((), text)
        return section is not None and bool(section.fixed) and re.match(section.fixed, text) is not None

    def _load(
        self, root: Line, path: Path, lines: list[Line], refuses: Callable[[str], bool], refused: list[str]
    ) -> None:
        for line in lines:
            if refuses(line.text):
                refused.append(line.text)
                continue
            try:
                inside = self.enter(root, path, line.text)
            except NotUnderstood:
                refused.append(line.text)
                continue
            self._load(root, inside, line.children, refuses, refused)

    def enter(self, root: Line, path: Path, text: str) -> Path:
        """Carry out one configuration line; the path afterwards.

        As on the devices, a line that the mode does not know is tried in the modes around it. Raises NotUnderstood.
        """
        negative = text.startswith("no ")
        body = text.removeprefix("no ")
        for depth in range(len(path), -1, -1):
            place = path[:depth]
            if self.section(place, body) is not None:
                return self._enter_section(root, place, body, negative=negative)
            if self._accepts(place, body):
                self._put(_find(root, place), body, negative=negative)
                return place
        raise NotUnderstood(text)

    def _enter_section(self, root: Line, place: Path, body: str, *, negative: bool) -> Path:
        parent = _find(root, place)
        known = parent.child(body)
        if negative:
            if not place and self._fixed(body):
                raise NotUnderstood("no " + body)
            parent.children = [each for each in parent.children if each.text != body]
            return place
        if known is None:
            parent.children.append(Line(body))
        return (*place, body)

    def _accepts(self, place: Path, body: str) -> bool:
        inside = self.inside(place)
        return re.match(rf"(?:{inside.accepts if inside else self.words})(?:\s|$)", body) is not None

    def _put(self, parent: Line, body: str, *, negative: bool) -> None:
        key = self._key(body)
        others = [each for each in parent.children if self._key(each.text.removeprefix("no ")) != key]
        if negative:
            others = [each for each in others if not each.text.startswith(body + " ")]
            if re.match(self.shown_when_off, key):
                others.append(Line("no " + key))
            parent.children = others
            return
        if len(others) < len(parent.children):
            # In its old place: systems do not move a line because its value changed.
            place = next(n for n, each in enumerate(parent.children) if self._key(each.text.removeprefix("no ")) == key)
            others.insert(min(place, len(others)), Line(body))
        else:
            others.append(Line(body))
        parent.children = others

    def _key(self, body: str) -> str:
        found = re.match(rf"(?:{self.single})(?=\s|$)", body)
        return found.group() if found else body


def _find(root: Line, path: Path) -> Line:
    """The line at a path, made when somebody else has removed it meanwhile."""
    here = root
    for text in path:
        there = here.child(text)
        if there is None:
            there = Line(text)
            here.children.append(there)
        here = there
    return here


@functools.cache
def _alternatives(order: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({start})" for start in order))


def _position(order: tuple[str, ...], text: str) -> int:
    """The number of the first entry that the text starts with; entries must hold no groups of their own."""
    found = _alternatives(order).match(text.removeprefix("no "))
    return found.lastindex - 1 if found and found.lastindex else NO_ORDER


def _number(text: str) -> int:
    found = re.match(r"\d+", text)
    return int(found.group()) if found else NO_ORDER * NO_ORDER


def any_of(*parts: str) -> str:
    """One regular expression from alternatives."""
    return "|".join(parts)


def natural(text: str) -> list[tuple[int, str]]:
    """A sort key in which `Vlan9` comes before `Vlan10`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", text)]
