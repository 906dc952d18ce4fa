"""The way to a device below its terminal: TCP, host key, algorithms and login key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import ipaddress
import logging
import queue
import socket
import threading
from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import Any

import paramiko
from paramiko.kex_curve25519 import KexCurve25519

from backups import dh
from backups.errors import HostKeyChanged, NoCredential, Unreachable
from backups.transport import Target

# What it logs is about connections that fail, and our errors say that better; its tracebacks go to the root logger.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)

# paramiko compares each packet's checksum byte by byte in Python: some 8 % of the CPU of a collection.
paramiko.util.constant_time_bytes_eq = hmac.compare_digest

LOOK_AROUND = 0.5  # seconds: how often a connection without traffic looks at the clock
GONE_AFTER = 15  # seconds until a peer that no longer acknowledges is taken for dead
PIECE = 65_536

# Strongest first where it costs nothing. SHA-1 stands only where collisions do not matter (HMAC).
KEX = (
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group-exchange-sha256",
)
CIPHERS = ("aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1")
KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
# Only for a device that is marked so: everything here is broken or near it. (DSA is gone from paramiko.)
LEGACY_KEX = ("diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1")
LEGACY_CIPHERS = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")
LEGACY_MACS = ("hmac-md5", "hmac-sha1-96", "hmac-md5-96")
LEGACY_KEYS = ("ssh-rsa",)


class OutOfTime(EOFError):
    """The connection's time is over. An end of file to paramiko, which then lets go of everything."""


class DeviceSocket:
    """A TCP connection that is read in large pieces, and that ends by itself at its deadline.

    paramiko waits for some answers without any limit; whatever it waits for ends with its socket.
    """

    def __init__(self, sock: socket.socket, until: float) -> None:
        """`until` is on the monotonic clock."""
        self.until = until
        self._sock = sock
        self._ahead = memoryview(b"")
        self._closed = False
        sock.settimeout(LOOK_AROUND)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _notice_death(sock)

    def recv(self, size: int) -> bytes:
        """At most so many bytes; empty at the end. Raises TimeoutError now and then, OutOfTime at the deadline."""
        if not self._ahead:
            self._look_at_the_clock()
            self._ahead = memoryview(self._sock.recv(PIECE))
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        return bytes(piece)

    def send(self, data: bytes) -> int:
        """How many bytes were sent. Raises TimeoutError now and then, OutOfTime at the deadline."""
        self._look_at_the_clock()
        return self._sock.send(data)

    def _look_at_the_clock(self) -> None:
        if monotonic() >= self.until:
            raise OutOfTime

    def settimeout(self, _seconds: float) -> None:
        """Nothing: it looks around often enough."""

    def close(self) -> None:
        """End the connection both ways, which wakes whoever reads from it."""
        self._closed = True
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
    return f"{target.name} ({target.address} port {target.port})"


def dial(target: Target, *, until: float) -> DeviceSocket:
    """Connect to the device. Raises Unreachable."""
    problem = "does not resolve to an address"
    for family, address in _addresses(target, until):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(max(0.01, until - monotonic()))
        try:
            sock.connect(address)
        except TimeoutError:
            problem = "did not answer in time"
        except OSError as exc:
            problem = f"cannot be reached: {exc.strerror or exc}"
        else:
            return DeviceSocket(sock, until)
        sock.close()
    raise Unreachable(f"{place_of(target)} {problem}; check its address and the way to it.")


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
        return answers.get(timeout=max(0.0, until - monotonic()))
    except queue.Empty:
        return []


class DeviceTransport(paramiko.Transport):
    """paramiko's transport with the algorithms that we want."""

    _active_check_timeout = LOOK_AROUND
    _kex_info = paramiko.Transport._kex_info | dh.ENGINES | {"curve25519-sha256": KexCurve25519}

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Host key algorithms; no certificates, which nothing here could check."""
        return tuple(self._preferred_keys)


class DevicePacketizer(paramiko.packet.Packetizer):
    """Without a timer thread for each handshake: the socket has its deadline."""

    def start_handshake(self, timeout: float) -> None:
        """Nothing."""


def transport_factory(target: Target) -> Callable[..., DeviceTransport]:
    """Makes the transport for one device, in the place of paramiko's own."""

    def make(sock: Any, **_their_choice: Any) -> DeviceTransport:
        # Some of netmiko's drivers switch algorithms off for devices of ten years ago; what we allow is decided here.
        transport = DeviceTransport(sock, packetizer_class=DevicePacketizer)
        old = target.legacy_algorithms
        transport._preferred_kex = KEX + LEGACY_KEX * old
        transport._preferred_ciphers = CIPHERS + LEGACY_CIPHERS * old
        transport._preferred_macs = MACS + LEGACY_MACS * old
        transport._preferred_keys = _pinned_first(target.host_key, KEYS + LEGACY_KEYS * old)
        # A device that old understands no other signature, and does not say so beforehand.
        transport._preferred_pubkeys = LEGACY_KEYS * old + KEYS
        return transport

    return make


def _pinned_first(pinned: str, algorithms: tuple[str, ...]) -> tuple[str, ...]:
    """The pinned key's own algorithms first: a device with several host keys must not look like another one."""
    kind = pinned.partition(" ")[0]
    mine = tuple(name for name in algorithms if name == kind or (kind == "ssh-rsa" and name.startswith("rsa-sha2-")))
    mine = tuple(sorted(mine, key=lambda name: name == "ssh-rsa"))
    return mine + tuple(name for name in algorithms if name not in mine)


class PinnedKey(paramiko.MissingHostKeyPolicy):
    """Compares the host key with the pinned one; without a pin, remembers it for the caller to pin.

    paramiko asks it after the key exchange, which proves the key, and before it sends a user name.
    """

    def __init__(self, target: Target, answered: Callable[[], None]) -> None:
        """`answered` is called once an SSH server has shown its key, whichever it is."""
        self.target = target
        self.shown = ""
        self._answered = answered

    def missing_host_key(self, _client: Any, _hostname: str, key: paramiko.PKey) -> None:
        """Raises HostKeyChanged."""
        self._answered()
        self.shown = f"{key.get_name()} {key.get_base64()}"
        pinned = " ".join(self.target.host_key.split()[:2])
        if pinned and pinned != self.shown:
            raise HostKeyChanged(
                f"{place_of(self.target)} shows the host key {fingerprint(self.shown)}, but {fingerprint(pinned)} is "
                "pinned; nothing secret was sent. Accept the new key if the device was replaced."
            )


def fingerprint(host_key: str) -> str:
    """`type SHA256:...` of "type base64", as ssh shows it."""
    kind, _, encoded = host_key.partition(" ")
    try:
        digest = hashlib.sha256(base64.b64decode(encoded, validate=True)).digest()
    except binascii.Error:
        return f"{kind} (unreadable)"
    return f"{kind} SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"


def login_key(target: Target) -> paramiko.PKey | None:
    """The private key of the device's credential, from text in memory. Raises NoCredential."""
    if not target.private_key:
        return None
    key = _parsed_key(target.private_key, target.passphrase or None)
    if key is None:
        raise NoCredential(f"The private key for {target.name} cannot be read: wrong passphrase, or no SSH key.")
    return key


@lru_cache(maxsize=16)  # reading an RSA key takes some 50 ms of CPU, and one key serves many devices
def _parsed_key(text: str, passphrase: str | None) -> paramiko.PKey | None:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), password=passphrase)
        except (paramiko.SSHException, ValueError, TypeError, IndexError):
            continue
    return None
