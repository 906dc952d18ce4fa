"""`audit list`, `audit verify`, `audit export`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from inventory.audit import AuditEntry, Break, breaks_of, record
from inventory.audit_export import breaks_in, exported_lines
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator
from inventory.models import Tenant

OF_NONE = "(no tenant)"  # the chain of what concerns no tenant
TENANT_HELP = "Only this tenant's chain; without it, all of them and that of what concerns no tenant."


class Command(NetcairnCommand):
    """Who did what, and whether the log of it is whole."""

    help = "Look at the audit log, check that nobody has changed it, or hand it to somebody who checks it himself."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        looked = self.verb(verbs, "list", "The newest entries.")
        verify = self.verb(verbs, "verify", "Compute every digest again; exit status 1 where a chain is broken.")
        export = self.verb(verbs, "export", "A chain as JSON lines, with the text that each digest was made of.")
        for verb in (looked, verify, export):
            verb.add_argument("--tenant", metavar="NAME", help=TENANT_HELP)
        looked.add_argument("--by", metavar="USER", help="Only what this person did.")
        looked.add_argument("--action", metavar="CODE", help="Only this action, or all that begin so.")
        looked.add_argument("--limit", metavar="N", type=int, default=50, help="At most so many (default: 50).")
        verify.add_argument("--file", metavar="FILE", type=Path, help="An exported chain instead of the database's.")

    def handle(self, **options: Any) -> None:
        """One verb."""
        match options["verb"]:
            case "list":
                self.list_entries(options)
            case "verify":
                self.verify(options)
            case "export":
                self.export(find_tenant(options["tenant"]) if options["tenant"] else None)

    def export(self, tenant: Tenant | None) -> None:
        """The chain, with the entry that says who took it as its last one."""
        record(tenant, by=operator(), action="audit.exported", about=tenant.name if tenant else OF_NONE)
        self.stdout.writelines(exported_lines(tenant.pk if tenant else None))

    def list_entries(self, options: dict[str, Any]) -> None:
        """Newest first."""
        if options["limit"] < 1:
            raise WrongUse("--limit must be above 0.")
        entries = AuditEntry.objects.select_related("tenant").order_by("-id")
        if options["tenant"]:
            entries = entries.filter(tenant=find_tenant(options["tenant"]))
        if options["by"]:
            entries = entries.filter(by=options["by"])
        if options["action"]:
            entries = entries.filter(action__startswith=options["action"])
        rows = [document_of(entry) for entry in entries[: options["limit"]]]
        table = [(row["at"], row["tenant"], row["by"], row["action"], row["about"]) for row in rows]
        headings = ("at", "tenant", "by", "action", "about")
        self.answer({"entries": rows}, Table(headings, table, "Nothing was recorded that fits."))

    def verify(self, options: dict[str, Any]) -> None:
        """Every chain that is asked for; then the exit status tells."""
        chains = {str(options["file"]): breaks_of_file(options["file"])} if options["file"] else broken(options)
        document = {name: [vars(found) for found in breaks] for name, breaks in chains.items()}
        rows = [(name, found.number, found.what) for name, breaks in chains.items() for found in breaks]
        whole = f"{len(chains)} chain{'s are' if len(chains) != 1 else ' is'} whole."
        self.answer({"chains": document}, Table(("chain", "entry", "what"), rows, whole))
        if rows:
            sys.exit(1)


def document_of(entry: AuditEntry) -> dict[str, Any]:
    """An entry as `--json` shows it."""
    tenant = entry.tenant.name if entry.tenant else None
    told = {name: getattr(entry, name) for name in ("number", "at", "by", "action", "about", "detail")}
    return {"tenant": tenant, **told, "digest": bytes(entry.digest).hex()}


def broken(options: dict[str, Any]) -> dict[str, list[Break]]:
    """The breaks of each chain in the database."""
    if options["tenant"]:
        tenant = find_tenant(options["tenant"])
        return {tenant.name: breaks_of(tenant.pk)}
    names = dict(Tenant.objects.values_list("pk", "name"))
    recorded = AuditEntry.objects.order_by().values_list("tenant_id", flat=True).distinct()
    return {names.get(pk, str(pk)) if pk else OF_NONE: breaks_of(pk) for pk in recorded}


def breaks_of_file(path: Path) -> list[Break]:
    """The breaks of an exported chain."""
    try:
        with path.open(encoding="utf-8") as lines:
            return list(breaks_in(lines))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise WrongUse(f"The file {path} cannot be read: {reason}.") from error
