"""Configurations of nested statements in braces (Junos, VyOS): read, change with `set` and `delete`, compare, print.

A `Statement` holds the words that stand before its brace or semicolon, and what is inside. The same tree is printed as
braces and as `set` lines; a `Schema` says which words take the next one along.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from backups.simulator.indented import natural


class SyntaxMistake(ValueError):
    """The text or line cannot be read; the message is the place or the word."""


@dataclass(slots=True)
class Statement:
    """One statement and those inside it."""

    text: str
    children: list[Statement] = field(default_factory=list)

    def child(self, text: str) -> Statement | None:
        """The one inside with exactly this text."""
        return next((each for each in self.children if each.text == text), None)


@dataclass(frozen=True)
class Schema:
    """How the words of a `set` line form statements, and how statements are sorted.

    `keyed` words take the next word along (`unit 0`); `single` words take all the rest, and there is only one of each;
    `lists` words hold values of which there may be many (`name-server`), each a statement of its own inside; `pairs`
    words are repeated before each of their values instead.
    Pairs of words in `plain` are two statements although the first is keyed (`filter input`).
    `top` sorts top-level statements; those inside `sorted_inside` are sorted by name, all others by their first word as
    `inner` says, and else stay as entered; `sort_all` sorts everything by name.
    `hidden` matches statements that are marked as secret. When its last content is deleted, a statement
    goes too, unless it is keyed and `keeps_keyed` is set.
    """

    top: tuple[str, ...]
    keyed: frozenset[str]
    single: frozenset[str]
    lists: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    sorted_inside: frozenset[str] = frozenset()
    inner: tuple[str, ...] = ()
    plain: frozenset[str] = frozenset()
    hidden: str = ""
    sort_all: bool = False
    keeps_keyed: bool = False

    def statements(self, words: list[str]) -> list[str]:
        """The chain of statements that the words of a line form. Raises SyntaxMistake."""
        if not words or words[0] not in self.top:
            raise SyntaxMistake(words[0] if words else "")
        chain: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word in self.single or word in self.pairs:
                chain.append(" ".join([word, *map(quoted, rest)]))
                rest = []
            elif word in self.keyed and rest and f"{word} {rest[0]}" not in self.plain:
                chain.append(f"{word} {quoted(rest.pop(0))}")
            elif word in self.lists:
                chain.append(word)
                chain += [quoted(each) for each in rest]
                rest = []
            else:
                chain.append(quoted(word))
        return chain

    def replaces(self, statement: str) -> str:
        """The first word, when a statement takes the place of another that begins with it."""
        word = statement.split(" ", 1)[0]
        return word if word in self.single else ""

    # Changing

    def set(self, root: Statement, words: list[str]) -> None:
        """Carry out a `set` line."""
        here = root
        for text in self.statements(words):
            there = here.child(text)
            if there is None:
                there = self._put(here, text)
            here = there

    def _put(self, here: Statement, text: str) -> Statement:
        new, word = Statement(text), self.replaces(text)
        for place, old in enumerate(here.children):
            if word and old.text.split(" ", 1)[0] == word:
                here.children[place] = new
                return new
        here.children.append(new)
        return new

    def delete(self, root: Statement, words: list[str]) -> bool:
        """Carry out a `delete` line; whether there was anything to delete. Emptied statements above go too."""
        chain = self.statements(words)
        return self._delete(root, chain)

    def _delete(self, here: Statement, chain: list[str]) -> bool:
        # `delete system host-name` names a statement by its first word only.
        found = here.child(chain[0]) or next(
            (each for each in here.children if len(chain) == 1 and each.text.split(" ", 1)[0] == chain[0]), None
        )
        if found is None:
            return False
        if len(chain) == 1:
            here.children = [
                each for each in here.children if each.text != chain[0] and each.text.split(" ", 1)[0] != chain[0]
            ]
            return True
        done = self._delete(found, chain[1:])
        if done and not found.children and not (self.keeps_keyed and found.text.split(" ", 1)[0] in self.keyed):
            here.children.remove(found)
        return done

    # Printing

    def ordered(self, statement: Statement, *, top: bool) -> list[Statement]:
        """What is inside, in the system's order."""
        if self.sort_all:
            return sorted(statement.children, key=lambda each: natural(each.text))
        if top:
            rank = {word: n for n, word in enumerate(self.top)}
            return sorted(statement.children, key=lambda each: rank.get(each.text.split(" ", 1)[0], len(rank)))
        if statement.text.split(" ", 1)[0] in self.sorted_inside:
            return sorted(statement.children, key=lambda each: natural(each.text))
        return sorted(
            statement.children, key=lambda each: self._inner_rank.get(each.text.split(" ", 1)[0], len(self.inner))
        )

    @functools.cached_property
    def _inner_rank(self) -> dict[str, int]:
        return {word: n for n, word in enumerate(self.inner)}

    def braces(self, root: Statement) -> str:
        """The text with braces; statements that match `hidden` are marked as Junos does."""
        out: list[str] = []
        self._braces(root, 0, out, top=True)
        return "".join(f"{line}\n" for line in out)

    def _braces(self, statement: Statement, depth: int, out: list[str], *, top: bool = False) -> None:
        for each in self.ordered(statement, top=top):
            pad = "    " * depth
            if each.children:
                out.append(f"{pad}{each.text} {{")
                self._braces(each, depth + 1, out)
                out.append(f"{pad}}}")
            else:
                hidden = " ## SECRET-DATA" if self.hidden and re.match(self.hidden, each.text) else ""
                out.append(f"{pad}{each.text};{hidden}")

    def set_lines(self, root: Statement) -> list[str]:
        """The same as `set` lines."""
        return [f"set {line}" for line in self._flat(root, "", top=True)]

    def _flat(self, statement: Statement, before: str, *, top: bool = False) -> Iterator[str]:
        for each in self.ordered(statement, top=top):
            path = f"{before}{each.text}"
            if each.children:
                yield from self._flat(each, path + " ")
            else:
                yield path

    def compare(self, old: Statement, new: Statement) -> str:
        """The difference as `show | compare` prints it."""
        out: list[str] = []
        self._compare(old, new, (), out)
        return "".join(f"{line}\n" for line in out)

    def _compare(self, old: Statement, new: Statement, path: tuple[str, ...], out: list[str]) -> None:
        kept = {each.text for each in new.children}
        known = {each.text for each in old.children}
        gone = [each for each in old.children if each.text not in kept]
        fresh = [each for each in new.children if each.text not in known]
        if gone or fresh:
            out.append(f"[edit{''.join(' ' + text for text in path)}]")
        for sign, statements in (("-", gone), ("+", fresh)):
            lines = self.braces(Statement("", statements)).splitlines()
            out += [f"{sign}  {' ' if path[1:] else ''}{line}" for line in lines]
        for each in new.children:
            before = old.child(each.text)
            if before is not None:
                self._compare(before, each, (*path, each.text), out)


