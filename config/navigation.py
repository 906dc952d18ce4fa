"""The sidebar and look of the admin, as django-unfold wants to be told."""

from __future__ import annotations

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Netcairn",
    "SITE_HEADER": "Netcairn",
    "SITE_SUBHEADER": "Network configurations, kept",
    "SITE_SYMBOL": "landscape",
}
