"""The files of a device over SFTP and SCP. They live in `Device.files`; there are no directories."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import asyncssh

from backups.simulator.device import Device
from backups.simulator.flash_name import flash_name

_WRITES = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC
_MODE_FILE, _MODE_DIRECTORY = 0o100644, 0o040755


class OpenFile:
    """One file that is being read or written; what was written is kept when it is closed."""

    def __init__(self, name: str, content: bytes, *, writing: bool) -> None:
        self.name = name
        self.content = bytearray(content)
        self.writing = writing


class FlashServer(asyncssh.SFTPServer):
    """An SFTP (and SCP) server on the flash of one device."""

    def __init__(self, chan: Any, device: Device) -> None:
        super().__init__(chan)
        self._device = device

    def _name(self, path: bytes) -> str:
        return flash_name(path.decode("utf-8", "replace"))

    def open(self, path: bytes, pflags: int, _attrs: Any) -> OpenFile:
        """Open for SFTP version 3 to 5, and for SCP."""
        name, writing = self._name(path), bool(pflags & _WRITES)
        with self._device.lock:
            known = self._device.files.get(name)
        if known is None and not pflags & asyncssh.FXF_CREAT:
            raise asyncssh.SFTPNoSuchFile(f"No such file: {name}")
        kept = b"" if known is None or pflags & asyncssh.FXF_TRUNC else known
        return OpenFile(name, kept, writing=writing)

    def open56(self, path: bytes, desired_access: int, _flags: int, attrs: Any) -> OpenFile:
        """Open for SFTP version 5 and 6, whose flags are others."""
        writing = bool(desired_access & asyncssh.ACE4_WRITE_DATA)
        old = (asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC) if writing else asyncssh.FXF_READ
        return self.open(path, old, attrs)

    def close(self, file_obj: OpenFile) -> None:
        """Keep what was written."""
        if file_obj.writing:
            with self._device.lock:
                self._device.files[file_obj.name] = bytes(file_obj.content)

    def read(self, file_obj: OpenFile, offset: int, size: int) -> bytes:
        """A piece of the file."""
        return bytes(file_obj.content[offset : offset + size])

    def write(self, file_obj: OpenFile, offset: int, data: bytes) -> int:
        """Put a piece into the file."""
        file_obj.content[offset : offset + len(data)] = data
        return len(data)

    def stat(self, path: bytes) -> Any:
        """Size and kind of a file; everything that is no file and ends like a directory is the root."""
        name = self._name(path)
        with self._device.lock:
            content = self._device.files.get(name)
        if content is not None:
            return _attributes(len(content), _MODE_FILE)
        if name in ("", "."):
            return _attributes(0, _MODE_DIRECTORY)
        raise asyncssh.SFTPNoSuchFile(f"No such file: {name}")

    lstat = stat

    def fstat(self, file_obj: OpenFile) -> Any:
        """Size of an open file."""
        return _attributes(len(file_obj.content), _MODE_FILE)

    def setstat(self, _path: Any, _attrs: Any) -> None:
        """Times and rights are accepted and forgotten, as on flash."""

    fsetstat = setstat

    async def scandir(self, _path: bytes) -> AsyncIterator[Any]:
        """All files."""
        with self._device.lock:
            sizes = {name: len(content) for name, content in self._device.files.items()}
        for name, size in sizes.items():
            yield asyncssh.SFTPName(name.encode(), b"", _attributes(size, _MODE_FILE))

    def remove(self, path: bytes) -> None:
        """Delete one file."""
        with self._device.lock:
            if self._device.files.pop(self._name(path), None) is None:
                raise asyncssh.SFTPNoSuchFile(f"No such file: {self._name(path)}")

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file another name."""
        with self._device.lock:
            content = self._device.files.pop(self._name(oldpath), None)
            if content is None:
                raise asyncssh.SFTPNoSuchFile(f"No such file: {self._name(oldpath)}")
            self._device.files[self._name(newpath)] = content

    posix_rename = rename

    def realpath(self, path: bytes) -> bytes:
        """Paths are flat."""
        return b"/" + self._name(path).encode()


def _attributes(size: int, permissions: int) -> Any:
    now = int(time.time())
    kind = asyncssh.FILEXFER_TYPE_REGULAR if permissions == _MODE_FILE else asyncssh.FILEXFER_TYPE_DIRECTORY
    return asyncssh.SFTPAttrs(type=kind, size=size, permissions=permissions, uid=0, gid=0, atime=now, mtime=now)
