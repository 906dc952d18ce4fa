"""`tenant add|show|set|recount|delete|undelete|erase NAME`, `tenant list`"""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db.models import Count
from django.utils import timezone

from backups import quota
from backups.erasing import erase
from inventory import deletion, secrets_policy
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator
from inventory.errors import Invalid
from inventory.models import Tenant
from inventory.services import add_tenant

SIZE_HELP = "How many bytes of different files it may keep: 500M, 20G, or none. Lowering it removes nothing."
SECRETS_HELP = "Whether secrets inside configurations are stored (keep) or masked before (mask)."


class Command(NetcairnCommand):
    """Customers and organisations."""

    help = "Add a tenant, list them, or set what one may keep."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        self.verb(verbs, "add", "Register a tenant.").add_argument("name", metavar="NAME")
        self.verb(verbs, "list", "List the tenants.")
        rules = self.verb(verbs, "set", "Set a tenant's quota, or what becomes of secrets.")
        recount = self.verb(verbs, "recount", "Count anew what a tenant keeps, from its repository alone.")
        delete = self.verb(verbs, "delete", "Have a tenant deleted for good, with all that it keeps, after some days.")
        delete.add_argument("--confirm", metavar="NAME", help="The tenant's name once more, instead of being asked.")
        undelete = self.verb(verbs, "undelete", "Keep a tenant after all, while its deletion can be undone.")
        erase = self.verb(verbs, "erase", "Delete now a tenant whose days are over, which the queue does by itself.")
        show = self.verb(verbs, "show", "One tenant, and what it keeps.")
        for verb in (show, rules, recount, delete, undelete, erase):
            verb.add_argument("name", metavar="NAME")
        rules.add_argument("--quota", metavar="SIZE", help=SIZE_HELP)
        rules.add_argument("--secrets", choices=Tenant.Secrets.values, help=SECRETS_HELP)
        rules.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        match options["verb"]:
            case "add":
                tenant = add_tenant(options["name"])
                self.answer({"id": tenant.pk, "name": tenant.name}, f"Tenant {tenant.name} was added.")
            case "list":
                self.list_tenants()
            case "show":
                self.show(find_tenant(options["name"]))
            case "set":
                self.set(find_tenant(options["name"]), options)
            case "recount":
                self.recount(find_tenant(options["name"]))
            case "delete":
                self.delete(find_tenant(options["name"]), options["confirm"])
            case "undelete":
                tenant = find_tenant(options["name"])
                deletion.undo(tenant, by=operator())
                self.answer({"id": tenant.pk, "ends_at": None}, f"Tenant {tenant.name} is kept.")
            case "erase":
                tenant = find_tenant(options["name"])
                gone = erase(tenant, by=operator(), now=timezone.now())
                self.answer({"id": tenant.pk, **gone}, f"Nothing is left of {tenant.name} but its audit log.")

    def list_tenants(self) -> None:
        """With the numbers of their devices and credentials, and what they keep."""
        tenants = Tenant.objects.annotate(
            devices_n=Count("devices", distinct=True), credentials_n=Count("credentials", distinct=True)
        ).order_by("name")
        usages = quota.usages(tenants)
        rows = [
            tenant_document(tenant, usages[tenant.pk])
            | {"devices": tenant.devices_n, "credentials": tenant.credentials_n, "created_at": tenant.created_at}
            for tenant in tenants
        ]
        shown = [
            (row["name"], row["devices"], row["credentials"], str(usages[row["id"]]), row["secrets"], row["created_at"])
            for row in rows
        ]
        empty = "There are no tenants yet; add one with `tenant add NAME`."
        headings = ("name", "devices", "credentials", "keeps", "secrets", "created")
        self.answer({"tenants": rows}, Table(headings, shown, empty))

    def show(self, tenant: Tenant) -> None:
        """What it keeps, and by which rules."""
        usage = quota.usage_of(tenant.pk)
        lines = [
            f"{tenant.name} keeps {usage}.",
            secrets_policy.told(tenant) or "Secrets are stored as devices say them.",
        ]
        self.answer(tenant_document(tenant, usage), "\n".join(lines))

    def set(self, tenant: Tenant, options: dict[str, Any]) -> None:
        """Change what was named. Raises WrongUse where nothing was, or where somebody has to agree first."""
        if options["quota"] is None and options["secrets"] is None:
            raise WrongUse("Say --quota SIZE or --secrets keep or mask; `tenant show` shows them.")
        limit = None if options["quota"] is None else size_of(options["quota"])
        policy = options["secrets"]
        if policy and policy != tenant.secrets_policy:
            self.confirm(secrets_policy.consequences(policy), tenant, yes=options["yes"])
            secrets_policy.set_secrets_policy(tenant, policy, by=operator())
        if limit is not None:
            quota.set_quota(tenant, limit, by=operator())
        self.show(tenant)

    def delete(self, tenant: Tenant, confirmed: str | None) -> None:
        """Ask for it, once its name was typed. Raises WrongUse."""
        days = settings.NETCAIRN_DELETE_DAYS
        said = [
            f"{tenant.name} keeps {quota.usage_of(tenant.pk)}, of {tenant.devices.count()} devices. In {days} days all "
            "of it goes for good: repository, object store, keys, credentials, rows. Until then `tenant undelete` "
            "undoes it; nothing of it is collected from now on.",
            *(f"It cannot reach: {one}" for one in deletion.LEFT_BEHIND),
        ]
        if confirmed is not None and confirmed != tenant.name:
            raise WrongUse(f"--confirm must name the tenant exactly: {tenant.name}.")
        self.confirm(said, tenant, yes=confirmed is not None, otherwise="--confirm with the tenant's name")
        due = deletion.ask(tenant, by=operator(), now=timezone.now())
        text = f"Tenant {tenant.name} is deleted for good on {due:%Y-%m-%d %H:%M} UTC, unless somebody keeps it."
        self.answer({"id": tenant.pk, "ends_at": due}, text)

    def confirm(self, consequences: list[str], tenant: Tenant, *, yes: bool, otherwise: str = "--yes") -> None:
        """Say what follows, and wait for the tenant's name. Raises WrongUse without it."""
        for sentence in consequences:
            self.tell(sentence)
        if yes:
            return
        if not sys.stdin.isatty():
            raise WrongUse(f"Read what follows from this, then say {otherwise}.")
        self.stderr.write(f"\nType {tenant.name} to agree: ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip() != tenant.name:
            raise WrongUse("Nothing was changed.")

    def recount(self, tenant: Tenant) -> None:
        """Both numbers; they are the same unless somebody has changed the repository or the rows by hand."""
        before, after = quota.recount_alone(tenant.pk)
        text = f"{tenant.name} keeps {after}." + ("" if before == after else f" It was written down as {before}.")
        self.answer(tenant_document(tenant, after) | {"kept_bytes_before": before.used}, text)


def size_of(text: str) -> int:
    """Bytes from `500M` or `20G` (of 1024), a plain number, or `none`. Raises WrongUse."""
    try:
        return quota.parse_size(text)
    except Invalid as refusal:
        raise WrongUse(str(refusal)) from refusal


def tenant_document(tenant: Tenant, usage: quota.Usage) -> dict[str, Any]:
    """A tenant as `--json` shows it; the quota is null where there is none."""
    return {
        "id": tenant.pk,
        "name": tenant.name,
        "kept_bytes": usage.used,
        "quota_bytes": usage.limit or None,
        "secrets": tenant.secrets_policy,
    }
