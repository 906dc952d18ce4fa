"""A tenant's repository into the object store: its packs, then a manifest that names them, then the pointer.

What a reader finds at the pointer is whole at any moment, whatever stops a publisher: packs without a manifest and
manifests without a pointer mean nothing, and `repacking.py` takes them away. Of two publishers the pointer's
compare-and-swap lets one through, and the other begins anew on top of it, so that `seq` grows without a gap.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backups.errors import StoreDamaged
from backups.locks import lock_tenant
from backups.models import Repository
from backups.remote import manifest as documents
from backups.remote.errors import RemoteAhead, RemoteMissing, RemoteMoved
from backups.remote.keys import key_to_seal
from backups.remote.manifest import Manifest, Pack, Signer
from backups.remote.objects import Objects
from backups.remote.opening import open_objects
from backups.remote.sealing import seal
from backups.store import layout
from backups.store.housekeeping import indexes
from backups.store.loose import pack_loose
from backups.store.packs import SUM
from backups.store.reader import TenantStore, open_store
from inventory.secrets import derived

TRIES = 5  # another publisher is first, or housekeeping takes a pack away: each time somebody else got on
WAIT = 30.0  # seconds for the tenant's lock
AT_ONCE = 4  # objects
USABLE = timedelta(minutes=30)  # for which a pack that no manifest names may be used; half of what repacking waits for
KINDS = (layout.CHECKPOINTS, layout.EPOCHS, layout.QUARANTINE)  # of refs


@dataclass(frozen=True)
class Latest:
    """What the pointer names."""

    manifest: Manifest
    name: str
    etag: str  # of the pointer
    content: bytes  # of the manifest's object


@dataclass(frozen=True)
class State:
    """What a repository holds, seen under the tenant's lock."""

    head: str | None
    batch: int
    fence: int
    refs: Mapping[str, str]
    indexes: tuple[Path, ...]


class PackGone(Exception):
    """Housekeeping or a collection took a pack away meanwhile; its objects are in another one by now."""


def signers() -> dict[str, Signer]:
    """Our keys for manifests by their names, the newest first."""
    return {name: Signer(name, key) for name, key in derived("manifest").items()}


def latest(objects: Objects, tenant_id: UUID, *, unsigned: bool = False) -> Latest | None:
    """The newest manifest; None where nothing was published. Raises RemoteDamaged, RemoteMissing.

    `unsigned`: whoever asks has lost the keys, and takes what is there.
    """
    pointer = objects.found(documents.pointer_object(tenant_id))
    if pointer is None:
        return None
    name = pointer.content.decode("ascii", "replace").strip()
    content = objects.get(documents.manifest_object(tenant_id, name)).content
    manifest = documents.read(tenant_id, name, content, None if unsigned else signers())
    return Latest(manifest, name, pointer.etag, content)


def read_manifest(objects: Objects, tenant_id: UUID, name: str, *, unsigned: bool = False) -> Manifest:
    """The manifest of that name. Raises RemoteDamaged, RemoteMissing."""
    content = objects.get(documents.manifest_object(tenant_id, name)).content
    return documents.read(tenant_id, name, content, None if unsigned else signers())


def publish(tenant_id: UUID) -> Manifest | None:
    """Bring the copy of a tenant's repository up to date; None where nothing was kept yet.

    Raises RemoteAhead, RemoteFailed and its like, StoreBusy, StoreDamaged, GitFailed.
    """
    objects = open_objects()
    for tries in range(1, TRIES + 1):
        try:
            published = publish_once(objects, tenant_id)
        except (PackGone, RemoteMoved):
            if tries == TRIES:
                raise RemoteMoved(f"The copy of tenant {tenant_id} is written by others all the time.") from None
        else:
            if published:
                remember(tenant_id, published)
            return published
    raise AssertionError("the last try returns or raises")


def publish_once(objects: Objects, tenant_id: UUID) -> Manifest | None:
    """The same, once. The pointer is read first: what it is compared with must not be newer than what we have."""
    last = latest(objects, tenant_id)
    with transaction.atomic(durable=True):
        lock_tenant(tenant_id, wait=WAIT)
        state = look(tenant_id, open_store(tenant_id))
    if state.head is None:
        return None
    if last and last.manifest.fence > state.fence:
        raise RemoteAhead(
            f"The copy of tenant {tenant_id} holds change {last.manifest.batch}, and the database knows of "
            f"{state.batch}: an older database was brought back. Nothing is overwritten; run `fsck --rebuild`."
        )
    return write(objects, tenant_id, state, last).manifest


def look(tenant_id: UUID, store: TenantStore) -> State:
    """What there is to publish. The tenant's lock is held by this transaction."""
    row = Repository.objects.get(pk=tenant_id)
    pack_loose(store.git)
    return State(row.head, row.seq, row.fence, kept_refs(store), tuple(indexes(store.path)))


def kept_refs(store: TenantStore) -> dict[str, str]:
    """The refs that belong to what is kept."""
    return {ref: commit for ref, commit in store.refs(*KINDS).items() if documents.REF.match(ref)}


