"""`tenant add NAME`, `tenant list`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from inventory.commands import NetcairnCommand, Table
from inventory.models import Tenant
from inventory.services import add_tenant


class Command(NetcairnCommand):
    """Customers and organisations."""

    help = "Add a tenant, or list them."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        self.verb(verbs, "add", "Register a tenant.").add_argument("name", metavar="NAME")
        self.verb(verbs, "list", "List the tenants.")

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        if options["verb"] == "add":
            tenant = add_tenant(options["name"])
            self.answer({"id": tenant.pk, "name": tenant.name}, f"Tenant {tenant.name} was added.")
        else:
            self.list_tenants()

    def list_tenants(self) -> None:
        """With the numbers of their devices and credentials."""
        tenants = Tenant.objects.annotate(
            devices_n=Count("devices", distinct=True), credentials_n=Count("credentials", distinct=True)
        ).order_by("name")
        rows = [
            {
                "id": tenant.pk,
                "name": tenant.name,
                "devices": tenant.devices_n,
                "credentials": tenant.credentials_n,
                "created_at": tenant.created_at,
            }
            for tenant in tenants
        ]
        shown = [(row["name"], row["devices"], row["credentials"], row["created_at"]) for row in rows]
        empty = "There are no tenants yet; add one with `tenant add NAME`."
        self.answer({"tenants": rows}, Table(("name", "devices", "credentials", "created"), shown, empty))
