"""`unlock [NAME]`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from inventory.audit import record
from inventory.commands import NetcairnCommand, operator
from inventory.lockouts import Lockout


class Command(NetcairnCommand):
    """The way back in for the only administrator."""

    help = "Let somebody log in again who is locked after failed logins: a username, an address, or everybody."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom."""
        parser.add_argument("name", nargs="?", metavar="NAME", help="A username or an address; without it, all.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Forget what was counted."""
        found = Lockout.objects.order_by("pk")
        if options["name"]:
            found = found.filter(name=options["name"])
        with transaction.atomic():
            rows = [str(row) for row in found if row.until and row.until > timezone.now()]
            found.delete()
            for row in rows:
                record(None, by=operator(), action="login.lock_lifted", about=row)
        self.answer({"lifted": rows}, f"Lifted: {', '.join(rows)}." if rows else "Nothing was locked.")
