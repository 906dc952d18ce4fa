"""What a version consists of: devices, their files, and the git object of each. All comparing begins here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from backups.models import Snapshot
from backups.store import layout
from backups.store.reader import Entry, TenantStore

FEW = 50  # devices; up to here their folders are read one by one instead of the whole tree


@dataclass(frozen=True, slots=True)
class Content:
    """One file's bytes: where git has them, and how many they are."""

    blob: str
    size: int


Files = Mapping[str, Content]  # by file name
Manifest = Mapping[UUID, Files]  # by device; a device without files is not in it


def of_commit(
    store: TenantStore, commit: str, devices: Collection[UUID] | None = None
) -> dict[UUID, dict[str, Content]]:
    """What a commit holds, of these devices or of all. Raises StoreDamaged, never returns less than there is."""
    if devices is None:
        return of_tree(store.tree(commit, layout.DEVICES))
    if len(devices) > FEW:
        chosen = set(devices)
        whole = of_commit(store, commit)
        return {device: files for device, files in whole.items() if device in chosen}
    folders = [layout.device_folder(device) for device in devices]
    return of_tree(store.entries(commit, folders)) if folders else {}


def of_tree(tree: Mapping[str, Entry]) -> dict[UUID, dict[str, Content]]:
    """The devices' files among the paths of a tree."""
    found: dict[UUID, dict[str, Content]] = {}
    for path, entry in tree.items():
        if place := layout.parse_device_file(path):
            device, name = place
            found.setdefault(device, {})[name] = Content(entry.id, entry.size)
    return found


def of_snapshot(snapshot: Snapshot) -> dict[UUID, dict[str, Content]]:
    """One device's files, from its row. Raises Pruned."""
    snapshot.refuse_pruned()
    files = {name: Content(file["blob"], file["size"]) for name, file in snapshot.files.items()}
    return {snapshot.device_id: files}


def changed_devices(old: Manifest, new: Manifest) -> set[UUID]:
    """Devices whose files are not the same on both sides."""
    return {device for device in old.keys() | new.keys() if old.get(device, {}) != new.get(device, {})}
