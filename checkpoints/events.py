"""What happened to checkpoints: told to people and kept in the audit log, in the transaction in which it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory import audit
from inventory.notices import tell

if TYPE_CHECKING:
    from checkpoints.models import Checkpoint


def happened(checkpoint: Checkpoint, what: str, *, by: str, text: str = "") -> None:
    """`created`, `deleted`, `undeleted` or `restored`: a notice, and an entry as the last thing of the transaction."""
    about = f"checkpoint {checkpoint.short_id}"
    told = text or f"{checkpoint}: {what} by {by}, {checkpoint.device_count} devices, {checkpoint.file_count} files."
    tell(checkpoint.tenant, code=f"checkpoint.{what}", about=about, text=told)
    detail = {"id": str(checkpoint.pk), "message": str(checkpoint)[:200], "devices": checkpoint.device_count}
    audit.record(checkpoint.tenant, by=by, action=f"checkpoint.{what}", about=about, detail=detail)
