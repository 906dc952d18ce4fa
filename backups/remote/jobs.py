"""The queue's doors to the object store: copies follow right after a batch, and with the minute at the latest."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from backups import jobs, outbox
from backups.elsewhere import sweep_soon
from backups.models import Outbox, Repository
from backups.remote import repacking
from backups.remote.current import bring_up_to_date
from backups.remote.opening import is_copy, is_set, keep_days
from inventory.models import Tenant
from inventory.notices import Level, settle, tell

TURN, NAME = "backups.remote.jobs.turn", "publish to the object store"
SECONDS = 50.0  # of a worker's time
LAGS = "remote.lag"  # the code of the alarm
KINDS = (outbox.PUBLISH, outbox.FORGET)


def ask() -> None:
    """Ask for a worker, if none is asked already."""
    if not jobs.is_queued(NAME):
        jobs.enqueue(TURN, name=NAME)


def tick() -> None:
    """Every minute: whatever has to go to the object store and does not, and who has to know of it."""
    if not is_set():
        return
    note_missing()
    tell_lags()
    if any(outbox.is_due(kind, timezone.now()) for kind in WORK):
        ask()


def turn() -> None:
    """One worker's share."""
    for kind, work in WORK.items():
        outbox.work_off(kind, work, seconds=SECONDS)


def publish(due: outbox.Due) -> None:
    """One tenant's copy. Raises RemoteError, StoreError."""
    published = bring_up_to_date(due.tenant_id)
    if published:
        sweep_soon(published)
    settle(Tenant.objects.get(pk=due.tenant_id), code=LAGS, about="object store")


def sweep(due: outbox.Due) -> None:
    """What is old goes; what is not yet, goes another time. Raises RemoteError."""
    now, keep = timezone.now(), keep_days()
    if repacking.sweep(due.tenant_id, now=now, keep=keep).waiting:
        outbox.note_for_later(due.tenant_id, outbox.SWEEP, due.seq, now + max(keep, repacking.ON_ITS_WAY))


def forget(due: outbox.Due) -> None:
    """What was purged from one tenant's repository goes from the object store. Raises RemoteError, StoreError."""
    repacking.forget(due.tenant_id, now=timezone.now())


WORK = {outbox.PUBLISH: publish, outbox.FORGET: forget, outbox.SWEEP: sweep}


def note_missing() -> None:
    """Note those of which the object store has nothing: it is a new one, or was not there before."""
    if not is_copy():
        return
    elsewhere = ~Q(copied_to=settings.NETCAIRN_OBJECT_STORE)
    missing = Repository.objects.filter(elsewhere | Q(copied_seq__lt=F("seq")), head__isnull=False)
    noted = Outbox.objects.filter(kind=outbox.PUBLISH).values("tenant")
    for tenant_id, seq in missing.exclude(tenant__in=noted).values_list("tenant", "seq"):
        outbox.note(tenant_id, outbox.PUBLISH, seq)


def tell_lags() -> None:
    """Raise an alarm for each tenant whose copy is too far behind."""
    before = timezone.now() - timedelta(minutes=settings.NETCAIRN_OBJECT_STORE_LAG_MINUTES)
    late = (
        Outbox.objects.filter(kind__in=KINDS, created_at__lt=before)
        .select_related("tenant")
        .order_by("tenant_id", "id")
    )
    for row in late.distinct("tenant_id"):
        why = f" {row.error}" if row.error else ""
        text = f"The object store does not have what was kept since {row.created_at:%Y-%m-%d %H:%M} UTC.{why}"
        tell(row.tenant, code=LAGS, about="object store", text=text, level=Level.ALARM)
