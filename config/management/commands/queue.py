"""`netcairn queue`: the queue's workers, watched, in the foreground."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from config import serving
from config.management.commands.up import count
from inventory.commands import NetcairnCommand


class Command(NetcairnCommand):
    """For further hosts, and where a service manager runs the web server by itself."""

    help = "Run the queue workers until stopped, and start them again when they hang."

    def add_arguments(self, parser: CommandParser) -> None:
        """How much to do at once."""
        parser.add_argument("--workers", type=count, help="Queue workers (default: NETCAIRN_WORKERS, else 2).")

    def handle(self, **options: Any) -> None:
        """Work until told to stop."""
        serving.work(workers=options["workers"], tell=self.tell)
