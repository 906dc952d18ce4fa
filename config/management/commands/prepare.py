"""`netcairn prepare`: what has to be done once for each version before it serves."""

from __future__ import annotations

from typing import Any

from config import serving
from inventory.commands import NetcairnCommand


class Command(NetcairnCommand):
    """The first half of `up`, for service managers."""

    help = "Bring database and static files to this version; make the first administrator where there is none."

    def handle(self, **options: Any) -> None:
        """Safe to be called by several services at once, and again."""
        serving.prepare(tell=self.tell)
        administrator = serving.first_administrator()
        document = {
            "username": administrator.username if administrator else None,
            "password": administrator.password if administrator else None,
        }
        told = f"Log in as {document['username']} with the password {document['password']} (shown this once)."
        self.answer(document, told if administrator else "Ready.")
