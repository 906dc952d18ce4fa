"""Files that share the blocks of others, on file systems that can (Btrfs, XFS, bcachefs)."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

FICLONE = 0x40049409  # from Linux's fs.h: share the blocks of another file
NO_CLONES = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS}


def cloned(old: Path, place: Path, *, mode: int) -> bool:
    """Whether the file system let a new file share the old one's blocks; it is on the disk then. Raises OSError."""
    with old.open("rb") as source, place.open("xb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), FICLONE, source.fileno())
        except OSError as error:
            if error.errno not in NO_CLONES:
                raise
            place.unlink()
            return False
        os.fsync(copy.fileno())
    place.chmod(mode)
    return True
