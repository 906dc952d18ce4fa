"""One file out of the object store, on a host that has nothing of the tenant's repository: some parts of one pack."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from backups.remote import manifest as documents
from backups.remote.errors import RemoteDamaged, RemoteMissing
from backups.remote.keys import key_to_open
from backups.remote.manifest import Manifest, Pack
from backups.remote.objects import Objects
from backups.remote.opening import open_objects
from backups.remote.publishing import latest
from backups.remote.sealing import SealedObject
from backups.store import layout
from backups.store.pack_reading import FarPack

AT_ONCE = 8  # indexes


def read_file(tenant_id: UUID, object_id: str) -> bytes:
    """The content of a file by its id. Raises RemoteMissing where no pack has it, RemoteDamaged, RemoteFailed."""
    layout.checked_id(object_id)
    objects = open_objects()
    last = latest(objects, tenant_id)
    if last is None:
        raise RemoteMissing(f"There is nothing of tenant {tenant_id} in the object store.")
    key = key_to_open(objects, last.manifest)
    packs = [far_pack(objects, last.manifest, pack, key) for pack in last.manifest.packs]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        places = list(pool.map(lambda pack: pack.place_of(object_id), packs))
    for pack, place in zip(packs, places, strict=True):
        if place is not None:
            kind, content = pack.read(place)
            if kind != "blob" or layout.blob_id(content) != object_id:
                raise RemoteDamaged(f"{object_id} of tenant {tenant_id} is not what it was in the object store.")
            return content
    raise RemoteMissing(f"{object_id} of tenant {tenant_id} is not in the object store.")


def far_pack(objects: Objects, manifest: Manifest, pack: Pack, key: bytes | None) -> FarPack:
    """A pack of a manifest, to be read in parts."""
    names = [documents.pack_object(manifest.tenant, name) for name in pack.objects()]
    parts = [partial(part, objects, name, size) for name, size in zip(names, sizes(pack), strict=True)]
    if key is None:
        return FarPack(*parts)
    return FarPack(*(SealedObject(key, size, one).read for one, size in zip(parts, sizes(pack), strict=True)))


def sizes(pack: Pack) -> tuple[int, int]:
    """Bytes of both."""
    return pack.size, pack.index_size


def part(objects: Objects, name: str, size: int, start: int, length: int) -> bytes:
    """Some bytes of an object; none beyond its end, which an object store would call a mistake."""
    return objects.get_part(name, start, min(length, size - start)) if start < size else b""
