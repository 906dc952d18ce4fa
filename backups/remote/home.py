"""The object store as the home of repositories: what is acknowledged is durable there, and what is here is a cache.

A writer brings the cache to where the object store is, writes, and publishes before its transaction is committed. So
the pointer is never behind the row. It may be ahead: whoever died between the two has published what nobody
acknowledged. Readers take the row's commit, which is in there as well, and the next writer goes on from the row. A
writer that has lost the tenant's lock cannot publish: he read the pointer before he last had the lock, and it has moved
since.

Beside a cache stands what it was brought to. `exact` says that it has nothing else: a reader only adds packs, because
somebody may be reading or writing beside him, and the next writer takes away what does not belong there. What a writer
publishes is what he has here; a pack that was purged elsewhere must not come back that way.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from backups.errors import StoreDamaged, StoreMoved
from backups.locks import lock_tenant, try_lock_tenant
from backups.models import Repository
from backups.remote import manifest as documents
from backups.remote.bringing import draft_packs, install, is_there, settle
from backups.remote.errors import RemoteDamaged, RemoteError, RemoteMoved
from backups.remote.manifest import Manifest
from backups.remote.objects import Objects
from backups.remote.opening import open_objects
from backups.remote.publishing import WAIT, Latest, latest, look, signers, write
from backups.store.creation import create, fsync
from backups.store.reader import is_repository, open_path, store_path

MARK, DOCUMENT = "netcairn-home", "netcairn-manifest"
TRIES = 3


@dataclass(frozen=True)
class Mark:
    """What a cache was brought to."""

    seq: int  # of the manifest
    name: str
    etag: str  # of the pointer
    exact: bool


def ready(tenant_id: UUID) -> None:
    """Have a cache that holds what the tenant's row names, for a reader. Raises RemoteError."""
    path = store_path(tenant_id)
    seq = Repository.objects.filter(pk=tenant_id).values_list("home_seq", flat=True).first()
    if not seq or is_current(path, seq):
        return
    last = newest(open_objects(), tenant_id, seq)
    if not is_repository(path):
        create(path)
    add(last, path)
    if not connection.in_atomic_block:
        tidy(tenant_id)


def is_current(path: Path, seq: int) -> bool:
    """Whether a cache holds all that the manifest of that number names."""
    mark = mark_of(path)
    return mark is not None and mark.seq >= seq


def newest(objects: Objects, tenant_id: UUID, seq: int) -> Latest:
    """What the pointer names, at least of that number. Raises RemoteDamaged where it is older: nothing is touched."""
    last = latest(objects, tenant_id)
    if last is None or last.manifest.seq < seq:
        raise RemoteDamaged(
            f"The object store has manifest {last.manifest.seq if last else 'none'} of tenant {tenant_id}, and the "
            f"database knows {seq}: an older state was brought back there, or it is another one. Nothing is touched."
        )
    return last


def add(last: Latest, path: Path) -> None:
    """Bring what is missing, beside whoever reads or writes; nothing is taken away."""
    with draft_packs(open_objects(), last.manifest, path) as drafts, locked(path):
        mark = mark_of(path)
        if mark is not None and mark.seq >= last.manifest.seq:
            return  # a writer was faster, and it may be that some of these packs are not to be here any more
        install(drafts, path)
        remember(path, last, exact=False)


def tidy(tenant_id: UUID) -> None:
    """Take away what does not belong into a cache, if nobody writes there now."""
    with transaction.atomic(durable=True):
        if try_lock_tenant(tenant_id):
            prepare(tenant_id)


def prepare(tenant_id: UUID) -> None:
    """Have a cache that holds what the object store has and nothing else, for a writer. The tenant's lock is held.

    Raises RemoteError; StoreDamaged where this host has not what was never published.
    """
    row = Repository.objects.filter(pk=tenant_id).only("home_seq", "head", "fence").first()
    if row is None or row.head is None:
        return
    path = store_path(tenant_id)
    if not row.home_seq:
        refuse_elsewhere(tenant_id, path)
        return
    mark = mark_of(path)
    if mark and mark.exact and mark.seq >= row.home_seq and is_whole(path):
        return
    last = newest(open_objects(), tenant_id, row.home_seq)
    if not is_repository(path):
        create(path)
    with draft_packs(open_objects(), last.manifest, path) as drafts, locked(path):
        install(drafts, path)
        settle(last.manifest, path, main=main_of(row, last.manifest))
        remember(path, last, exact=True)


