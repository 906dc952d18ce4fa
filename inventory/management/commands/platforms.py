"""`platforms`"""

from __future__ import annotations

from typing import Any

from inventory.commands import NetcairnCommand, Table
from inventory.platforms import registry


class Command(NetcairnCommand):
    """The network systems that Netcairn knows."""

    help = "List the platforms: how each was verified, and how a version gets back onto a device."

    def handle(self, *args: Any, **options: Any) -> None:
        """The list; sheets that cannot be used are named on stderr."""
        rows = [
            {
                "slug": sheet.slug,
                "label": sheet.label,
                "netmiko_type": sheet.netmiko_type,
                "verified": sheet.verified,
                "restore": sheet.restore.way,
            }
            for sheet in registry.platforms()
        ]
        columns = ("slug", "label", "netmiko_type", "verified", "restore")
        self.answer({"platforms": rows}, Table(columns, [[row[column] for column in columns] for row in rows]))
        for sentence in registry.broken().values():
            self.tell(sentence)
