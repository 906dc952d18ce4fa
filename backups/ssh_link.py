"""The TCP connection to a device: how it is made, read, watched and ended."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

import paramiko

from backups.errors import AddressRefused, Unreachable
from backups.floor import FLOOR
from backups.transport import Target

LOOK_AROUND = 0.5  # seconds: how often a connection without traffic looks at the clock
GONE_AFTER = 15  # seconds until a peer that no longer acknowledges is taken for dead
PIECE = 32_768  # bytes; from 48 KB on each piece would be memory of its own (backups/crew.py): a sixth of a visit
FOR_EVER = float("inf")
STRANGERS_BYTES = 262_144  # what somebody may send before showing a host key; a key exchange takes some 5 kB


class OverTheLimit(EOFError):
    """The connection's time or bytes are used up. An end of file to paramiko, which then lets go of everything."""


class DeviceSocket:
    """A TCP connection that is read in large pieces, and that ends by itself when its time or bytes are used up.

    paramiko waits for some answers without any limit, and believes every length that it is told; whatever it waits
    for ends with its socket.
    """

    def __init__(self, sock: socket.socket | paramiko.Channel, until: float) -> None:
        """`until` is on the monotonic clock; a channel is one through a jump host."""
        self._until = until
        self._bytes_left = STRANGERS_BYTES
        self._sock = sock
        self._ahead = memoryview(b"")
        self._room = memoryview(bytearray(0 if isinstance(sock, paramiko.Channel) else PIECE))
        self.gathers = False
        """Whether what is sent goes only when an answer is read: for who does both by turns, in one thread."""
        self._behind = bytearray()  # is not sent yet
        self._ended = False  # whether the other side has hung up
        self._closed = False
        self._heard, self._silence = monotonic(), FOR_EVER
        self._waits = LOOK_AROUND
        sock.settimeout(LOOK_AROUND)
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _notice_death(sock)

    def allow(self, *, until: float, size: int, silence: float = FOR_EVER) -> None:
        """It may take until then, bring so many bytes more, and be silent for so many seconds within a message."""
        self._until, self._bytes_left, self._silence = until, size, silence

    def comes(self, seconds: float) -> bool:
        """Whether `recv` would give something at once, the end included; waits so long for it. Raises OverTheLimit."""
        if self._ahead or self._ended:
            return True
        try:
            self._fill(max(0.0, min(seconds, self._until - monotonic())))
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def recv(self, size: int) -> bytes:
        """At most so many bytes; empty at the end. Raises TimeoutError now and then, OverTheLimit."""
        if not self._ahead:
            self._fill_in_time()
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        return bytes(piece)

    def recv_within(self, size: int, seconds: float) -> bytes:
        """The same, waiting at most so long."""
        if not self._ahead:
            self._fill(max(0.001, min(seconds, LOOK_AROUND)))
        return self.recv(size)

    def send(self, data: bytes) -> int:
        """How many bytes were taken. Raises TimeoutError now and then, OverTheLimit."""
        self._look_at_the_clock()
        if self.gathers and len(self._behind) < PIECE:
            self._behind += data
            return len(data)
        self._send_gathered()
        return self._sent(data)

    def _send_gathered(self) -> None:
        """A packet takes as much CPU as all that is reckoned for it, so that few go. Raises OverTheLimit."""
        while self._behind:
            self._look_at_the_clock()
            with suppress(TimeoutError):
                del self._behind[: self._sent(self._behind)]

    def _sent(self, data: bytes | bytearray) -> int:
        self._wait_at_most(LOOK_AROUND)
        with FLOOR.left:
            return self._sock.send(data)

    def _fill_in_time(self) -> None:
        """Wait for the rest of a message. Raises TimeoutError now and then, OverTheLimit."""
        try:
            self._fill(LOOK_AROUND)
        except TimeoutError:
            if monotonic() - self._heard > self._silence:
                raise OverTheLimit from None
            raise

    def _fill(self, seconds: float) -> None:
        """Wait for bytes. Raises TimeoutError, BlockingIOError, OverTheLimit."""
        self._look_at_the_clock()
        self._send_gathered()
        if self._ended:
            return
        self._wait_at_most(seconds)
        with FLOOR.left:
            self._ahead = self._come()
        self._ended = not self._ahead
        self._bytes_left -= len(self._ahead)
        self._heard = monotonic()

    def _come(self) -> memoryview:
        """Bytes, in memory that is this connection's own from beginning to end.

        A new piece for each, which is cut to what has come, left holes: 20 MB with a hundred devices at a time.
        """
        if isinstance(self._sock, paramiko.Channel):
            return memoryview(self._sock.recv(PIECE))
        return self._room[: self._sock.recv_into(self._room)]

    def _wait_at_most(self, seconds: float) -> None:
        if seconds != self._waits:
            self._waits = seconds
            self._sock.settimeout(seconds)

    def _look_at_the_clock(self) -> None:
        if monotonic() >= self._until or self._bytes_left < 0:
            raise OverTheLimit

    def settimeout(self, _seconds: float) -> None:
        """Nothing: it looks around often enough."""

    def close(self) -> None:
        """End the connection both ways, which wakes whoever reads from it."""
        if self._closed:
            return
        self._closed = True
        if isinstance(self._sock, paramiko.Channel):
            self._sock.close()  # shutting it down would not wake whoever reads
            return
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was first

    def release(self) -> None:
        """Give the descriptor back. Only when nobody reads any more: its number is another connection's at once."""
        self.close()
        self._sock.close()

    def getpeername(self) -> Any:
        """Address of the other side."""
        return self._sock.getpeername()


