"""The rows that `backups/tallies.py` keeps."""

from __future__ import annotations

from django.db import models


class DayTally(models.Model):
    """What happened on one day that is over, of all tenants; never shown but for the tenants of who asks."""

    day = models.DateField(primary_key=True)  # UTC
    counts = models.JSONField(default=dict)  # id of a tenant -> numbers in the order of tallies.COUNTED

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day}"
