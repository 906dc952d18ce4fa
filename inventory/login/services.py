"""What changes about second factors, with its entry in the audit log."""

from __future__ import annotations

import base64
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from inventory.audit import record
from inventory.errors import SecretUnreadable
from inventory.models import Tenant
from inventory.secrets import is_stale, open_at, seal_at

PLACE = b"login:second-factor"  # what the secrets of authenticator apps and recovery codes are bound to
SEALED = ("secret", "seed")  # in the data of an authenticator: an app's, and that of recovery codes


def take_factor(person: AbstractBaseUser, *, by: str) -> int:
    """Take away every app, key and recovery code of a person; gives back how many there were."""
    from allauth.mfa.models import Authenticator  # not while models are being loaded

    with transaction.atomic():
        number: int = Authenticator.objects.filter(user_id=person.pk).delete()[0]
        name = person.get_username()
        record(None, by=by, action="second_factor.taken", about=name, detail={"number": number})
    return number


def set_demand(tenant: Tenant, demanded: bool, *, by: str) -> None:
    """Whether the tenant wants a second factor of its restorers from now on."""
    with transaction.atomic():
        if Tenant.objects.filter(pk=tenant.pk).exclude(second_factor=demanded).update(second_factor=demanded):
            record(tenant, by=by, action="second_factor.demand", about=tenant.name, detail={"demanded": demanded})
    tenant.second_factor = demanded


def seal_text(text: str) -> str:
    """A secret of a second factor as it is kept."""
    return base64.b64encode(seal_at(PLACE, text)).decode()


def open_text(sealed: str) -> str:
    """The secret itself. Raises SecretUnreadable."""
    return open_at(PLACE, base64.b64decode(sealed), what="A second factor")


def rotate_factors() -> tuple[int, list[str]]:
    """Seal the secrets of second factors with the newest key: how many were sealed anew, and what does not open.

    Each row is held while it is done: a recovery code that is used at the same moment is used up afterwards, too.
    """
    from allauth.mfa.models import Authenticator

    resealed, unreadable = 0, []
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        try:
            resealed += rotate_one(Authenticator, pk)
        except SecretUnreadable as error:
            unreadable.append(f"Authenticator {pk}: {error}")
    return resealed, unreadable


def rotate_one(model: Any, pk: int) -> int:
    """One authenticator's share of it."""
    with transaction.atomic():
        row = model.objects.select_for_update().filter(pk=pk).first()
        stale = [key for key in SEALED if row and key in row.data and is_stale(base64.b64decode(row.data[key]))]
        for key in stale:
            row.data[key] = seal_text(open_text(row.data[key]))
        if stale:
            row.save(update_fields=["data"])
    return len(stale)
