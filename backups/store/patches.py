"""What changed, as git sees it: patches and line counts, with limits on bytes, lines and time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from backups.errors import GitTooSlow
from backups.store import layout
from backups.store.git import Git, Process

# --no-renames: a path is a device's file; that one device's text once was another's is chance.
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
WHOLE = ("--no-abbrev", "--numstat", "-z")
NUMSTAT_SECONDS = 60.0
# All of these come first, then all counts of lines, which do not begin with a colon.
RAW = re.compile(rb":[0-7]{6} [0-7]{6} [0-9a-f]{40} ([0-9a-f]{40}) [A-Z][0-9]*\0([^\0]+)\0")
LINE = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class DiffCaps:
    """How much of a patch somebody wants to see."""

    max_bytes: int = 1024 * 1024
    max_lines: int = 20_000
    seconds: float = 10.0


@dataclass(frozen=True)
class Patch:
    """A unified diff; the counts are of the whole, also where the text was cut at a limit."""

    text: bytes
    lines_added: int
    lines_removed: int
    truncated: bool = False


def diff_blobs(git: Git, old: str, new: str, *, context: int, caps: DiffCaps) -> Patch:
    """The patch from one file to another."""
    sides = (layout.checked_id(old), layout.checked_id(new), "--")
    # Not with -z, which gives two names here; ids need no quotes, and only the counts are read.
    counts = parse_numstat(git.run("diff", "--numstat", *PLAIN, *sides, seconds=NUMSTAT_SECONDS).out)
    return capped(git, ("diff", *PLAIN, "--full-index", f"-U{context:d}", *sides), counts, caps)


def diff_trees(git: Git, old: str | None, new: str, paths: Sequence[str], *, context: int, caps: DiffCaps) -> Patch:
    """The patch from one commit to another; None: from nothing."""
    counts = numstat(git, old, new, paths)
    arguments = ("-r", "-p", *PLAIN, "--full-index", f"-U{context:d}", *sides_of(old, new, paths))
    return capped(git, ("diff-tree", *arguments), counts, caps)


def numstat(git: Git, old: str | None, new: str, paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Lines added and removed for each path that differs; (0, 0) for what is no text."""
    arguments = ("-r", "--numstat", "-z", *PLAIN, *sides_of(old, new, paths))
    return parse_numstat(git.run("diff-tree", *arguments, seconds=NUMSTAT_SECONDS).out)


@dataclass(frozen=True)
class Difference:
    """What one whole tree has that another has not, by path."""

    ids: dict[str, str | None]  # what the path names in the newer one; None: it is gone
    lines: dict[str, tuple[int, int]]  # added, removed


def comparing(git: Git) -> Process:
    """A process for `compare`, to be started before there is anything to compare."""
    return git.start("diff-tree", "--stdin", "-r", "--root", "--no-commit-id", "--raw", *WHOLE, *PLAIN)


def compare(process: Process, old: str | None, new: str) -> None:
    """Let the process read every file that differs from one commit to its only parent; None: from nothing.

    Meanwhile something else can be done. Raises GitFailed where the process is gone.
    """
    # Two ids: git takes the second for the only parent of the first.
    sides = [layout.checked_id(new), *([layout.checked_id(old)] if old else [])]
    with suppress(BrokenPipeError):  # `compared` says why
        process.stdin.write(f"{' '.join(sides)}\n".encode())
        process.stdin.flush()


def compared(process: Process) -> Difference:
    """What the process has found. Raises GitFailed."""
    out = process.finish(NUMSTAT_SECONDS, (0,)).out
    ids: dict[str, str | None] = {}
    at = 0
    while found := RAW.match(out, at):
        one, path = found[1].decode(), found[2].decode("utf-8", "surrogateescape")
        ids[path] = None if one == layout.NO_ID else one
        at = found.end()
    return Difference(ids, parse_numstat(out[at:]))


def sides_of(old: str | None, new: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Two trees and the paths of interest, as arguments; without paths: the files of all devices."""
    before = layout.EMPTY_TREE if old is None else layout.checked_id(old)
    return (before, layout.checked_id(new), "--", *(paths or (layout.DEVICES,)))


def parse_numstat(out: bytes) -> dict[str, tuple[int, int]]:
    """`added TAB removed TAB path NUL` for each path; git counts no lines where a file is binary."""
    counts = {}
    for line in out.split(b"\0"):
        if line.strip():
            added, removed, path = line.split(b"\t", 2)
            counts[path.decode("utf-8", "surrogateescape")] = (0, 0) if added == b"-" else (int(added), int(removed))
    return counts


def capped(git: Git, command: tuple[str, ...], counts: dict[str, tuple[int, int]], caps: DiffCaps) -> Patch:
    """Read a patch as far as the caps allow; nothing beyond them is ever in memory."""
    with git.stream(*command, seconds=caps.seconds) as process:
        process.stdin.close()
        text, truncated = cut(iter(lambda: process.stdout.readline(caps.max_bytes + 1), b""), caps)
        if not truncated:
            process.popen.wait()
            truncated = process.popen.returncode < 0  # its time was up
            if process.popen.returncode > 1:
                raise process.failure(process.complaint())
    if truncated and not text:
        raise GitTooSlow(f"git took longer than {caps.seconds:g} s for the difference: download and compare the files.")
    added, removed = (sum(side) for side in zip(*counts.values(), strict=True)) if counts else (0, 0)
    return Patch(text, added, removed, truncated)


def cut(lines: Iterable[bytes], caps: DiffCaps) -> tuple[bytes, bool]:
    """As many whole lines as the caps allow, and whether that left any out."""
    kept: list[bytes] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > caps.max_bytes or len(kept) >= caps.max_lines:
            return b"".join(kept), True
        kept.append(line)
    return b"".join(kept), False


def whole_file(content: bytes, object_id: str, *, added: bool, caps: DiffCaps) -> Patch:
    """The patch from or to nothing, which git cannot be asked for without writing an empty file first."""
    lines = [] if is_binary(content) else LINE.findall(content)
    head = heading(object_id, len(lines), added=added, binary=is_binary(content)).encode().splitlines(keepends=True)
    text, truncated = cut(chain(head, (marked(line, b"+" if added else b"-") for line in lines)), caps)
    return Patch(text, len(lines) if added else 0, 0 if added else len(lines), truncated)


def is_binary(content: bytes) -> bool:
    """git's own rule: a zero byte among the first 8000."""
    return b"\0" in content[:8000]


def heading(object_id: str, count: int, *, added: bool, binary: bool) -> str:
    """What git says above the lines of a file that is new or gone."""
    old, new = (layout.NO_ID, object_id) if added else (object_id, layout.NO_ID)
    sides = ("/dev/null", f"b/{object_id}") if added else (f"a/{object_id}", "/dev/null")
    head = f"diff --git a/{object_id} b/{object_id}\n{'new' if added else 'deleted'} file mode 100644\n"
    head += f"index {old}..{new}\n"
    if binary:
        return head + f"Binary files {sides[0]} and {sides[1]} differ\n"
    if not count:
        return head
    span = "1" if count == 1 else f"1,{count}"
    return head + f"--- {sides[0]}\n+++ {sides[1]}\n@@ {f'-0,0 +{span}' if added else f'-{span} +0,0'} @@\n"


def marked(line: bytes, mark: bytes) -> bytes:
    """A line of a patch; with git's own note where the last one of a file has no end."""
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"
