"""What a tenant keeps, and what was purged from its record."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

from checkpoints.retention import MAX_COUNT, MAX_DAYS, Policy
from inventory import moments
from inventory.models import Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet
from inventory.validators import validate_line, validate_tag

EVERY = timedelta(days=1)  # how often a policy is applied by itself
NOBODY = "retention"  # who marks what no rule keeps


def count_of(period: str) -> models.PositiveIntegerField:
    """A field for how many periods the newest checkpoint is kept of."""
    help_text = f"The newest of each of so many {period}."
    return models.PositiveIntegerField(default=0, validators=[MaxValueValidator(MAX_COUNT)], help_text=help_text)


class RetentionSet(TenantQuerySet):
    """Several policies."""

    def due(self, now: datetime) -> RetentionSet:
        """Those to be applied now."""
        waiting = models.Q(applied_at__gt=now - EVERY)
        return self.filter(automatic=True).exclude(waiting)


class RetentionPolicy(TenantOwned):
    """A tenant's policy; without a row, everything is kept."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="retention")
    everything = models.BooleanField("keep everything", default=True)
    last = models.PositiveIntegerField(
        "the last", default=0, validators=[MaxValueValidator(MAX_COUNT)], help_text="Checkpoints."
    )
    within_days = models.PositiveIntegerField(
        "all within",
        default=0,
        validators=[MaxValueValidator(MAX_DAYS)],
        help_text="Days. Everything that is younger stays, with every version in between.",
    )
    hourly = count_of("hours")
    daily = count_of("days")
    weekly = count_of("weeks")
    monthly = count_of("months")
    yearly = count_of("years")
    tags = ArrayField(
        models.CharField(max_length=60, validators=[validate_tag]),
        default=list,
        blank=True,
        help_text="Checkpoints with one of these tags stay for ever.",
    )
    zone = models.CharField("time zone", max_length=60, default="UTC", help_text="Where days begin: Europe/Paris.")
    hold = models.CharField(
        "legal hold",
        max_length=200,
        blank=True,
        validators=[validate_line],
        help_text="Why nothing at all may be deleted. While anything stands here, nothing is.",
    )
    automatic = models.BooleanField(default=True, help_text="Applied by itself once a day.")
    applied_at = models.DateTimeField(null=True, editable=False)
    # What a collection is doing now, for people who wait; empty: nothing.
    step = models.CharField(max_length=60, blank=True, editable=False)
    step_at = models.DateTimeField(null=True, editable=False)
    stop_asked = models.BooleanField(default=False, editable=False)
    outcome = models.TextField(blank=True, editable=False)  # of the last collection, a sentence

    objects = RetentionSet.as_manager()

    class Meta:
        verbose_name = "retention policy"
        verbose_name_plural = "retention policies"
        default_permissions = ("view", "change", "add")

    def __str__(self) -> str:
        return f"retention of {self.tenant}"

    def policy(self) -> Policy:
        """As the rules take it."""
        return Policy(
            everything=self.everything,
            last=self.last,
            within=timedelta(days=self.within_days),
            hourly=self.hourly,
            daily=self.daily,
            weekly=self.weekly,
            monthly=self.monthly,
            yearly=self.yearly,
            tags=frozenset(self.tags),
            zone=self.zone,
            hold=self.hold,
        )

    def clean(self) -> None:
        """An empty policy, or one that contradicts itself, is refused."""
        super().clean()
        if problems := self.policy().problems():
            raise ValidationError(problems)


def policy_of(tenant_id: UUID) -> Policy:
    """The tenant's policy; everything is kept where it has none."""
    row = RetentionPolicy.objects.filter(tenant_id=tenant_id).first()
    return row.policy() if row else Policy()


class Purge(TenantOwned):
    """That a record was rewritten because something in it had to vanish. Rows of it are never changed but to end it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="purges")
    at = models.DateTimeField(editable=False)
    by = models.CharField(max_length=150, editable=False)
    reason = models.CharField(max_length=300, editable=False)
    # Old commit -> new one. Of commits alone: from the id of a file and all but the secret in it, the secret follows.
    commits = models.JSONField(default=dict, editable=False)
    files = models.PositiveIntegerField(editable=False)  # texts that were rewritten
    versions = models.PositiveIntegerField(editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)  # the old objects are off the disk

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"purge of {moments.told(self.at)}"
