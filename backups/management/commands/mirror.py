"""`mirror add NAME --tenant T --url URL --credential C`, `mirror list`, `mirror push NAME`, `mirror delete NAME`"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups.mirrors.models import Mirror
from backups.mirrors.pushing import behind, push_mirror
from backups.mirrors.services import add_mirror, find_mirror, remove_mirror, told
from inventory import audit
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option


class Command(NetcairnCommand):
    """Plain git remotes that get all that a tenant's repository holds."""

    help = "Add, list, push to or delete mirrors: plain git repositories elsewhere that get all that a tenant keeps."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        add = self.verb(verbs, "add", "Register a mirror. It gets secrets inside configurations, too.")
        add.add_argument("name", metavar="NAME")
        tenant_option(add, required=True)
        add.add_argument("--url", required=True, metavar="URL", help="https://host/path or ssh://host/path")
        add.add_argument("--credential", metavar="NAME", help="User and private key, or user and token.")
        add.add_argument("--yes", action="store_true", help="You know what a mirror hands out; do not ask.")
        tenant_option(self.verb(verbs, "list", "List mirrors, and how far behind they are."))
        for verb, text in (
            ("push", "Push now, and wait for it."),
            ("delete", "Forget a mirror; what is there stays there."),
        ):
            chosen = self.verb(verbs, verb, text)
            chosen.add_argument("name", metavar="NAME")
            tenant_option(chosen, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        match options["verb"]:
            case "add":
                self.add(options)
            case "list":
                self.list_mirrors(options["tenant"])
            case "push":
                self.push(find_mirror(find_tenant(options["tenant"]), options["name"]))
            case "delete":
                remove_mirror(find_mirror(find_tenant(options["tenant"]), options["name"]), by=operator())
                self.answer({"deleted": options["name"]}, f"Mirror {options['name']} is forgotten.")

    def add(self, options: dict[str, Any]) -> None:
        """Register one, once somebody has read what that means. Raises WrongUse."""
        tenant = find_tenant(options["tenant"])
        if not options["yes"]:
            self.tell(told(tenant))
            if not sys.stdin.isatty():
                raise WrongUse("Read what a mirror hands out, then say --yes.")
            self.stderr.write(f"\nType {tenant.name} to agree: ", ending="")
            self.stderr.flush()
            if sys.stdin.readline().strip() != tenant.name:
                raise WrongUse("Nothing was changed.")
        mirror = add_mirror(
            tenant, options["name"], url=options["url"], credential=options["credential"], by=operator()
        )
        self.answer(document(mirror), f"Mirror {mirror.name} was added; its first push comes with the next minute.")

    def list_mirrors(self, name: str | None) -> None:
        """All, or a tenant's."""
        mirrors = Mirror.objects.select_related("tenant", "tenant__repository").order_by("tenant__name", "name")
        if name:
            mirrors = mirrors.filter(tenant=find_tenant(name))
        documents = [document(mirror) for mirror in mirrors]
        columns = ("tenant", "name", "url", "enabled", "behind", "same_at", "trouble")
        headings = ("tenant", "name", "address", "enabled", "behind", "up to date at", "trouble")
        rows = [[one[column] for column in columns] for one in documents]
        self.answer({"mirrors": documents}, Table(headings, rows, "There are no mirrors; add one with `mirror add`."))

    def push(self, mirror: Mirror) -> None:
        """Exit 1 where it is not up to date then."""
        outcome = push_mirror(mirror, now=timezone.now())
        if outcome is None:
            raise WrongUse(f"Mirror {mirror} is not enabled, or is being pushed to just now.")
        audit.record(mirror.tenant, by=operator(), action="mirror.pushed", about=mirror.name)
        mirror.refresh_from_db()
        told = outcome.trouble or f"Mirror {mirror} has everything up to change {mirror.seq}."
        self.answer(document(mirror) | {"refs_pushed": outcome.pushed, "kept_aside": outcome.kept}, told)
        if outcome.trouble:
            sys.exit(1)


def document(mirror: Mirror) -> dict[str, Any]:
    """A mirror as `--json` shows it."""
    repository = getattr(mirror.tenant, "repository", None)
    return {
        "id": mirror.pk,
        "tenant": mirror.tenant.name,
        "name": mirror.name,
        "url": mirror.url,
        "enabled": mirror.enabled,
        "seq": mirror.seq,
        "behind": behind(mirror, repository.seq if repository else 0),
        "same_at": mirror.same_at,
        "trouble": mirror.trouble,
    }
