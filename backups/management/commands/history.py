"""`history`: a device's versions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from backups.models import Snapshot
from inventory.commands import NetcairnCommand, Table, WrongUse, find_device, tenant_option


class Command(NetcairnCommand):
    """A device's versions, newest first."""

    help = "List the versions of a device's configuration, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which device, and how far back."""
        parser.add_argument("device", metavar="DEVICE")
        tenant_option(parser)
        parser.add_argument("--limit", type=int, default=0, metavar="N", help="At most so many (0: all).")

    def handle(self, **options: Any) -> None:
        """From the table, never by walking the repository."""
        if options["limit"] < 0:
            raise WrongUse("--limit must be 0 (all) or a number of versions.")
        device = find_device(options["device"], options["tenant"])
        snapshots = device.snapshots.prefetch_related("run__checkpoints").order_by("-seq")
        if options["limit"] > 0:
            snapshots = snapshots[: options["limit"]]
        found = list(snapshots)
        rows = [
            [
                s.pk,
                s.taken_at,
                f"+{s.lines_added}",
                f"-{s.lines_removed}",
                s.size,
                s.author,
                f"({content_of(s)})" if s.pruned_at else s.commit[:12],
            ]
            for s in found
        ]
        headings = ["version", "taken at (UTC)", "added", "removed", "bytes", "author", "commit"]
        empty = f"Nothing was kept of {device.name} yet; `backup --device {device.name}` collects it."
        self.answer({"snapshots": [snapshot_document(s) for s in found]}, Table(headings, rows, empty=empty))


def content_of(snapshot: Snapshot) -> str:
    """What has become of its content."""
    return "lost" if snapshot.lost else "pruned" if snapshot.pruned_at else "kept"


def snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as `--json` shows it."""
    checkpoints = list(snapshot.run.checkpoints.all()) if snapshot.run else []
    return {
        "id": snapshot.pk,
        "taken_at": snapshot.taken_at,
        "commit": snapshot.commit,
        "lines_added": snapshot.lines_added,
        "lines_removed": snapshot.lines_removed,
        "size": snapshot.size,
        "files": sorted(snapshot.files),
        "author": snapshot.author,
        "checkpoint": checkpoints[0].pk if checkpoints else None,
        "content": content_of(snapshot),
    }
