"""Epochs: the parts that the record is cut into, so that an old one can be dropped without rewriting anything.

The current epoch is the record itself, `refs/heads/main`. `Batch.cut` ends it: its last commit gets the name
`refs/epochs/<n>`, and a commit without parent, with the same tree, goes on from there. A policy that keeps everything
never asks for it, so there is one epoch for ever. The row of an epoch that was swept stays, and says which numbers of
the record have no commits any more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models

from inventory.models import Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet


class EpochSet(TenantQuerySet):
    """Several epochs."""

    def there(self) -> Self:
        """Those whose commits are still kept, marked ones too."""
        return self.filter(swept_at=None)

    def swept(self) -> Self:
        """Those whose commits are gone."""
        return self.exclude(swept_at=None)


class Epoch(TenantOwned):
    """One part of a tenant's record that has ended."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="epochs")
    number = models.PositiveIntegerField(editable=False)  # 1, 2, 3 ...
    first_seq = models.BigIntegerField(editable=False)
    last_seq = models.BigIntegerField(editable=False)
    tip = models.CharField(max_length=40, editable=False)  # its last commit, which refs/epochs/<number> names
    began_at = models.DateTimeField(editable=False)
    ended_at = models.DateTimeField(editable=False)
    marked_at = models.DateTimeField(null=True, editable=False)  # to be swept; undo is possible until then
    marked_by = models.CharField(max_length=150, blank=True, editable=False)
    protected = models.BooleanField(default=False, editable=False)  # somebody undid the mark: no rule may mark it again
    swept_at = models.DateTimeField(null=True, editable=False)

    objects = EpochSet.as_manager()

    class Meta:
        ordering = ["-number"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="epoch_number_once")]

    def __str__(self) -> str:
        return f"epoch {self.number}"


def begin_of_current(tenant_id: UUID) -> tuple[int, int, datetime | None]:
    """Number, first number of the record and beginning of the epoch that goes on; None: it is the first."""
    last = Epoch.objects.filter(tenant_id=tenant_id).order_by("-number").first()
    return (last.number + 1, last.last_seq + 1, last.ended_at) if last else (1, 1, None)
