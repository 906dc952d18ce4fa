"""`recover`: everything back from the object store, after the loss of every host."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups.errors import StoreError
from backups.recovery.recovering import Recovered, make_unknown, recover, tenants_there
from backups.remote.opening import is_set
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option
from inventory.models import Tenant


class Command(NetcairnCommand):
    """Bring repositories and, where the database was lost, rows back."""

    help = (
        "Bring every tenant back from the object store: repositories that are not here, and what the database does not "
        "know. What is here and can be used is not touched. May be interrupted and begun again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom, and whether the keys are lost, too."""
        tenant_option(parser)
        parser.add_argument(
            "--unsigned", action="store_true", help="The keys are lost: believe what the object store holds."
        )

    def handle(self, **options: Any) -> None:
        """Exit 1 while a tenant is not back as a whole."""
        if not is_set():
            raise WrongUse("No object store is named to recover from: set NETCAIRN_OBJECT_STORE (docs/disaster.md).")
        if not options["tenant"]:
            for tenant in make_unknown(tenants_there()):
                self.tell(f"{tenant.pk} is tenant {tenant} from now on; rename it in the admin.")
        tenants = [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.order_by("name"))
        results = list(self.results(tenants, unsigned=options["unsigned"]))
        self.answer({"tenants": [document(one) for one in results]}, table(results))
        if any(one.trouble for one in results):
            sys.exit(1)

    def results(self, tenants: list[Tenant], *, unsigned: bool) -> Iterator[Recovered]:
        """One after the other; a tenant that cannot be brought back does not keep the others waiting."""
        for tenant in tenants:
            try:
                result = recover(tenant, by=operator(), now=timezone.now(), unsigned=unsigned)
            except StoreError as error:
                result = Recovered(tenant.name, trouble=str(error))
            if result.trouble:
                self.tell(f"{tenant}: {result.trouble}")
            if result.aside:
                self.tell(f"{tenant}: what was here could not be used, and is now {result.aside}.")
            yield result


def document(one: Recovered) -> dict[str, Any]:
    """A tenant as `--json` shows it."""
    rebuilt = vars(one.rebuilt) if one.rebuilt else {}
    filled = {name: rebuilt.get(name, 0) for name in ("versions", "devices", "runs", "checkpoints")}
    told = {name: value for name, value in vars(one).items() if name != "rebuilt"}
    return told | {"filled": filled}


def table(results: list[Recovered]) -> Table:
    """A line each."""
    rows = []
    for one in results:
        filled = document(one)["filled"]
        rows.append(
            [one.tenant, one.packs, one.size, one.batch, filled["versions"], filled["checkpoints"], one.lost, told(one)]
        )
    headings = ("tenant", "packs", "bytes", "change", "versions filled", "checkpoints filled", "lost", "state")
    return Table(headings, rows, "There is nothing to recover.")


def told(one: Recovered) -> str:
    """In a word."""
    if one.trouble:
        return "needs you"
    return "brought" if one.packs else "was here" if one.batch else "nothing kept"
