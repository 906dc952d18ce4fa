"""Reading every store again, a share each night: a disk that rots is found before a restore needs what it held.

Each object is read at least once in thirty days and held to its id. What cannot be read is told by device and date in
an alarm, which a later look closes when all is well again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet

from backups import fsck, search
from backups.errors import NoStore, StoreError
from backups.fsck.findings import HARMLESS
from backups.house import tidy_up
from backups.models import Repository
from backups.store import rereading
from backups.store.reader import TenantStore, open_store
from backups.verification_models import END, LATE, PROMISE, Verification, place
from inventory.models import Tenant
from inventory.notices import Level, Notice, settle, tell

log = logging.getLogger(__name__)

PASS = ("started_at", "active", "cursor", "marks", "marks_before", "objects_seen")
UNSEEN = "store.unseen"  # the alarm that a store could not be looked at
LOOK_EVERY = timedelta(hours=20)
LEAST = 1000  # objects of one turn: a small store is read in one night instead of in twenty-five


@dataclass(frozen=True)
class Verified:
    """How well some stores are known to be whole. Its text goes on from "Verified: "."""

    percent: float  # of the objects were read within thirty days
    oldest: date | None  # the day on which the object was read that waits longest; None: some were never read
    damaged: int  # objects that cannot be read
    today: date
    stored: int = 0  # bytes of unique content

    def __str__(self) -> str:
        said = f"{self.percent:.0f} % of objects within {PROMISE.days} days"
        if self.oldest is not None:
            days = (self.today - self.oldest).days
            told = f"{days} day{'' if days == 1 else 's'} ago" if days else "today"
            said = f"oldest {told}, {said}"
        return f"{said}; {self.damaged} cannot be read" if self.damaged else said


def verified(tenants: Iterable[UUID] | QuerySet[Tenant], *, now: datetime) -> Verified | None:
    """How well the stores of these tenants are known to be whole; None where nothing is kept."""
    kept = Repository.objects.filter(tenant__in=tenants, head__isnull=False).select_related("tenant__verification")
    rows = [getattr(one.tenant, "verification", None) or Verification(tenant=one.tenant) for one in kept]
    if not rows:
        return None
    total = sum(row.objects_seen for row in rows)
    read = sum(row.part_within(now) * row.objects_seen for row in rows)
    days = [row.oldest() for row in rows]
    known = [day for day in days if day is not None]
    return Verified(
        percent=100 * read / total if total else 0.0,
        oldest=min(known) if len(known) == len(days) else None,
        damaged=sum(len(row.damaged) for row in rows),
        today=now.date(),
        stored=sum(one.stored_bytes for one in kept),
    )


def due(now: datetime) -> list[Tenant]:
    """Tenants whose turn it is: those of the night, and by day those that are far behind; the longest waiting first."""
    rows = Verification.objects.filter(Q(busy_until=None) | Q(busy_until__lt=now)).select_related("tenant")
    rows = rows.defer("marks", "marks_before", "damaged")
    at_night = now.hour in settings.NETCAIRN_VERIFY_HOURS
    waiting = [row for row in rows if (needs_turn(row, now) if at_night else row.is_late(now))]
    return [row.tenant for row in sorted(waiting, key=lambda row: row.looked_at or row.created_at)]


def needs_turn(row: Verification, now: datetime) -> bool:
    """Whether a look or some reading is due in this night."""
    return row.looked_at is None or row.looked_at <= now - LOOK_EVERY or row.is_due(now)


def unprepared() -> list[Tenant]:
    """Tenants whose newest texts are not ready for those who may search masked texts only."""
    rows = Verification.objects.filter(tenant__memberships__isnull=False, tenant__repository__head__isnull=False)
    rows = rows.exclude(prepared_head=F("tenant__repository__head")).select_related("tenant").distinct()
    return [row.tenant for row in rows]


def make_rows() -> None:
    """A row for each tenant that keeps something."""
    new = Repository.objects.filter(head__isnull=False, tenant__verification=None).values_list("tenant", flat=True)
    Verification.objects.bulk_create([Verification(tenant_id=pk) for pk in new], ignore_conflicts=True)


def verify_stores(*, now: datetime, seconds: float) -> int:
    """One turn over the tenants that are due, for so many seconds; how many had theirs."""
    make_rows()
    until = monotonic() + seconds
    turns = 0
    for tenant in due(now):
        if monotonic() >= until:
            break
        turns += verify_tenant(tenant, now=now, until=until)
    watch(now)
    return turns


def verify_tenant(tenant: Tenant, *, now: datetime, until: float) -> bool:
    """One tenant's turn: a look where that is due, then reading on; False where somebody else is at it."""
    if not Verification.objects.claim(tenant, now):
        return False
    row = Verification.objects.get(tenant=tenant)
    try:
        found = read_on(open_store(tenant.pk), row, now=now, until=until) if row.is_due(now) else frozenset()
    except NoStore:
        found = frozenset()  # the look says what that means
    except StoreError as exc:
        log.warning("The store of %s is read again later: %s", tenant, exc)
        return False  # and not at once: the claim runs out by itself
    row.save(update_fields=PASS)
    look(row, found, now=now)
    if not found and not row.damaged:  # what is damaged is left as it is, for a repair
        tidy_up(tenant.pk, at_night=True)
    Verification.objects.filter(tenant=tenant).update(busy_until=None)
    return True


