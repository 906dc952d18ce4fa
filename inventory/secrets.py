"""Secrets at rest: sealed with a key from outside the database, and bound to the very place where they are kept.

A sealed value is `version (1 byte) | key id (8) | nonce (12) | ciphertext and tag`, with AES-256-GCM. Tenant, table,
row and field are authenticated with it, so that a value moved to another row, field or tenant does not open, however
the move was made. The keys (`NETCAIRN_SECRETS_KEYS`, newest first) are never Django's SECRET_KEY: they change for other
reasons, and at other times. Every key of the list opens, the first one seals.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.module_loading import import_string

from inventory.errors import BadSecretsKeys, SecretUnreadable

if TYPE_CHECKING:
    from inventory.tenancy import TenantOwned

VERSION = b"\x01"
KEY_ID = slice(1, 9)
NONCE = slice(9, 21)
TEXT = slice(21, None)
NONCE_BYTES = 12  # what NIST SP 800-38D recommends for GCM
KEY_BYTES = 32


@dataclass(frozen=True)
class Key:
    """One key, and the name by which sealed values know it."""

    id: bytes
    cipher: AESGCM

    @classmethod
    def from_text(cls, text: str) -> Key:
        """From URL-safe base64 of 32 bytes. Raises BadSecretsKeys, without a word of the key in it."""
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise BadSecretsKeys("is not URL-safe base64") from error
        if len(raw) != KEY_BYTES:
            raise BadSecretsKeys(f"has {len(raw)} bytes, not {KEY_BYTES}")
        if len(set(raw)) < KEY_BYTES // 2:  # of 32 random bytes, 16 are alike once in 10^15 keys
            raise BadSecretsKeys("is not random")
        return cls(hashlib.sha256(b"netcairn key id:" + raw).digest()[:8], AESGCM(raw))


def keyring() -> tuple[Key, ...]:
    """The keys of the settings, newest first. Raises BadSecretsKeys."""
    return keyring_of(tuple(settings.NETCAIRN_SECRETS_KEYS))


def read_again() -> tuple[Key, ...]:
    """The keys as they are now where they are kept, for this process from now on. Raises BadSecretsKeys.

    A key changes while web and queue are running: each finds out when it is about to seal something, or meets what it
    cannot open, and nobody has to stop them. What was just sealed with the key that is about to go would be lost.
    """
    if settings.NETCAIRN_SECRETS_KEYS_READER:
        texts = import_string(settings.NETCAIRN_SECRETS_KEYS_READER)()
        keyring_of(tuple(texts))
        settings.NETCAIRN_SECRETS_KEYS = texts
    return keyring()


def key_of(sealed: bytes) -> Key | None:
    """The key that opens a sealed value; None where there is none of its name."""
    for look in (keyring, read_again):
        found = next((key for key in look() if key.id == sealed[KEY_ID]), None)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=4)
def keyring_of(texts: tuple[str, ...]) -> tuple[Key, ...]:
    """Keys from their texts."""
    if not texts:
        raise BadSecretsKeys("NETCAIRN_SECRETS_KEYS holds no key, so that no secret can be sealed or opened.")
    keys = []
    for place, text in enumerate(texts, start=1):
        try:
            keys.append(Key.from_text(text))
        except BadSecretsKeys as error:
            raise BadSecretsKeys(f"Key {place} of NETCAIRN_SECRETS_KEYS {error}.") from error
    if len({key.id for key in keys}) < len(keys):
        raise BadSecretsKeys("NETCAIRN_SECRETS_KEYS names the same key twice.")
    return tuple(keys)


def derived(purpose: str) -> dict[str, bytes]:
    """A key for another purpose from each key of the settings, by the key's id in hex, newest first: it tells nothing
    of the one it is made from. Raises BadSecretsKeys."""
    ids = [key.id.hex() for key in keyring()]
    raw = [base64.b64decode(text.encode("ascii"), altchars=b"-_") for text in settings.NETCAIRN_SECRETS_KEYS]
    made = [hmac.new(one, f"netcairn {purpose}".encode(), hashlib.sha256).digest() for one in raw]
    return dict(zip(ids, made, strict=True))


def place_of(row: TenantOwned, field: str) -> bytes:
    """What a sealed value is bound to."""
    return f"{row.tenant_id}:{row._meta.db_table}:{row.pk}:{field}".encode()


def seal(row: TenantOwned, field: str, text: str) -> bytes:
    """The text, sealed with the newest key for `row.<field>_sealed`; empty for an empty text. It is not stored here."""
    return seal_at(place_of(row, field), text)


def seal_at(place: bytes, text: str) -> bytes:
    """The same for a place that is no row of a tenant."""
    if not text:
        return b""
    key, nonce = read_again()[0], os.urandom(NONCE_BYTES)
    return VERSION + key.id + nonce + key.cipher.encrypt(nonce, text.encode(), place)


def open_sealed(row: TenantOwned, field: str) -> str:
    """The text in `row.<field>_sealed`, empty where there is none. Raises SecretUnreadable."""
    sealed = bytes(getattr(row, f"{field}_sealed"))
    what = f"The {field.replace('_', ' ')} of {row._meta.verbose_name} {row}"
    return open_at(place_of(row, field), sealed, what=what)


def open_at(place: bytes, sealed: bytes, *, what: str) -> str:
    """What `seal_at` has sealed; `what` says in an error which secret it is. Raises SecretUnreadable."""
    if not sealed:
        return ""
    key = key_of(sealed)
    if key is None or sealed[:1] != VERSION:
        raise SecretUnreadable(
            f"{what} was sealed with key {sealed[KEY_ID].hex()}, which is not in NETCAIRN_SECRETS_KEYS; "
            "put that key back, or enter the secret again."
        )
    try:
        return key.cipher.decrypt(sealed[NONCE], sealed[TEXT], place).decode()
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable(
            f"{what} does not open: it was damaged, or sealed for another row; enter the secret again."
        ) from error


def is_stale(sealed: bytes) -> bool:
    """Whether a sealed value waits to be sealed again with the newest key."""
    return bool(sealed) and bytes(sealed)[KEY_ID] != keyring()[0].id
