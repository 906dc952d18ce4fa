"""What the collector needs of a connection to a device; `netmiko_transport.py` is the one real one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from backups.addresses import ANYWHERE, AddressRule
from inventory.platforms.sheet import Platform

# Said wherever another host key than the pinned one was seen.
JUDGED_ON = (
    "Find out why; then accept the new key or keep the old one, on its page or with `devices host-keys accept`, `keep`."
)


@dataclass(frozen=True)
class Limits:
    """What one device may cost."""

    deadline: float = 300.0  # seconds for the whole device, connection included
    connect: float = 15.0  # seconds until an SSH server has answered
    idle: float | None = None  # seconds without a byte in an answer; None: what the platform's sheet allows
    max_bytes: int = 16 * 1024 * 1024  # of all its answers together


class Doorman(Protocol):
    """Who counts logins."""

    def before_login(self) -> None:
        """It is known who is there, and a secret is about to be sent. Raises LoginPaused."""

    def after_login(self) -> None:
        """They let us in."""


@dataclass(frozen=True)
class Target:
    """One device as the network sees it, with its secrets in clear: never logged, never queued, never shown."""

    name: str
    address: str
    port: int
    username: str
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)  # PEM or OpenSSH text
    passphrase: str = field(default="", repr=False)
    enable_secret: str = field(default="", repr=False)
    host_key: str = ""  # "type base64" as in known_hosts; empty: not pinned yet
    legacy_algorithms: bool = False
    telnet: bool = False  # in clear, and nothing proves who answers
    hops: tuple[Target, ...] = ()  # the jump hosts on the way, the nearest first
    key: str = ""  # the id of the row that it was made from
    credential: str = ""  # the id of its credential
    rule: AddressRule = ANYWHERE  # which addresses may be connected to
    doorman: Doorman | None = field(default=None, repr=False, compare=False)


class Session(Protocol):
    """A logged-in device, ready for its first command."""

    @property
    def host_key(self) -> str:
        """The key that the device proved to hold: "type base64"."""

    def run(self, line: str) -> bytes:
        """Say one line, and give back what the device answered: without echo and prompt, otherwise untouched.

        Raises a CollectError when the answer cannot be had whole.
        """

    def fetch(self, path: str) -> bytes:
        """The bytes of a file of the device, over SFTP on the same connection."""

    def fetch_by_scp(self, path: str) -> bytes:
        """The same over SCP, for devices without SFTP."""


class Transport(Protocol):
    """A way to devices."""

    def open(self, target: Target, platform: Platform, limits: Limits) -> AbstractContextManager[Session]:
        """Connect, check the host key, log in, enable and turn paging off. Raises a CollectError."""
