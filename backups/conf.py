"""Settings of this app, read at the door."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

from django.conf import settings

from backups.addresses import AddressRule
from backups.transport import Limits


def limits() -> Limits:
    """What one device may cost."""
    return Limits(deadline=settings.NETCAIRN_DEVICE_DEADLINE, max_bytes=settings.NETCAIRN_DEVICE_MAX_BYTES)


def threads() -> int:
    """Devices that one worker talks to at a time, at the utmost."""
    return settings.NETCAIRN_THREADS


def address_rule() -> AddressRule:
    """Which addresses devices and jump hosts may have."""
    return AddressRule(settings.NETCAIRN_ALLOW_LOCAL, database_addresses(*database_place(settings.DATABASES)))


def database_place(databases: dict[str, Any]) -> tuple[str, str]:
    """Host and port of the database; none over a socket in the file system."""
    host = str(databases["default"].get("HOST") or "")
    return ("", "") if host.startswith("/") else (host, str(databases["default"].get("PORT") or 5432))


@lru_cache(maxsize=4)
def database_addresses(host: str, port: str) -> frozenset[tuple[str, int]]:
    """The database's addresses, asked for once: whoever calls it a device is refused."""
    if not host:
        return frozenset()
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()  # we could not be connected to it either
    return frozenset((str(sockaddr[0]), int(port)) for *_, sockaddr in found)
