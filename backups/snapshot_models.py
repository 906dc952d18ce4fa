"""What is kept: the versions of devices. `models.py` brings them together with what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.db import models

from backups import indexes
from backups.epochs import Epoch
from backups.errors import Lost, Pruned
from inventory import moments
from inventory.models import Device, Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet


class SnapshotSet(TenantQuerySet):
    """Several snapshots."""

    def latest_by_device(self) -> SnapshotSet:
        """The newest snapshot of each device in the set."""
        return self.order_by("device_id", "-seq").distinct("device_id")

    def readable(self) -> SnapshotSet:
        """Those whose content is kept; the others are only rows."""
        return self.filter(pruned_at=None)

    def processed_among(self, files: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
        """The files whose content is what post-processing made of what one of these devices said."""
        made = {name: {name: {"blob": file["blob"], "processed": True}} for name, file in files.items()}
        return frozenset(name for name, told in made.items() if self.filter(files__contains=told).exists())

    def with_commit_gone(self) -> SnapshotSet:
        """Each with `commit_gone`: its epoch was swept, so its files can be named by their ids alone."""
        swept = Epoch.objects.swept().filter(
            tenant=models.OuterRef("tenant"),
            first_seq__lte=models.OuterRef("seq"),
            last_seq__gte=models.OuterRef("seq"),
        )
        return self.annotate(commit_gone=models.Exists(swept))


class Snapshot(TenantOwned):
    """One device's files at one moment, kept because they differ from the last."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="snapshots")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="snapshots")
    run = models.ForeignKey("backups.Run", on_delete=models.SET_NULL, null=True, related_name="snapshots")
    seq = models.BigIntegerField()  # Repository.seq of its commit: the order, where clocks lie
    taken_at = models.DateTimeField()
    commit = models.CharField(max_length=40)
    # File name -> {"blob": 40 hex, "size": bytes}; where there was post-processing "said", the bytes before it, and
    # "processed" with a file that is not what the device said.
    files = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)  # of the files without their volatile lines (capture.stable_digest)
    size = models.BigIntegerField()  # bytes of all files together
    lines_added = models.IntegerField()
    lines_removed = models.IntegerField()
    author = models.CharField(max_length=150)
    pruned_at = models.DateTimeField(null=True, editable=False)  # retention has removed the content; the row stays
    # Not retention, but a disk, at pruned_at.
    lost = models.BooleanField(default=False, db_default=False, editable=False)

    objects = SnapshotSet.as_manager()

    class Meta:
        verbose_name = "version"
        ordering = ["-seq"]
        default_permissions = ("view",)
        permissions = [("view_secrets", "Can see secrets inside configurations")]
        constraints = [
            models.UniqueConstraint(fields=["device", "seq"], name="snapshot_once"),
            models.UniqueConstraint(fields=["tenant", "id"], name="snapshot_of_tenant"),
        ]
        indexes = indexes.SNAPSHOTS

    def __str__(self) -> str:
        return moments.told(self.taken_at, seconds=True)

    def blob(self, name: str) -> str | None:
        """The git object id of one of its files; None where it has no such file."""
        entry: dict[str, Any] | None = self.files.get(name)
        return entry["blob"] if entry else None

    def refuse_pruned(self) -> None:
        """Raise Pruned where retention has removed the content, Lost (one of them) where a disk has lost it."""
        if self.lost:
            raise Lost(
                f"The content of the version of {self.device.name} of {self} is lost: the store could not give it "
                f"back, no copy had it, and `fsck` wrote it off on {self.pruned_at:%Y-%m-%d}. When it was taken, and "
                "by how many lines it differed, is still known."
            )
        if self.pruned_at:
            raise Pruned(
                f"The content of the version of {self.device.name} of {self} is gone: retention removed it on "
                f"{self.pruned_at:%Y-%m-%d}. When it was taken, and by how many lines it differed, is still known."
            )
