"""Locks that the kernel takes back when their holder dies, by whatever death."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """A file descriptor to lock; not passed on to programs that are started, but kept by forked children."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        # A normal user's directory used once with sudo must stay usable without it.
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold `path` alone, waiting as long as it takes; works between threads as well as between processes."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Closing alone is not enough: a child forked meanwhile by another thread would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def share(path: Path) -> int:
    """Hold `path` together with others for the rest of this process and of its forked children."""
    descriptor = open_lock(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def take_if_free(path: Path) -> int | None:
    """The descriptor of the exclusive lock, or None when somebody has it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
