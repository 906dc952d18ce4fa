"""Who did what, kept where it cannot be changed: one chain of entries per tenant, each with a digest over the last.

PostgreSQL itself numbers, chains and guards the entries (migration `0006_guard_the_audit_log`): none can be changed or
deleted, whatever program is connected, and who takes the guard away and changes one breaks every digest after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from inventory.models import Tenant
from inventory.tenancy import TenantQuerySet

SYSTEM = "system"  # who did it, where no person did


class AuditSet(TenantQuerySet):
    """Several entries. Those of no tenant are visible to superusers only."""

    def of(self, tenant: Tenant | None) -> Self:
        """One chain, oldest first; None is the chain of what concerns no tenant."""
        return self.filter(tenant=tenant).order_by("number")


class AuditEntry(models.Model):
    """One thing that somebody did or saw."""

    # No constraint in the database: the chain outlives its tenant.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, null=True, editable=False, related_name="+"
    )
    number = models.BigIntegerField(editable=False)  # 1, 2, 3... in the chain; set by the database, as the digests are
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.CharField(max_length=150, editable=False)
    action = models.CharField(max_length=60, editable=False)  # what was done: `snapshot.downloaded`
    about = models.CharField(max_length=300, editable=False)  # to what, in words
    detail = models.JSONField(default=dict, editable=False)
    previous = models.BinaryField(editable=False)  # the digest of the entry before; 32 zeros in the first
    digest = models.BinaryField(editable=False)

    objects = AuditSet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="audit_number_once")]
        indexes = [models.Index(fields=["tenant", "-id"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.by}: {self.action} {self.about}"


def record(
    tenant: Tenant | None, *, by: str, action: str, about: str, detail: Mapping[str, object] | None = None
) -> None:
    """Add an entry to the tenant's chain; it stands when the surrounding transaction does.

    The last thing in a transaction, after the tenant's store was locked where it is: the entry holds its chain until
    the transaction ends, and who takes the two in the other order can wait for ever.
    """
    AuditEntry.objects.create(
        tenant=tenant,
        number=0,
        by=by[:150],
        action=action,
        about=about[:300],
        detail=dict(detail or {}),
        previous=b"",
        digest=b"",
    )


def newest() -> int:
    """The id of the newest entry of any chain; 0 where there is none."""
    return AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def recorded_since(entry: int, *, by: str) -> bool:
    """Whether this person has left an entry after that one."""
    return AuditEntry.objects.filter(id__gt=entry, by=by[:150]).exists()


@dataclass(frozen=True)
class Break:
    """A place where a chain is not what it was when it was written."""

    number: int
    what: str


def breaks_of(tenant_id: UUID | None) -> list[Break]:
    """Where a tenant's chain was tampered with; empty when it is whole. Computed by the database, row by row.

    An end that was cut off whole leaves no trace inside: compare the newest number and digest with a copy kept
    elsewhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number, CASE
                WHEN number <> place THEN 'an entry before it is missing'
                WHEN previous <> expected THEN 'it does not continue the entry before it'
                ELSE 'its text was changed' END
            FROM (
                SELECT e.*, row_number() OVER w AS place, netcairn_audit_digest(e) AS computed,
                       coalesce(lag(digest) OVER w, decode(repeat('00', 32), 'hex')) AS expected
                FROM inventory_auditentry e WHERE tenant_id IS NOT DISTINCT FROM %s
                WINDOW w AS (ORDER BY number)
            ) chain
            WHERE number <> place OR previous <> expected OR digest <> computed ORDER BY number
            """,
            [tenant_id],
        )
        return [Break(number, what) for number, what in cursor.fetchall()]
