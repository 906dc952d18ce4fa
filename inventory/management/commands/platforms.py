"""`platforms`, `platforms detect DEVICE`"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.module_loading import import_string

from inventory.commands import NetcairnCommand, Table, find_device, tenant_option
from inventory.platforms import registry


class Command(NetcairnCommand):
    """The network systems that Netcairn knows."""

    help = "List the platforms, or find out which one a device runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Without a verb: the list."""
        verbs = self.verbs(parser)
        verbs.required = False
        find = self.verb(verbs, "detect", "Log in to a device and find out which platform it runs.")
        find.add_argument("device", metavar="DEVICE")
        tenant_option(find)
        find.add_argument(
            "--set", action="store_true", help="Make what was found the device's platform, if it is sure."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """The list, or a look at one device."""
        if options["verb"] == "detect":
            self.detect(options["device"], options["tenant"], keep=options["set"])
        else:
            self.list_platforms()

    def list_platforms(self) -> None:
        """How each was verified, and how a version gets back; of sheets that cannot be used the system check speaks."""
        columns = ("slug", "label", "netmiko_type", "verified", "restore")
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
        self.answer({"platforms": rows}, Table(columns, [[row[column] for column in columns] for row in rows]))

    def detect(self, name: str, tenant: str | None, *, keep: bool) -> None:
        """What was found; exit status 1 when that is not sure."""
        device = find_device(name, tenant)
        (found,) = import_string(settings.NETCAIRN_RECOGNISE)([device])
        document = {"device": device.name, "platform": found.slug or None, "was": device.platform, "told": found.told}
        self.answer(document, found.told)
        if not found.slug:
            raise SystemExit(1)
        if keep:
            device.platform = found.slug
            device.save(update_fields=["platform"])
            self.tell(f"The platform of {device.name} is {found.slug} now.")
