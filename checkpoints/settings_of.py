"""The settings in a text, as words: the same for `set` lines and for the form in braces. Pure."""

from __future__ import annotations

import re

MAX_DEPTH = 40
_WORD = re.compile(r"""'([^'\n]*)'|"((?:[^"\\\n]|\\.)*)"|(\S+)""")
Setting = tuple[str, ...]


def settings_of(content: bytes) -> set[Setting]:
    """Every setting of a VyOS configuration: `set interfaces lo address '192.0.2.1/32'` and the same in braces.

    Empty sections count as settings, comments do not.
    """
    lines = content.decode("latin-1").splitlines()
    if any(line.startswith("set ") for line in lines):
        return {words_of(line)[1:] for line in lines if line.startswith("set ")}
    return set(_in_braces(lines))


def words_of(line: str) -> Setting:
    """The words of a line, without quotation marks."""
    return tuple(single or double or bare for single, double, bare in _WORD.findall(line))


def _in_braces(lines: list[str]) -> list[Setting]:
    found: list[Setting] = []
    around: list[Setting] = []
    filled: list[bool] = []  # whether the section around holds anything
    for raw in lines:
        line = raw.strip()
        if not line or line.startswith(("//", "/*", "*")):
            continue
        if line == "}":
            if around:
                section, held = around.pop(), filled.pop()
                found += [] if held else [section]
            continue
        before = around[-1] if around else ()
        if filled:
            filled[-1] = True
        if line.endswith("{") and len(around) < MAX_DEPTH:
            around.append((*before, *words_of(line[:-1])))
            filled.append(False)
        else:
            found.append((*before, *words_of(line)))
    return found
