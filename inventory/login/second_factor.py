"""Rights that a tenant gives only to people with a second factor.

What sends something to a device, and what agrees to it, waits in such a tenant until the person has set one up. It is
asked where every right is asked (`inventory/roles.py`), so that no page, action or address can forget it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.utils.functional import cached_property

from inventory.models import Tenant

# With the demand itself: who was not let in by it could otherwise take it away.
RIGHTS = frozenset({"checkpoints.push_restore", "checkpoints.approve_restore", "inventory.set_second_factor"})


class SecondFactorMissing(PermissionDenied):
    """The tenant wants a second factor for this, and the person has none; they are led to set one up."""


class Factor:
    """What is asked about one person, once in the life of the user object (one request)."""

    def __init__(self, user: AbstractBaseUser | AnonymousUser) -> None:
        self.user = user

    @cached_property
    def is_there(self) -> bool:
        """Whether the person has an authenticator app or a security key; recovery codes alone are none."""
        from allauth.mfa.models import Authenticator  # not while models are being loaded

        kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
        return Authenticator.objects.filter(user_id=self.user.pk, type__in=kinds).exists()

    @cached_property
    def demanding(self) -> frozenset[UUID]:
        """Tenants that want one."""
        return frozenset(Tenant.objects.filter(second_factor=True).values_list("pk", flat=True))


def factor_of(user: Any) -> Factor:
    """The answers for this person, kept beside Django's own cache of permissions."""
    kept: Factor | None = getattr(user, "_netcairn_factor", None)
    if kept is None:
        kept = Factor(user)
        user._netcairn_factor = kept
    return kept


def withheld(user: AbstractBaseUser | AnonymousUser, permission: str) -> frozenset[UUID]:
    """Tenants in which the person may not use this right yet, whoever gave it."""
    if permission not in RIGHTS or not user.is_authenticated:
        return frozenset()
    factor = factor_of(user)
    if not factor.demanding or factor.is_there:
        return frozenset()
    return factor.demanding
