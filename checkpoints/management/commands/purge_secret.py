"""`purge_secret`: the one command that writes a tenant's record anew."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from checkpoints.purging import INSTEAD, UNREACHABLE, Purged, purge_secret
from inventory.commands import NetcairnCommand, Table, find_tenant, operator
from inventory.models import Tenant


class Command(NetcairnCommand):
    """For the day when a key was in a configuration."""

    help = "Write a tenant's record anew without a secret. Ids of commits change; the map from old to new is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and why; the secret itself is never an argument, where others could read it."""
        parser.add_argument("--tenant", metavar="NAME", required=True, help="The tenant's name.")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="Why; it stands in the audit log.")
        parser.add_argument("--instead", default=INSTEAD, metavar="TEXT", help=f"In its place (default: {INSTEAD}).")
        parser.add_argument("--secret-stdin", action="store_true", help="Read the secret from the first line of stdin.")
        parser.add_argument("--confirm", metavar="NAME", help="The tenant's name again, where nobody can be asked.")

    def handle(self, **options: Any) -> None:
        """Ask, do it, say what it could not reach; 1 where the old objects are still on the disk."""
        tenant = find_tenant(options["tenant"])
        secret = sys.stdin.readline().rstrip("\r\n") if options["secret_stdin"] else getpass.getpass("Secret: ")
        self.confirm(tenant, options["confirm"])
        done = purge_secret(
            tenant,
            secret,
            reason=options["reason"],
            by=operator(),
            now=timezone.now(),
            instead=options["instead"],
        )
        self.answer(document(done), table(done))
        for refusal in done.collected.refused:
            self.tell(f"The old objects are still on the disk: {refusal}")
        if done.collected.refused:
            sys.exit(1)

    def confirm(self, tenant: Tenant, typed: str | None) -> None:
        """Nobody does this by a slip of the finger."""
        self.tell(
            f"This writes the record of {tenant} anew. Ids of commits change from the first that holds the secret on, "
            "and clones made before no longer fit."
        )
        if typed is None:
            self.tell(f"Type the tenant's name ({tenant}) to go on:")
            typed = sys.stdin.readline().strip()
        if typed != tenant.name:
            raise CommandError("Nothing was changed: that is not the tenant's name.")


def document(done: Purged) -> dict[str, Any]:
    """What was changed, the map, and what is out of reach."""
    return {
        "id": done.purge.pk,
        "tenant": done.purge.tenant.name,
        "files": done.purge.files,
        "versions": done.purge.versions,
        "commits": done.purge.commits,
        "still_on_devices": [device.name for device in done.devices],
        "out_of_reach": list(UNREACHABLE),
        "off_the_disk": not done.collected.refused,
    }


def table(done: Purged) -> Table:
    """The same for people; the map is kept with the purge."""
    first = "change it there first, or the next backup brings it back"
    rows: list[list[object]] = [
        ["texts rewritten", done.purge.files],
        ["versions", done.purge.versions],
        ["commits with a new id", len(done.purge.commits)],
    ]
    rows += [[first, device.name] for device in done.devices]
    rows += [["out of reach", text] for text in UNREACHABLE]
    return Table(["what", ""], rows)
