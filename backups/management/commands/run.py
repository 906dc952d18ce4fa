"""`run list`, `run cancel ID`"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser
from django.utils import timezone

from backups import runs
from backups.models import Attempt, Run
from backups.progress import progress_of
from inventory.commands import NetcairnCommand, Table, find_tenant, operator, tenant_option
from inventory.errors import NotFound


class Command(NetcairnCommand):
    """What was asked for, and stopping it."""

    help = "List the runs, or cancel one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        listing = self.verb(verbs, "list", "List the runs, newest first.")
        tenant_option(listing)
        listing.add_argument("--limit", type=int, default=20, metavar="N", help="At most so many; 20 by default.")
        cancelling = self.verb(verbs, "cancel", "Collect no more devices of a run; what is kept stays kept.")
        cancelling.add_argument("id", metavar="ID", type=UUID)

    def handle(self, **options: Any) -> None:
        """One verb."""
        if options["verb"] == "cancel":
            self.cancel(options["id"])
        else:
            self.list_runs(options["tenant"], max(1, options["limit"]))

    def list_runs(self, tenant_name: str | None, limit: int) -> None:
        """`run list`"""
        found = Run.objects.select_related("tenant").order_by("-requested_at")
        if tenant_name:
            found = found.filter(tenant=find_tenant(tenant_name))
        rows = documents(list(found[:limit]))
        states = [state for state in Attempt.State.values if any(row["counts"][state] for row in rows)]
        shown = [
            [row["id"], row["tenant"], row["requested_at"], row["requested_by"], row["state"]]
            + [row["counts"][state] for state in states]
            for row in rows
        ]
        headings = ["id", "tenant", "asked (UTC)", "by", "state", *states]
        self.answer({"runs": rows}, Table(headings, shown, "Nothing has been backed up yet."))

    def cancel(self, run_id: UUID) -> None:
        """`run cancel`"""
        run = Run.objects.select_related("tenant").filter(pk=run_id).first()
        if run is None:
            raise NotFound(f"There is no run {run_id}; `run list` shows those that exist.")
        if run.state == Run.State.DONE:
            raise NotFound(f"Run {run_id} has ended already; there is nothing to cancel.")
        stopped = runs.cancel(run, by=operator(), now=timezone.now())
        run.refresh_from_db()
        told = f"Run {run.pk} was cancelled; {stopped} device{'s were' if stopped != 1 else ' was'} left out."
        self.answer(documents([run])[0] | {"stopped": stopped}, told)


def documents(found: list[Run]) -> list[dict[str, Any]]:
    """Runs as `--json` shows them, without their attempts."""
    progress = progress_of(found)
    return [
        {
            "id": run.pk,
            "tenant": run.tenant.name,
            "state": run.state,
            "trigger": run.trigger,
            "requested_by": run.requested_by,
            "requested_at": run.requested_at,
            "ended_at": run.ended_at,
            "resume_at": run.resume_at,
            "cancelled_at": run.cancelled_at,
            "commit": run.commit or None,
            "counts": {state: progress[run.pk].counts.get(state, 0) for state in Attempt.State.values},
        }
        for run in found
    ]
