"""A restore to a device and every state it has passed: the rows that are the truth about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from backups.models import Snapshot
from backups.schedule_models import validate_window
from backups.windows import MAX_LENGTH
from checkpoints.errors import DeviceTaken, RestoreLost, WrongMoment
from inventory import audit
from inventory.models import Device, Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet

# States in which a restore has its device to itself; the last one until somebody has looked at the device.
HOLDS = Q(state__in=["approved", "pre-backup", "armed", "pushing", "verifying"]) | Q(state="unknown", settled_at=None)


class RestoreSet(TenantQuerySet):
    """Several restores."""

    def holding(self) -> Self:
        """Those that have their device to themselves."""
        return self.filter(HOLDS)

    def unresolved(self) -> Self:
        """Those after which nobody knows what the device runs, until somebody has looked."""
        return self.filter(state=Restore.State.UNKNOWN, settled_at=None)

    def forsaken(self, now: datetime) -> Self:
        """Those whose process should have been heard of by now."""
        return self.filter(state__in=Restore.WORKING, lease_until__lt=now)


class Restore(TenantOwned):
    """One version on its way back onto one device.

    Each state is committed before what it announces is done. A process works on it only with the token, and only until
    the lease is over; every session with the device ends before that by itself. So what a dead process left behind is
    told from the row: up to `armed` nothing has taken effect.
    """

    class State(models.TextChoices):
        """Where it stands; the last four are final, but `unknown` waits for a person."""

        REQUESTED = "requested", "Requested"
        PLANNED = "planned", "Planned"
        APPROVED = "approved", "Approved"
        PRE_BACKUP = "pre-backup", "Backing up"
        ARMED = "armed", "Armed"
        PUSHING = "pushing", "Pushing"
        VERIFYING = "verifying", "Verifying"
        CANCELLED = "cancelled", "Cancelled"
        CONFIRMED = "confirmed", "Confirmed"
        REVERTED = "reverted", "Reverted"
        UNKNOWN = "unknown", "Unknown"

    WAITING = (State.REQUESTED, State.PLANNED, State.APPROVED)
    WORKING = (State.REQUESTED, State.PRE_BACKUP, State.ARMED, State.PUSHING, State.VERIFYING)
    HARMLESS = (State.REQUESTED, State.PRE_BACKUP, State.ARMED)  # nothing has taken effect yet
    TOUCHED = (State.PUSHING, State.VERIFYING)

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="restores")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="restores")
    # Which version: by one of the two, and by its objects, which outlive both names.
    checkpoint = models.ForeignKey(
        "checkpoints.Checkpoint", on_delete=models.SET_NULL, null=True, editable=False, related_name="restores"
    )
    version = models.ForeignKey(Snapshot, on_delete=models.SET_NULL, null=True, editable=False, related_name="restores")
    target = models.JSONField(default=dict, editable=False)  # file name -> {"blob": 40 hex, "size": bytes}
    before = models.ForeignKey(Snapshot, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    group = models.ForeignKey(
        "checkpoints.RestoreGroup", on_delete=models.PROTECT, null=True, editable=False, related_name="restores"
    )
    place = models.PositiveIntegerField(default=0, editable=False)  # in the order of its group
    state = models.CharField(max_length=12, choices=State.choices, default=State.REQUESTED, editable=False)
    cause = models.CharField(max_length=40, blank=True, editable=False)  # a code of our errors; empty when good
    detail = models.TextField(blank=True, editable=False)  # what came of it, for people
    requested_by = models.CharField(max_length=150, editable=False)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.CharField(max_length=150, blank=True, editable=False)
    pushed_by = models.CharField(max_length=150, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    minutes = models.PositiveSmallIntegerField(default=5, editable=False)  # of the device's own timer
    plan = models.JSONField(default=dict, editable=False)  # what is shown of it: no secret, no file's content
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    token = models.UUIDField(null=True, editable=False)  # whose steps count
    lease_until = models.DateTimeField(null=True, editable=False)
    pushed_at = models.DateTimeField(null=True, editable=False)  # from here on something may have taken effect
    reverts_at = models.DateTimeField(null=True, editable=False)  # by then the device's timer has run out
    saved = models.BooleanField(default=False, editable=False)  # the device starts with what it runs
    settled_by = models.CharField(max_length=150, blank=True, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)  # somebody has looked at a device of state unknown
    settled_note = models.TextField(blank=True, editable=False)

    objects = RestoreSet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        default_permissions = ("view",)
        permissions = [
            ("plan_restore", "Can plan restores to devices"),
            ("approve_restore", "Can approve restores to devices"),
            ("push_restore", "Can push restores to devices"),
            ("settle_restore", "Can release a device after a restore of unknown outcome"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "id"], name="restore_of_tenant"),
            # One at a time, whatever two people, processes or hosts do at once.
            models.UniqueConstraint(fields=["device"], name="restore_of_device_at_a_time", condition=HOLDS),
        ]
        indexes = [
            models.Index(fields=["tenant", "-requested_at"], name="restore_newest"),
            models.Index(fields=["device", "-requested_at"], name="restore_of_device_newest"),
            models.Index(fields=["lease_until"], name="restore_leased", condition=Q(lease_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"restore {self.short_id}"

    @property
    def short_id(self) -> str:
        """The beginning of its id, as people name it."""
        return self.id.hex[:12]

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in (*self.WAITING, *self.WORKING)

    @property
    def came_of_it(self) -> str:
        """What came of it, in words."""
        if self.detail or self.state != self.State.CONFIRMED:
            return self.detail
        return "It runs the version, was read back, and starts with it."

    @property
    def name_on_device(self) -> str:
        """What its file and its candidate are called there."""
        return f"netcairn-{self.id.hex[:8]}"

    def move(
        self,
        to: str,
        *,
        of: Sequence[str],
        now: datetime,
        holder: UUID | None = None,
        only: Mapping[str, Any] | None = None,
        by: str = "",
        told: str = "",
        action: str = "",
        **fields: Any,
    ) -> None:
        """Go from one of these states into another, with a line for the history and the audit; durable when it returns.

        `holder`: only for who holds this token; `only` names values that columns must still have;
        `action` is what the audit calls it, where that is not the state. Raises RestoreLost
        (with a holder) or WrongMoment when the row is not as expected any more, DeviceTaken when another restore has
        the device.
        """
        rows = Restore.objects.filter(pk=self.pk, state__in=of, **(only or {}))
        rows = rows.filter(token=holder) if holder else rows
        try:
            with transaction.atomic(durable=True):
                if not rows.update(state=to, **fields):
                    raise self.not_as_expected(to, holder)
                RestoreEvent.objects.create(tenant_id=self.tenant_id, restore=self, state=to, at=now, by=by, told=told)
                detail = {"restore": str(self.pk), "told": told, "fingerprint": self.fingerprint}
                who, what = by or audit.SYSTEM, f"restore.{action or to}"
                audit.record(self.tenant, by=who, action=what, about=self.device.name, detail=detail)
        except IntegrityError as exc:
            if "restore_of_device_at_a_time" not in str(exc):
                raise
            raise DeviceTaken(self.taken_sentence()) from None
        self.refresh_from_db()

    def note(self, told: str, *, holder: UUID, now: datetime) -> None:
        """Write down what is done next within the state. Raises RestoreLost when the token does not count any more."""
        with transaction.atomic(durable=True):
            mine = Restore.objects.select_for_update().filter(pk=self.pk, state=self.state, token=holder)
            if not mine.exists():
                raise self.not_as_expected(self.state, holder)
            RestoreEvent.objects.create(tenant_id=self.tenant_id, restore=self, state=self.state, at=now, told=told)

    def not_as_expected(self, to: str, holder: UUID | None) -> RestoreLost | WrongMoment:
        """The error for a row that somebody else has moved."""
        if holder:
            return RestoreLost(
                f"Restore {self.short_id} was taken over by another process, because this one was too slow."
            )
        found = Restore.objects.filter(pk=self.pk).values_list("state", flat=True).first()
        return WrongMoment(f"Restore {self.short_id} is {found or 'gone'}: it cannot become {to}.")

    def taken_sentence(self) -> str:
        """Which other restore has the device."""
        other = Restore.objects.holding().filter(device=self.device_id).exclude(pk=self.pk).first()
        if other is None:
            return f"Another restore of {self.device} was under way; try again."
        if other.state == Restore.State.UNKNOWN:
            return (
                f"Restore {other.short_id} left {self.device} in an unknown state: look at the device, then settle "
                "that restore."
            )
        return f"Restore {other.short_id} of {self.device} is {other.state}: wait for its end, or cancel it."


class RestoreEvent(models.Model):
    """One step of a restore; only ever added."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    restore = models.ForeignKey(Restore, on_delete=models.CASCADE, related_name="events")
    state = models.CharField(max_length=12, choices=Restore.State.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)  # who, where a person did it
    told = models.TextField(blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.state}"


class RestoreRules(models.Model):
    """What a tenant wants of restores to its devices."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="restore_rules")
    four_eyes = models.BooleanField(
        default=False, help_text="Whoever asks for a restore may not be the one who approves it."
    )
    windows = ArrayField(
        models.CharField(max_length=MAX_LENGTH, validators=[validate_window]),
        default=list,
        blank=True,
        help_text="Only then is anything sent to a device: Sat,Sun 00:00-24:00, or 22:00-06:00. None: at any time.",
    )
    zone = models.CharField("time zone", max_length=64, default="UTC", help_text="Such as Europe/Zurich.")

    class Meta:
        verbose_name_plural = "restore rules"
        default_permissions = ()
        # Without the word in it that gives a restorer everything: who needs four eyes must not be able to close two.
        permissions = [("set_four_eyes", "Can say whether a second person has to approve")]

    def __str__(self) -> str:
        return f"rules of {self.tenant_id}"
