"""Settings of this app, read at the door."""

from __future__ import annotations

from django.conf import settings

from backups.transport import Limits


def limits() -> Limits:
    """What one device may cost."""
    return Limits(deadline=settings.NETCAIRN_DEVICE_DEADLINE, max_bytes=settings.NETCAIRN_DEVICE_MAX_BYTES)


def threads() -> int:
    """Devices that one worker talks to at a time."""
    return settings.NETCAIRN_THREADS