def write(objects: Objects, tenant_id: UUID, state: State, last: Latest | None) -> Latest:
    """Packs, manifest, pointer; what is there already is not written again. Raises RemoteMoved, PackGone."""
    key = key_to_seal(objects, tenant_id, known=bool(last and last.manifest.sealed))
    usable = last.manifest if last and last.manifest.sealed == bool(key) else None
    uploaded = upload(objects, tenant_id, state.indexes, usable, key)
    new = Manifest(
        tenant=tenant_id,
        seq=last.manifest.seq + 1 if last else 1,
        batch=state.batch,
        fence=state.fence,
        head=state.head,
        refs=state.refs,
        packs=tuple(one.pack for one in uploaded),
        previous=last.name if last else "",
        at=timezone.now(),
        sealed=key is not None,
    )
    if last and last.manifest.same_state(new) and is_signed_newly(last):
        return last
    there = point_at(objects, new, last)
    refuse_swept(objects, tenant_id, uploaded)
    return there


def is_signed_newly(last: Latest) -> bool:
    """Whether a manifest is signed with the newest key: the older ones are to go some day."""
    return documents.signer_of(last.content) == next(iter(signers()))


def point_at(objects: Objects, new: Manifest, last: Latest | None) -> Latest:
    """Write a manifest whose packs are there, and let the pointer name it. Raises RemoteMoved."""
    name, content = documents.written(new, next(iter(signers().values())))
    objects.put_new(documents.manifest_object(new.tenant, name), content)
    etag = objects.swap(documents.pointer_object(new.tenant), f"{name}\n".encode(), last.etag if last else None)
    return Latest(new, name, etag, content)


@dataclass(frozen=True)
class Uploaded:
    """A pack that is in the object store."""

    pack: Pack
    found: bool = False  # there already, though no manifest that we know of names it


def upload(
    objects: Objects, tenant_id: UUID, there: Sequence[Path], last: Manifest | None, key: bytes | None
) -> list[Uploaded]:
    """Have these packs in the object store; git names a pack by its content, so the same name is the same pack."""
    known = {pack.name: pack for pack in last.packs} if last else {}
    new = [index for index in there if index.stem not in known]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        brought = list(pool.map(lambda index: upload_pack(objects, tenant_id, index, key), new))
    brought += [Uploaded(known[index.stem]) for index in there if index.stem in known]
    return sorted(brought, key=lambda one: one.pack.name)


def upload_pack(objects: Objects, tenant_id: UUID, index: Path, key: bytes | None) -> Uploaded:
    """One pack and its index, each whole, sealed where there is a key. Raises PackGone, StoreDamaged.

    One that an interrupted publisher has left is used while it is young. `repacking.py` may be about to take an old one
    away, so that this gets another name.
    """
    try:
        contents = [index.with_suffix(".pack").read_bytes(), index.read_bytes()]
    except FileNotFoundError as exc:
        raise PackGone(index.name) from exc
    for content in contents:
        refuse_cut(index, content)
    if key:
        contents = [seal(key, content) for content in contents]
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    pack = Pack(index.stem, hashes[0], len(contents[0]), hashes[1], len(contents[1]))
    times = put_both(objects, tenant_id, pack, contents)
    if any(at and at < timezone.now() - USABLE for at in times):
        pack = replace(pack, suffix=f"-{secrets.token_hex(4)}")
        times = put_both(objects, tenant_id, pack, contents)
    return Uploaded(pack, any(times))


def put_both(objects: Objects, tenant_id: UUID, pack: Pack, contents: Sequence[bytes]) -> list[datetime | None]:
    """Have a pack and its index in the object store; when they were written, where they were there."""
    names = [documents.pack_object(tenant_id, name) for name in pack.objects()]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(objects.put_new, names, contents))


def refuse_swept(objects: Objects, tenant_id: UUID, uploaded: Sequence[Uploaded]) -> None:
    """Raise RemoteMoved where a pack that was found there was taken away in that very moment."""
    for one in uploaded:
        for name in one.pack.objects() if one.found else ():
            try:
                objects.get_part(documents.pack_object(tenant_id, name), 0, 1)
            except RemoteMissing as exc:
                raise RemoteMoved(f"{name} was removed from the object store meanwhile.") from exc


def refuse_cut(index: Path, content: bytes) -> None:
    """Raise StoreDamaged unless a pack or an index ends with the checksum of all before it: damage is not copied."""
    if hashlib.sha1(content[:-SUM], usedforsecurity=False).digest() != content[-SUM:]:
        raise StoreDamaged(f"{index.with_suffix('')} is damaged and was not copied: run `fsck --full` for this tenant.")


def remember(tenant_id: UUID, published: Manifest) -> None:
    """Note in the tenant's row what the object store has, for those who want to know without asking it."""
    told = {"copied_seq": published.batch, "copied_at": timezone.now(), "copied_to": settings.NETCAIRN_OBJECT_STORE}
    Repository.objects.filter(pk=tenant_id).update(**told)
