"""System checks of the inventory: a bad setting is found at the start, not at night."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from inventory.errors import BadSecretsKeys
from inventory.platforms import registry
from inventory.secrets import keyring

KEYS_HINT = (
    "Each key is 32 random bytes in URL-safe base64, newest first, separated by commas: "
    "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
)


@register(Tags.security)
def secrets_keys_are_usable(**_: Any) -> list[CheckMessage]:
    """netcairn.E001: the keys that seal credentials cannot be read."""
    try:
        keyring()
    except BadSecretsKeys as error:
        return [Error(str(error), hint=KEYS_HINT, id="netcairn.E001")]
    return []


@register()
def user_sheets_are_usable(**_: Any) -> list[CheckMessage]:
    """netcairn.W001: a sheet in NETCAIRN_PLATFORMS_DIR is not used; the program goes on without it."""
    if not settings.NETCAIRN_PLATFORMS_DIR:
        return []  # ours are read when they are needed
    return [Warning(sentence, id="netcairn.W001") for sentence in registry.broken().values()]