def look(row: Verification, found: frozenset[str], *, now: datetime) -> None:
    """Compare rows and repository, if that is due or damage was found; the look raises the alarm, or closes it.

    It reads once more what is known to be damaged, and tells what that means.
    """
    if not found and not row.damaged and row.looked_at is not None and row.looked_at > now - LOOK_EVERY:
        return
    mine = Verification.objects.filter(tenant=row.tenant_id)
    mine.update(damaged=sorted(found | frozenset(row.damaged)))
    looked = fsck.check(row.tenant, wait=1.0)
    if not any(one.code in HARMLESS for one in looked):
        mine.update(looked_at=now)


def watch(now: datetime) -> None:
    """An alarm for each store that could not be looked at for days, closed when it was: no news is no good news."""
    open_ones = Notice.objects.open_alarms().filter(code=UNSEEN).values("tenant")
    late = Q(looked_at__lt=now - LATE) | Q(looked_at=None, created_at__lt=now - LATE)
    for row in Verification.objects.filter(late | Q(tenant__in=open_ones)).select_related("tenant"):
        about, since = f"store of {row.tenant}", row.looked_at or row.created_at
        if since >= now - LATE:
            settle(row.tenant, code=UNSEEN, about=about)
            continue
        text = (
            f"The store of {row.tenant} could not be looked at since {since:%Y-%m-%d %H:%M} UTC, so nobody knows "
            f"whether it is whole: run `fsck --tenant {row.tenant}`, and look into the log of the queue."
        )
        tell(row.tenant, code=UNSEEN, about=about, text=text, level=Level.ALARM)


def read_on(store: TenantStore, row: Verification, *, now: datetime, until: float) -> frozenset[str]:
    """Read objects from where the last turn ended, until the night's share is read or time is up; the damaged ones."""
    row.begin(now)
    goal = row.target(now)
    ids = rereading.object_ids(store.git)
    row.objects_seen = len(ids)
    behind = [one for one in ids if one > row.cursor]
    bad, last = [], row.cursor
    for one, sound in rereading.reread(store.git, share(behind, goal)):
        last = one
        if not sound:
            bad.append(one)
        if monotonic() >= until:
            break
    row.advance(END if not behind or last == behind[-1] else last, now)
    if row.cursor == END:
        row.finish()
    return rereading.confirmed(store.git, bad)


def share(ids: list[str], goal: float) -> Iterator[str]:
    """The ids up to a part of all, and never less than a turn is worth."""
    for number, one in enumerate(ids):
        if number >= LEAST and place(one) > goal:
            return
        yield one


def prepare_searches(*, seconds: float) -> int:
    """Have masked texts ready for tenants that have changed, for so many seconds; for how many all are."""
    until = monotonic() + seconds
    ready = 0
    for tenant in unprepared():
        left = until - monotonic()
        if left <= 0:
            break
        head = Repository.objects.values_list("head", flat=True).get(tenant=tenant)
        try:
            missing = search.prepare_tenant(tenant, seconds=left)
        except StoreError:
            continue  # the look at this store says what is wrong with it, and raises the alarm
        if not missing:
            ready += Verification.objects.filter(tenant=tenant).update(prepared_head=head or "")
    return ready
