"""Lines that match a pattern, found by `git grep`: in a commit, among files by their ids, or in a folder of texts.

The pattern comes from outside. git reads it from its standard input, so it can be neither an option nor a path, and no
list of processes shows it: people search for passwords that have leaked. git matches it, a process with limits on its
time and its memory, and not Python's `re`, which nothing stops once a pattern makes it think for ever. Bytes are
compared (LC_ALL=C): without regard to case means the letters A to Z.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from backups.errors import GitFailed, PatternRefused, StoreDamaged
from backups.store import layout
from backups.store.git import Git, Process

# -I: a file that is no text has no lines.
PLAIN = ("--line-number", "-z", "-I", "--no-color", "--no-textconv")
LONGEST_PATTERN = 1_000  # characters
LONGEST_LINE = 2_000  # bytes of a line that are kept
LONGEST_NAME = 400  # bytes that git says before the text of a line: commit, path, number

Cut = Literal["lines", "bytes", "time"]


@dataclass(frozen=True)
class Pattern:
    """What is looked for in each line: these characters, or an extended regular expression (POSIX).

    Raises PatternRefused.
    """

    text: str
    regex: bool = False
    ignore_case: bool = False

    def __post_init__(self) -> None:
        """Refuse what git would read as several patterns, or not at all."""
        if problem := problem_of(self.text):
            raise PatternRefused(problem)

    @property
    def options(self) -> tuple[str, ...]:
        """How git is to take the line that it reads."""
        return ("-E" if self.regex else "-F", *(("-i",) if self.ignore_case else ()), "-f", "-")

    @property
    def line(self) -> bytes:
        """The line that git reads."""
        return os.fsencode(self.text) + b"\n"


def problem_of(text: str) -> str:
    """Why it cannot be a pattern, in one sentence; empty for a good one."""
    if not text:
        return "The pattern is empty: give at least one character to look for."
    if len(text) > LONGEST_PATTERN:
        return f"The pattern has {len(text)} characters: give at most {LONGEST_PATTERN}."
    if any(mark in text for mark in "\0\n\r"):
        return "A pattern cannot contain a line end or a zero byte: lines are searched one by one."
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "The pattern holds half a character (a lone surrogate): give whole ones."
    return ""


@dataclass(frozen=True)
class GrepCaps:
    """How much somebody wants to find."""

    lines: int = 1_000
    per_file: int = 20  # lines of one file
    max_bytes: int = 4 * 1024 * 1024
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Hit:
    """One line that matches."""

    name: str  # of the file: its path, or its id
    number: int  # from 1
    text: bytes  # the first LONGEST_LINE bytes, without the newline


@dataclass(frozen=True)
class Hits:
    """The lines found, in git's order, and the limit that ended the search, if one did."""

    hits: tuple[Hit, ...]
    cut: Cut | None = None


Wanted = Callable[[str], bool]  # whether a file of that name counts


def grep_commit(
    git: Git, commit: str, pattern: Pattern, caps: GrepCaps, *, paths: Sequence[str] = (), wanted: Wanted | None = None
) -> Hits:
    """Search the devices' files of a commit, or those below these paths; names are paths. Raises as `grep`."""
    where = (layout.checked_id(commit), "--", *(paths or (layout.DEVICES,)))
    return grep(git, pattern, where, caps, before=len(commit) + 1, wanted=wanted)


def grep_blobs(git: Git, object_ids: Sequence[str], pattern: Pattern, caps: GrepCaps) -> Hits:
    """Search files by their ids; names are ids. Some thousands at a time: they become arguments. Raises as `grep`."""
    if not object_ids:
        return Hits(())
    return grep(git, pattern, (*map(layout.checked_id, object_ids), "--"), caps)


def grep_folder(
    git: Git, folder: Path, pattern: Pattern, caps: GrepCaps, *, paths: Sequence[str] = (), wanted: Wanted | None = None
) -> Hits:
    """Search the texts below a folder on the disk, or these; names are relative to it. Raises as `grep`."""
    return grep(git, pattern, ("--", *(paths or (".",))), caps, folder=folder, wanted=wanted)


def grep(
    git: Git,
    pattern: Pattern,
    where: Sequence[str],
    caps: GrepCaps,
    *,
    folder: Path | None = None,
    before: int = 0,
    wanted: Wanted | None = None,
) -> Hits:
    """Run git as far as the caps allow; nothing beyond them is ever in memory.

    `before`: characters that git puts in front of a name. Lines of files that are not `wanted` count for no limit.
    Raises PatternRefused for what is no regular expression, StoreDamaged where a file cannot be read.
    """
    options = (*PLAIN, f"--max-count={caps.per_file:d}", *(("--no-index",) if folder else ()))
    arguments = (*options, *pattern.options, *where)
    with git.stream("grep", *arguments, seconds=max(caps.seconds, 0.01), cwd=folder) as process:
        with suppress(BrokenPipeError):  # it has ended, and says below why
            process.stdin.write(pattern.line)
            process.stdin.close()
        hits, cut = read(process.stdout, caps, before, wanted)
        if cut is None:
            process.popen.wait()
            cut = "time" if process.popen.returncode < 0 else None
        if cut is None and (complaint := process.complaint()):
            raise failure(process, pattern, complaint, stored=folder is None)
    return Hits(tuple(hits), cut)


def read(said: IO[bytes], caps: GrepCaps, before: int, wanted: Wanted | None) -> tuple[list[Hit], Cut | None]:
    """Hits until the end or a limit."""
    hits: list[Hit] = []
    size = 0
    while (record := next_record(said)) is not None:
        found, number, text = record.split(b"\0", 2)
        name = found.decode("utf-8", "surrogateescape")[before:]
        if wanted and not wanted(name):
            continue
        size += len(text)
        if len(hits) >= caps.lines or size > caps.max_bytes:
            return hits, "lines" if len(hits) >= caps.lines else "bytes"
        hits.append(Hit(name, int(number), text[:LONGEST_LINE]))
    return hits, None


def next_record(said: IO[bytes]) -> bytes | None:
    """The beginning of the next line that git says, without its end; None when it says no more, or breaks off."""
    record = rest = said.readline(LONGEST_NAME + LONGEST_LINE)
    while rest and not rest.endswith(b"\n"):
        rest = said.readline(65_536)
    return record.removesuffix(b"\n") if rest else None


def failure(
    process: Process, pattern: Pattern, complaint: bytes, *, stored: bool
) -> PatternRefused | StoreDamaged | GitFailed:
    """What git's complaint means. Where it cannot read a file it complains and goes on, which is no answer for us."""
    said = complaint.decode("utf-8", "replace")
    if pattern.regex and said.startswith("fatal: In '-' at 1, "):
        return PatternRefused(f"{pattern.text!r} is no regular expression: {said.strip().rpartition(': ')[2]}.")
    wrong = process.failure(complaint)
    if not stored or process.popen.returncode < 0 or type(wrong) is not GitFailed:
        return wrong
    return StoreDamaged(f"{wrong} Run `fsck` for this tenant.")
