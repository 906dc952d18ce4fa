"""Who has seen what: looks at configurations with their secrets in clear, in the audit log."""

from __future__ import annotations

from backups.models import QuarantinedFile, Snapshot
from inventory.audit import record
from inventory.models import Device


def seen(version: Snapshot, *, by: str, how: str = "page") -> None:
    """Somebody with the right to see secrets had the version before their eyes."""
    told = {"version": str(version.pk), "taken_at": version.taken_at.isoformat(), "how": how}
    record(version.tenant, by=by, action="version.seen", about=version.device.name, detail=told)


def doubt_seen(file: QuarantinedFile, *, by: str) -> None:
    """The same for a text in quarantine."""
    told = {"file": file.name, "attempt": file.attempt_id}
    record(file.tenant, by=by, action="quarantine.seen", about=file.attempt.device.name, detail=told)


def downloaded(version: Snapshot, name: str, *, by: str, masked: bool) -> None:
    """Somebody took a file along."""
    told = {"version": str(version.pk), "file": name, "masked": masked}
    record(version.tenant, by=by, action="version.downloaded", about=version.device.name, detail=told)


def shown(device: Device, name: str, *, by: str) -> None:
    """A command printed a file of the device, secrets in clear."""
    record(device.tenant, by=by, action="version.seen", about=device.name, detail={"file": name, "how": "command"})
