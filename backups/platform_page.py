"""The page that lists the network systems: what each sheet was held against, and the way back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from backups.checks import user_sheets_can_log_in
from inventory.models import Device
from inventory.platforms import registry
from inventory.platforms.listing import whole_when
from inventory.platforms.sheet import Platform, Verified, Way

# How much a sheet's claim is worth, and how its mark is coloured.
WORTH: dict[Verified, str] = {"system": "in_sync", "recording": "in_sync", "manual": "changed", "none": "resting"}
WAYS: dict[Way, str] = {
    "replace": "the device takes a whole configuration and works out the difference",
    "candidate": "the same in a candidate that is committed, and reverted unless confirmed",
    "reset": "the device starts anew with the version and nothing else",
    "merge": "only additions and changes go back by themselves",
    "file": "a file is put in its place and read at the next start",
    "none": "not from here",
}


@dataclass(frozen=True)
class Line:
    """One system on the page."""

    sheet: Platform
    devices: int  # of the tenants that the user may see
    whole_when: str
    worth: str
    way: str


def lines(request: HttpRequest) -> list[Line]:
    """All systems, those in use first."""
    owned = Device.objects.visible_to(request.user).filter(retired_at=None).values_list("platform", flat=True)
    counted = Counter(owned)
    found = [
        Line(sheet, counted[sheet.slug], whole_when(sheet), WORTH[sheet.verified], WAYS[sheet.restore.way])
        for sheet in registry.platforms()
    ]
    return sorted(found, key=lambda line: (not line.devices, line.sheet.label.lower()))


class Platforms:
    """Adds the page to the devices' pages."""

    def platforms(self, request: HttpRequest) -> HttpResponse:
        """The list; sheets of the user's own that cannot be used stand above it with the reason."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        found = lines(request)
        counted = Counter(line.sheet.verified for line in found)
        context: dict[str, Any] = {
            "title": "Platforms",
            "lines": found,
            "worth": ", ".join(f"{name} {counted[name]}" for name in WORTH),
            "broken": [*registry.broken().values(), *(warning.msg for warning in user_sheets_can_log_in())],
        }
        return self.show(request, "netcairn/platforms.html", **context)  # type: ignore[attr-defined]
