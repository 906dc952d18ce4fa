"""What was changed and has to be told elsewhere: noted in the transaction of the change, so that both stand or fall."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from inventory.models import Tenant
from inventory.tenancy import TenantQuerySet


class Outbox(models.Model):
    """One change of a tenant's store that something elsewhere does not have yet; gone once it has (`outbox.py`)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", editable=False)
    kind = models.CharField(max_length=20, editable=False)  # what has to be done: `publish`, `mirror`
    seq = models.BigIntegerField(editable=False)  # Repository.seq when it was noted
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)  # somebody is at it, or it waits after a failure
    error = models.TextField(blank=True, editable=False)  # of the last attempt: one sentence

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "outbox"
        ordering = ["id"]
        default_permissions = ()
        indexes = [models.Index(fields=["kind", "tenant", "id"], name="outbox_by_tenant")]

    def __str__(self) -> str:
        return f"{self.kind} {self.tenant_id} {self.seq}"
