"""Several devices that go back in one request: their order, how many at a time, and why it stopped."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from checkpoints.restore_models import Restore
from inventory.models import Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet

MOST_AT_A_TIME = 50

# How each state of a restore counts in the progress of all of them.
SHARES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("done", (Restore.State.CONFIRMED,)),
    ("failed", (Restore.State.REVERTED, Restore.State.UNKNOWN)),
    ("cancelled", (Restore.State.CANCELLED,)),
    ("running", (Restore.State.PRE_BACKUP, Restore.State.ARMED, Restore.State.PUSHING, Restore.State.VERIFYING)),
    ("waiting", (Restore.State.REQUESTED, Restore.State.PLANNED, Restore.State.APPROVED)),
)


class RestoreGroupSet(TenantQuerySet):
    """Several requests."""

    def forsaken(self, now: datetime) -> Self:
        """Those that are being carried out by a process that should have been heard of by now."""
        return self.filter(ended_at=None, lease_until__lt=now)


class RestoreGroup(TenantOwned):
    """One request to put several devices back, one after the other or some at a time; the truth of each is its row.

    It stops at the first device that did not come to run the version: what was not begun by then is called off.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="restore_groups")
    checkpoint = models.ForeignKey(
        "checkpoints.Checkpoint", on_delete=models.SET_NULL, null=True, editable=False, related_name="restore_groups"
    )
    requested_by = models.CharField(max_length=150, editable=False)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    at_a_time = models.PositiveSmallIntegerField(
        default=1, editable=False, validators=[MinValueValidator(1), MaxValueValidator(MOST_AT_A_TIME)]
    )
    approved_by = models.CharField(max_length=150, blank=True, editable=False)
    pushed_by = models.CharField(max_length=150, blank=True, editable=False)
    token = models.UUIDField(null=True, editable=False)  # of the process that carries it out
    lease_until = models.DateTimeField(null=True, editable=False)
    stopped = models.TextField(blank=True, editable=False)  # why no more devices are begun; empty: they are
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = RestoreGroupSet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = "restore of several devices"
        verbose_name_plural = "restores of several devices"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant", "id"], name="restore_group_of_tenant")]
        indexes = [models.Index(fields=["tenant", "-requested_at"], name="restore_group_newest")]

    def __str__(self) -> str:
        return f"restores {self.short_id}"

    @property
    def short_id(self) -> str:
        """The beginning of its id, as people name it."""
        return self.id.hex[:12]

    def in_order(self) -> Sequence[Restore]:
        """Its devices' restores, in the order in which they are carried out."""
        return list(self.restores.select_related("device", "tenant", "before").order_by("place"))

    @property
    def state(self) -> str:
        """Where all of it stands: planning, planned, approved, pushing, done or stopped."""
        if self.ended_at:
            return "stopped" if self.stopped else "done"
        if self.pushed_by:
            return "pushing"
        if self.approved_by:
            return "approved"
        return "planning" if self.restores.filter(state=Restore.State.REQUESTED).exists() else "planned"

    @property
    def fingerprint(self) -> str:
        """Of all the plans, in their order: what somebody agrees to."""
        waiting = self.restores.filter(state__in=[Restore.State.PLANNED, Restore.State.APPROVED]).order_by("place")
        told = "".join(f"{pk}{fingerprint}" for pk, fingerprint in waiting.values_list("pk", "fingerprint"))
        return hashlib.sha256(told.encode()).hexdigest()

    def progress(self) -> dict[str, int]:
        """How many devices are done, failed, cancelled, running, and waiting."""
        states = Counter(self.restores.values_list("state", flat=True))
        return {name: sum(states[state] for state in of) for name, of in SHARES}
