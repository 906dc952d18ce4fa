"""`blame`: which version brought each line of a device's file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from backups import looks
from backups.blame import Blame, blame, find_version, main_file
from backups.models import Snapshot
from inventory.commands import NetcairnCommand, Table, find_device, operator, tenant_option
from inventory.models import Device


class Command(NetcairnCommand):
    """Every line, with the version, the run and the person that it came with."""

    help = "Show which version, run and person brought each line of a device's configuration."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which device, which version, and which of its files."""
        parser.add_argument("device", metavar="DEVICE")
        tenant_option(parser)
        parser.add_argument(
            "--at", metavar="VERSION", help="A version, or a time (ISO 8601, UTC); default: the newest."
        )
        parser.add_argument("--file", metavar="NAME", help="Which of its files (default: the running configuration).")
        parser.add_argument("--masked", action="store_true", help="Replace secrets.")

    def handle(self, **options: Any) -> None:
        """Lines to stdout, in order."""
        device = find_device(options["device"], options["tenant"])
        version = find_version(device, options["at"])
        found = blame(version, options["file"] or main_file(version), secrets=not options["masked"])
        if not options["masked"]:
            looks.seen(version, by=operator(), how="blame")
        self.answer(blame_document(device, found), blame_table(found))
        if not found.complete:
            self.tell("There are more versions than were looked at: the oldest lines may be older than shown.")


def blame_document(device: Device, found: Blame) -> dict[str, Any]:
    """A blame as `--json` shows it; bytes that are no UTF-8 are written out as \\xff."""
    return {
        "device": device.name,
        "tenant": device.tenant.name,
        "file": found.name,
        "version": found.version.pk,
        "masked": found.masked,
        "complete": found.complete,
        "versions": [version_document(version, count) for version, count in found.versions.items()],
        "lines": [
            {"number": line.number, "version": line.version.pk, "text": line.text.decode("utf-8", "backslashreplace")}
            for line in found.lines
        ],
    }


def version_document(version: Snapshot, count: int) -> dict[str, Any]:
    """A version that brought lines, and how many of them are still there."""
    return {
        "id": version.pk,
        "taken_at": version.taken_at,
        "commit": version.commit,
        "run": version.run_id,
        "trigger": version.run.trigger if version.run else None,
        "author": version.author,
        "lines": count,
    }


def blame_table(found: Blame) -> Table:
    """A line for each line."""
    rows = [
        [
            str(line.version.pk)[:8],
            line.version.taken_at,
            str(line.version.run_id)[:8] if line.version.run_id else None,
            line.version.author,
            line.number,
            line.text.decode("utf-8", "backslashreplace"),
        ]
        for line in found.lines
    ]
    return Table(["version", "taken at (UTC)", "run", "author", "line", "text"], rows, empty="The file is empty.")
