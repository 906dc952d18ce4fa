"""Times in the zone of who looks: the browser says which one that is in a cookie, set by `netcairn.js`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

COOKIE = "netcairn_zone"
LONGEST = 64  # characters that a zone's name has


class UserZone:
    """Shows times in the browser's zone during one request; in the installation's where it said none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """A template response is rendered within; what is stored and exported stays in UTC."""
        zone = zone_named(request.COOKIES.get(COOKIE, "")[: LONGEST + 1])
        if zone is None:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


@lru_cache(maxsize=600)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone of that name; None for what is none, for a cookie can hold anything."""
    if not name or len(name) > LONGEST:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
