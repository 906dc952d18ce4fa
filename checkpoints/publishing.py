"""When published trees are brought up to date, and who hears when that fails."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

from backups.errors import BackupError
from backups.models import Run
from checkpoints.published import Published, publish, remove
from inventory.models import Tenant
from inventory.notices import Level, settle, tell

FAILED = "published.failed"


def published_root() -> Path | None:
    """Where trees are published; None: nowhere."""
    return Path(settings.NETCAIRN_PUBLISHED_ROOT) if settings.NETCAIRN_PUBLISHED_ROOT else None


def publish_run(run: Run) -> None:
    """After a run: once what it kept stands. A failure is told, and keeps no run from ending."""
    if root := published_root():
        transaction.on_commit(partial(publish_or_tell, run.tenant, root))


def publish_or_tell(tenant: Tenant, root: Path) -> Published | None:
    """Bring a tenant's tree up to date; where that fails the old one stays, and an alarm says why."""
    try:
        published = publish(tenant, root)
    except (BackupError, OSError) as error:
        text = f"The published tree of {tenant} was not brought up to date: {error}"
        tell(tenant, code=FAILED, about=str(tenant), text=text, level=Level.ALARM)
        return None
    settle(tenant, code=FAILED, about=str(tenant))
    return published


def remove_published(tenant: Tenant) -> None:
    """A tenant is deleted for good."""
    if root := published_root():
        remove(tenant, root)
