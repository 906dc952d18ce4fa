"""What happened to checkpoints: told to people and kept in the audit log, in the transaction in which it happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backups.errors import BackupError
from checkpoints.errors import CheckpointError
from inventory import audit
from inventory.models import Tenant
from inventory.notices import Level, settle, tell

if TYPE_CHECKING:
    from checkpoints.models import Checkpoint


def happened(checkpoint: Checkpoint, what: str, *, by: str, text: str = "") -> None:
    """`created`, `deleted`, `undeleted` or `restored`: a notice, and an entry as the last thing of the transaction."""
    about = f"checkpoint {checkpoint.short_id}"
    told = text or f"{checkpoint}: {what} by {by}, {checkpoint.device_count} devices, {checkpoint.file_count} files."
    tell(checkpoint.tenant, code=f"checkpoint.{what}", about=about, text=told)
    detail = {"id": str(checkpoint.pk), "message": str(checkpoint)[:200], "devices": checkpoint.device_count}
    audit.record(checkpoint.tenant, by=by, action=f"checkpoint.{what}", about=about, detail=detail)


@contextmanager
def failure_told(tenant: Tenant, code: str, told: str) -> Iterator[None]:
    """Raise an alarm where something cannot be done; the next time that it works settles it.

    Around the transaction, which is gone by then. What somebody asked for wrongly (a CheckpointError) is answered to
    whoever asked, and is no matter for others.
    """
    try:
        yield
    except CheckpointError:
        raise
    except BackupError as error:
        tell(tenant, code=code, about=str(tenant), text=f"{told}: {error}", level=Level.ALARM)
        raise
    settle(tenant, code=code, about=str(tenant))
