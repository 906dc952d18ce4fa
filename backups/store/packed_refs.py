"""The file in which git keeps many refs at once: one bad line of it, and git reads none of them."""

from __future__ import annotations

import re
from pathlib import Path

from backups.store.creation import fsync

HEADER = b"# pack-refs with:"
REF = re.compile(rb"[0-9a-f]{40} (refs/[^\x00-\x20\x7f~^:?*\[\\]+)\n")
PEELED = re.compile(rb"\^[0-9a-f]{40}\n")
NAME = "packed-refs"


def good_lines(text: bytes) -> list[bytes]:
    """The lines that git can read, without the heading and without what belongs to a line that it cannot."""
    kept: list[bytes] = []
    last_was_good = False
    for line in text.splitlines(keepends=True):
        if REF.fullmatch(line):
            last_was_good = True
            kept.append(line)
        elif PEELED.fullmatch(line):
            kept += [line] if last_was_good else []
        else:
            last_was_good = False
    return kept


def is_sound(text: bytes) -> bool:
    """Whether git can read all of it: heading, lines, and the order that the heading promises."""
    heading, _, rest = text.partition(b"\n") if text.startswith(b"#") else (HEADER, b"", text)
    names = [found[1] for line in rest.splitlines(keepends=True) if (found := REF.fullmatch(line))]
    in_order = b"sorted" not in heading or names == sorted(names)
    return heading.startswith(HEADER) and b"".join(good_lines(rest)) == rest and in_order


def damaged(repository: Path) -> Path | None:
    """The file, where it is not sound."""
    path = repository / NAME
    return path if path.is_file() and not is_sound(path.read_bytes()) else None


def mend(path: Path) -> None:
    """Keep what can be read, and all of the file as it was beside it."""
    text = path.read_bytes()
    aside, draft = path.with_name(f"{NAME}.damaged"), path.with_name(f"{NAME}.lock")
    if not aside.exists():
        aside.write_bytes(text)
        fsync(aside)
    # Without the promise of an order: git sorts for itself then.
    draft.write_bytes(HEADER + b" peeled \n" + b"".join(good_lines(text)))
    fsync(draft)
    draft.rename(path)
    fsync(path.parent)
