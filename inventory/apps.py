"""What exists and how it is reached."""

from __future__ import annotations

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Tenants, members, credentials, devices and the platforms they run."""

    name = "inventory"

    def ready(self) -> None:
        """Let Django find the system checks, and the audit log hear of logins."""
        from inventory import checks  # noqa: F401
        from inventory.login import trail

        trail.connect()
