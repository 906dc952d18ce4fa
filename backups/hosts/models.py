"""The rows about hosts. They concern the whole installation, so superusers alone see them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.utils import timezone

from inventory.models import Tenant
from inventory.validators import validate_line, validate_name

SILENT_AFTER = timedelta(seconds=60)  # a host is heard of every ten (beats.EVERY), so five are missing


class HostSet(models.QuerySet):
    """Several hosts."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """All for a superuser; for anybody else they are no business of theirs."""
        return self if user.is_active and getattr(user, "is_superuser", False) else self.none()

    def taking(self, now: datetime) -> Self:
        """Those that take work: heard of, not draining, not refused, not stopped."""
        alive = self.filter(heartbeat_at__gte=now - SILENT_AFTER, stopped_at=None)
        return alive.filter(draining_at=None, refused="")

    def silent(self, now: datetime) -> Self:
        """Those that went away without a word."""
        return self.filter(heartbeat_at__lt=now - SILENT_AFTER, stopped_at=None)


class Host(models.Model):
    """Queue workers of one machine: those of `netcairn queue` or `netcairn up`, for one queue."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100, editable=False)
    queue = models.CharField(max_length=60, blank=True, editable=False)  # empty: what belongs to no other queue
    version = models.CharField(max_length=60, editable=False)
    workers = models.PositiveIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    heartbeat_at = models.DateTimeField(default=timezone.now, editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)  # it said goodbye
    draining_at = models.DateTimeField(null=True, editable=False)  # it takes no new work
    draining_by = models.CharField(max_length=150, blank=True, editable=False)
    refused = models.TextField(blank=True, editable=False)  # why it may not work
    token = models.UUIDField(default=uuid4, editable=False)  # lies in its store, for the others to find

    objects = HostSet.as_manager()

    class Meta:
        ordering = ["queue", "name"]
        default_permissions = ()  # superusers only: no role in a tenant is to grant anything here
        constraints = [models.UniqueConstraint(fields=["name", "queue"], name="host_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.queue})" if self.queue else self.name

    def state(self, now: datetime) -> str:
        """In one word: working, draining, refused, stopped or silent."""
        if self.stopped_at:
            return "stopped"
        if self.refused:
            return "refused"
        if self.heartbeat_at < now - SILENT_AFTER:
            return "silent"
        return "draining" if self.draining_at else "working"


class SiteQueue(models.Model):
    """The devices of a tenant, or of one of its sites, that only the workers of a queue take."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    site = models.CharField(
        max_length=100, blank=True, validators=[validate_line], help_text="Empty: all sites that have no line here."
    )
    queue = models.CharField(
        max_length=60,
        blank=True,
        validators=[validate_name],
        help_text="Workers that were started with this NETCAIRN_QUEUE take them, nobody else. Empty: all others do.",
    )

    class Meta:
        ordering = ["tenant__name", "site"]
        default_permissions = ()
        verbose_name = "queue of a site"
        verbose_name_plural = "queues of sites"
        constraints = [models.UniqueConstraint(fields=["tenant", "site"], name="site_queue_once")]

    def __str__(self) -> str:
        return f"{self.tenant}, {self.site or 'all sites'}: {self.queue or 'every other worker'}"


class Installation(models.Model):
    """What all hosts have in common; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.CharField(max_length=60, editable=False)  # that `prepare` or `up` was of
    key = models.CharField(max_length=64, editable=False)  # a digest by the key that signs the queue's tasks
    prepared_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.version
