"""How a moment is written where people read it: in their own time zone, which is named."""

from __future__ import annotations

from datetime import datetime

from django.utils.timezone import localtime


def told(at: datetime, *, seconds: bool = False) -> str:
    """2026-11-21 07:52 CET. On a page in the zone of who looks, elsewhere in that of the installation."""
    here = localtime(at)
    return f"{here:%Y-%m-%d %H:%M:%S %Z}" if seconds else f"{here:%Y-%m-%d %H:%M %Z}"
