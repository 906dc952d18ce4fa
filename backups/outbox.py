"""The outbox: what has to be told elsewhere, worked off one tenant at a time.

A row is noted in the transaction of a change and removed when its work is done. Whoever works holds no transaction
meanwhile, because writers of the tenant go on noting: the rows taken are put off for the time of a lease, and come back
by themselves when the worker dies. Work has to bear being done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.module_loading import import_string

from backups.outbox_models import Outbox
from inventory.errors import NetcairnError

PUBLISH, FORGET, SWEEP, MIRROR = "publish", "forget", "sweep", "mirror"  # kinds of work
LEASE = timedelta(minutes=15)  # for one tenant's work; who takes longer is overtaken, which his work must bear
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True)
class Due:
    """All that one tenant has waiting of one kind, taken by this worker."""

    tenant_id: UUID
    kind: str
    seq: int  # the newest
    rows: tuple[int, ...]
    attempts: int  # this one included
    since: datetime  # of the oldest


def note(tenant_id: UUID, kind: str, seq: int) -> None:
    """Have it told elsewhere that the tenant's store has changed; in the transaction of the change.

    Once that stands, the door that `settings.NETCAIRN_OUTBOX` names for the kind may ask for a worker at once.
    """
    Outbox.objects.create(tenant_id=tenant_id, kind=kind, seq=seq)
    if door := settings.NETCAIRN_OUTBOX.get(kind):
        transaction.on_commit(partial(ask, door))


def note_for_later(tenant_id: UUID, kind: str, seq: int, at: datetime) -> None:
    """Have it done at that time; until `hurry`, what is noted meanwhile waits with it."""
    Outbox.objects.create(tenant_id=tenant_id, kind=kind, seq=seq, not_before=at)


def is_noted(tenant_id: UUID, kind: str) -> bool:
    """Whether the tenant has something waiting of that kind, now or for later."""
    return Outbox.objects.filter(tenant_id=tenant_id, kind=kind).exists()


def hurry(tenant_id: UUID, kind: str) -> None:
    """Have done now what was noted for later, and was not tried yet."""
    Outbox.objects.filter(tenant_id=tenant_id, kind=kind, attempts=0).update(not_before=None)


def ask(door: str) -> None:
    """Call a door by its full name."""
    import_string(door)()


# The tenant with the oldest row first. One of which a row is put off is somebody's already, or waits after a failure:
# what was noted since then waits with it, or two would work on one tenant.
_TAKE = """
    UPDATE backups_outbox SET not_before = %(until)s, attempts = attempts + 1
    WHERE id IN (
        SELECT id FROM backups_outbox
        WHERE kind = %(kind)s AND tenant_id = (
            SELECT o.tenant_id FROM backups_outbox o
            WHERE o.kind = %(kind)s AND NOT EXISTS (
                SELECT 1 FROM backups_outbox p
                WHERE p.kind = o.kind AND p.tenant_id = o.tenant_id AND p.not_before > %(now)s)
            ORDER BY o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        FOR UPDATE SKIP LOCKED)
    RETURNING id, tenant_id, seq, attempts, created_at
"""


def take(kind: str, *, now: datetime, lease: timedelta = LEASE) -> Due | None:
    """Take what the next tenant has waiting; None where there is nothing, or others are at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"kind": kind, "now": now, "until": now + lease})
        rows = cursor.fetchall()
    if not rows:
        return None
    ids, tenants, seqs, attempts, times = zip(*rows, strict=True)
    return Due(tenants[0], kind, max(seqs), tuple(ids), max(attempts), min(times))


def finish(due: Due) -> None:
    """What was taken is done."""
    Outbox.objects.filter(pk__in=due.rows).delete()


def put_back(due: Due, error: str, *, now: datetime) -> None:
    """What was taken has failed: it waits, each time for longer."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(due.attempts - 1, 20))
    Outbox.objects.filter(pk__in=due.rows).update(not_before=now + wait, error=error)


def work_off(kind: str, work: Callable[[Due], None], *, seconds: float) -> int:
    """Do the work of each tenant that has something waiting, for so long; how many are done.

    What `work` raises of our errors is noted with the rows, and the next tenant has its turn.
    """
    done, ends = 0, monotonic() + seconds
    while monotonic() < ends and (due := take(kind, now=timezone.now())):
        try:
            work(due)
        except NetcairnError as error:
            put_back(due, str(error), now=timezone.now())
        else:
            finish(due)
            done += 1
    return done


def is_due(kind: str, now: datetime) -> bool:
    """Whether some of it may be taken now."""
    return Outbox.objects.filter(kind=kind).exclude(not_before__gt=now).exists()


def waiting_since(kind: str, tenants: Iterable[UUID]) -> dict[UUID, datetime]:
    """Of each of these tenants that has something waiting, since when."""
    rows = Outbox.objects.filter(kind=kind, tenant__in=list(tenants)).order_by()
    return dict(rows.values_list("tenant").annotate(since=Min("created_at")))
