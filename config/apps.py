"""The project itself as an app, so that it can have commands (`up`, `demo`, `test`) and static files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class ConfigConfig(AppConfig):
    """Settings, pages' frame and the commands that concern the whole program."""

    name = "config"
    verbose_name = "Netcairn"

    def ready(self) -> None:
        """Have the queue's workers say when they are busy, and sessions know when they began."""
        from config import queue_watch, sessions

        queue_watch.connect()
        sessions.connect()


class PagesConfig(SimpleAdminConfig):
    """The admin, whose pages are only loaded by who serves them, with the addresses (`config/urls.py`).

    They are 230 modules: 9 MB of each worker, which shows none (docs/decisions/0047).
    """

    def ready(self) -> None:
        """Have the pages checked, which loads them, where anything is."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """Django's own check of the admin's pages, once they are there."""
    admin.autodiscover()
    return check_admin_app(app_configs, **options)
