"""Files of a device over SFTP, on the connection that is there."""

from __future__ import annotations

import paramiko

from backups.errors import CommandRefused
from backups.ssh_wire import Wire

PIECE = 32_768


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

    def _whole(self, file: paramiko.SFTPFile) -> bytes:
        pieces = []
        while piece := file.read(PIECE):
            self._wire.count(len(piece))
            pieces.append(piece)
        return b"".join(pieces)


def _reason(exc: Exception) -> str:
    if isinstance(exc, FileNotFoundError):
        return "there is none"
    if isinstance(exc, PermissionError):
        return "its account may not read it"
    return "SFTP failed, or is not there"