def _notice_death(sock: socket.socket) -> None:
    """Let the kernel find out when the other side is gone without a word."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 3), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # macOS names them differently
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER * 1000)


def place_of(target: Target) -> str:
    """How errors name a device."""
    through = f" through {target.hops[-1].name}" if target.hops else ""
    return f"{target.name} ({target.address} port {target.port}{through})"


def dial(target: Target, *, until: float) -> DeviceSocket:
    """Connect to the device, without any jump host. Raises Unreachable, AddressRefused."""
    problem = "does not resolve to an address"
    for family, address in allowed(target, _addresses(target, until)):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(max(0.01, until - monotonic()))
        try:
            with FLOOR.left:
                sock.connect(address)
        except TimeoutError:
            problem = "did not answer in time"
        except OSError as exc:
            problem = f"cannot be reached: {exc.strerror or exc}"
        else:
            return DeviceSocket(sock, until)
        sock.close()
    raise Unreachable(f"{place_of(target)} {problem}; check its address and the way to it.")


def allowed(target: Target, addresses: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Those of the resolved addresses that may be connected to. Raises AddressRefused when none is left of several."""
    problems = [target.rule.problem(address[0], target.port) for _, address in addresses]
    good = [one for one, problem in zip(addresses, problems, strict=True) if not problem]
    if addresses and not good:
        raise AddressRefused(
            f"{place_of(target)} is not connected to: its address {addresses[0][1][0]} {problems[0]}. Correct it."
        )
    return good


def _addresses(target: Target, until: float) -> list[tuple[int, Any]]:
    try:
        version = ipaddress.ip_address(target.address).version
    except ValueError:
        return _resolved(target, until)
    return [(socket.AF_INET if version == 4 else socket.AF_INET6, (target.address, target.port))]


def _resolved(target: Target, until: float) -> list[tuple[int, Any]]:
    """Ask for a name's addresses, in a thread of its own: a resolver may take minutes and cannot be interrupted."""
    answers: queue.Queue[list[tuple[int, Any]]] = queue.Queue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answers.put([(family, address) for family, _, _, _, address in found])

    threading.Thread(target=look_up, daemon=True).start()
    try:
        with FLOOR.left:
            return answers.get(timeout=max(0.0, until - monotonic()))
    except queue.Empty:
        return []
