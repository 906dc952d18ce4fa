"""Adding, pushing and removing mirrors, for pages and commands."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from backups.mirrors.models import Mirror
from inventory import audit
from inventory.errors import AlreadyThere, Invalid, NotFound
from inventory.models import Credential, Tenant

PLAIN_WORD = (
    "A mirror gets everything that git holds of the tenant: every version of every configuration, with the secrets "
    "inside them wherever they are stored. Whoever may read that repository reads them, and what was pushed cannot be "
    "called back."
)
MASKED = (
    "Secrets of this tenant are masked before storing; versions from before that hold them, and they are pushed too."
)


def told(tenant: Tenant | None) -> str:
    """What somebody has to know before a mirror is added."""
    masked = tenant is not None and tenant.secrets_policy == Tenant.Secrets.MASK
    return f"{PLAIN_WORD} {MASKED}" if masked else PLAIN_WORD


def add_mirror(tenant: Tenant, name: str, *, url: str, credential: str | None, by: str) -> Mirror:
    """Register a mirror; its first push comes with the next minute. Raises Invalid, AlreadyThere, NotFound."""
    if Mirror.objects.filter(tenant=tenant, name=name).exists():
        raise AlreadyThere(f"Tenant {tenant} has a mirror {name!r} already.")
    found = Credential.objects.filter(tenant=tenant, name=credential).first() if credential else None
    if credential and found is None:
        raise NotFound(f"Tenant {tenant} has no credential {credential!r}.")
    mirror = Mirror(tenant=tenant, name=name, url=url, credential=found)
    try:
        mirror.full_clean()
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    with transaction.atomic():
        mirror.save(force_insert=True)
        audit.record(tenant, by=by, action="mirror.added", about=name, detail={"url": url})
    return mirror


def remove_mirror(mirror: Mirror, *, by: str) -> None:
    """Forget a mirror; what is there stays there."""
    with transaction.atomic():
        tenant, name = mirror.tenant, mirror.name
        mirror.delete()
        audit.record(tenant, by=by, action="mirror.deleted", about=name, detail={"url": mirror.url})


def find_mirror(tenant: Tenant, name: str) -> Mirror:
    """The tenant's mirror of that name. Raises NotFound."""
    mirror = Mirror.objects.filter(tenant=tenant, name=name).select_related("tenant").first()
    if mirror is None:
        raise NotFound(f"Tenant {tenant} has no mirror {name!r}; `mirror list` shows those that exist.")
    return mirror


def want_now(mirror: Mirror, *, now: datetime) -> None:
    """Have it pushed with the next turn, however often it has failed."""
    Mirror.objects.filter(pk=mirror.pk).update(next_at=now)
