"""What drills came to, as rows."""

from __future__ import annotations

from django.db import models

from inventory.models import Tenant
from inventory.tenancy import TenantQuerySet


class Drill(models.Model):
    """One tenant restored beside the live one, and compared with it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="drills", editable=False)
    at = models.DateTimeField(editable=False)
    by = models.CharField(max_length=150, editable=False)
    seconds = models.FloatField(default=0, editable=False)
    equal = models.BooleanField(editable=False)  # every byte that was restored is the one that is here
    batch = models.BigIntegerField(default=0, editable=False)  # the newest change of the copy
    behind = models.BigIntegerField(default=0, editable=False)  # changes that it had not yet
    objects_compared = models.BigIntegerField(default=0, editable=False)
    size = models.BigIntegerField(default=0, editable=False)  # bytes compared
    checkpoints = models.IntegerField(default=0, editable=False)
    versions = models.IntegerField(default=0, editable=False)
    trouble = models.TextField(blank=True, editable=False)  # what was wrong, a sentence

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-at"], name="drill_newest")]

    def __str__(self) -> str:
        if not self.equal:
            return f"{self.tenant}: {self.trouble}"
        return f"{self.tenant}: {self.objects_compared:,} objects equal byte by byte, in {self.seconds:.0f} s"
