"""The locks that several processes and hosts share: advisory locks of PostgreSQL, held for one transaction.

Never for a session: such a lock leaks through connection pools and exceptions, and behind pgbouncer belongs to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from backups.errors import StoreBusy


class Lock(IntEnum):
    """The first of the two numbers of every advisory lock that Netcairn takes; in this table and nowhere else.

    From 0x6E63 ("nc") on, away from those of other programs in the same database.
    """

    TENANT_STORE = 0x6E630001  # the second number: the tenant
    PREPARATION = 0x6E630002  # migrations and the first administrator; the second number: 0
    AUDIT_CHAIN = 0x6E630003  # taken by the trigger of the audit log; the second number: the tenant


@dataclass(frozen=True)
class Holder:
    """Who has a lock; what PostgreSQL does not let us see is None."""

    pid: int  # of the server's process
    application: str | None
    address: str | None
    since: datetime | None

    def __str__(self) -> str:
        who = self.application or "another program"
        where = f" at {self.address}" if self.address else ""
        since = f" since {self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{who}{where} (database process {self.pid}){since}"


def lock_tenant(tenant_id: UUID, *, wait: float) -> None:
    """Hold the tenant's store until the end of this transaction; wait for it so many seconds. Raises StoreBusy."""
    if try_lock_tenant(tenant_id):  # mostly, and then there is no need for a limit
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{max(1, round(wait * 1000))}ms"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", numbers(tenant_id))
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as exc:
        if not isinstance(exc.__cause__, LockNotAvailable):
            raise
        holder = holder_of(tenant_id)
        raise StoreBusy(
            f"The store of tenant {tenant_id} is in use by {holder or 'somebody who has just ended'}; "
            f"waited {wait:g} s, try again."
        ) from exc


def try_lock_tenant(tenant_id: UUID) -> bool:
    """Hold the tenant's store until the end of this transaction, if nobody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", numbers(tenant_id))
        return bool(cursor.fetchone()[0])


def holder_of(tenant_id: UUID) -> Holder | None:
    """Who holds the tenant's store now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.pid, a.application_name, host(a.client_addr), a.xact_start
            FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
              AND l.classid::bigint = %s AND l.objid::bigint = %s
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """,
            [number % 2**32 for number in numbers(tenant_id)],
        )
        row = cursor.fetchone()
    return Holder(*row) if row else None


def numbers(tenant_id: UUID) -> list[int]:
    """The two numbers of a tenant's lock, as PostgreSQL's signed 32-bit integers.

    Two tenants whose ids begin alike share a lock: they wait for each other now and then, and nothing else.
    """
    return [int(Lock.TENANT_STORE), int.from_bytes(tenant_id.bytes[:4], "big", signed=True)]
