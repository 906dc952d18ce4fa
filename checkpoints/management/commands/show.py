"""`show`: the exact stored bytes of a device's file, now or at a moment."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from backups.content import for_eyes
from backups.models import Snapshot
from backups.store.reader import open_store
from checkpoints.compare import newest, side_of
from checkpoints.errors import NothingKept
from checkpoints.find import Version, find_version
from checkpoints.manifest import Files
from inventory.commands import NetcairnCommand, WrongUse, find_device, tenant_option
from inventory.errors import UnknownPlatform
from inventory.models import Device
from inventory.platforms import registry


class Command(NetcairnCommand):
    """What a device said, byte for byte."""

    help = "Print a device's configuration exactly as it is stored: the newest, or as it was at some moment."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which device, when, and which of its files."""
        parser.add_argument("device", metavar="DEVICE")
        tenant_option(parser)
        parser.add_argument(
            "--at", metavar="VERSION", help="A version, a checkpoint, a ref, or a time (ISO 8601, UTC)."
        )
        parser.add_argument("--file", metavar="NAME", help="Which of its files (default: the running configuration).")
        parser.add_argument("--masked", action="store_true", help="Replace secrets.")

    def handle(self, **options: Any) -> None:
        """Bytes to stdout, nothing added."""
        device = find_device(options["device"], options["tenant"])
        files = files_of(device, options["at"])
        name = options["file"] or main_file(device, files)
        if name not in files:
            raise WrongUse(f"{device.name} has no file {name!r}; it has {', '.join(sorted(files))}.")
        content = open_store(device.tenant_id).blob(files[name].blob)
        seen = for_eyes(content, device.platform, secrets=not options["masked"])
        if self.as_json:
            self.answer({"device": device.name, "file": name, "size": len(seen), "text": seen.decode("latin-1")}, "")
            return
        sys.stdout.buffer.write(seen)
        sys.stdout.buffer.flush()


def files_of(device: Device, at: str | None) -> Files:
    """The device's files at the moment that is meant. Raises NothingKept, UnknownVersion."""
    moment = moment_of(at) if at else None
    version: Version = newest(device)
    if at:
        version = at_time(device, moment) if moment else find_version(at, device.tenant)
    if isinstance(version, Device) or (isinstance(version, Snapshot) and version.device_id != device.pk):
        raise WrongUse(f"{at!r} is not a version of {device.name}; `history {device.name}` shows them.")
    files = side_of(version, open_store(device.tenant_id)).manifest.get(device.pk)
    if not files:
        raise NothingKept(f"{device.name} is not in {at!r}: nothing was kept of it then, or it was not chosen.")
    return files


def moment_of(text: str) -> datetime | None:
    """The time that is meant, in UTC where no zone is named; a day means its end. None for what is no time."""
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError as exc:
        raise WrongUse(f"{text!r} is not a time that exists.") from exc
    if moment is None or day is not None:
        return datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC) if day else None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def at_time(device: Device, moment: datetime) -> Snapshot:
    """The version that was the newest at that time. Raises NothingKept."""
    snapshot = device.snapshots.filter(taken_at__lte=moment).order_by("-seq").first()
    if snapshot is None:
        raise NothingKept(f"Nothing was kept of {device.name} before {moment:%Y-%m-%d %H:%M:%S %Z}.")
    return snapshot


def main_file(device: Device, files: Files) -> str:
    """The first file that the platform's sheet names and that is there."""
    try:
        named = registry.platform(device.platform).filenames
    except UnknownPlatform:
        named = ()
    return next((name for name in named if name in files), min(files))
