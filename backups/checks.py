"""System checks of what is collected: a bad sheet is found at the start, not at night."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from backups.errors import UnknownPlatform
from inventory.errors import BadPlatformSheet
from inventory.platforms import registry
from inventory.platforms.catalogue import line_of


@register()
def user_sheets_can_log_in(**_: Any) -> list[CheckMessage]:
    """netcairn.W002: a sheet in NETCAIRN_PLATFORMS_DIR names a way to log in that there is none of."""
    if not settings.NETCAIRN_PLATFORMS_DIR:
        return []  # ours are tested; and netmiko takes half a second to load
    from backups.netmiko_transport import driver_class

    said: list[CheckMessage] = []
    for slug, path in registry.catalogue().theirs.items():
        try:
            driver_class(registry.platform(slug).netmiko_type)
        except UnknownPlatform as error:
            line = line_of(path, BadPlatformSheet("", field="netmiko_type"))
            said.append(Warning(f"{path}{line} cannot log in: netmiko_type is wrong. {error}", id="netcairn.W002"))
    return said
