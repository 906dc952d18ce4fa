"""How devices stand: what their last attempts came to, counted by the database and not by reading rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)

from backups.models import Attempt, QuarantinedFile, Snapshot
from inventory.models import Device, DeviceSet, Tenant

STANDINGS = {
    "in_sync": "In sync",
    "changed": "Changed in the last 24 hours",
    "failed": "Failed",
    "quarantined": "Quarantined",
    "troubled": "Failed or quarantined",
    "untried": "Not tried yet",
    "stale": "Stale: no good answer within the tenant's objective",
    "never_kept": "Nothing kept yet",
    "resting": "Not collected",
}
LATELY = timedelta(days=1)
# A thousand ids in each of twenty questions cost more than what they ask: all that a user sees comes as a query.
Tenants = Collection[UUID] | QuerySet[Tenant]
GOOD = (Attempt.State.UNCHANGED, Attempt.State.CHANGED)
TROUBLE = (Attempt.State.FAILED, Attempt.State.QUARANTINED)


@dataclass(frozen=True)
class Standings:
    """How many devices stand how. The first four are of devices that runs ask, and add up to `asked`."""

    in_sync: int = 0  # the last attempt found or kept a good version
    failed: int = 0
    quarantined: int = 0
    untried: int = 0  # no attempt has ended yet
    stale: int = 0  # of those asked: longer without a good attempt than their tenant's objective allows
    never_kept: int = 0  # of those asked: nothing of theirs has ever been kept, for whatever reason
    resting: int = 0  # not asked: not enabled, or retired

    @property
    def asked(self) -> int:
        """Devices that runs ask."""
        return self.in_sync + self.failed + self.quarantined + self.untried

    @property
    def troubled(self) -> int:
        """Devices whose last attempt came to nothing good."""
        return self.failed + self.quarantined


def ended_attempts() -> QuerySet[Attempt]:
    """Within a query of devices: each one's ended attempts, newest first. The index (device, -id) answers it."""
    return Attempt.objects.filter(device=OuterRef("pk")).exclude(state__in=Attempt.OPEN).order_by("-id")


def with_last_state(devices: DeviceSet) -> DeviceSet:
    """The devices with `last_state`, the state of the last attempt that has ended; None where none has."""
    return devices.annotate(last_state=Subquery(ended_attempts().values("state")[:1]))


def with_last_times(devices: DeviceSet) -> DeviceSet:
    """The devices with `last_state`, `last_cause`, `last_attempt_at` and `last_version_at`, as lists show them."""
    versions = Snapshot.objects.filter(device=OuterRef("pk")).order_by("-seq")
    return with_last_state(devices).annotate(
        last_cause=Subquery(ended_attempts().values("cause")[:1]),
        last_attempt_at=Subquery(ended_attempts().values("ended_at")[:1]),
        last_version_at=Subquery(versions.values("taken_at")[:1]),
    )


def with_stale(devices: DeviceSet, *, now: datetime) -> DeviceSet:
    """The devices with `stale`: older than their tenant's objective in hours, and no good attempt within it."""
    hours = F("tenant__objective_hours") * Value(timedelta(hours=1))
    since = ExpressionWrapper(Value(now, DateTimeField()) - hours, DateTimeField())
    good = Attempt.objects.filter(device=OuterRef("pk"), state__in=GOOD, ended_at__gte=OuterRef("since"))
    stale = Q(created_at__lt=F("since")) & ~Exists(good)
    return devices.annotate(since=since).annotate(stale=ExpressionWrapper(stale, BooleanField()))


def standings(devices: DeviceSet, *, now: datetime) -> Standings:
    """Count the devices by how they stand; one query."""
    asked = Q(enabled=True, retired_at=None)  # DeviceSet.collectable, as a value and not as a filter
    kept = Exists(Snapshot.objects.filter(device=OuterRef("pk")))
    marked = with_stale(with_last_state(devices), now=now).annotate(
        asked=ExpressionWrapper(asked, BooleanField()), kept=kept
    )
    rows = list(marked.values_list("asked", "last_state", "kept", "stale").annotate(n=Count("pk")).order_by())
    by_state: Counter[str | None] = Counter()
    for is_asked, state, _, _, number in rows:
        by_state[state] += number if is_asked else 0
    return Standings(
        in_sync=sum(by_state[state] for state in GOOD),
        failed=by_state[Attempt.State.FAILED],
        quarantined=by_state[Attempt.State.QUARANTINED],
        untried=by_state[None],
        stale=sum(number for is_asked, _, _, is_stale, number in rows if is_asked and is_stale),
        never_kept=sum(number for is_asked, _, is_kept, _, number in rows if is_asked and not is_kept),
        resting=sum(number for is_asked, *_, number in rows if not is_asked),
    )


def quarantined_devices(user: AbstractBaseUser | AnonymousUser) -> DeviceSet:
    """Devices this user may see whose last attempt is in quarantine; begins at the few quarantined texts, not at all
    devices, because every page asks it."""
    suspects = QuarantinedFile.objects.visible_to(user).values("attempt__device")
    return with_last_state(Device.objects.collectable().filter(pk__in=suspects)).filter(
        last_state=Attempt.State.QUARANTINED
    )


def troubled_devices(devices: DeviceSet, most: int) -> list[Device]:
    """So many devices whose last attempt came to nothing good, with its times and cause, the latest trouble first.

    Read from the newest attempt on, until there are so many: asking each of ten thousand devices takes ten times as
    long. So `most` is not to be more than there are, or all attempts are read.
    """
    later = Attempt.objects.filter(device=OuterRef("device"), pk__gt=OuterRef("pk")).exclude(state__in=Attempt.OPEN)
    last = Attempt.objects.filter(state__in=TROUBLE, device__in=devices.collectable()).exclude(Exists(later))
    latest = last.order_by("-pk").values("device")[:most]
    return list(
        with_last_times(devices.filter(pk__in=latest)).select_related("tenant").order_by("-last_attempt_at", "name")
    )


def in_standing(devices: DeviceSet, standing: str, *, now: datetime) -> DeviceSet:
    """The devices that stand so, by the same rules that `standings` counts by; `standing` is a key of STANDINGS."""
    kept = Exists(Snapshot.objects.filter(device=OuterRef("pk")))
    lately = Exists(Snapshot.objects.filter(device=OuterRef("pk"), taken_at__gte=now - LATELY))
    asked = with_last_state(devices.collectable())
    chosen: dict[str, Callable[[], DeviceSet]] = {
        "in_sync": lambda: asked.filter(last_state__in=GOOD),
        "changed": lambda: devices.filter(lately, retired_at=None),
        "failed": lambda: asked.filter(last_state=Attempt.State.FAILED),
        "quarantined": lambda: asked.filter(last_state=Attempt.State.QUARANTINED),
        "troubled": lambda: asked.filter(last_state__in=TROUBLE),
        "untried": lambda: asked.filter(last_state=None),
        "stale": lambda: with_stale(asked, now=now).filter(stale=True),
        "never_kept": lambda: asked.exclude(kept),
        "resting": lambda: devices.exclude(enabled=True, retired_at=None),
    }
    return chosen[standing]()


def changed_devices(tenants: Tenants, *, since: datetime) -> int:
    """How many devices of these tenants, retired ones left out, have a version taken since then."""
    versions = Snapshot.objects.filter(tenant__in=tenants, taken_at__gte=since, device__retired_at=None)
    return versions.aggregate(n=Count("device", distinct=True))["n"]
