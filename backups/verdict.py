"""A person's verdict on a text in quarantine: it is whole after all, or it is rubbish.

Nobody accepts a text on one reading: what broke off once breaks off elsewhere the next time. So another attempt must
have read the same, apart from what never counts as a change.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from backups import commit
from backups.capture import Capture, stable_digest
from backups.errors import BackupError
from backups.models import Attempt, Snapshot
from backups.targets import as_stored, platform_of
from inventory.audit import record

LOOKED_AT = 10  # earlier attempts among which a second reading is looked for


class NotToBeJudged(BackupError):
    """The text cannot be accepted or dropped as things stand."""

    cause = "not-to-be-judged"


def digest_of(attempt: Attempt) -> str:
    """What the attempt read, without what never counts as a change. Raises UnknownPlatform."""
    files = {file.name: bytes(file.content) for file in attempt.files.all()}
    return stable_digest(platform_of(attempt.device), files)


def second_reading(attempt: Attempt) -> Attempt | None:
    """Another attempt whose doubtful text was the same; the nearest. Raises UnknownPlatform."""
    quarantined = Attempt.objects.filter(device=attempt.device_id, state=Attempt.State.QUARANTINED)
    others = quarantined.exclude(pk=attempt.pk).select_related("device").prefetch_related("files").order_by("-id")
    read = digest_of(attempt)
    return next((other for other in others[:LOOKED_AT] if other.files.all() and digest_of(other) == read), None)


def why_not(attempt: Attempt) -> str:
    """Why the text cannot be accepted; empty where it can. Raises UnknownPlatform."""
    if attempt.state != Attempt.State.QUARANTINED or not attempt.files.exists():
        return "It has been judged already."
    later = Attempt.objects.filter(device=attempt.device_id, id__gt=attempt.pk).exclude(state__in=Attempt.OPEN)
    if later.exclude(state=Attempt.State.FAILED).exists():
        return "A later attempt has read the device since; judge that one."
    if second_reading(attempt) is None:
        return "It was read only once so. Back the device up again: when a second reading agrees, it can be accepted."
    return ""


def accept(attempt: Attempt, *, by: str, now: datetime) -> Snapshot | None:
    """Make the text the device's newest version; None where that is what it is already.

    Raises NotToBeJudged, and StoreError when it cannot be stored.
    """
    refusal = why_not(attempt)
    if refusal:
        raise NotToBeJudged(f"The text of {attempt.device} was not accepted: {refusal}")
    files = {file.name: bytes(file.content) for file in attempt.files.all()}
    # The tenant may have decided since the text came that no secrets are stored.
    capture = as_stored(attempt.device, Capture(files, digest_of(attempt), ()))
    taken_at = attempt.ended_at or now
    result = commit.keep(
        attempt.tenant_id,
        [commit.Kept(attempt.device, capture.files, capture.digest, taken_at)],
        author=by,
        message=f"Accept what {attempt.device} said from quarantine",
        run_id=attempt.run_id,
        now=now,
        also=lambda _snapshots: judged(attempt, Attempt.State.CHANGED, by=by),
    )
    for error in result.not_kept.values():
        raise error
    if result.unchanged:
        with transaction.atomic():
            judged(attempt, Attempt.State.UNCHANGED, by=by)
    snapshots: dict[UUID, Snapshot] = result.snapshots
    return snapshots.get(attempt.device_id)


def drop(attempt: Attempt, *, by: str) -> None:
    """Throw the text away; the device has still to be backed up. Raises NotToBeJudged."""
    with transaction.atomic():
        judged(attempt, Attempt.State.FAILED, by=by)


def judged(attempt: Attempt, state: str, *, by: str) -> None:
    """Close the attempt anew, let go of the text, and leave the trail. Raises NotToBeJudged when somebody was first."""
    dropped = state == Attempt.State.FAILED
    verdict = "dropped" if dropped else "accepted"
    waiting = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.QUARANTINED)
    detail = f"{'Dropped' if dropped else 'Accepted'} by {by}. {attempt.detail}"
    if not waiting.update(state=state, cause="dropped" if dropped else "", detail=detail):
        raise NotToBeJudged(f"The text of {attempt.device} was judged by somebody else meanwhile.")
    sizes = {file.name: len(file.content) for file in attempt.files.all()}
    told = {"cause": attempt.cause, "attempt": attempt.pk, "bytes": sizes}
    attempt.files.all().delete()
    record(attempt.tenant, by=by, action=f"quarantine.{verdict}", about=f"device {attempt.device}", detail=told)
