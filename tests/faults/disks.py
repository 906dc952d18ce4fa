"""Disks that can be taken away: an ext4 of its own for a store, whose power can be cut.

Two file systems in one another. The outer one plays the disk with its volatile cache: what the inner one has sent down but
not asked to be flushed is in the outer one's memory only. The cut is ext4's own shutdown (`EXT4_IOC_SHUTDOWN` without a
flush of the journal, as xfstests does it): from that moment on nothing more reaches the image, all at once and in the
middle of whatever was being written. What was not flushed by then is gone.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import tempfile
import time
from pathlib import Path

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
INNER_MB = 96
OUTER_MB = 160
PATIENCE = 10.0  # seconds


class NoDisks(Exception):
    """This machine does not let us make disks; the text says why."""


def run(*command: str | Path) -> str:
    """Run a program of the system; what it says. Raises NoDisks where it cannot."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as exc:
        raise NoDisks(f"{command[0]} is not on this machine") from exc
    except subprocess.CalledProcessError as exc:
        raise NoDisks(f"{command[0]} needs root and a kernel that lets it: {exc.stderr.strip()}") from exc
    return done.stdout.strip()


class Ext4:
    """An ext4 in a file, mounted."""

    def __init__(self, image: Path, place: Path, megabytes: int) -> None:
        self.image, self.place, self.device = image, place, ""
        place.mkdir(parents=True)
        with image.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, megabytes * 1024 * 1024)
            os.fsync(file.fileno())
        run("mkfs.ext4", "-q", "-F", image)
        self.mount()

    def mount(self) -> None:
        """Attach it and mount it; the journal is replayed by that."""
        # Buffered: what is not flushed stays in the memory of the file system that the image is on.
        self.device = run("losetup", "--find", "--show", "--direct-io=off", self.image)
        try:
            run("mount", "-t", "ext4", self.device, self.place)
        except NoDisks:
            self.detach()
            raise

    def unmount(self) -> None:
        """Let go of it. A loop device lets go of its image a moment after it was told to, and keeps that busy."""
        deadline = time.monotonic() + PATIENCE
        while os.path.ismount(self.place):
            try:
                run("umount", self.place)
            except NoDisks:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.detach()

    def detach(self) -> None:
        """Let go of the device."""
        if self.device:
            run("losetup", "--detach", self.device)
            self.device = ""


class Disk:
    """A file system at `place` whose power can be cut. Raises NoDisks."""

    def __init__(self) -> None:
        # In memory, where there is such a place: what counts is what reaches the outer image, not where that is.
        memory = Path("/dev/shm")
        self.root = Path(tempfile.mkdtemp(prefix="netcairn-disk-", dir=memory if memory.is_dir() else None))
        self.parts: list[Ext4] = []
        try:
            self.parts.append(Ext4(self.root / "outer.img", self.root / "outer", OUTER_MB))
            self.parts.append(Ext4(self.root / "outer" / "inner.img", self.root / "disk", INNER_MB))
        except (NoDisks, OSError) as exc:
            self.close()
            raise NoDisks(str(exc)) from exc

    @property
    def place(self) -> Path:
        """Where it is mounted."""
        return self.parts[1].place

    def cut(self) -> None:
        """The power goes."""
        outer = os.open(self.parts[0].place, os.O_RDONLY)
        try:
            fcntl.ioctl(outer, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(outer)

    def restart(self) -> None:
        """The power is back; nobody may have anything open on the disk."""
        for part in reversed(self.parts):
            part.unmount()
        for part in self.parts:
            part.mount()

    def close(self) -> None:
        """Remove all of it."""
        for part in reversed(self.parts):
            part.unmount()
            part.image.unlink()
            part.place.rmdir()
        if not self.parts:
            for image in self.root.glob("*.img"):
                image.unlink()
            for place in self.root.iterdir():
                place.rmdir()
        self.root.rmdir()
