"""The built-in steps of post-processing, as a program of its own that `limited.py` runs.

A regular expression that needs a week must not take a worker with it. Told what to do as JSON in the file that the
first argument names. Only the standard library.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def normalise(text: str) -> str:
    """LF at the end of each line, no blanks before it, no empty lines at the end, and one LF at the very end."""
    lines = [line.rstrip(" \t\r") for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


def strip(text: str, pattern: str) -> str:
    """Without the lines in which the pattern is found."""
    found = re.compile(pattern)
    return "".join(line for line in text.splitlines(keepends=True) if not found.search(line.rstrip("\r\n")))


def replace(text: str, pattern: str, replacement: str) -> str:
    """With what the pattern finds replaced; ^ and $ are those of lines."""
    return re.compile(pattern, re.MULTILINE).sub(replacement, text)


STEPS: Mapping[str, Callable[..., str]] = {"normalise": normalise, "strip": strip, "replace": replace}


def changed(text: str, steps: list[list[str]]) -> str:
    """The text after all steps, each `[name, argument...]`."""
    for name, *arguments in steps:
        text = STEPS[name](text, *arguments)
    return text


def main() -> None:
    """Every chosen file in this directory, in latin-1, which gives every byte a character and back."""
    task = json.loads(Path(sys.argv[1]).read_text())
    for name in task["files"]:
        path = Path(name)
        path.write_bytes(changed(path.read_bytes().decode("latin-1"), task["steps"]).encode("latin-1"))


if __name__ == "__main__":
    main()
