"""`ref set NAME CHECKPOINT`, `ref list`, `ref delete NAME`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from checkpoints.documents import ref_document
from checkpoints.errors import AmbiguousVersion, UnknownVersion
from checkpoints.find import find_checkpoint
from checkpoints.models import Ref
from checkpoints.services import ANYTHING, delete_ref, set_ref
from inventory.commands import NetcairnCommand, Table, find_tenant, operator, tenant_option
from inventory.models import Tenant


class Command(NetcairnCommand):
    """Names that move between checkpoints."""

    help = "Set, list and delete the names of checkpoints; HEAD is one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        setting = self.verb(verbs, "set", "Let a name mean a checkpoint from now on.")
        setting.add_argument("name", metavar="NAME")
        setting.add_argument("checkpoint", metavar="CHECKPOINT")
        setting.add_argument(
            "--expect", metavar="CHECKPOINT", help="Move it only if it names this one now; `none`: only if it is new."
        )
        tenant_option(setting)
        tenant_option(self.verb(verbs, "list", "List the names."))
        deleting = self.verb(verbs, "delete", "Remove a name; what it named stays.")
        deleting.add_argument("name", metavar="NAME")
        tenant_option(deleting)

    def handle(self, **options: Any) -> None:
        """One verb."""
        tenant = find_tenant(options["tenant"]) if options["tenant"] else None
        getattr(self, f"do_{options['verb']}")(options, tenant)

    def do_set(self, options: dict[str, Any], tenant: Tenant | None) -> None:
        """By compare-and-swap, if asked for."""
        checkpoint = find_checkpoint(options["checkpoint"], tenant)
        expected: object = ANYTHING
        if options["expect"]:
            none = options["expect"].lower() == "none"
            expected = None if none else find_checkpoint(options["expect"], checkpoint.tenant)
        ref = set_ref(
            checkpoint.tenant, options["name"], checkpoint, by=operator(), now=timezone.now(), expected=expected
        )
        self.answer(ref_document(ref), f"{ref.name} means checkpoint {checkpoint.short_id} ({checkpoint}).")

    def do_list(self, options: dict[str, Any], tenant: Tenant | None) -> None:
        """In order of tenant and name."""
        refs = Ref.objects.select_related("tenant", "checkpoint").order_by("tenant__name", "name")
        found = list(refs.filter(tenant=tenant) if tenant else refs)
        rows = [
            [ref.name, ref.tenant.name, ref.checkpoint.short_id, str(ref.checkpoint), ref.moved_at, ref.moved_by]
            for ref in found
        ]
        headings = ["name", "tenant", "checkpoint", "message", "moved at (UTC)", "by"]
        empty = "There are no refs yet; the first checkpoint makes HEAD."
        self.answer({"refs": [ref_document(ref) for ref in found]}, Table(headings, rows, empty=empty))

    def do_delete(self, options: dict[str, Any], tenant: Tenant | None) -> None:
        """The name alone."""
        name = options["name"]
        tenant = tenant or tenant_with(name)
        delete_ref(tenant, name, by=operator(), now=timezone.now())
        self.answer({"deleted": name, "tenant": tenant.name}, f"The ref {name} of {tenant} is deleted.")


def tenant_with(name: str) -> Tenant:
    """The one tenant that has a ref of this name. Raises UnknownVersion, AmbiguousVersion."""
    owners = [ref.tenant for ref in Ref.objects.filter(name=name).select_related("tenant").order_by("tenant__name")]
    if not owners:
        raise UnknownVersion(f"There is no ref {name!r}; `ref list` shows those that exist.")
    if len(owners) > 1:
        raise AmbiguousVersion(
            f"Several tenants have a ref {name!r}: {', '.join(map(str, owners))}; say which with --tenant."
        )
    return owners[0]
