"""Moments with a name, and the names that move between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from backups.errors import Lost
from backups.models import Run
from inventory.models import Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet

HEAD = "HEAD"


class CheckpointSet(TenantQuerySet):
    """Several checkpoints."""

    def kept(self) -> Self:
        """Without those that were deleted and wait for the garbage collection."""
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        """Those that can be undeleted until the garbage is collected."""
        return self.exclude(deleted_at=None)

    def made(self, *, since: datetime | None = None, until: datetime | None = None, tags: Sequence[str] = ()) -> Self:
        """Those made in a time, both ends included, with any of the tags where some are given."""
        found = self
        if since is not None:
            found = found.filter(created_at__gte=since)
        if until is not None:
            found = found.filter(created_at__lte=until)
        return found.filter(tags__overlap=list(tags)) if tags else found


class Checkpoint(TenantOwned):
    """The state of a whole tenant at one moment, or of chosen devices.

    `first_parent` is the checkpoint it was made after, as long as that row exists. `parent` is what everybody asks
    for: the nearest kept one on the way up the first parents, so that deletions undo in any order.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="checkpoints")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    first_parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="first_children"
    )
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="checkpoints")
    author = models.CharField(max_length=150)
    message = models.TextField()
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)  # undo is possible until collected
    deleted_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", editable=False
    )  # a person, or "retention"
    protected = models.BooleanField(
        default=False, db_default=False, editable=False
    )  # no rule of retention may delete it
    was_head = models.BooleanField(default=False, editable=False)  # HEAD named it when it was deleted
    seq = models.BigIntegerField(editable=False)  # Repository.seq of the moment
    commit = models.CharField(max_length=40, editable=False)  # of the record (main) it was made from
    pin = models.CharField(max_length=40, editable=False)  # the parentless commit that refs/checkpoints/<id> names
    whole = models.BooleanField(default=True, editable=False)  # all the tenant's devices, not chosen ones
    uploaded = models.BooleanField(
        default=False, db_default=False, editable=False
    )  # somebody brought the files: no device has said them
    device_count = models.IntegerField(editable=False)
    file_count = models.IntegerField(editable=False)
    total_bytes = models.BigIntegerField(editable=False)
    changed_count = models.IntegerField(default=0, editable=False)  # devices that differ from the parent
    lost_at = models.DateTimeField(null=True, editable=False)  # content was written off; `pin` holds what is left of it

    objects = CheckpointSet.as_manager()

    class Meta:
        ordering = ["-created_at", "-seq"]
        default_permissions = ("add", "change", "view", "delete")  # change: its tags
        permissions = [
            ("restore_record", "Can go back to a checkpoint in the record"),
            ("export_checkpoint", "Can export a checkpoint's files"),
            ("collect_garbage", "Can collect garbage"),
            ("protect_checkpoint", "Can protect checkpoints from retention"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "id"], name="checkpoint_of_tenant"),
            # The end of a run may be worked on twice.
            models.UniqueConstraint(fields=["run"], name="checkpoint_of_run_once"),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="checkpoint_newest")]

    def __str__(self) -> str:
        return self.message.splitlines()[0] if self.message else str(self.id)

    @property
    def short_id(self) -> str:
        """The beginning of its id, as people name it."""
        return self.id.hex[:12]

    @property
    def content(self) -> str:
        """The commit that holds all of it. Raises Lost where a disk has lost some of it: a part is never the whole."""
        if self.lost_at:
            raise Lost(
                f"Content of checkpoint {self.short_id} ({self}) is lost: the store could not give it back, no copy "
                f"had it, and `fsck` wrote it off on {self.lost_at:%Y-%m-%d}. Versions that are left open one by one."
            )
        return self.pin


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


class RefMove(TenantOwned):
    """That a name moved: the history of refs, which outlives refs and checkpoints alike."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="ref_moves")
    name = models.CharField(max_length=100, editable=False)
    # Plain ids, no foreign keys: the line stays true when a checkpoint is collected.
    before = models.UUIDField(null=True, editable=False)  # null: there was no such ref
    after = models.UUIDField(null=True, editable=False)  # null: the ref was deleted
    moved_at = models.DateTimeField(editable=False)
    moved_by = models.CharField(max_length=150, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-moved_at"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["tenant", "name", "-moved_at"], name="ref_move_newest")]

    def __str__(self) -> str:
        return self.name


# Last: its foreign keys name the models above.
from checkpoints.restore_group_models import RestoreGroup  # noqa: E402, F401
from checkpoints.restore_models import Restore, RestoreEvent, RestoreRules  # noqa: E402, F401
from checkpoints.retention_models import Purge, RetentionPolicy  # noqa: E402, F401
