"""`gc`: collect the garbage of tenants' repositories."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups.errors import StoreError
from checkpoints.documents import collected_document
from checkpoints.gc import GRACE, Collected, collect_garbage
from inventory.audit import record
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option
from inventory.models import Tenant


class Command(NetcairnCommand):
    """What nothing needs any more goes."""

    help = "Remove what only deleted checkpoints needed; nothing, where something that is kept is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and how carefully."""
        tenant_option(parser)
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, and touch nothing.")
        hours = GRACE / timedelta(hours=1)
        parser.add_argument(
            "--grace",
            type=float,
            default=hours,
            metavar="HOURS",
            help=f"Keep what was deleted since so many hours (default: {hours:g}).",
        )

    def handle(self, **options: Any) -> None:
        """Tenant by tenant; exit 1 where one was refused."""
        if options["grace"] < 0:
            raise WrongUse("--grace must not be below 0 hours.")
        tenants = [find_tenant(options["tenant"])] if options["tenant"] else Tenant.objects.order_by("name")
        grace = timedelta(hours=options["grace"])
        done = list(self.collect(tenants, grace, dry_run=options["dry_run"]))
        self.answer(document(done, dry_run=options["dry_run"]), table(done))
        for one in done:
            for reason in one.refused:
                self.tell(f"{one.tenant}: {reason}")
        if any(one.refused for one in done):
            sys.exit(1)

    def progress(self, tenant: Tenant, step: str) -> None:
        """Say how far it is, where a person sees it."""
        if sys.stderr.isatty():
            self.tell(f"{tenant}: {step}")

    def collect(self, tenants: Iterable[Tenant], grace: timedelta, *, dry_run: bool) -> Iterable[Collected]:
        """Each tenant; one whose store is in use or broken does not keep the others waiting."""
        for tenant in tenants:
            try:
                done = collect_garbage(
                    tenant,
                    now=timezone.now(),
                    grace=grace,
                    dry_run=dry_run,
                    told=partial(self.progress, tenant),
                )
                if not dry_run:
                    detail = {"objects": done.objects_removed, "bytes": done.bytes_freed}
                    record(tenant, by=operator(), action="tenant.garbage_collected", about=tenant.name, detail=detail)
                yield done
            except StoreError as error:
                yield Collected(tenant, refused=(str(error),), dry_run=dry_run)


def document(done: list[Collected], *, dry_run: bool) -> dict[str, Any]:
    """The sum, and each tenant."""
    tenants = [collected_document(one) for one in done]
    counted = (
        "objects_removed",
        "bytes_freed",
        "kept",
        "checkpoints_removed",
        "refs_removed",
        "epochs_removed",
        "versions_pruned",
    )
    return {
        **{key: sum(one[key] for one in tenants) for key in counted},
        "refused": [f"{one.tenant}: {reason}" for one in done for reason in one.refused],
        "dry_run": dry_run,
        "tenants": tenants,
    }


def table(done: list[Collected]) -> Table:
    """A line a tenant."""
    headings = ["tenant", "objects removed", "bytes freed", "objects kept", "checkpoints removed", "refused"]
    rows = [
        [one.tenant.name, one.objects_removed, one.bytes_freed, one.kept, one.checkpoints_removed, bool(one.refused)]
        for one in done
    ]
    return Table(headings, rows, empty="There are no tenants yet.")
