"""`diff A B`: what changed between two versions."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from backups.store.patches import DiffCaps
from checkpoints.compare import Comparison, FileDiff, compare, file_diffs
from checkpoints.diff import visible
from checkpoints.documents import diff_document, diff_table
from checkpoints.find import Version, find_two, find_version
from checkpoints.live import LIVE, as_it_was, collect_network, collect_now, device_of
from checkpoints.models import Checkpoint
from checkpoints.patch import patch_of
from checkpoints.startup import STARTUP, compare_startup, startup_file
from inventory.audit import record
from inventory.commands import NetcairnCommand, WrongUse, find_device, find_tenant, operator, tenant_option
from inventory.models import Tenant

CAPS = DiffCaps(max_bytes=256 * 1024 * 1024, max_lines=5_000_000, seconds=300.0)  # a terminal has a pager


class Command(NetcairnCommand):
    """Two versions side by side."""

    help = "Show what changed between two checkpoints, snapshots or devices, or since then on the running device."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which two, and how much of them."""
        version = (
            "An id of a snapshot or a checkpoint, at least 8 digits of one, a ref, a device (its newest), or `live`: "
            "the device is backed up first."
        )
        starts = " As B also `startup`: what the device starts with, collected first."
        parser.add_argument("old", metavar="A", help=version)
        parser.add_argument("new", metavar="B", help=version + starts)
        tenant_option(parser)
        parser.add_argument("--device", action="append", default=[], metavar="NAME", help="Only this one; repeatable.")
        parser.add_argument("--all", action="store_true", help="Between a checkpoint and live: all its devices.")
        parser.add_argument(
            "--raw", action="store_true", help="As stored: secrets in clear, and lines that never count as a change."
        )
        parser.add_argument("--stat", action="store_true", help="Only count the lines of each file.")

    def handle(self, **options: Any) -> None:
        """Compare, then show."""
        tenant = find_tenant(options["tenant"]) if options["tenant"] else None
        names = list(dict.fromkeys(options["device"]))
        compared: Comparison | None = None
        if STARTUP in (options["old"], options["new"]):
            compared = self.with_startup(options["old"], options["new"], tenant, names)
            old, new = compared.old.version, compared.new.version
        elif LIVE in (options["old"], options["new"]):
            old, new = self.with_live(options["old"], options["new"], tenant, names, whole=options["all"])
        else:
            old, new = find_two(options["old"], options["new"], tenant)
        comparison = compared or compare(old, new, devices=[find_device(name, new.tenant).pk for name in names] or None)
        tidy = not options["raw"]
        if not tidy:
            detail = {"old": str(old.pk), "new": str(new.pk), "how": "command"}
            record(new.tenant, by=operator(), action="version.compared", about=str(new), detail=detail)
        context = 0 if options["stat"] or self.as_json else 3
        diffs = list(file_diffs(comparison, masked=tidy, hide_volatile=tidy, context=context, caps=CAPS))
        if self.as_json or options["stat"]:
            self.answer(diff_document(comparison, diffs, masked=tidy, volatile=tidy), diff_table(diffs))
        else:
            self.show(comparison, diffs, raw=options["raw"])
        self.mention_hidden(diffs)

    def with_live(
        self, old: str, new: str, tenant: Tenant | None, names: list[str], *, whole: bool
    ) -> tuple[Version, Version]:
        """Both sides, one of which is the running device, or with `whole` all that a checkpoint holds."""
        from backups.conf import limits  # netmiko takes seconds to import, which no other difference should pay
        from backups.netmiko_transport import NetmikoTransport

        if old == new:
            raise WrongUse("Only one of the two can be live.")
        other = find_version(new if old == LIVE else old, tenant)
        if whole and isinstance(other, Checkpoint):
            self.tell(f"Collecting the devices of {other.short_id}…")
            seen = collect_network(other, by=operator(), transport=NetmikoTransport(), limits=limits())
            return (seen, other) if old == LIVE else (other, seen)
        device = device_of(other, [find_device(name, other.tenant) for name in names])
        then = as_it_was(other)
        self.tell(f"Collecting {device.name}…")
        now = collect_now(device, by=operator(), transport=NetmikoTransport(), limits=limits())
        return (now, then) if old == LIVE else (then, now)

    def with_startup(self, old: str, new: str, tenant: Tenant | None, names: list[str]) -> Comparison:
        """What a version says of running, and what its device starts with: collected for the purpose."""
        from backups.conf import limits  # netmiko takes seconds to import, which no other difference should pay
        from backups.netmiko_transport import NetmikoTransport

        if old == STARTUP:
            raise WrongUse("Give startup second: what it is compared with comes first.")
        other = find_version(old, tenant)
        device = device_of(other, [find_device(name, other.tenant) for name in names])
        startup_file(device)
        then = as_it_was(other)
        self.tell(f"Collecting {device.name}…")
        return compare_startup(then, collect_now(device, by=operator(), transport=NetmikoTransport(), limits=limits()))

    def show(self, comparison: Comparison, diffs: Sequence[FileDiff], *, raw: bool) -> None:
        """The unified text; exact bytes for another program, harmless characters for a terminal."""
        patch = patch_of(diff for diff in diffs if not diff.hidden)
        if raw and not self.stdout.isatty() and hasattr(sys.stdout, "buffer"):
            sys.stdout.flush()
            sys.stdout.buffer.write(patch)
            sys.stdout.buffer.flush()
            return
        for line in patch.split(b"\n")[:-1]:
            self.stdout.write(visible(line))
        if not patch:
            self.tell(f"No difference between {comparison.old.label} and {comparison.new.label}.")

    def mention_hidden(self, diffs: Sequence[FileDiff]) -> None:
        """Say what was not shown, or nobody would look for it."""
        hidden = [diff.change.path for diff in diffs if diff.hidden]
        if hidden:
            which = ", ".join(hidden[:3]) + (f" and {len(hidden) - 3} more" if len(hidden) > 3 else "")
            self.tell(f"Only masked secrets or lines that never count as a change differ in {which}; --raw shows them.")
