"""What the database knows of a tenant's repository: the rows that say what is kept, whatever the files say."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from inventory.models import Tenant


class Repository(models.Model):
    """A tenant's git repository as the database knows it; the row, not the ref, says which commit is the newest."""

    tenant = models.OneToOneField(Tenant, on_delete=models.PROTECT, primary_key=True, related_name="repository")
    head = models.CharField(max_length=40, null=True, editable=False)  # noqa: DJ001  (null: nothing kept yet)
    seq = models.BigIntegerField(default=0, editable=False)
    fence = models.BigIntegerField(default=0, editable=False)
    # Of all StoredFile rows together (backups/quota.py).
    stored_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the object store has (backups/remote/publishing.py): up to which batch, since when, and which object store.
    copied_seq = models.BigIntegerField(default=0, db_default=0, editable=False)
    copied_at = models.DateTimeField(null=True, editable=False)
    copied_to = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)

    # Where the object store is the home: the number of the manifest that this row was committed with.
    home_seq = models.BigIntegerField(default=0, db_default=0, editable=False)
    # And that of the last purge: a cache of an older manifest may hold what was purged (backups/hosts/caches.py).
    purged_seq = models.BigIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name_plural = "repositories"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.tenant_id}.git"


class StoredFile(models.Model):
    """One content that a tenant keeps, once however often and of however many devices: what its quota counts."""

    pk = models.CompositePrimaryKey("tenant_id", "blob")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    blob = models.CharField(max_length=40)
    size = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.blob
