"""What is agreed on with a device before its terminal: algorithms, whose host key it is, and who we are.

The one module, with `ssh_unthreaded.py` and `dh.py`, that reaches into paramiko: its ways of choosing algorithms,
comparing checksums and asking to log in are settings and methods there, not a public interface.
"""

# ruff: noqa: ARG002 - the methods have paramiko's signatures, and most of what they offer has no use here.

from __future__ import annotations

import hmac
import io
import logging
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.kex_curve25519 import KexCurve25519

from backups import dh
from backups.errors import HostKeyChanged, NoCredential
from backups.ssh_link import LOOK_AROUND, place_of
from backups.transport import JUDGED_ON, Target
from inventory.host_keys import fingerprint

# What it logs is about connections that fail, and our errors say that better; its tracebacks go to the root logger.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)

# paramiko compares each packet's checksum byte by byte in Python: some 8 % of the CPU of a collection.
paramiko.util.constant_time_bytes_eq = hmac.compare_digest

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
# GCM first: it needs no checksum of its own, and so some 7 % less CPU a device than CTR.
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
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


class Login(AuthHandler):
    """One way of logging in. It asks for the service only once.

    paramiko asks again for each further way, which some servers take for an attack.
    """

    def _request_auth(self) -> None:
        if not self.transport.service_granted:
            super()._request_auth()
            return
        granted = paramiko.Message()
        granted.add_string("ssh-userauth")
        granted.rewind()
        self._parse_service_accept(granted)

    def _parse_service_accept(self, answer: paramiko.Message) -> None:
        self.transport.service_granted = True
        super()._parse_service_accept(answer)


class DeviceTransport(paramiko.Transport):
    """paramiko's transport with the algorithms that we want."""

    service_granted = False  # whether the device has agreed to talk about logging in

    _active_check_timeout = LOOK_AROUND
    _kex_info = paramiko.Transport._kex_info | dh.ENGINES | {"curve25519-sha256": KexCurve25519}

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Host key algorithms; no certificates, which nothing here could check."""
        return tuple(self._preferred_keys)

    def _filter_algorithm(self, type_: str) -> tuple[str, ...]:
        """What is preferred; nothing is switched off, and paramiko asks fourteen times a login."""
        preferred: tuple[str, ...] = getattr(self, f"_preferred_{type_}")
        return preferred

    def _log(self, level: int, msg: Any, *args: Any) -> None:
        """Nothing: paramiko words some thirty sentences a connection for a log that nobody keeps."""

    def auth_password(self, username: str, password: str, event: Any = None, fallback: bool = True) -> list[str]:
        """Log in with a password, in a dialogue where the device wants one."""
        try:
            return self._logged_in(lambda login, done: login.auth_password(username, password, done))
        except paramiko.BadAuthenticationType as exc:
            if "keyboard-interactive" not in exc.allowed_types:
                raise
        # One question is answered with the password, none with nothing; more would be for more than we know.
        return self.auth_interactive(username, lambda _title, _text, asked: [password][: len(asked)])

    def auth_interactive(self, username: str, handler: Any, submethods: str = "") -> list[str]:
        """Log in by answering questions."""
        return self._logged_in(lambda login, done: login.auth_interactive(username, handler, done, submethods))

    def auth_publickey(self, username: str, key: paramiko.PKey, event: Any = None) -> list[str]:
        """Log in with a key."""
        return self._logged_in(lambda login, done: login.auth_publickey(username, key, done))

    def event(self) -> threading.Event:
        """Something that another thread brings."""
        return threading.Event()

    def _logged_in(self, ask: Callable[[Login, threading.Event], None]) -> list[str]:
        """What else the device wants; nothing when we are in."""
        if not self.active or not self.initial_kex_done:
            raise paramiko.SSHException("No existing session")
        done = self.event()
        self.auth_handler = Login(self)
        ask(self.auth_handler, done)
        wanted: list[str] = self.auth_handler.wait_for_response(done)
        return wanted


class DevicePacketizer(paramiko.packet.Packetizer):
    """Without a timer thread for each handshake (the socket has its deadline), and without a log."""

    def _log(self, level: int, msg: Any) -> None:
        """Nothing."""

    def start_handshake(self, timeout: float) -> None:
        """Nothing."""


def transport_factory(target: Target, kind: type[DeviceTransport] = DeviceTransport) -> Callable[..., DeviceTransport]:
    """Makes the transport for one device, in the place of paramiko's own."""

    def make(sock: Any, **_their_choice: Any) -> DeviceTransport:
        # Some of netmiko's drivers switch algorithms off for devices of ten years ago; what we allow is decided here.
        transport = kind(sock, packetizer_class=DevicePacketizer)
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
        self.server = ""  # what it says that it is: "SSH-2.0-Cisco-1.25"
        self._answered = answered

    def missing_host_key(self, client: Any, _hostname: str, key: paramiko.PKey) -> None:
        """Raises HostKeyChanged, LoginPaused."""
        self._answered()
        self.server = str(client.get_transport().remote_version)[:100]
        self.shown = f"{key.get_name()} {key.get_base64()}"
        pinned = " ".join(self.target.host_key.split()[:2])
        if pinned and pinned != self.shown:
            raise HostKeyChanged(
                f"{place_of(self.target)} shows the host key {fingerprint(self.shown)}, but {fingerprint(pinned)} is "
                f"pinned; nothing secret was sent. {JUDGED_ON}",
                presented=self.shown,
            )
        if self.target.doorman is not None:
            self.target.doorman.before_login()


def log_in(client: paramiko.SSHClient, target: Target, link: Any, *, patience: float) -> None:
    """Connect a client over a link and log in, without netmiko; `patience` in seconds. Raises what paramiko raises."""
    client.connect(
        target.address,
        target.port,
        username=target.username,
        password=target.password or None,
        pkey=login_key(target),
        look_for_keys=False,
        allow_agent=False,
        sock=link,
        timeout=patience,
        auth_timeout=patience,
        banner_timeout=patience,
        transport_factory=transport_factory(target),
    )


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
