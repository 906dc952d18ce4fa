"""Which file of a version a page shows, and which part of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from backups.content import shown_version
from backups.models import Snapshot


def line_of(request: HttpRequest) -> int:
    """The line that an address names with `line`; the first where it names none that a file could have."""
    named = request.GET.get("line", "")
    return int(named) if named.isdecimal() and len(named) < 10 else 1


def shown_context(version: Snapshot | None, request: HttpRequest) -> dict[str, Any]:
    """What `netcairn/files.html` is to know; the address says which file (`file`) and which part of it (`line`)."""
    if version is None:
        return {"file": None, "names": []}
    shown = shown_version(version, request.user, name=request.GET.get("file", ""), line=line_of(request))
    return {"file": shown, "names": sorted(version.files)}
