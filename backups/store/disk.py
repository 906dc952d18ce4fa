"""What a disk refuses, as one of our errors: in the words of the system, or in git's own."""

from __future__ import annotations

import errno
from pathlib import Path

from backups.errors import DiskFull, DiskReadOnly, GitFailed, StoreError

FULL = ("No space left on device", "Disk quota exceeded", "Out of diskspace")
READ_ONLY = ("Read-only file system",)


def refusal_in(said: str, where: Path | None) -> GitFailed | None:
    """What git complains of, where that is the disk."""
    if any(words in said for words in FULL):
        return DiskFull(
            f"The disk of {where} is full, or has no inodes left: nothing of this was stored; make room and try again."
        )
    if any(words in said for words in READ_ONLY):
        return DiskReadOnly(
            f"The disk of {where} is read-only: nothing of this was stored. The system does that to a disk that fails: "
            "look at its log, mend it, and mount it for writing."
        )
    return None


def disk_refusal(exc: OSError, where: Path) -> StoreError:
    """What a call of the system has come to."""
    words = {errno.ENOSPC: FULL[0], errno.EDQUOT: FULL[1], errno.EROFS: READ_ONLY[0]}.get(exc.errno or 0, "")
    return refusal_in(words, where) or StoreError(f"{where} cannot be used ({exc.strerror}): look at its disk.")
