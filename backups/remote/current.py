"""Bringing the object store up to date, whichever of the two it is."""

from __future__ import annotations

from uuid import UUID

from backups.remote import home, publishing
from backups.remote.manifest import Manifest
from backups.remote.opening import is_home


def bring_up_to_date(tenant_id: UUID) -> Manifest | None:
    """Have in the object store what the tenant's repository holds now; None where nothing was kept yet.

    Raises RemoteError, StoreBusy, StoreDamaged, GitFailed.
    """
    return home.publish_now(tenant_id) if is_home() else publishing.publish(tenant_id)
