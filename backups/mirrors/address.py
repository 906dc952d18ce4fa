"""Where a mirror may be. Pure: nothing is asked for.

An address is typed in by a person and becomes an argument of git, so it is taken apart and put together again: what
does not fit these few forms never gets there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from backups.remote.errors import RemoteRefused
from inventory.validators import validate_address

FORMS = "https://host/path or ssh://host/path"
PORTS = {"https": 443, "ssh": 22}
PATH = re.compile(r"/[A-Za-z0-9._~+/@-]+\Z")
MAX_LENGTH = 500


@dataclass(frozen=True)
class Place:
    """A remote's address in parts; `host` is empty for a directory on this machine."""

    scheme: str
    host: str
    port: int
    path: str

    def url(self, username: str = "") -> str:
        """As git takes it; never with a password."""
        if self.scheme == "file":
            return f"file://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        user = f"{username}@" if username and self.scheme == "ssh" else ""
        return f"{self.scheme}://{user}{host}{port}{self.path}"


def read(text: str) -> Place:
    """An address as a person writes it. Raises RemoteRefused with what is wrong about it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise RemoteRefused(f"The address of a mirror is written as {FORMS}.") from error
    if parts.scheme not in (*PORTS, "file") or len(text) > MAX_LENGTH:
        raise RemoteRefused(f"The address of a mirror is written as {FORMS}.")
    if "@" in parts.netloc:
        raise RemoteRefused(
            "Leave user and password out of the address: they belong into the credential, where they are sealed."
        )
    if parts.query or parts.fragment or not PATH.match(parts.path) or ".." in PurePosixPath(parts.path).parts:
        raise RemoteRefused("The path of a mirror's address is made of letters, digits and ._~+@/-, without '..'.")
    host = parts.hostname or ""
    if parts.scheme == "file":
        if host:
            raise RemoteRefused("A directory on this machine is written as file:///path.")
        return Place("file", "", 0, parts.path)
    try:
        validate_address(host)
    except ValidationError as error:
        raise RemoteRefused(f"The host of a mirror's address is wrong: {error.messages[0]}") from error
    if host.startswith("-"):
        raise RemoteRefused("The host of a mirror's address begins with a letter or a digit.")
    return Place(parts.scheme, host, port or PORTS[parts.scheme], parts.path)
