"""`record_session`: what a device says, in disguise, as a case for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from backups.netmiko_transport import NetmikoTransport
from backups.recording import Recording, record
from backups.targets import platform_of, target_of
from backups.transport import Limits
from inventory.commands import NetcairnCommand, WrongUse, find_device, tenant_option
from inventory.validators import validate_name


class Command(NetcairnCommand):
    """A device's session for a sheet's tests."""

    help = (
        "Record what a device says to its platform's commands, with secrets, names, addresses and serial numbers "
        "replaced, as a case for the tests. Read every file before you give it away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which device, and where to."""
        parser.add_argument("device", metavar="DEVICE")
        tenant_option(parser)
        parser.add_argument(
            "--to", metavar="DIR", required=True, help="A directory; the case goes to DIR/PLATFORM/NAME."
        )
        parser.add_argument("--as", dest="name", metavar="NAME", help="Hardware and version, as in `c9200_17.9`.")

    def handle(self, **options: Any) -> None:
        """Collect, disguise, prove, write."""
        device = find_device(options["device"], options["tenant"])
        platform = platform_of(device)
        name = options["name"] or "recorded"
        validate_name(name)
        place = Path(options["to"]) / platform.slug / name
        if place.exists():
            raise WrongUse(f"{place} exists already; give the recording another name with --as.")
        target = target_of(device)
        known = [device.name, device.tenant.name, target.username]
        recording = record(target, platform, transport=NetmikoTransport(), limits=Limits(), known=known)
        write(recording, place)
        told = {"place": str(place), "files": sorted(recording.files), "replaced": dict(recording.replaced)}
        self.answer(told, f"Wrote {len(recording.files)} files to {place}.")
        replaced = ", ".join(f"{count} {what}" for what, count in recording.replaced.items())
        self.tell(f"Replaced: {replaced}. A disguise is never complete: read every file before you give it away.")


def write(recording: Recording, place: Path) -> None:
    """The files, for nobody else's eyes."""
    place.mkdir(parents=True, mode=0o700)
    for name, content in recording.files.items():
        (place / name).write_bytes(content)