def parse_braces(text: str) -> Statement:
    """Read text with braces; comments are no content. Raises SyntaxMistake with the line number."""
    root = Statement("")
    open_statements = [root]
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"\s*(?:##|/\*).*$", "", raw).strip()
        if not line or line.startswith("#"):
            continue
        if line.endswith("{"):
            statement = Statement(line[:-1].strip())
            open_statements[-1].children.append(statement)
            open_statements.append(statement)
        elif line == "}" and len(open_statements) > 1:
            open_statements.pop()
        elif line.endswith(";"):
            _add_leaf(open_statements[-1], line[:-1].strip())
        else:
            raise SyntaxMistake(f"terminal:{number}:(1) syntax error: {line.split()[0]}")
    if len(open_statements) > 1:
        raise SyntaxMistake(f"terminal:{number}:(1) error: missing closing brace")
    return root


def _add_leaf(parent: Statement, text: str) -> None:
    # `name-server [ a b ];` and one statement for each value are the same.
    found = re.fullmatch(r"(\S+) \[ (.*) \]", text)
    if found is None:
        parent.children.append(Statement(text))
    else:
        parent.children.append(Statement(found.group(1), [Statement(each) for each in found.group(2).split()]))


def quoted(word: str) -> str:
    """A value, in quotes where it needs them."""
    return word if re.fullmatch(r"[\w./:*@+%<>|,=-]+", word) else f'"{word}"'


def split_words(line: str) -> list[str]:
    """The words of a line, without quotes. Raises SyntaxMistake."""
    try:
        return shlex.split(line)
    except ValueError as exc:
        raise SyntaxMistake(str(exc)) from exc
