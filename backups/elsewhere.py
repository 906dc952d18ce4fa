"""What a change of a tenant's store means for the object store; where there is none, nothing."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F
from django.utils import timezone

from backups import outbox
from backups.errors import StoreDamaged
from backups.models import Repository
from backups.remote import home
from backups.remote.manifest import Manifest
from backups.remote.opening import is_copy, is_home, is_set, keep_days
from backups.store.reader import store_path

SWEEP_EVERY = 100  # manifests


def prepare(tenant_id: UUID) -> None:
    """Whoever holds the tenant's lock is about to write: what is here has to be what there is. Raises RemoteError."""
    if is_home():
        home.prepare(tenant_id)


def changed(tenant_id: UUID, seq: int) -> None:
    """The repository is to be another one once this transaction stands, which has the tenant's lock.

    A copy has to follow; a home has to have it before. Raises RemoteError.
    """
    if is_copy():
        outbox.note(tenant_id, outbox.PUBLISH, seq)
    elif is_home():
        sweep_soon(home.publish(tenant_id).manifest)


def sweep_soon(published: Manifest) -> None:
    """What this manifest is the follower of goes once its days are over, also where no other one comes.

    Where many come, what is old has to go sooner, or there would be thousands.
    """
    tenant_id = published.tenant
    if published.seq % SWEEP_EVERY == 0:
        outbox.hurry(tenant_id, outbox.SWEEP)
        outbox.note(tenant_id, outbox.SWEEP, published.batch)
    elif published.seq > 1 and not outbox.is_noted(tenant_id, outbox.SWEEP):
        outbox.note_for_later(tenant_id, outbox.SWEEP, published.batch, timezone.now() + keep_days())


def swept(tenant_id: UUID) -> None:
    """Packs of the repository gave way to others. Raises RemoteError."""
    if is_set():
        changed(tenant_id, seq_of(tenant_id))


def forget(tenant_id: UUID) -> None:
    """What the repository does not hold any more must not be in the object store, or in a cache, for a day longer."""
    if is_set():
        Repository.objects.filter(pk=tenant_id).update(purged_seq=F("home_seq"))
        outbox.note(tenant_id, outbox.FORGET, seq_of(tenant_id))


def refuse_cache(tenant_id: UUID) -> None:
    """Raise StoreDamaged where the repository here is a cache: nothing is lost with it."""
    if is_home():
        path = store_path(tenant_id)
        raise StoreDamaged(f"{path} is a cache: remove it, and it is brought again from the object store.")


def seq_of(tenant_id: UUID) -> int:
    """The number of the newest batch."""
    return int(Repository.objects.values_list("seq", flat=True).get(pk=tenant_id))
