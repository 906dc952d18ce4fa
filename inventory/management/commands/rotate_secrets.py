"""`rotate_secrets`"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError

from inventory.audit import record
from inventory.commands import NetcairnCommand, operator
from inventory.services import Rotation, rotate_secrets


class Command(NetcairnCommand):
    """Seal all secrets with the newest key."""

    help = (
        "Seal every secret with the newest key of NETCAIRN_SECRETS_KEYS. "
        "Put a new key first, run this, and then remove the old one. It may be stopped and started again at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate; exit status 1 when something did not open."""
        rotation = rotate_secrets(progress=self.progress)
        counts = {"resealed": rotation.resealed, "unreadable": len(rotation.unreadable)}
        record(None, by=operator(), action="secrets.rotated", about="all tenants", detail=counts)
        document = {
            "credentials": rotation.credentials,
            "resealed": rotation.resealed,
            "current": rotation.current,
            "moved": rotation.moved,
            "unreadable": rotation.unreadable,
        }
        self.answer(document, summary(rotation))
        for sentence in rotation.unreadable:
            self.tell(sentence)
        if rotation.unreadable:
            raise CommandError("Keep the old keys until these are mended.")

    def progress(self, done: int) -> None:
        """A number that moves, for a person who waits."""
        if sys.stderr.isatty() and done % 100 == 0:
            self.stderr.write(f"\r{done:,} credentials", style_func=str, ending="")


def summary(rotation: Rotation) -> str:
    """What came of it."""
    told = f"{rotation.resealed:,} sealed anew, {rotation.current:,} had the newest key already"
    if rotation.moved:
        told += f", {rotation.moved:,} changed by somebody at the same moment"
    return f"{told}, {len(rotation.unreadable):,} unreadable, in {rotation.credentials:,} credentials."
