"""Keeping what was captured: a group of captures becomes one commit and one transaction, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from backups import quota
from backups.batch import Batch, Written, writing
from backups.copying import copy_in
from backups.errors import QuotaFull
from backups.house import House, tidy_up
from backups.models import Snapshot
from backups.retirement import drop_retired
from backups.store.changes import MAX_BYTES, MAX_FILES, DeviceChange
from backups.store.contents import Content
from inventory.models import Device

__all__ = ["Batch", "DeviceChange", "KeepResult", "Kept", "Written", "keep", "writing"]


@dataclass(frozen=True)
class Kept:
    """A good capture of a device, to be kept: all its files."""

    device: Device
    files: Mapping[str, Content]
    digest: str
    taken_at: datetime
    said: Mapping[str, int] = field(default_factory=dict)  # bytes of each file before it was post-processed
    altered: frozenset[str] = frozenset()  # files that it has changed or made

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))


@dataclass
class KeepResult:
    """What `keep` made of the captures."""

    snapshots: dict[UUID, Snapshot] = field(default_factory=dict)
    unchanged: set[UUID] = field(default_factory=set)
    not_kept: dict[UUID, QuotaFull] = field(default_factory=dict)  # changed, and over the tenant's quota
    commits: list[str] = field(default_factory=list)
    held: float = 0.0  # seconds of the longest turn with the tenant's lock


def keep(
    tenant_id: UUID,
    kept: Sequence[Kept],
    *,
    author: str,
    message: str,
    run_id: UUID | None,
    now: datetime,
    also: Callable[[dict[UUID, Snapshot]], None],
    beyond_quota: bool = False,
    house: House | None = None,
) -> KeepResult:
    """Keep good captures, in as many batches as their size asks for, each one commit and one transaction.

    `also` is called with a batch's new snapshots, by device, inside the transaction that acknowledges them. Captures
    that the tenant's quota has no room for are left out and named (`not_kept`), unless `beyond_quota`. Batches that
    were committed before an error stay. `house` is kept in order beside what its owner does; else before this returns.
    Raises StoreBusy, StoreDamaged, GitFailed.
    """
    result = KeepResult()
    trailers = {"Run": str(run_id)} if run_id else {}
    for together in groups(list({one.device.pk: one for one in kept}.values())):
        with writing(tenant_id, beyond_quota=beyond_quota) as batch:
            group, left = (together, []) if beyond_quota else quota.divide(tenant_id, together)
            if left:
                result.not_kept |= dict.fromkeys([one.device.pk for one in left], quota.refused(tenant_id))
            changes = [DeviceChange(one.device.pk, one.device.name, one.files, complete=True) for one in group]
            written = batch.put(changes, message=message, author=author, when=now, trailers=trailers)
            snapshots = record(tenant_id, group, written, author=author, run_id=run_id) if written else {}
            if snapshots:
                also(snapshots)
                drop_retired(batch, [one.device for one in group], now=now)
        result.held = max(result.held, batch.phases.held)
        result.snapshots |= snapshots
        result.unchanged |= {one.device.pk for one in group} - snapshots.keys()
        result.commits += [written.commit] if written else []
    if house:
        house.look()
    else:
        tidy_up(tenant_id)
    return result


def groups(kept: Sequence[Kept]) -> Iterator[list[Kept]]:
    """Batches within the caps, in order."""
    group: list[Kept] = []
    files = size = 0
    for one in kept:
        files, size = files + len(one.files), size + one.size
        if group and (files > MAX_FILES or size > MAX_BYTES):
            yield group
            group, files, size = [], len(one.files), one.size
        group.append(one)
    if group:
        yield group


def record(
    tenant_id: UUID, group: Sequence[Kept], written: Written, *, author: str, run_id: UUID | None
) -> dict[UUID, Snapshot]:
    """Rows for the devices that a commit has changed."""
    snapshots = {
        one.device.pk: snapshot_of(tenant_id, one, written, author=author, run_id=run_id)
        for one in group
        if one.device.pk in written.files
    }
    copy_in(list(snapshots.values()))
    return snapshots


def snapshot_of(tenant_id: UUID, kept: Kept, written: Written, *, author: str, run_id: UUID | None) -> Snapshot:
    """The row of one device's new version."""
    files = written.files[kept.device.pk]
    for name, size in kept.said.items():
        if name in files:
            files[name]["said"] = size
    for name in kept.altered & files.keys():
        files[name]["processed"] = True
    added, removed = written.lines[kept.device.pk]
    return Snapshot(
        tenant_id=tenant_id,
        device=kept.device,
        run_id=run_id,
        seq=written.seq,
        taken_at=kept.taken_at,
        commit=written.commit,
        files=files,
        digest=kept.digest,
        size=sum(int(file["size"]) for file in files.values()),
        lines_added=added,
        lines_removed=removed,
        author=author,
    )
