"""Two versions side by side: which files differ, and how their text does.

Comparing ids says which files differ; only those are read. Masking and hiding volatile lines happen to both sides
before the texts are compared, so nothing that is hidden leaves this module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from backups.models import Snapshot
from backups.store.patches import DiffCaps
from backups.store.reader import TenantStore, open_store
from checkpoints import manifest, texts
from checkpoints.display import Numbers
from checkpoints.errors import NotComparable, NothingKept
from checkpoints.find import Version, described
from checkpoints.manifest import Content, Manifest
from checkpoints.models import Checkpoint
from checkpoints.texts import Text, TextDiff
from inventory.errors import UnknownPlatform
from inventory.models import Device
from inventory.platforms.registry import platform
from inventory.platforms.sheet import Platform

AT_ONCE = 200  # files that are compared in one go
BYTES_AT_ONCE = 16 * 1024 * 1024

Status = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Side:
    """One of the two versions."""

    version: Version
    manifest: Manifest
    device: UUID | None = None  # the version is of this one device
    whole: bool = True  # a device that is not in the manifest had nothing; else it was just not chosen

    @property
    def label(self) -> str:
        """What it is, for a heading."""
        return described(self.version)


@dataclass(frozen=True)
class FileChange:
    """One file that differs."""

    device: Device  # on the new side, by today's name
    name: str
    old: Content | None
    new: Content | None
    old_device: Device  # another one only where two devices are compared

    @property
    def path(self) -> str:
        """How people name the file."""
        return f"{self.device.name}/{self.name}"

    @property
    def status(self) -> Status:
        """What became of it."""
        if self.old is None:
            return "added"
        return "changed" if self.new else "removed"

    @property
    def size(self) -> int:
        """Bytes that have to be read to compare it."""
        return sum(content.size for content in (self.old, self.new) if content)


@dataclass(frozen=True)
class Comparison:
    """Two versions, and the files that differ between them, in order of path."""

    old: Side
    new: Side
    changes: tuple[FileChange, ...]
    store: TenantStore


@dataclass(frozen=True)
class FileDiff:
    """How the text of one file differs, as somebody may see it."""

    change: FileChange
    diff: TextDiff
    numbers: Numbers
    old_lines: int  # of the text that was compared, for the last fold
    masked: bool
    hide_volatile: bool

    @property
    def hidden(self) -> bool:
        """The file differs, but only in what is masked or hidden here."""
        same = not (self.diff.lines_added or self.diff.lines_removed or self.diff.patch.binary)
        return same and self.change.status == "changed"


def compare(old: Version, new: Version, *, devices: Collection[UUID] | None = None) -> Comparison:
    """Which files differ between two versions of one tenant, of these devices where some are given.

    A device stands for its newest snapshot. Against one device, or a checkpoint of chosen devices, only these are
    compared. Raises NotComparable, NothingKept, StoreDamaged.
    """
    if old.tenant_id != new.tenant_id:
        raise NotComparable("The two versions belong to different tenants, which are never compared.")
    store = open_store(new.tenant_id)
    only = devices_of_interest(old, new, devices)
    before, after = side_of(old, store, only), side_of(new, store, only)
    scope = scope_of(before, after, devices)
    left, right = before.manifest, after.manifest
    if before.device and after.device:
        left = {after.device: left[before.device]}
    changes = file_changes(left, right, scope, old_device=before.device)
    return Comparison(before, after, tuple(changes), store)


def devices_of_interest(old: Version, new: Version, devices: Collection[UUID] | None) -> Collection[UUID] | None:
    """The devices whose files a checkpoint has to be read for; None: all."""
    for version in (old, new):
        if isinstance(version, Snapshot):
            return [version.device_id]
        if isinstance(version, Device):
            return [version.pk]
    return devices


def side_of(version: Version, store: TenantStore, only: Collection[UUID] | None = None) -> Side:
    """A version with what it consists of, of these devices or of all. Raises NothingKept, StoreDamaged."""
    if isinstance(version, Checkpoint):
        return Side(version, manifest.of_commit(store, version.content, only), whole=version.whole)
    snapshot = version if isinstance(version, Snapshot) else newest(version)
    return Side(version, manifest.of_snapshot(snapshot), device=snapshot.device_id)


def newest(device: Device) -> Snapshot:
    """The device's newest snapshot. Raises NothingKept."""
    snapshot = Snapshot.objects.filter(device=device).order_by("-seq").first()
    if snapshot is None:
        raise NothingKept(f"Nothing was kept of {device.name} yet; `backup --device {device.name}` collects it.")
    return snapshot


