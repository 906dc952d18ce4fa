"""Moments with a name, and the names that move between them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from backups.models import Run
from inventory.models import Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet

HEAD = "HEAD"


class CheckpointSet(TenantQuerySet):
    """Several checkpoints."""

    def kept(self) -> CheckpointSet:
        """Without those that were deleted and wait for the garbage collection."""
        return self.filter(deleted_at=None)


class Checkpoint(TenantOwned):
    """The state of a whole tenant at one moment, or of chosen devices."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="checkpoints")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="checkpoints")
    author = models.CharField(max_length=150)
    message = models.TextField()
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)  # undo is possible until collected
    seq = models.BigIntegerField(editable=False)  # Repository.seq of the moment
    commit = models.CharField(max_length=40, editable=False)  # of the record (main) it was made from
    pin = models.CharField(max_length=40, editable=False)  # the parentless commit that refs/checkpoints/<id> names
    whole = models.BooleanField(default=True, editable=False)  # all the tenant's devices, not chosen ones
    device_count = models.IntegerField(editable=False)
    file_count = models.IntegerField(editable=False)
    total_bytes = models.BigIntegerField(editable=False)
    changed_count = models.IntegerField(default=0, editable=False)  # devices that differ from the parent

    objects = CheckpointSet.as_manager()

    class Meta:
        ordering = ["-created_at", "-seq"]
        default_permissions = ("add", "view", "delete")
        permissions = [
            ("restore_record", "Can go back to a checkpoint in the record"),
            ("export_checkpoint", "Can export a checkpoint's files"),
            ("collect_garbage", "Can collect garbage"),
        ]
        constraints = [models.UniqueConstraint(fields=["tenant", "id"], name="checkpoint_of_tenant")]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="checkpoint_newest")]

    def __str__(self) -> str:
        return self.message.splitlines()[0] if self.message else str(self.id)


class Ref(TenantOwned):
    """A movable name for a checkpoint; `HEAD` is one."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="refs")
    name = models.CharField(max_length=100)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="refs")
    moved_at = models.DateTimeField(default=timezone.now, editable=False)
    moved_by = models.CharField(max_length=150)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="ref_name_once")]

    def __str__(self) -> str:
        return self.name
