"""What one login on a device says and asks, without any I/O: modes, questions, commands, output filters.

A platform subclasses `Console`, marks methods with `@command("show version")`, and gives a prompt. Words may be
shortened to any prefix, as on the devices themselves; `{}` stands for one word, a trailing `...` for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from backups.simulator.device import Device
    from backups.simulator.faults import FaultDraw

Handler = TypeVar("Handler", bound="Callable[..., Said]")


class Refused(Exception):
    """The device says no; the text is its own."""


@dataclass(frozen=True)
class Reply:
    """What a command prints, with `\\n` line ends. Some faults only strike a configuration on its way out."""

    text: str = ""
    is_configuration: bool = False
    refused: bool = False


Said = Reply | str | None
"""What a handler may return; nothing and the empty text are the same."""


@dataclass(frozen=True)
class Question:
    """A prompt whose answer goes to `then` and not to the command table."""

    text: str
    then: Callable[[str], Said]
    secret: bool = False
    single_key: bool = False


def command(*patterns: str, mode: str = "exec") -> Callable[[Handler], Handler]:
    """Mark a method as the answer to the patterns, in one mode of the console."""

    def mark(handler: Handler) -> Handler:
        handler.__dict__["patterns"] = [(mode, tuple(pattern.split())) for pattern in patterns]
        return handler

    return mark


def match_words(words: list[str], pattern: tuple[str, ...]) -> list[str] | None:
    """The arguments when the words fit the pattern, else None."""
    arguments: list[str] = []
    for position, expected in enumerate(pattern):
        if expected == "...":
            return [*arguments, " ".join(words[position:])]
        if position >= len(words):
            return None
        if expected == "{}":
            arguments.append(words[position])
        elif not expected.startswith(words[position]):
            return None
    return arguments if len(words) == len(pattern) else None


class Console:
    """One login: the state between two lines, and the answer to the next one."""

    more = " --More-- "
    erase_more = "\b" * 10 + " " * 10 + "\b" * 10
    page_length = 24
    filters: ClassVar[tuple[str, ...]] = ("include", "exclude", "begin", "no-more", "count")

    _table: ClassVar[list[tuple[str, tuple[str, ...], str]]]

    def __init_subclass__(cls) -> None:
        """Collect the marked methods, those of the platform itself before those it inherits."""
        super().__init_subclass__()
        cls._table = [
            (mode, pattern, name)
            for base in cls.__mro__
            for name, member in vars(base).items()
            for mode, pattern in getattr(member, "patterns", ())
        ]

    def __init__(self, device: Device, username: str, faults: FaultDraw) -> None:
        self.device = device
        self.username = username
        self.faults = faults
        self.mode = "exec"
        self.closed = False
        self.question: Question | None = None
        self.width = 80

    # What a platform gives

    @property
    def command_prompt(self) -> str:
        """The prompt when a command is expected."""
        raise NotImplementedError

    def greeting(self) -> str:
        """What is printed before the first prompt."""
        return "\n"

    def at_console(self) -> None:
        """Begin as somebody who has every right already."""

    def refusal(self, _line: str) -> str:
        """The platform's own words for an unknown command."""
        raise NotImplementedError

    def other(self, line: str) -> Said:
        """A line that no marked method takes."""
        raise Refused(self.refusal(line))

    def control(self, _key: str) -> Said:
        """A control key: `\\x03`, `\\x04` or `\\x1a`."""
        self.question = None
        return ""

    # What the terminal uses

    @property
    def prompt(self) -> str:
        """What is printed when the device waits for input."""
        return self.question.text if self.question else self.command_prompt

    def greet(self) -> str:
        """The greeting, with the device in step with its clock."""
        with self.device.lock:
            self.device.settle()
            return self.greeting()

    def enter(self, line: str) -> Reply:
        """Take one line: a command, or the answer to the question that is open."""
        with self.device.lock:
            self.device.settle()
            return self._answered(self._take, line)

    def press(self, key: str) -> Reply:
        """Take one control key."""
        with self.device.lock:
            self.device.settle()
            return self._answered(self.control, key)

    def ask(self, text: str, then: Callable[[str], Said], *, secret: bool = False, single_key: bool = False) -> None:
        """Let the next line be an answer."""
        self.question = Question(text, then, secret=secret, single_key=single_key)

    def set_page_length(self, lines: int) -> None:
        """Turn paging on or off (0), unless the device has stopped listening to that."""
        if self.faults.get("sticky-pager") is None:
            self.page_length = lines

    # The inside

    def _answered(self, act: Callable[[str], Said], text: str) -> Reply:
        try:
            said = act(text)
        except Refused as refused:
            return Reply(str(refused), refused=True)
        except (ValueError, re.error):
            # A word that should have been a number or a pattern, or a quotation mark without its partner.
            return Reply(self.refusal(text), refused=True)
        return said if isinstance(said, Reply) else Reply(said or "")

    def _take(self, line: str) -> Said:
        if self.question is not None:
            question, self.question = self.question, None
            return question.then(line)
        if line.strip() and self.faults.get("invalid") is not None:
            raise Refused(self.refusal(line))
        return self.run(line)

    def run(self, line: str) -> Said:
        """Carry out one command line, with its output filters."""
        text, *filters = re.split(r"\s+\|\s+", line.strip())
        if not text:
            return ""
        said = self._dispatch(text)
        for each in filters:
            said = self.filtered(said, each)
        return said

    def _dispatch(self, line: str) -> Said:
        found = self._found(self.mode, line)
        return self.other(line) if found is None else getattr(self, found[0])(*found[1])

    @classmethod
    @lru_cache(maxsize=500)  # a fleet is asked the same few lines ten thousand times
    def _found(cls, mode: str, line: str) -> tuple[str, list[str]] | None:
        """The method that answers a line, and what it is given; None for none."""
        words = line.split()
        for its_mode, pattern, name in cls._table:
            if its_mode in (mode, "any") and (arguments := match_words(words, pattern)) is not None:
                return name, arguments
        return None

    def filtered(self, said: Said, expression: str) -> Said:
        """The output after `| include x` and its like."""
        name, _, pattern = expression.partition(" ")
        keep = _FILTERS.get(next((full for full in self.filters if full.startswith(name)), ""))
        if keep is None:
            raise Refused(self.refusal(expression))
        if isinstance(said, Reply):
            return Reply(keep(said.text, pattern), said.is_configuration)
        return keep(said or "", pattern)


def _include(text: str, pattern: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if re.search(pattern, line))


def _exclude(text: str, pattern: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not re.search(pattern, line))


def _begin(text: str, pattern: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[next((n for n, line in enumerate(lines) if re.search(pattern, line)), len(lines)) :])


def _count(text: str, _pattern: str) -> str:
    return f"Count: {len(text.splitlines())} lines\n"


_FILTERS: dict[str, Callable[[str, str], str]] = {
    "include": _include,
    "match": _include,
    "exclude": _exclude,
    "except": _exclude,
    "begin": _begin,
    "find": _begin,
    "count": _count,
    "no-more": lambda text, _pattern: text,
}
