"""`fsck`: whether every tenant's git and the database agree."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups import fsck
from backups.errors import NoStore, StoreError
from backups.fsck.accepting import LOSSES, accept_loss
from backups.fsck.checking import unknown_repositories
from backups.fsck.fetching import fetch
from backups.fsck.rebuilding import Rebuilt, adopt, rebuild, recover_tenants
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option
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
        parser.add_argument(
            "--copy", type=Path, metavar="DIR", help="With --repair: a copy of the store, to take what is lost from."
        )
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            help="With --repair, where no copy has it: write off what is lost, keep the rest, and go on.",
        )
        parser.add_argument("--rebuild", action="store_true", help="Fill the tables from git: the database was lost.")
        parser.add_argument("--adopt", action="store_true", help="Take in what another Netcairn wrote onto the record.")

    def handle(self, **options: Any) -> None:
        """Exit 1 when anything unrepaired is left."""
        if options["rebuild"] and options["adopt"]:
            raise WrongUse(
                "Say --rebuild or --adopt, not both: one is for a lost database, the other for a second one."
            )
        if options["copy"] and not options["repair"]:
            raise WrongUse("--copy is for --repair; without it nothing is changed.")
        if options["accept_loss"] and (not options["repair"] or not options["tenant"]):
            raise WrongUse("--accept-loss is for --repair of one --tenant: what is lost is written off for good.")
        if options["rebuild"] and not options["tenant"]:
            self.recover()
        tenants = [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.order_by("name"))
        refused: list[fsck.Finding] = []
        if options["copy"]:
            self.fetch(tenants, options["copy"], refused)
        filled = list(self.fill(tenants, refused, **options))
        full = options["full"] or options["accept_loss"]
        findings = refused + fsck.all_findings(tenants, full=full, repair=options["repair"], by=operator())
        if options["accept_loss"]:
            findings = self.accept(tenants[0], findings)
        findings += [] if options["tenant"] else unknown_repositories(tenant.pk for tenant in tenants)
        document = {"findings": [asdict(finding) for finding in findings]}
        if options["rebuild"] or options["adopt"]:
            document["filled"] = [asdict(one) for one in filled]
        self.answer(document, table(findings, full=full))
        if not all(finding.repaired for finding in findings):
            sys.exit(1)

    def accept(self, tenant: Tenant, findings: list[fsck.Finding]) -> list[fsck.Finding]:
        """Write off what is lost; what was found and what is found now. Nothing happens where nothing is lost."""
        losses = [one for one in findings if one.code in LOSSES and not one.repaired]
        if not losses:
            return findings
        try:
            lost = accept_loss(tenant, by=operator(), now=timezone.now())
        except StoreError as error:
            return [*findings, fsck.Finding(error.cause, tenant.name, str(error))]
        self.tell(f"{tenant}: {lost} versions are written off; the alarm on the dashboard names what was lost.")
        left = fsck.check(tenant, full=True, repair=True, by=operator())
        return [replace(one, repaired=True) for one in findings if one in losses or one.repaired] + left

    def recover(self) -> None:
        """Tenants of whom only the repository is left."""
        for tenant in recover_tenants():
            self.tell(f"{tenant.pk} is tenant {tenant} from now on; rename it in the admin.")

    def fetch(self, tenants: list[Tenant], copy: Path, refused: list[fsck.Finding]) -> None:
        """Bring back from a copy what is lost, before anything is said to be."""
        for tenant in tenants:
            try:
                taken = fetch(tenant, copy)
            except StoreError as error:
                refused.append(fsck.Finding(error.cause, tenant.name, str(error)))
                continue
            self.tell(f"{tenant}: {taken} files were brought back from {copy}.")

    def fill(self, tenants: list[Tenant], refused: list[fsck.Finding], **options: Any) -> Iterator[Rebuilt]:
        """Fill the tables where that is asked for; a tenant that has to be refused does not keep the others waiting."""
        way = {(True, False): rebuild, (False, True): adopt}.get((options["rebuild"], options["adopt"]))
        for tenant in tenants if way else ():
            try:
                result = way(tenant, by=operator(), now=timezone.now()) if way else Rebuilt(tenant.name)
            except NoStore:
                continue  # nothing to fill from; the look that follows says whether there should be
            except StoreError as error:
                refused.append(fsck.Finding(error.cause, tenant.name, str(error)))
                continue
            yield result
            self.tell(told(result))


def told(result: Rebuilt) -> str:
    """What came of it, in one line."""
    if result.nothing:
        return f"{result.tenant}: the tables have everything that the repository tells."
    lost = f"; {result.lost} versions have no row, because their files are not there" if result.lost else ""
    return (
        f"{result.tenant}: {result.versions} versions, {result.devices} devices, {result.runs} runs and "
        f"{result.checkpoints} checkpoints are back in the database{lost}."
    )


def table(findings: list[fsck.Finding], *, full: bool) -> Table:
    """A line a finding. Where there is none, no more is claimed than was looked at."""
    rows = [[one.tenant, one.code, state(one), one.what] for one in findings]
    return Table(["tenant", "code", "state", "what"], rows, empty=WHOLE if full else THERE)


def state(finding: fsck.Finding) -> str:
    """What is to be done about it."""
    if finding.repaired:
        return "repaired"
    return "repair with --repair" if finding.repairable else "needs you"
