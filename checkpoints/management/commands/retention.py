"""`retention plan|apply|set|undelete|protect|release`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from checkpoints.find import find_checkpoint
from checkpoints.keeping import (
    apply_retention,
    is_drastic,
    plan_retention,
    protect_checkpoint,
    set_policy,
    undelete_epoch,
)
from checkpoints.retention import COUNTS
from checkpoints.retention_documents import applied_document, plan_document, plan_table
from checkpoints.retention_models import RetentionPolicy
from inventory.commands import NetcairnCommand, Table, find_tenant, operator, tenant_option
from inventory.models import Tenant


class Command(NetcairnCommand):
    """What is kept, by which rule, and what is not."""

    help = "Show what a tenant's retention policy keeps, mark what it does not, and set it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        tenant_option(self.verb(verbs, "plan", "Each checkpoint and epoch with the rule that keeps it, or nothing."))
        tenant_option(self.verb(verbs, "apply", "Mark what no rule keeps; `gc` removes it a day later."))
        self.set_arguments(self.verb(verbs, "set", "Give a tenant a policy; the plan is shown first."))
        undelete = self.verb(verbs, "undelete", "Take the mark off an epoch, and keep it from now on.")
        tenant_option(undelete, required=True)
        undelete.add_argument("--epoch", type=int, required=True, metavar="N")
        for verb, text in (("protect", "Let no rule delete a checkpoint."), ("release", "Let the rules decide again.")):
            one = self.verb(verbs, verb, text)
            one.add_argument("id", metavar="ID", help="An id, at least 8 digits of one, or the name of a ref.")
            tenant_option(one)

    def set_arguments(self, parser: CommandParser) -> None:
        """All of a policy: what is not named is not set."""
        tenant_option(parser, required=True)
        parser.add_argument("--everything", action="store_true", help="Keep everything.")
        for name in COUNTS:
            parser.add_argument(f"--{name}", type=int, default=0, metavar="N")
        parser.add_argument("--within", type=int, default=0, metavar="DAYS", help="Everything that is younger.")
        parser.add_argument("--tag", action="append", default=[], metavar="X", help="Kept for ever; repeatable.")
        parser.add_argument("--zone", default="UTC", metavar="ZONE", help="Where days begin, as Europe/Paris.")
        parser.add_argument("--hold", default="", metavar="REASON", help="A legal hold: nothing is deleted.")
        parser.add_argument("--by-hand", action="store_true", help="Do not apply it by itself once a day.")
        parser.add_argument("--yes", action="store_true", help="Set it; without this the plan is only shown.")
        parser.add_argument("--drop-many", action="store_true", help="Also where more than a fifth would be dropped.")

    def handle(self, **options: Any) -> None:
        """One of the verbs."""
        getattr(self, options["verb"])(options)

    def tenants(self, options: dict[str, Any]) -> list[Tenant]:
        """The one that was named, or all."""
        return [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.order_by("name"))

    def plan(self, options: dict[str, Any]) -> None:
        """Nothing is written."""
        plans = [plan_retention(tenant, now=timezone.now()) for tenant in self.tenants(options)]
        self.answer({"tenants": [plan_document(plan) for plan in plans]}, plan_table(plans))

    def apply(self, options: dict[str, Any]) -> None:
        """Marks only."""
        done = [apply_retention(tenant, by=operator(), now=timezone.now()) for tenant in self.tenants(options)]
        headings = ["tenant", "marked", "unmarked", "epochs marked", "epoch begun"]
        rows = [
            [one.tenant.name, len(one.marked), len(one.unmarked), len(one.epochs_marked), one.began] for one in done
        ]
        self.answer({"tenants": [applied_document(one) for one in done]}, Table(headings, rows))

    def set(self, options: dict[str, Any]) -> None:
        """First what would go; the row only with --yes, and where much would go with --drop-many besides."""
        tenant, now = find_tenant(options["tenant"]), timezone.now()
        row = RetentionPolicy(
            tenant=tenant,
            everything=options["everything"],
            within_days=options["within"],
            tags=sorted(set(options["tag"])),
            zone=options["zone"],
            hold=options["hold"],
            automatic=not options["by_hand"],
            **{name: options[name] for name in COUNTS},
        )
        row.clean()
        plan = plan_retention(tenant, policy=row.policy(), now=now)
        drastic = is_drastic(tenant, row.policy(), plan, now=now)
        document = plan_document(plan) | {"drops_more_than_a_fifth": drastic, "set": False}
        if options["yes"] and (options["drop_many"] or not drastic):
            set_policy(tenant, row, by=operator())
            document["set"] = True
        self.answer(document, plan_table([plan]))
        if options["yes"] and not document["set"]:
            raise CommandError("This drops more than a fifth of what is kept: say so with --drop-many, or keep more.")
        if not document["set"]:
            self.tell("Nothing was set: look at the plan, then say --yes.")

    def undelete(self, options: dict[str, Any]) -> None:
        """Until it is swept."""
        epoch = undelete_epoch(find_tenant(options["tenant"]), options["epoch"], by=operator())
        self.answer({"epoch": epoch.number, "protected": True}, f"Epoch {epoch.number} is kept.")

    def protect(self, options: dict[str, Any]) -> None:
        """From rules, not from people."""
        self.set_protection(options, on=True)

    def release(self, options: dict[str, Any]) -> None:
        """The other way."""
        self.set_protection(options, on=False)

    def set_protection(self, options: dict[str, Any], *, on: bool) -> None:
        """One checkpoint."""
        tenant = find_tenant(options["tenant"]) if options["tenant"] else None
        checkpoint = find_checkpoint(options["id"], tenant)
        protect_checkpoint(checkpoint, on=on, by=operator())
        state = "protected" if on else "as the rules decide"
        self.answer({"id": checkpoint.pk, "protected": on}, f"Checkpoint {checkpoint.short_id} is {state}.")
