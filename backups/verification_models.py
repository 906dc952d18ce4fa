"""How far the stores have been read again, one row per tenant: it survives a restart, and says how much to trust."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from inventory.models import Tenant
from inventory.tenancy import TenantQuerySet

NIGHTS = 25  # that a pass over all objects takes, so that 5 of 30 days may fail
PROMISE = timedelta(days=30)  # every object is read again within
LATE = timedelta(days=3)  # behind its time; from here on it is caught up on by day, too
END = "f" * 40  # the last of all ids
CLAIM = timedelta(minutes=10)  # how long a turn may be unheard of before another worker takes over


class VerificationSet(TenantQuerySet):
    """Several tenants' verification."""

    def claim(self, tenant: Tenant, now: datetime) -> bool:
        """Take a tenant for a turn; False while somebody else has it (a task may come twice)."""
        free = Q(busy_until=None) | Q(busy_until__lt=now)
        return bool(self.filter(free, tenant=tenant).update(busy_until=now + CLAIM))


class Verification(models.Model):
    """One tenant's objects, read again and again in the order of their ids.

    An id says nothing about what it names, so the part of all ids before the cursor is the part of objects that were
    read; and the order outlives every repack.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="verification")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)  # of the pass that goes on, or of the last one
    active = models.BooleanField(default=False, editable=False)  # a pass goes on
    cursor = models.CharField(max_length=40, blank=True, editable=False)  # the last id that it has read
    # [["2026-11-20", id]...]: the last id that was read on each day of this pass, and of the whole one before.
    marks = models.JSONField(default=list, editable=False)
    marks_before = models.JSONField(default=list, editable=False)
    objects_seen = models.BigIntegerField(default=0, editable=False)  # how many there were when they were listed last
    damaged = ArrayField(models.CharField(max_length=40), default=list, editable=False)  # ids that cannot be read
    looked_at = models.DateTimeField(null=True, editable=False)  # when `fsck` last compared rows and repository
    busy_until = models.DateTimeField(null=True, editable=False)
    prepared_head = models.CharField(max_length=40, blank=True, editable=False)  # whose masked texts are ready

    objects = VerificationSet.as_manager()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"verification of {self.tenant_id}"

    def is_due(self, now: datetime) -> bool:
        """Whether there is something to read now to keep to the pace."""
        return self.target(now) > self.part_read

    def is_late(self, now: datetime) -> bool:
        """Whether the pace was missed by so much that it cannot wait for the night, which some machines never see."""
        if now - self.created_at < LATE:
            return False
        return self.target(now - LATE) > self.part_read

    def target(self, now: datetime) -> float:
        """The part of all ids that should be read by the end of this night; 0 while a pass has ended early."""
        if self.started_at is None:
            return 1 / NIGHTS
        days = (now - self.started_at) / timedelta(days=1)
        if not self.active:
            return 1 / NIGHTS if days >= NIGHTS else 0.0
        return min(1.0, max(0.0, (int(days) + 1) / NIGHTS))

    @property
    def part_read(self) -> float:
        """The part of all ids that the pass has read."""
        return place(self.cursor) if self.active else 0.0

    def begin(self, now: datetime) -> None:
        """Begin a pass, if none goes on."""
        if not self.active:
            self.active, self.started_at, self.cursor, self.marks = True, now, "", []

    def advance(self, cursor: str, now: datetime) -> None:
        """Note how far it has come."""
        day = now.date().isoformat()
        if self.marks and self.marks[-1][0] == day:
            self.marks.pop()
        self.cursor = cursor
        self.marks.append([day, cursor])

    def finish(self) -> None:
        """All ids have been read."""
        self.active, self.cursor = False, ""
        self.marks_before, self.marks = self.marks, []

    def oldest(self) -> date | None:
        """On which day the object was read that waits longest; None where some were never read."""
        days = [day for day, last in self.marks_before if last > self.cursor]
        return date.fromisoformat(days[0]) if days else None

    def part_within(self, now: datetime) -> float:
        """The part of all objects that were read within the time that is promised, 0 to 1."""
        since = (now - PROMISE).date().isoformat()
        part = begun = place(self.cursor)
        for day, last in self.marks_before:
            end = max(begun, place(last))
            part += (end - begun) if day >= since else 0.0
            begun = end
        return min(1.0, part)


def place(object_id: str) -> float:
    """Where an id stands among all ids, 0 to 1."""
    if object_id == END:
        return 1.0
    return int(object_id[:12], 16) / 16**12 if object_id else 0.0
