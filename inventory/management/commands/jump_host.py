"""`jump_host add NAME --tenant T --address A --credential C [--port P] [--through J]`, `jump_host list`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from inventory.audit import record
from inventory.commands import NetcairnCommand, Table, find_tenant, operator, tenant_option
from inventory.jump_hosts import JumpHost
from inventory.services import add_jump_host


class Command(NetcairnCommand):
    """Hosts that devices are reached through."""

    help = "Register a jump host, or list them."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        add = self.verb(verbs, "add", "Register a host that devices are reached through.")
        add.add_argument("name", metavar="NAME")
        tenant_option(add, required=True)
        add.add_argument("--address", required=True, metavar="HOST")
        add.add_argument("--port", type=int, default=22, metavar="P")
        add.add_argument("--credential", required=True, metavar="NAME", help="How to log in to it.")
        add.add_argument("--through", metavar="NAME", help="Another jump host that this one is reached through.")
        tenant_option(self.verb(verbs, "list", "List jump hosts."))

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        if options["verb"] == "list":
            self.list_jump_hosts(options["tenant"])
            return
        tenant = find_tenant(options["tenant"])
        wanted = {name: options[name] for name in ("address", "port", "credential", "through")}
        row = add_jump_host(tenant, options["name"], **wanted)
        record(tenant, by=operator(), action="jumphost.added", about=row.name)
        document = {"id": row.pk, "tenant": tenant.name, "name": row.name}
        self.answer(document, f"Jump host {row.name} was added to tenant {tenant.name}.")

    def list_jump_hosts(self, tenant: str | None) -> None:
        """All of them, with the way to each."""
        found = JumpHost.objects.select_related("tenant", "credential", "through").order_by("tenant__name", "name")
        rows = list(found.filter(tenant=find_tenant(tenant)) if tenant else found)
        document = [
            {
                "id": row.pk,
                "tenant": row.tenant.name,
                "name": row.name,
                "address": row.address,
                "port": row.port,
                "credential": row.credential.name,
                "through": row.through.name if row.through else None,
                "host_key": row.host_key_fingerprint(),
            }
            for row in rows
        ]
        columns = ("tenant", "name", "address", "port", "credential", "through", "host_key")
        shown = [[one[column] for column in columns] for one in document]
        empty = "There are no jump hosts; add one with `jump_host add`."
        self.answer({"jump_hosts": document}, Table(columns, shown, empty))
