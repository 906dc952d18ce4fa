"""`live`: a device as it is this moment. It is collected for the purpose, and kept as by any backup.

Kept, because what somebody has seen in a difference must be there tomorrow, and because a capture beside the record
would have to be judged, masked and charged once more by rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.utils import timezone

from backups import runs, shard
from backups.models import Attempt, Repository, Run, Snapshot
from backups.store.reader import open_store
from backups.transport import Limits, Transport
from checkpoints import manifest
from checkpoints.compare import newest
from checkpoints.errors import NotComparable, NotSeen
from checkpoints.find import Version, described
from checkpoints.models import Checkpoint
from inventory.models import Device

LIVE = "live"
GOOD = (Attempt.State.CHANGED, Attempt.State.UNCHANGED)


def device_of(other: Version, devices: Collection[Device]) -> Device:
    """The device that `live` means beside another version. Raises NotComparable where that is not one device."""
    if isinstance(other, Device):
        return other
    if isinstance(other, Snapshot):
        return other.device
    if len(devices) != 1:
        raise NotComparable(f"Say with one --device NAME which device of {described(other)} is to be looked at.")
    return next(iter(devices))


def as_it_was(other: Version) -> Snapshot | Checkpoint:
    """The other side, held fast before the device is asked: what it brings is not to be compared with itself.

    Raises NothingKept.
    """
    return newest(other) if isinstance(other, Device) else other


def collect_now(
    device: Device, *, by: str, transport: Transport, limits: Limits, clock: Callable[[], datetime] = timezone.now
) -> Snapshot:
    """Back the device up, here and now; its newest version is what it runs. Raises NotSeen."""
    (run,) = runs.start_runs([device], requested_by=by, trigger=Run.Trigger.HAND, by_queue=False, now=clock())
    shard.work_on(run, transport=transport, limits=limits, threads=1, clock=clock)
    return found_by(run)


def found_by(run: Run) -> Snapshot:
    """What a run of one device, which has ended, says that the device runs. Raises NotSeen where it does not."""
    attempt = run.attempts.select_related("device").get()
    if attempt.state not in GOOD:
        raise NotSeen(f"{attempt.device.name} could not be looked at: {attempt.detail or attempt.state}")
    return newest(attempt.device)


def collect_network(
    checkpoint: Checkpoint,
    *,
    by: str,
    transport: Transport,
    limits: Limits,
    threads: int = 8,
    clock: Callable[[], datetime] = timezone.now,
) -> Checkpoint:
    """Back up every device in service that a checkpoint holds; the record as it is then, to compare with.

    What is given back is no row: nobody named this moment. Raises NotSeen where a device could not be read, because a
    network that was seen in part would be compared as if it were all.
    """
    store = open_store(checkpoint.tenant_id)
    held = manifest.of_commit(store, checkpoint.pin)
    devices = list(Device.objects.filter(pk__in=list(held), retired_at=None).order_by("name"))
    for run in runs.start_runs(devices, requested_by=by, trigger=Run.Trigger.HAND, by_queue=False, now=clock()):
        shard.work_on(run, transport=transport, limits=limits, threads=threads, clock=clock)
        unseen = run.attempts.exclude(state__in=GOOD).values_list("device__name", flat=True)
        if unseen:
            raise NotSeen(f"{', '.join(sorted(unseen)[:5])} could not be looked at; `run show {run.pk}` says why.")
    head = Repository.objects.get(pk=checkpoint.tenant_id).head or checkpoint.pin
    told = "The network as it is now"
    return Checkpoint(tenant=checkpoint.tenant, message=told, pin=head, commit=head, created_at=clock())
