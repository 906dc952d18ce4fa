"""Movable names of checkpoints: set by compare-and-swap, listed, deleted; each move leaves a line in the history."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from checkpoints.errors import BadName, Deleted, RefMoved, UnknownVersion
from checkpoints.models import HEAD, Checkpoint, Ref, RefMove
from inventory import audit
from inventory.models import Tenant
from inventory.validators import validate_name

ANYTHING: Final = object()
# What `diff` and `restore` read as something else than a ref.
RESERVED = ("live", "head")
LIKE_AN_ID = re.compile(r"[0-9a-fA-F-]{8,}\Z")


def checked_ref_name(name: str) -> str:
    """The name, if a ref can have it. Raises BadName."""
    if name == HEAD:
        return name
    if LIKE_AN_ID.match(name):
        raise BadName(f"{name!r} looks like an id; give the ref a name with other letters in it.")
    if name.lower() in RESERVED or len(name) > 100:
        raise BadName(f"{name[:100]!r} cannot be the name of a ref; choose another of at most 100 characters.")
    try:
        validate_name(name)
    except ValidationError as error:
        raise BadName(" ".join(error.messages)) from error
    return name


def head_of(tenant_id: UUID) -> Checkpoint | None:
    """The checkpoint that HEAD names; None before the first."""
    ref = Ref.objects.filter(tenant_id=tenant_id, name=HEAD).select_related("checkpoint").first()
    return ref.checkpoint if ref else None


def set_ref(
    tenant: Tenant, name: str, checkpoint: Checkpoint, *, by: str, now: datetime, expected: object = ANYTHING
) -> Ref:
    """Let a name mean a checkpoint from now on; a new name is made.

    With `expected`, the checkpoint that the caller saw it name (None: no such ref), it moves only if that still holds.
    Moving HEAD changes what the next checkpoint has as its parent, and nothing in the record.
    Raises BadName, Deleted, UnknownVersion for a checkpoint of another tenant, RefMoved.
    """
    checked_ref_name(name)
    with transaction.atomic():
        hold(tenant.pk, checkpoint)
        move_ref(tenant.pk, name, checkpoint, by=by, now=now, expected=expected)
        audit.record(tenant, by=by, action="ref.moved", about=name, detail={"checkpoint": str(checkpoint.pk)})
    return Ref.objects.get(tenant=tenant, name=name)


def hold(tenant_id: UUID, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint from being deleted until the transaction ends. Raises Deleted, UnknownVersion."""
    found = Checkpoint.objects.select_for_update().filter(tenant_id=tenant_id, pk=checkpoint.pk).first()
    if found is None:
        raise UnknownVersion(f"The tenant has no checkpoint {checkpoint.pk}; `checkpoint list` shows those that exist.")
    if found.deleted_at:
        raise Deleted(f"Checkpoint {found.short_id} is deleted; `checkpoint undelete {found.short_id}` brings it back.")


def move_ref(
    tenant_id: UUID,
    name: str,
    checkpoint: Checkpoint | None,
    *,
    by: str,
    now: datetime,
    expected: object = ANYTHING,
) -> None:
    """Move, make or (with None) remove a ref by compare-and-swap, in the caller's transaction. Raises RefMoved."""
    before = Ref.objects.select_for_update().filter(tenant_id=tenant_id, name=name).first()
    named = before.checkpoint_id if before else None
    if expected is not ANYTHING and named != (expected.pk if isinstance(expected, Checkpoint) else None):
        raise RefMoved(f"The ref {name} has been moved meanwhile; look again before you move it.")
    if checkpoint is None:
        Ref.objects.filter(tenant_id=tenant_id, name=name).delete()
    elif before:
        Ref.objects.filter(pk=before.pk).update(checkpoint=checkpoint, moved_at=now, moved_by=by)
    else:
        insert_ref(tenant_id, name, checkpoint, by=by, now=now)
    after = checkpoint.pk if checkpoint else None
    RefMove.objects.create(tenant_id=tenant_id, name=name, before=named, after=after, moved_at=now, moved_by=by)


def insert_ref(tenant_id: UUID, name: str, checkpoint: Checkpoint, *, by: str, now: datetime) -> None:
    """Make a ref; of two who do so at once one is refused. Raises RefMoved."""
    try:
        with transaction.atomic():
            Ref.objects.create(tenant_id=tenant_id, name=name, checkpoint=checkpoint, moved_at=now, moved_by=by)
    except IntegrityError as error:
        raise RefMoved(f"The ref {name} has been made meanwhile; look again before you move it.") from error


def delete_ref(tenant: Tenant, name: str, *, by: str, now: datetime) -> None:
    """Remove a name; what it named stays. Raises BadName for HEAD, UnknownVersion."""
    if name == HEAD:
        raise BadName("HEAD cannot be deleted: it is what the next checkpoint has as its parent.")
    with transaction.atomic():
        if not Ref.objects.select_for_update().filter(tenant=tenant, name=name).exists():
            raise UnknownVersion(f"{tenant} has no ref {name!r}; `ref list` shows those that exist.")
        move_ref(tenant.pk, name, None, by=by, now=now)
        audit.record(tenant, by=by, action="ref.deleted", about=name)
