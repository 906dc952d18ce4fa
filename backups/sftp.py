"""Files of a device over SFTP, on the connection that is there."""

from __future__ import annotations

import paramiko

from backups.errors import CommandRefused
from backups.ssh_wire import Wire

PIECE = 32_768


def fetched(transport: paramiko.Transport, path: str, *, wire: Wire, place: str) -> bytes:
    """The bytes of a file; `wire` knows the limits and why a connection ended.

    Raises CommandRefused when there is no such file or no SFTP, LinkLost, DeadlineExceeded, OutputTooLarge.
    """
    try:
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise wire.lost()
        with client, client.open(path, "rb") as file:
            return _whole(file, wire)
    except (OSError, EOFError, paramiko.SSHException) as exc:
        if not transport.is_active():
            raise wire.lost() from None
        raise CommandRefused(f"{place} does not give the file {path}: {_reason(exc)}.") from None


def _whole(file: paramiko.SFTPFile, wire: Wire) -> bytes:
    pieces = []
    while piece := file.read(PIECE):
        wire.count(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


def _reason(exc: Exception) -> str:
    if isinstance(exc, FileNotFoundError):
        return "there is none"
    if isinstance(exc, PermissionError):
        return "its account may not read it"
    return "SFTP failed, or is not there"
