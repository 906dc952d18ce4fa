"""The project itself as an app, so that it can have commands (`up`, `demo`, `test`) and static files."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, pages' frame and the commands that concern the whole program."""

    name = "config"
    verbose_name = "Netcairn"

    def ready(self) -> None:
        """Have the queue's workers say when they are busy, and sessions know when they began."""
        from config import queue_watch, sessions

        queue_watch.connect()
        sessions.connect()
