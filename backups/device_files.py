"""Files put onto a device, over SCP or SFTP, on a connection of their own.

IOS and its like allow one channel a connection, so a file cannot come over the connection of a session.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import paramiko

from backups.errors import CollectError, FileRefused, LinkLost
from backups.ssh_errors import Stage, translated
from backups.ssh_handshake import PinnedKey, log_in
from backups.ssh_jump import reach
from backups.ssh_link import place_of
from backups.transport import Limits, Target

PIECE = 32_768
CLOSING = 5.0  # seconds for paramiko's thread to notice that its socket was closed
EXPECTED = (paramiko.SSHException, OSError, EOFError, CollectError)
_PLAIN_PATH = re.compile(r"[A-Za-z0-9:/._-]{1,200}")


def put_file(target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
    """Write a whole file onto the device; `by` is "scp" or "sftp".

    Raises FileRefused when the device does not take it, and the CollectErrors of connecting.
    """
    with connected(target, limits) as transport:
        (_put_by_scp if by == "scp" else _put_by_sftp)(transport, checked_path(path), content, place_of(target))


def remove_file(target: Target, path: str, *, limits: Limits) -> None:
    """Delete a file over SFTP. Raises FileRefused, and the CollectErrors of connecting."""
    with connected(target, limits) as transport, _sftp(transport, place_of(target)) as client:
        client.remove(checked_path(path))


def checked_path(path: str) -> str:
    """The path, if no shell or device could take it for anything else. Raises ValueError: paths come from sheets."""
    if not _PLAIN_PATH.fullmatch(path) or ".." in path:
        raise ValueError(f"{path!r} is no path that may be named to a device")
    return path


@contextmanager
def connected(target: Target, limits: Limits) -> Iterator[paramiko.Transport]:
    """A connection that is logged in and has no channel yet, closed at the end. Raises a CollectError.

    What goes wrong with the connection inside is translated as well.
    """
    if target.telnet:
        raise FileRefused(f"{place_of(target)} is reached over telnet, which carries no files.")
    deadline = monotonic() + limits.deadline
    link = reach(target, until=min(deadline, monotonic() + limits.connect))
    policy = PinnedKey(target, lambda: link.allow(until=deadline, size=limits.max_bytes))
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(policy)
    stage = Stage.CONNECTING
    transport: paramiko.Transport | None = None
    try:
        log_in(client, target, link, patience=limits.deadline + 1)  # the link ends everything before
        stage, transport = Stage.INSIDE, client.get_transport()
        if transport is None:
            raise LinkLost(f"{place_of(target)} broke the connection off; try again.")
        yield transport
    except EXPECTED as exc:
        if stage is Stage.CONNECTING and policy.shown:
            stage = Stage.LOGGING_IN
        raise translated(exc, target, deadline=deadline, stage=stage) from None
    finally:
        link.close()
        client.close()
        if transport is not None:
            transport.join(CLOSING)
        link.release()


def _put_by_scp(transport: paramiko.Transport, path: str, content: bytes, place: str) -> None:
    """The copying protocol of rcp: each side acknowledges with a NUL, or says why not."""
    channel = transport.open_session()
    # `put_file` has checked the path: nothing in it is more than a path to a shell.
    channel.exec_command(f"scp -t {path}")  # nosec B601
    _acknowledged(channel, place, path)
    channel.sendall(f"C0600 {len(content)} {posixpath.basename(path)}\n".encode("ascii"))
    _acknowledged(channel, place, path)
    for start in range(0, len(content), PIECE):
        channel.sendall(content[start : start + PIECE])
    channel.sendall(b"\0")
    _acknowledged(channel, place, path)
    channel.close()


def _acknowledged(channel: paramiko.Channel, place: str, path: str) -> None:
    """Raises FileRefused, or EOFError where the device hangs up."""
    answer = channel.recv(1)
    if answer == b"\0":
        return
    if not answer:
        raise FileRefused(f"{place} does not take files over SCP; allow it there (on IOS: `ip scp server enable`).")
    said = _line(lambda: channel.recv(1))
    raise FileRefused(f"{place} refused the file {path}: {said or 'no reason given'}.")


def _line(next_byte: Callable[[], bytes]) -> str:
    """The rest of a line, without what could steer a terminal."""
    said = b""
    while len(said) < 200 and (byte := next_byte()) not in (b"", b"\n"):
        said += byte
    return re.sub(r"[^ -~]", "", said.decode("latin-1")).strip()[:80]


def _put_by_sftp(transport: paramiko.Transport, path: str, content: bytes, place: str) -> None:
    with _sftp(transport, place) as client, client.open(path, "wb") as file:
        file.write(content)


@contextmanager
def _sftp(transport: paramiko.Transport, place: str) -> Iterator[paramiko.SFTPClient]:
    """Raises FileRefused where the device has no SFTP or does not do what is asked."""
    try:
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise EOFError
        with client:
            yield client
    except (OSError, EOFError, paramiko.SSHException):
        if not transport.is_active():
            raise
        raise FileRefused(f"{place} does not take the file over SFTP; is there space, and may its user?") from None
