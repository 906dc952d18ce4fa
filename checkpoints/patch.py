"""Differences as a unified patch, for other programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checkpoints.compare import FileDiff
from checkpoints.diff import Hunk

SIGNS = {"same": b" ", "removed": b"-", "added": b"+"}
NO_END = b"\\ No newline at end of file\n"


def patch_of(diffs: Iterable[FileDiff]) -> bytes:
    """The patch of all files, byte for byte what was compared; a file that was cut at a limit says so."""
    return b"".join(piece for diff in diffs for piece in file_pieces(diff))


def file_pieces(diff: FileDiff) -> Iterator[bytes]:
    """One file: its names, then its hunks."""
    change = diff.change
    old = f"a/{change.old_device.name}/{change.name}" if change.old else "/dev/null"
    new = f"b/{change.path}" if change.new else "/dev/null"
    yield f"diff --git a/{change.old_device.name}/{change.name} b/{change.path}\n".encode()
    if diff.diff.patch.binary:
        yield f"Binary files {old} and {new} differ\n".encode()
        return
    yield f"--- {old}\n+++ {new}\n".encode()
    for hunk in diff.diff.patch.hunks:
        yield from hunk_pieces(hunk)
    if diff.diff.cut:
        yield b"# This file's difference was cut here: it is larger than the limit.\n"


def hunk_pieces(hunk: Hunk) -> Iterator[bytes]:
    """The header as git writes it, then the lines."""
    sides = f"-{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count}"
    yield f"@@ {sides} @@{' ' if hunk.heading else ''}{hunk.heading}\n".encode()
    for line in hunk.lines:
        yield SIGNS[line.sign] + line.text + b"\n"
        if not line.ended:
            yield NO_END
