"""`fsck`: whether every tenant's git and the database agree."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from backups import fsck
from inventory.commands import NetcairnCommand, Table, find_tenant, tenant_option
from inventory.models import Tenant

THERE = "Everything that is kept is there; `fsck --full` reads all of it, too."
WHOLE = "Everything that is kept is there, and can be read."


class Command(NetcairnCommand):
    """Look, and mend what can be mended without guessing."""

    help = "Check that all kept versions are there, and that git and the database agree; with --full, read them, too."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to look, how hard, and whether to mend."""
        tenant_option(parser)
        parser.add_argument("--full", action="store_true", help="Read every object, too; takes long.")
        parser.add_argument("--repair", action="store_true", help="Mend what can be mended without guessing.")

    def handle(self, **options: Any) -> None:
        """Exit 1 when anything unrepaired is left."""
        tenants = [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.order_by("name"))
        findings = fsck.all_findings(tenants, full=options["full"], repair=options["repair"])
        self.answer({"findings": [asdict(finding) for finding in findings]}, table(findings, full=options["full"]))
        if not all(finding.repaired for finding in findings):
            sys.exit(1)


def table(findings: list[fsck.Finding], *, full: bool) -> Table:
    """A line a finding. Where there is none, no more is claimed than was looked at."""
    rows = [[one.tenant, one.code, state(one), one.what] for one in findings]
    return Table(["tenant", "code", "state", "what"], rows, empty=WHOLE if full else THERE)


def state(finding: fsck.Finding) -> str:
    """What is to be done about it."""
    if finding.repaired:
        return "repaired"
    return "repair with --repair" if finding.repairable else "needs you"
