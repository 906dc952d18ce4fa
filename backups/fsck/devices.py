"""Devices that git knows and the database does not any more: they come back as retired, under the name they had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from backups.errors import NameRefused, RebuildRefused
from backups.store import layout
from inventory.models import Device, Tenant

UNKNOWN_ADDRESS = "unknown.invalid"  # a name that never resolves (RFC 2606)
UNKNOWN_PLATFORM = "unknown"


@dataclass
class Names:
    """The devices of a record, and what they were called last."""

    devices: set[UUID] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)  # blob of a link -> the device's name

    def link(self, path: str, blob: str) -> None:
        """Note a path, where it is a link that names a device."""
        folder, _, name = path.partition("/")
        if folder == layout.BY_NAME:
            self.links[blob] = name

    def of(self, device_id: UUID) -> str:
        """What a device was called last; made from its id where no link tells, or tells something that is no name."""
        name = self.links.get(layout.blob_id(layout.link_target(device_id)), "")
        try:
            return layout.checked_device_name(name)
        except NameRefused:
            return f"device-{device_id.hex[:8]}"


def recreate_devices(tenant: Tenant, names: Names, *, now: datetime) -> int:
    """Rows for devices without one, retired, so that nobody logs in to them; how many. Raises RebuildRefused."""
    known = dict(Device.objects.filter(pk__in=names.devices).values_list("pk", "tenant_id"))
    if strangers := sorted(str(pk) for pk, owner in known.items() if owner != tenant.pk):
        raise RebuildRefused(f"Device {strangers[0]} in the repository of {tenant} belongs to another tenant.")
    taken = {name.lower() for name in Device.objects.filter(tenant=tenant).values_list("name", flat=True)}
    rows = [
        Device(
            id=pk,
            tenant=tenant,
            name=name,
            address=UNKNOWN_ADDRESS,
            platform=UNKNOWN_PLATFORM,
            enabled=False,
            retired_at=now,
        )
        for pk, name in free_names(sorted(names.devices - known.keys()), names, taken)
    ]
    return len(Device.objects.bulk_create(rows))


def free_names(devices: list[UUID], names: Names, taken: set[str]) -> Iterator[tuple[UUID, str]]:
    """A name for each; one that another device has by now gets the beginning of the id behind it."""
    for pk in devices:
        name = names.of(pk)
        if name.lower() in taken:
            name = f"{name[:80]}-{pk.hex[:8]}"
        taken.add(name.lower())
        yield pk, name
