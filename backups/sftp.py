"""Files of a device over SFTP or SCP, on the connection that is there."""

from __future__ import annotations

import re

import paramiko

from backups.device_files import checked_path
from backups.errors import CommandRefused
from backups.ssh_wire import Wire

PIECE = 32_768
LINE = 500


class RemoteFiles:
    """The files of one device, over one SFTP channel that is opened for the first of them."""

    def __init__(self, transport: paramiko.Transport, *, wire: Wire, place: str) -> None:
        """`wire` knows the limits, and why a connection ended; `place` names the device in errors."""
        self._transport, self._wire, self._place = transport, wire, place
        self._client: paramiko.SFTPClient | None = None

    def fetch(self, path: str) -> bytes:
        """The bytes of a file.

        Raises CommandRefused when there is no such file or no SFTP, LinkLost, DeadlineExceeded, OutputTooLarge.
        """
        try:
            self._client = self._client or paramiko.SFTPClient.from_transport(self._transport)
            with self._client.open(path, "rb") as file:
                return self._whole(file)
        except (OSError, EOFError, paramiko.SSHException) as exc:
            if not self._transport.is_active():
                raise self._wire.lost() from None
            raise CommandRefused(f"{self._place} does not give the file {path}: {_reason(exc)}.") from None

    def fetch_by_scp(self, path: str) -> bytes:
        """The bytes of a file, over a channel of its own.

        Raises CommandRefused when there is no such file or no SCP, LinkLost, DeadlineExceeded, OutputTooLarge.
        """
        try:
            with self._transport.open_session(timeout=self._wire.time_left) as channel:
                channel.settimeout(self._wire.time_left)
                # Nothing that a shell would take for more than a path gets past `checked_path`.
                channel.exec_command(f"scp -f {checked_path(path)}")  # nosec B601
                return self._copied(channel, path)
        except (OSError, EOFError, paramiko.SSHException) as exc:
            if not self._transport.is_active():
                raise self._wire.lost() from None
            raise CommandRefused(f"{self._place} does not give the file {path} over SCP: {_reason(exc)}.") from None

    def _copied(self, channel: paramiko.Channel, path: str) -> bytes:
        """The copying protocol of rcp: a line with the size, the bytes, and a NUL for each that was understood."""
        channel.sendall(b"\0")
        head = _until_line_end(channel)
        found = re.fullmatch(rb"C[0-7]{4} ([0-9]{1,12}) .*", head)
        if found is None:
            raise CommandRefused(f"{self._place} does not give the file {path} over SCP: there is none, or no SCP.")
        size, pieces = int(found.group(1)), list[bytes]()
        self._wire.count(size)
        channel.sendall(b"\0")
        while size > 0:
            piece = channel.recv(min(PIECE, size))
            if not piece:
                raise EOFError
            size -= len(piece)
            pieces.append(piece)
        if channel.recv(1) != b"\0":
            raise EOFError
        channel.sendall(b"\0")
        return b"".join(pieces)

    def _whole(self, file: paramiko.SFTPFile) -> bytes:
        pieces = []
        while piece := file.read(PIECE):
            self._wire.count(len(piece))
            pieces.append(piece)
        return b"".join(pieces)


def _until_line_end(channel: paramiko.Channel) -> bytes:
    """The first line, without its end; at most 500 bytes of it."""
    line = b""
    while len(line) < LINE and (byte := channel.recv(1)) not in (b"", b"\n"):
        line += byte
    return line


def _reason(exc: Exception) -> str:
    if isinstance(exc, FileNotFoundError):
        return "there is none"
    if isinstance(exc, PermissionError):
        return "its account may not read it"
    return "it failed, or is not there"
