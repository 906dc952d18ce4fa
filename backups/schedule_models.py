"""Schedules: which of a tenant's devices are collected when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils import timezone

from backups import cron, windows
from backups.errors import BadSchedule
from backups.timing import MAX_JITTER, Timing
from inventory.models import Device, DeviceSet, Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet
from inventory.validators import validate_line, validate_name, validate_tag


def validate_window(text: str) -> None:
    """A window as `backups.windows` reads it."""
    try:
        windows.read_window(text)
    except BadSchedule as error:
        raise ValidationError(str(error)) from error


class ScheduleSet(TenantQuerySet):
    """Several schedules."""

    def due(self, now: datetime) -> Self:
        """Those whose moment has come, the longest waiting first."""
        return self.filter(enabled=True, next_at__lte=now).order_by("next_at")


class Schedule(TenantOwned):
    """When some of a tenant's devices are collected. Sites, tags and names each narrow the choice; none is all."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=100, validators=[validate_name])
    cron = models.CharField(
        max_length=cron.MAX_LENGTH,
        help_text="Minute, hour, day of month, month, day of week. '0 2 * * *' is every night at two.",
    )
    zone = models.CharField("time zone", max_length=64, default="UTC", help_text="Such as Europe/Zurich.")
    sites = ArrayField(models.CharField(max_length=100, validators=[validate_line]), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=60, validators=[validate_tag]), default=list, blank=True)
    by_name = models.BooleanField(default=False, editable=False)  # only `chosen`, also when none of them is left
    jitter = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(MAX_JITTER)], help_text="Minutes by which a start may be put off."
    )
    blackouts = ArrayField(
        models.CharField(max_length=windows.MAX_LENGTH, validators=[validate_window]), default=list, blank=True
    )
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField("next start", null=True, editable=False)
    last_run = models.ForeignKey("backups.Run", on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    trouble = models.TextField(blank=True, editable=False)  # why the last start came to no run; one sentence
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScheduleSet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="schedule_name_once"),
            models.UniqueConstraint(fields=["tenant", "id"], name="schedule_of_tenant"),
        ]
        indexes = [models.Index(fields=["next_at"], name="schedule_due", condition=models.Q(enabled=True))]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Whether it can ever start."""
        super().clean()
        try:
            self.timing().next_start(timezone.now())
        except BadSchedule as error:
            raise ValidationError(str(error)) from error

    def timing(self) -> Timing:
        """Its rules for time, without the row. Raises BadSchedule."""
        return Timing(self.cron, self.zone, self.jitter, windows.read_windows(self.blackouts), seed=str(self.pk))

    def plan_next(self, now: datetime) -> None:
        """Set `next_at` in memory: None while it is not enabled. Raises BadSchedule."""
        self.next_at = self.timing().next_start(now) if self.enabled else None

    def take(self, now: datetime) -> bool:
        """Move a due schedule on to its next start; True for the one caller who shall start it now.

        However many starts were missed meanwhile, they are one. Inside a window it is only put off to its end.
        Raises BadSchedule.
        """
        timing = self.timing()
        allowed = timing.first_allowed(now)
        starts = allowed == now
        mine = Schedule.objects.filter(pk=self.pk, enabled=True, next_at=self.next_at)
        won = mine.update(next_at=timing.next_start(now) if starts else allowed)
        return starts and bool(won)

    def devices(self) -> DeviceSet:
        """Whom it collects, as of now."""
        found = Device.objects.collectable().filter(tenant=self.tenant_id)
        if self.sites:
            found = found.filter(site__in=self.sites)
        if self.tags:
            found = found.filter(tags__overlap=self.tags)
        if self.by_name:
            found = found.filter(pk__in=self.chosen.values("device"))
        return found

    def choose(self, devices: Iterable[Device]) -> None:
        """Replace the devices that are chosen by name; with none it is no longer a matter of names."""
        rows = [ScheduledDevice(tenant_id=self.tenant_id, schedule=self, device=device) for device in devices]
        with transaction.atomic():
            self.chosen.all().delete()
            ScheduledDevice.objects.bulk_create(rows)
            self.by_name = bool(rows)
            self.save(update_fields=["by_name"])

    def scope(self) -> str:
        """Whom it collects, in words."""
        parts = [f"site {' or '.join(self.sites)}"] if self.sites else []
        parts += [f"tag {' or '.join(self.tags)}"] if self.tags else []
        parts += [f"{len(self.chosen.all())} by name"] if self.by_name else []
        return ", ".join(parts) or "all devices"


class ScheduledDevice(models.Model):
    """A device that a schedule names."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="chosen")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["schedule", "device"], name="scheduled_device_once")]
