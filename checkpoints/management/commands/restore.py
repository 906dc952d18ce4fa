"""`restore`: go back, in the record or on a device."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from checkpoints.documents import plan_table, went_back_document
from checkpoints.find import find_checkpoint
from checkpoints.management.commands._restore_device import DeviceVerbs
from checkpoints.record import RecordPlan, WentBack
from checkpoints.services import plan_record_restore, restore_record
from inventory.commands import WrongUse, find_device, find_tenant, operator, tenant_option


class Command(DeviceVerbs):
    """To the record, which touches no device; and to a device, which has a plan of its own."""

    help = "Put a version back: onto a device (plan, then apply), or in the record."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        self.add_device_verbs(verbs)
        record = self.verb(verbs, "record", "Go back in the record: a new commit. No device is touched.")
        record.add_argument("checkpoint", metavar="CHECKPOINT", help="An id, 8 digits of one, or the name of a ref.")
        tenant_option(record)
        record.add_argument("--device", action="append", default=[], metavar="NAME", help="Only this one; repeatable.")
        record.add_argument("--yes", action="store_true", help="Do not ask.")
        record.add_argument("--dry-run", action="store_true", help="Show the plan, and do nothing.")

    def handle(self, **options: Any) -> None:
        """Plan, look, execute."""
        if options["verb"] != "record":
            self.handle_device_verb(options["verb"], options)
            return
        tenant = find_tenant(options["tenant"]) if options["tenant"] else None
        checkpoint = find_checkpoint(options["checkpoint"], tenant)
        names = dict.fromkeys(options["device"])
        devices = [find_device(name, checkpoint.tenant) for name in names] or None
        plan = plan_record_restore(checkpoint, devices)
        if not plan.back or options["dry_run"]:
            self.answer(went_back_document(WentBack(plan, None)), plan_table(plan))
            self.tell("" if plan.back else "Nothing to do: nothing that may go back differs from the checkpoint.")
            return
        if not options["yes"] and not self.as_json:
            self.ask(plan)
        went = restore_record(plan, author=operator(), now=timezone.now())
        made = went.checkpoint.short_id if went.checkpoint else "-"
        done = f"{len(plan.back)} devices went back to {checkpoint.short_id}; checkpoint {made} is the result."
        self.answer(went_back_document(went), done)

    def ask(self, plan: RecordPlan) -> None:
        """Show the plan and wait for a yes. Raises WrongUse without one."""
        self.tell(str(plan_table(plan)))
        if not sys.stdin.isatty():
            raise WrongUse("This changes the record; look at the plan above, then say --yes.")
        self.stderr.write(f"Go back with {len(plan.back)} devices? [y/N] ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise WrongUse("Nothing was changed.")
