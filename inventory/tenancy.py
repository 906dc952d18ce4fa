"""What every tenant-owned table shares: the tenant, the query by eyes, and a foreign key that cannot cross tenants."""

from __future__ import annotations

from typing import Self
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.migrations import RunSQL


class TenantQuerySet(models.QuerySet):
    """Rows that belong to a tenant."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Rows of the tenants that the user is a member of; a superuser sees all, a stranger nothing."""
        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(tenant__memberships__user_id=user.pk)


class TenantOwned(models.Model):
    """A row with a stable UUID that belongs to one tenant for ever."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey("inventory.Tenant", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Say in words what the composite foreign keys would refuse at the end of the transaction."""
        errors = {
            field.name: f"{related} belongs to another tenant; choose one of the same tenant."
            for field in self._meta.concrete_fields
            if isinstance(field, models.ForeignKey)
            and isinstance(related := getattr(self, field.name, None), TenantOwned)
            and related.tenant_id != self.tenant_id
        }
        if errors:
            raise ValidationError(errors)


def same_tenant(table: str, column: str, target: str) -> RunSQL:
    """A migration step: `table.column` may only name a `target` row of its own tenant, whatever a form did.

    The target needs a unique constraint on (tenant_id, id). Deferred, as Django's own foreign keys are.
    """
    name = f"{table}_{column}_same_tenant"
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (tenant_id, {column}) "
        f"REFERENCES {target} (tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
