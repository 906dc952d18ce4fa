"""Where one embedded PostgreSQL lives, and what it is called."""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from config.embedded_postgres.errors import NotOurs

USER = "netcairn"
DATABASE = "netcairn"
PORT = 5432
"""No port is opened; the number is only part of the socket's name."""

LONGEST_SOCKET_PATH = 100
"""Bytes. The kernel's limit for the path of a socket is 107 on Linux and 103 on macOS."""

PRIVATE = 0o700
DEFAULT_LINGER = 2.0


@dataclass(frozen=True)
class Cluster:
    """One data directory and everything beside it."""

    home: Path
    durable: bool = True
    linger: float = DEFAULT_LINGER

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The cluster that an entry of ``DATABASES`` describes."""
        return cls(
            home=Path(settings["VAR"]).resolve() / "postgres",
            durable=settings.get("DURABLE", True),
            linger=float(settings.get("LINGER", DEFAULT_LINGER)),
        )

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def start_lock(self) -> Path:
        """Held alone while the server is looked for or started."""
        return self.home / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server."""
        return self.home / "users.lock"

    @property
    def watchdog_lock(self) -> Path:
        """Held by the one watchdog of this cluster."""
        return self.home / "watchdog.lock"

    @property
    def mark(self) -> str:
        """PostgreSQL's cluster_name: stands in the title of every process of this server and of no other."""
        return f"netcairn-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]}"

    @property
    def socket_dir(self) -> Path:
        """The directory of the socket; a short one of its own where the path is too long or holds a comma.

        A comma separates two hosts for PostgreSQL. The replacement depends on nothing but `home`, because every
        process has to find the same one whatever its environment.
        """
        beside = self.home / "socket"
        name = os.fsencode(beside / f".s.PGSQL.{PORT}")
        if len(name) <= LONGEST_SOCKET_PATH and b"," not in name:
            return beside
        return Path("/tmp") / f"{self.mark}-socket"  # noqa: S108  its owner and mode are checked by make_private  # nosec B108

    @property
    def address(self) -> dict[str, str]:
        """How a client program or library reaches the server, in the words of libpq."""
        return {"host": str(self.socket_dir), "port": str(PORT), "user": USER}

    def make_directories(self) -> None:
        """Create what must exist before the first lock; raises NotOurs where that is impossible."""
        try:
            self.home.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise NotOurs(f"{self.home.parent} cannot be created ({exc.strerror}): set NETCAIRN_VAR.") from exc
        # Root may keep a normal user's database; it stays that user's.
        make_private(self.home, owner=owner_of(self.home) if os.geteuid() == 0 else os.geteuid())
        make_private(self.socket_dir, owner=owner_of(self.home))


def owner_of(directory: Path) -> int:
    """The user id that a directory belongs to; ours if it does not exist yet."""
    return directory.stat().st_uid if directory.exists() else os.geteuid()


def make_private(directory: Path, *, owner: int) -> None:
    """Create `directory` for the eyes of user id `owner` only, or make sure that it is such a directory.

    Whoever may enter the socket's directory is a superuser of the database, so a directory that somebody else has
    put there is refused, and one of ours that has been opened is closed again.
    """
    try:
        directory.mkdir(mode=PRIVATE, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotOurs(f"{directory} is not a directory: remove it.")
        if found.st_uid not in (owner, os.geteuid()):
            raise NotOurs(f"{directory} belongs to another user: run as that user, or set NETCAIRN_VAR elsewhere.")
        if found.st_uid != owner:
            os.chown(directory, owner, -1)
        if stat.S_IMODE(found.st_mode) != PRIVATE:
            directory.chmod(PRIVATE)
    except OSError as exc:
        raise NotOurs(
            f"{directory} cannot be used ({exc.strerror}): set NETCAIRN_VAR to a place that is yours."
        ) from exc
