"""`show`: the exact stored bytes of a device's file, now or at a moment."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from backups import looks
from backups.content import for_eyes
from backups.models import Snapshot
from backups.store.reader import open_store
from backups.store.walk import file_at
from checkpoints.compare import newest, side_of
from checkpoints.errors import NothingKept
from checkpoints.find import Version, find_version
from checkpoints.manifest import Files
from checkpoints.models import Checkpoint
from inventory.commands import NetcairnCommand, WrongUse, find_device, operator, tenant_option
from inventory.errors import UnknownPlatform
from inventory.models import Device
from inventory.platforms import registry
from inventory.platforms.masking import was_masked


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
        content, name = content_of(device, options["at"], options["file"])
        if was_masked(content):
            self.tell(f"Secrets of {device.name} were masked before this was stored: it cannot be put back.")
        seen = for_eyes(content, device.platform, secrets=not options["masked"])
        if not options["masked"]:
            looks.shown(device, name, by=operator())
        if self.as_json:
            masked = options["masked"] or was_masked(content)
            text = {"size": len(seen), "masked": masked, "text": seen.decode("latin-1")}
            self.answer({"device": device.name, "file": name, **text}, "")
            return
        sys.stdout.buffer.write(seen)
        sys.stdout.buffer.flush()


def content_of(device: Device, at: str | None, name: str | None) -> tuple[bytes, str]:
    """One file of the device at the moment that is meant, and its name. Raises NothingKept, UnknownVersion."""
    version = version_of(device, at)
    store = open_store(device.tenant_id)
    if isinstance(version, Checkpoint):
        # Down five small trees instead of listing them with a git of its own.
        for one in [name] if name else named_by_sheet(device):
            content = file_at(store, version.content, device.pk, one)
            if content is not None:
                return content, one
    files = files_of(device, version, at)
    name = name or main_file(device, files)
    if name not in files:
        raise WrongUse(f"{device.name} has no file {name!r}; it has {', '.join(sorted(files))}.")
    return store.blob(files[name].blob), name


def version_of(device: Device, at: str | None) -> Version:
    """What is meant by a moment. Raises NothingKept, UnknownVersion."""
    moment = moment_of(at) if at else None
    version: Version = newest(device)
    if at:
        version = at_time(device, moment) if moment else find_version(at, device.tenant)
    if isinstance(version, Device) or (isinstance(version, Snapshot) and version.device_id != device.pk):
        raise WrongUse(f"{at!r} is not a version of {device.name}; `history {device.name}` shows them.")
    return version


def files_of(device: Device, version: Version, at: str | None) -> Files:
    """The device's files in a version. Raises NothingKept."""
    files = side_of(version, open_store(device.tenant_id), [device.pk]).manifest.get(device.pk)
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
    return next((name for name in named_by_sheet(device) if name in files), min(files))


def named_by_sheet(device: Device) -> tuple[str, ...]:
    """The files that the device's platform may have, the running configuration first."""
    try:
        return registry.platform(device.platform).filenames
    except UnknownPlatform:
        return ()
