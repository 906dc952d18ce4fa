"""How far copies are behind, for pages and commands: by the database alone, without asking the object store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backups import outbox
from backups.remote.opening import is_copy
from inventory.models import Tenant


@dataclass(frozen=True)
class Lag:
    """A tenant whose copy is behind."""

    tenant: Tenant
    since: datetime


def lags(tenants: Iterable[Tenant], most: int) -> list[Lag] | None:
    """The tenants whose copies are behind, the longest first; None where no copies are made."""
    if not is_copy():
        return None
    named = {tenant.pk: tenant for tenant in tenants}
    since = outbox.waiting_since(outbox.PUBLISH, named)
    return sorted((Lag(named[pk], at) for pk, at in since.items()), key=lambda lag: lag.since)[:most]
