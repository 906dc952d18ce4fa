"""`drill`: restore a tenant beside the live one and compare; `drill --list`: what drills came to."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups.recovery.drilling import drill
from backups.recovery.jobs import copied
from backups.recovery.models import Drill
from backups.remote.opening import is_set
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option

SHOWN = 20


class Command(NetcairnCommand):
    """Whether the copy in the object store can be restored."""

    help = (
        "Restore a tenant from the object store beside the live one, and compare every byte; a random one unless told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom."""
        tenant_option(parser)
        parser.add_argument("--list", action="store_true", help="What the last drills came to, instead of another.")

    def handle(self, **options: Any) -> None:
        """Exit 1 where it differs, or could not be restored."""
        if options["list"]:
            self.show(list(Drill.objects.select_related("tenant").order_by("-at")[:SHOWN]))
            return
        if not is_set():
            raise WrongUse("No object store is named to restore from: set NETCAIRN_OBJECT_STORE (docs/disaster.md).")
        if options["tenant"]:
            tenant = find_tenant(options["tenant"])
        else:
            chosen = copied().select_related("tenant").order_by("?").first()
            if chosen is None:
                raise WrongUse("The object store has nothing yet; `remote publish` brings it up to date.")
            tenant = chosen.tenant
        row = drill(tenant, by=operator(), now=timezone.now())
        self.show([row])
        if not row.equal:
            sys.exit(1)

    def show(self, rows: list[Drill]) -> None:
        """As a table, or JSON."""
        columns = ("at", "equal", "objects_compared", "size", "checkpoints", "versions", "behind", "seconds", "trouble")
        documents = [
            {"tenant": row.tenant.name, **{column: getattr(row, column) for column in columns}} for row in rows
        ]
        headings = (
            "tenant",
            "at",
            "equal",
            "objects",
            "bytes",
            "checkpoints",
            "versions",
            "behind",
            "seconds",
            "trouble",
        )
        self.answer(
            {"drills": documents}, Table(headings, [list(one.values()) for one in documents], "There was no drill yet.")
        )
