"""`publish`: show tenants' current state as plain files for other programs."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from checkpoints.publishing import publish_or_tell, published_root
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, tenant_option
from inventory.models import Tenant


class Command(NetcairnCommand):
    """One tree for each tenant, switched as a whole."""

    help = "Show tenants' current state as plain files below NETCAIRN_PUBLISHED_ROOT."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which tenant."""
        tenant_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 where one of them could not be brought up to date."""
        root = published_root()
        if root is None:
            raise WrongUse("Nothing is published: NETCAIRN_PUBLISHED_ROOT is not set.")
        tenants = [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.all())
        shown = {tenant: publish_or_tell(tenant, root) for tenant in tenants}
        found = {tenant: published for tenant, published in shown.items() if published}
        document = [
            {"tenant": tenant.name, "path": str(one.path), "devices": one.devices, "files": one.files,
             "written": one.written, "removed": one.removed}
            for tenant, one in found.items()
        ]  # fmt: skip
        rows = [[tenant.name, str(one.path), one.devices, one.files, one.written] for tenant, one in found.items()]
        self.answer(
            {"published": document},
            Table(["tenant", "path", "devices", "files", "written"], rows, empty="Nothing is published yet."),
        )
        lacking = [tenant.name for tenant, one in shown.items() if one is None and tenant.snapshots.exists()]
        if lacking:
            self.tell(f"Not brought up to date: {', '.join(lacking)}; the alarms on the dashboard say why.")
            sys.exit(1)
