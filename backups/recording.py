"""A device's session as a case for the tests, in disguise: `tests/platforms/<slug>/<name>/`, for users to send us.

Only what such a device says is worth anything here, so the files are proved: what is read from the disguised session
is exactly the disguised configuration, with the same verdict. Otherwise nothing is written.
"""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backups.capture import Capture, read_capture, stable
from backups.collect import answers_of
from backups.errors import CannotDisguise
from backups.transport import Limits, Target, Transport
from inventory.platforms.disguise import Disguise
from inventory.platforms.masking import mask
from inventory.platforms.sheet import Platform

_BREAKS = re.compile(r"([\r\n]+)")
_OTHER_NUMBERS = str.maketrans("0123456789", "1234567890")


@dataclass(frozen=True)
class Recording:
    """What is written: file name -> bytes; and what was replaced, as counts for people."""

    files: Mapping[str, bytes]
    replaced: Mapping[str, int]


def record(
    target: Target, platform: Platform, *, transport: Transport, limits: Limits, known: Iterable[str]
) -> Recording:
    """Collect the device and disguise what it said. `known` are names that are somebody's own.

    Raises a CollectError, CannotDisguise.
    """
    with transport.open(target, platform, limits) as session:
        answers = dict(answers_of(session, target, platform))
    return disguised(platform, answers, known)


def disguised(platform: Platform, answers: Mapping[str, bytes], known: Iterable[str]) -> Recording:
    """The files of a case. Raises CannotDisguise."""
    capture = read_capture(platform, answers, last_good={})
    disguise = Disguise(secrets.token_bytes(32))
    texts = {name: content.decode("latin-1") for name, content in capture.files.items()}
    disguise.learn_names("\n".join(texts.values()), *known)
    lines = {name: disguise.lines(platform, text) for name, text in texts.items()}
    stored = {name: "\n".join(new for _, new in pairs) for name, pairs in lines.items()}
    raw = {name: in_disguise(answers[name].decode("latin-1"), pairs, disguise) for name, pairs in lines.items()}
    prove(platform, capture, raw, stored, disguise)
    return Recording(written(platform, raw, stored), counts(lines, disguise))


def in_disguise(raw: str, pairs: Iterable[tuple[str, str]], disguise: Disguise) -> str:
    """What the terminal said: whole lines as they were disguised, in their order; the rest piece by piece.

    The same line may stand in two sections and be a secret in one of them only.
    """
    waiting: dict[str, deque[str]] = {}
    for line, new in pairs:
        waiting.setdefault(line, deque()).append(new)
    parts = _BREAKS.split(raw)
    return "".join(
        part if at % 2 else next_of(waiting, part) or disguise.fragment(part) for at, part in enumerate(parts)
    )


def next_of(waiting: Mapping[str, deque[str]], line: str) -> str:
    """The disguise of this line's next appearance; empty where it is no line of the configuration."""
    news = waiting.get(line)
    if not news:
        return ""
    return news.popleft() if len(news) > 1 else news[0]


def prove(
    platform: Platform, capture: Capture, raw: Mapping[str, str], stored: Mapping[str, str], disguise: Disguise
) -> None:
    """Read the disguised session as a device's. Raises CannotDisguise."""
    again = read_capture(platform, {name: text.encode("latin-1") for name, text in raw.items()}, last_good={})
    for name, text in stored.items():
        if again.files.get(name) != text.encode("latin-1"):
            raise CannotDisguise(f"{name} reads differently in disguise (line {first_difference(again, name, text)}).")
    if [doubt.cause for doubt in again.doubts] != [doubt.cause for doubt in capture.doubts]:
        raise CannotDisguise("In disguise the session is judged differently from how it was.")
    left = disguise.left_in("\n".join((*raw.values(), *stored.values())))
    if left:
        raise CannotDisguise(f"{left} secrets would still stand somewhere in it.")


def first_difference(again: Capture, name: str, text: str) -> int:
    """The number of the first line that differs, from 1."""
    have = again.files.get(name, b"").decode("latin-1").split("\n")
    pairs = enumerate(zip(have, text.split("\n"), strict=False), start=1)
    return next((at for at, (one, other) in pairs if one != other), len(have))


def written(platform: Platform, raw: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the case, its description included."""
    commands = {command.filename for command in platform.commands}
    files = {f"{name}.raw": text.encode("latin-1") for name, text in raw.items() if name in commands}
    files |= {name: text.encode("latin-1") for name, text in stored.items()}
    about = f'about = "A recording from a device with {platform.label}; secrets, names and addresses are made up."\n'
    entries = [entry(platform, name, text) for name, text in stored.items()]
    return files | {"case.toml": "\n".join((about, *entries)).encode("latin-1")}


def entry(platform: Platform, name: str, text: str) -> str:
    """What a case says of one file: the lines that are masked, in order, and those that are no change."""
    pairs = zip(text.split("\n"), mask(platform, text).split("\n"), strict=True)
    masked = "".join(f"{shown}\n" for line, shown in pairs if line != shown)
    quoted = f"'''\n{masked}'''" if "'''" not in masked else f'"""\n{_escaped(masked)}"""'
    passing = "".join(
        f'"{_escaped(now)}" = "{_escaped(later)}"\n' for now, later in passing_lines(platform, text).items()
    )
    return f'[[file]]\nname = "{name}"\nmasked = {quoted}\n' + (f"[file.volatile]\n{passing}" if passing else "")


def passing_lines(platform: Platform, text: str) -> dict[str, str]:
    """The lines that never count as a change: as they were recorded -> as they may be another time."""
    left = platform.without_volatile_values(text.encode("latin-1")).decode("latin-1").split("\n")
    volatile = platform.volatile_lines
    return {
        line: _another_time(platform, line)
        for line, kept in zip(text.split("\n"), left, strict=True)
        if line != kept or (volatile and volatile.search(line.encode("latin-1")))
    }


def _another_time(platform: Platform, line: str) -> str:
    """The line with other numbers; as it is, where that would be a change."""
    other = line.translate(_OTHER_NUMBERS)
    same = stable(platform, other.encode("latin-1")) == stable(platform, line.encode("latin-1"))
    return other if same else line


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def counts(lines: Mapping[str, list[tuple[str, str]]], disguise: Disguise) -> dict[str, int]:
    """How much was replaced."""
    changed = sum(old != new for pairs in lines.values() for old, new in pairs)
    return {"lines": changed, "secrets": len(disguise.secrets), "names": len(disguise.names)}
