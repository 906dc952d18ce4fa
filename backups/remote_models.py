"""What a tenant's packs in the object store are sealed with."""

from __future__ import annotations

from django.db import models

from inventory.models import Tenant


class RemoteKey(models.Model):
    """A tenant's key, itself sealed; without it what is in the object store is noise."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+", editable=False)
    key_sealed = models.BinaryField(editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"key of {self.tenant_id}"
