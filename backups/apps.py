"""Getting configurations off devices, and keeping them."""

from __future__ import annotations

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    """Runs, attempts, snapshots and the store."""

    name = "backups"

    def ready(self) -> None:
        """Let Django find the system checks."""
        from backups import checks  # noqa: F401
