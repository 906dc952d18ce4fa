"""What the page of a checkpoint lists: its devices, or those of them that changed since its parent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

from backups.errors import BackupError
from backups.models import Snapshot
from backups.pages import PER_PAGE
from backups.store.reader import open_store
from checkpoints import manifest
from checkpoints.compare import compare
from checkpoints.models import Checkpoint
from inventory.models import Device


@dataclass
class Entry:
    """One device of a checkpoint: its files, or those that changed with what became of them."""

    device: Device
    files: Sequence[Any] = ()
    size: int = 0
    version: Snapshot | None = None  # the one that the checkpoint holds


@dataclass(frozen=True)
class Listed:
    """A page of the list, or why there is none."""

    page: Page | None = None
    entries: Sequence[Entry] = field(default_factory=list)
    refusal: str = ""


Lister = Callable[[Checkpoint], Sequence[Entry]]


def listed(lister: Lister, checkpoint: Checkpoint, request: HttpRequest) -> Listed:
    """The page that was asked for; what is expected to go wrong is its sentence."""
    try:
        page = Paginator(lister(checkpoint), PER_PAGE).get_page(request.GET.get("page", "1"))
    except BackupError as error:
        return Listed(refusal=str(error))
    entries = list(page.object_list)
    held = versions_held(checkpoint, [entry.device.pk for entry in entries])
    for entry in entries:
        entry.version = held.get(entry.device.pk)
    return Listed(page, entries)


def changed_devices(checkpoint: Checkpoint) -> list[Entry]:
    """Devices that differ from the parent, with the files that do. Raises StoreDamaged, NotComparable."""
    if checkpoint.parent is None:
        return []
    changes = compare(checkpoint.parent, checkpoint).changes
    return [Entry(device, list(files)) for device, files in groupby(changes, key=lambda change: change.device)]


def all_devices(checkpoint: Checkpoint) -> list[Entry]:
    """Every device in it, in order of name. Raises StoreDamaged."""
    held = manifest.of_commit(open_store(checkpoint.tenant_id), checkpoint.content)
    devices = Device.objects.filter(tenant=checkpoint.tenant_id).in_bulk(held)
    entries = [
        Entry(devices[device], sorted(files), sum(content.size for content in files.values()))
        for device, files in held.items()
        if device in devices
    ]
    return sorted(entries, key=lambda entry: entry.device.name)


def versions_held(checkpoint: Checkpoint, devices: Sequence[UUID]) -> dict[UUID, Snapshot]:
    """The version of each device that a checkpoint holds: the newest of its moment."""
    versions = Snapshot.objects.filter(device__in=devices, seq__lte=checkpoint.seq).latest_by_device()
    return {version.device_id: version for version in versions}
