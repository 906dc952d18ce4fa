"""Each tenant's key for what is sealed in the object store: a row, and an object for the day when the database is lost.

Both hold the same bytes, sealed with `NETCAIRN_SECRETS_KEYS` as credentials are, and bound to the tenant. Without both,
all of the tenant's packs are noise, wherever copies of them are.
"""

from __future__ import annotations

import base64
import os
from uuid import UUID

from django.conf import settings

from backups.models import RemoteKey
from backups.remote import manifest as documents
from backups.remote.errors import RemoteDamaged
from backups.remote.manifest import Manifest
from backups.remote.objects import Objects
from backups.remote.sealing import KEY_BYTES
from inventory.errors import SecretUnreadable
from inventory.models import Tenant
from inventory.secrets import is_stale, open_at, seal_at


def key_to_seal(objects: Objects, tenant_id: UUID, *, known: bool) -> bytes | None:
    """The key that a tenant's packs are to be sealed with, made at the first; None where they are not sealed.

    `known`: sealed packs are there already, and so is the key.
    """
    if not settings.NETCAIRN_OBJECT_STORE_ENCRYPT:
        return None
    sealed = stored(objects, tenant_id)
    if sealed is None:
        new = seal_at(place(tenant_id), base64.b64encode(os.urandom(KEY_BYTES)).decode())
        sealed = bytes(RemoteKey.objects.get_or_create(pk=tenant_id, defaults={"key_sealed": new})[0].key_sealed)
    if is_stale(sealed):
        sealed = seal_at(place(tenant_id), text_of(tenant_id, sealed))
        RemoteKey.objects.filter(pk=tenant_id).update(key_sealed=sealed)
        known = False
    if not known:
        put(objects, tenant_id, sealed)
    return base64.b64decode(text_of(tenant_id, sealed))


def key_to_open(objects: Objects, manifest: Manifest) -> bytes | None:
    """The key that opens the packs of a manifest; None where they are not sealed. Raises RemoteDamaged."""
    if not manifest.sealed:
        return None
    sealed = stored(objects, manifest.tenant)
    if sealed is None:
        raise RemoteDamaged(
            f"The key of tenant {manifest.tenant} is neither in the database nor in the object store: what is sealed "
            "there cannot be opened any more."
        )
    return base64.b64decode(text_of(manifest.tenant, sealed))


def stored(objects: Objects, tenant_id: UUID) -> bytes | None:
    """The sealed key: of the database, else of the object store, which is then the database's again."""
    row = RemoteKey.objects.filter(pk=tenant_id).first()
    if row is None and (there := objects.found(documents.key_object(tenant_id))):
        text_of(tenant_id, there.content)
        row = RemoteKey(pk=tenant_id, key_sealed=there.content)
        if Tenant.objects.filter(pk=tenant_id).exists():  # while one is recovered, it may not be there yet
            row = RemoteKey.objects.get_or_create(pk=tenant_id, defaults={"key_sealed": there.content})[0]
    return bytes(row.key_sealed) if row else None


def put(objects: Objects, tenant_id: UUID, sealed: bytes) -> None:
    """Have the sealed key in the object store."""
    there = objects.found(documents.key_object(tenant_id))
    if there is None or there.content != sealed:
        objects.swap(documents.key_object(tenant_id), sealed, there.etag if there else None)


def place(tenant_id: UUID) -> bytes:
    """What a sealed key is bound to."""
    return f"{tenant_id}:object store".encode()


def text_of(tenant_id: UUID, sealed: bytes) -> str:
    """The key as text. Raises RemoteDamaged."""
    try:
        return open_at(place(tenant_id), sealed, what=f"The key of tenant {tenant_id} for the object store")
    except SecretUnreadable as exc:
        raise RemoteDamaged(str(exc)) from exc
