"""What this host still has of a tenant that was deleted, or of what was purged from one, goes within a minute.

Others did that, and none of them reaches this disk. That there is no row proves nothing: the database may be another
one, or an older one that was brought back. What goes is what the audit log says was deleted; and a cache that is older
than the purge, which is brought anew when it is needed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from backups.erasing import DELETED, discard, remove_repository
from backups.errors import StoreError
from backups.locks import try_lock_tenant
from backups.masked_texts import MASKED
from backups.models import Repository
from backups.remote.home import mark_of
from backups.remote.opening import is_home
from backups.store.reader import store_path
from inventory.audit import AuditEntry
from inventory.models import Tenant

log = logging.getLogger(__name__)

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def clean() -> None:
    """Called by each host once a minute. What fails is tried again with the next."""
    try:
        for tenant_id in [*erased()]:
            remove_erased(tenant_id)
        for tenant_id, seq in [*purged()]:
            remove_purged(tenant_id, seq)
    except (OSError, StoreError) as error:
        log.warning("What was deleted elsewhere is still on this host: %s", error)


def here() -> set[UUID]:
    """The tenants of whom something is in the store of this host."""
    root = Path(settings.NETCAIRN_STORE_ROOT)
    names = [path.name for place in (root, root / MASKED) if place.is_dir() for path in place.iterdir()]
    return {UUID(found[0]) for name in names if (found := ID.search(name))}


def erased() -> set[UUID]:
    """Those of them that were deleted for good."""
    there = here()
    gone = there - set(Tenant.objects.filter(pk__in=there).values_list("pk", flat=True))
    return set(AuditEntry.objects.filter(tenant__in=gone, action=DELETED).values_list("tenant", flat=True))


def remove_erased(tenant_id: UUID) -> None:
    """All of it, unless somebody is at it, or it has come back in this moment."""
    with transaction.atomic():
        if try_lock_tenant(tenant_id) and not Tenant.objects.filter(pk=tenant_id).exists():
            remove_repository(tenant_id)


def purged() -> Iterator[tuple[UUID, int]]:
    """The tenants of whom the cache here is older than a purge, each with the manifest that it has to be of."""
    rows = Repository.objects.filter(purged_seq__gt=0) if is_home() else Repository.objects.none()
    for tenant_id, seq in rows.values_list("pk", "purged_seq"):
        if is_older(tenant_id, seq):
            yield tenant_id, seq


def is_older(tenant_id: UUID, seq: int) -> bool:
    """Whether there is a cache, and it was brought to a manifest before that one."""
    mark = mark_of(store_path(tenant_id))
    return mark is not None and mark.seq < seq


def remove_purged(tenant_id: UUID, seq: int) -> None:
    """The cache; nobody writes to it meanwhile, and whoever reads finds it gone as he may at any time."""
    with transaction.atomic():
        if try_lock_tenant(tenant_id) and is_older(tenant_id, seq):
            discard(store_path(tenant_id))