def main_of(row: Repository, manifest: Manifest) -> str | None:
    """Where main is to be: at the row's head, unless the database is an older one, which reconciling is to find out.

    A writer that was not acknowledged has given its fence back, so it is the next one's at most.
    """
    return row.head if manifest.fence <= row.fence + 1 else manifest.head


def refuse_elsewhere(tenant_id: UUID, path: Path) -> None:
    """Raise StoreDamaged where a repository that was never published is not on this host."""
    if not is_repository(path):
        raise StoreDamaged(
            f"The repository of tenant {tenant_id} is not in the object store yet, and not here: run `remote publish` "
            "on the host that has it."
        )


def is_whole(path: Path) -> bool:
    """Whether the packs are here that the cache was brought to; somebody may have removed some."""
    try:
        last = known(path)
    except RemoteError:
        return False
    return last is not None and all(is_there(path, pack) for pack in last.manifest.packs)


def publish(tenant_id: UUID) -> Latest:
    """Have what is here in the object store, pointer and all, before the transaction is committed; it has the lock.

    Raises StoreMoved where the lock is lost, RemoteError.
    """
    objects, path = open_objects(), store_path(tenant_id)
    row = Repository.objects.only("home_seq").get(pk=tenant_id)
    state = look(tenant_id, open_path(path))
    last = known(path) or latest(objects, tenant_id)
    for tries in range(1, TRIES + 1):
        if not try_lock_tenant(tenant_id):
            raise StoreMoved(f"Another writer has taken over the store of tenant {tenant_id}; nothing of ours counts.")
        try:
            there = write(objects, tenant_id, state, last)
            break
        except RemoteMoved:
            # Somebody published who had lost the lock, or died before his COMMIT. The row is the truth: his goes below.
            last = latest(objects, tenant_id)
            if tries == TRIES or (last and last.manifest.fence > state.fence):
                raise
    with locked(path):
        remember(path, there, exact=True)
    if there.manifest.seq != row.home_seq:
        Repository.objects.filter(pk=tenant_id).update(home_seq=there.manifest.seq)
    return there


def publish_now(tenant_id: UUID) -> Manifest | None:
    """Publish what is here, without a change: of a host whose repositories were never in the object store.

    None where nothing was kept yet. Raises RemoteError, StoreBusy, StoreDamaged.
    """
    with transaction.atomic(durable=True):
        lock_tenant(tenant_id, wait=WAIT)
        if not Repository.objects.filter(pk=tenant_id, head__isnull=False).exists():
            return None
        prepare(tenant_id)
        return publish(tenant_id).manifest


def known(path: Path) -> Latest | None:
    """The manifest that the cache was brought to, without asking the object store. Raises RemoteDamaged."""
    mark, document = mark_of(path), path / DOCUMENT
    if mark is None or not document.exists():
        return None
    content = document.read_bytes()
    return Latest(documents.read(UUID(path.stem), mark.name, content, signers()), mark.name, mark.etag, content)


def mark_of(path: Path) -> Mark | None:
    """What the cache was brought to; None where nobody has brought it."""
    try:
        return Mark(**json.loads((path / MARK).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def remember(path: Path, last: Latest, *, exact: bool) -> None:
    """Note what the cache was brought to. What it names is on the disk already."""
    mark = Mark(last.manifest.seq, last.name, last.etag, exact)
    for name, content in ((DOCUMENT, last.content), (MARK, json.dumps(asdict(mark)).encode())):
        draft = path / f"{name}.{os.getpid()}"
        draft.write_bytes(content)
        fsync(draft)
        draft.replace(path / name)
    fsync(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One at a time of those who put packs into a cache, on this host."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
