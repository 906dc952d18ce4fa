"""What attempts leave behind for people to look at: doubtful texts, and what was said before a failure."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from inventory import moments
from inventory.models import Tenant
from inventory.tenancy import TenantQuerySet


class QuarantinedFile(models.Model):
    """What a device said in an attempt that was not provably complete, for a person to look at."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    attempt = models.ForeignKey("backups.Attempt", on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=100)
    content = models.BinaryField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "quarantined text"
        default_permissions = ("view",)
        permissions = [("judge_quarantinedfile", "Can accept or drop quarantined texts")]
        constraints = [models.UniqueConstraint(fields=["attempt", "name"], name="quarantined_file_once")]

    def __str__(self) -> str:
        return self.name


class Transcript(models.Model):
    """What was said in a failed attempt, without secrets (backups/transcript.py); swept after some days."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    attempt = models.OneToOneField("backups.Attempt", on_delete=models.CASCADE, related_name="transcript")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    text = models.TextField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # who may look at everything may not yet look at this
        permissions = [("read_transcript", "Can read transcripts of failed attempts")]

    def __str__(self) -> str:
        return f"transcript of {moments.told(self.made_at)}"