def scope_of(old: Side, new: Side, devices: Collection[UUID] | None) -> set[UUID]:
    """The devices that both sides have something to say about. Raises NotComparable where there are none."""
    scope = set(old.manifest) | set(new.manifest)
    if old.device and new.device:
        scope = {new.device}
    elif one := old.device or new.device:
        scope = {one}
    for side in (old, new):
        if not side.whole:
            scope &= set(side.manifest)
    if not scope and (old.manifest or new.manifest):
        raise NotComparable(f"{old.label.capitalize()} and {new.label} have no device in common.")
    return scope if devices is None else scope & set(devices)


def file_changes(old: Manifest, new: Manifest, scope: Iterable[UUID], *, old_device: UUID | None) -> list[FileChange]:
    """The files that differ, in order of path."""
    differing = [
        (device, name, old.get(device, {}).get(name), new.get(device, {}).get(name))
        for device in scope
        for name in old.get(device, {}).keys() | new.get(device, {}).keys()
        if old.get(device, {}).get(name) != new.get(device, {}).get(name)
    ]
    known = Device.objects.in_bulk({device for device, *_ in differing} | ({old_device} if old_device else set()))
    changes = [
        FileChange(known[device], name, before, after, known[old_device or device])
        for device, name, before, after in differing
    ]
    return sorted(changes, key=lambda change: (change.device.name, change.name))


def file_diffs(
    comparison: Comparison,
    changes: Sequence[FileChange] | None = None,
    *,
    masked: bool,
    hide_volatile: bool,
    context: int = 3,
    caps: DiffCaps | None = None,
) -> Iterator[FileDiff]:
    """The text of each change (of all of them by default), compared in groups as the caller goes on.

    `masked`: secrets are replaced on both sides before comparing, so a change of a secret alone is not shown.
    `hide_volatile`: lines that never count as a change are left out before comparing. `caps` hold for each group.
    Raises StoreDamaged, GitTooSlow.
    """
    for group in grouped(comparison.changes if changes is None else changes):
        pairs = [texts_of(comparison.store, change, masked, hide_volatile) for change in group]
        diffs = texts.diff_texts(comparison.store.git, pairs, context=context, caps=caps or DiffCaps())
        for change, (old, new), diff in zip(group, pairs, diffs, strict=True):
            numbers = Numbers(old.numbers if old else None, new.numbers if new else None)
            yield FileDiff(change, diff, numbers, old.line_count if old else 0, masked, hide_volatile)


def grouped(changes: Iterable[FileChange]) -> Iterator[list[FileChange]]:
    """Groups whose texts fit into memory together."""
    group: list[FileChange] = []
    size = 0
    for change in changes:
        if group and (len(group) >= AT_ONCE or size + change.size > BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(change)
        size += change.size
    if group:
        yield group


def texts_of(
    store: TenantStore, change: FileChange, masked: bool, hide_volatile: bool
) -> tuple[Text | None, Text | None]:
    """Both sides of a change, prepared for eyes."""
    sides = ((change.old, change.old_device), (change.new, change.device))
    old, new = (
        texts.prepared(store.blob(content.blob), sheet(device.platform), masked=masked, hide_volatile=hide_volatile)
        if content
        else None
        for content, device in sides
    )
    return old, new


def sheet(slug: str) -> Platform | None:
    """The platform's sheet; None where it is not known any more."""
    try:
        return platform(slug)
    except UnknownPlatform:
        return None
