"""Packs sealed before they leave this machine, with a key of the tenant's own. Pure: no network, no Django.

A sealed object is `magic (8 bytes) | salt (32) | chunks`, each chunk 16 KiB of the content with AES-256-GCM and its tag
of 16 bytes. The object's key is made from the tenant's and the salt; the nonce is the chunk's number, the associated
data say which chunk is the last, so that none can be moved or cut off. The salt is made from the tenant's key and the
content: the same pack gives the same bytes, so that a try can be repeated, and no key is ever used for two contents.
Chunks, so that a part can be read without the rest.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backups.remote.errors import RemoteDamaged

MAGIC = b"netcrn\x01\n"
SALT, TAG, NONCE = 32, 16, 12  # bytes
HEAD = len(MAGIC) + SALT
CHUNK = 16 * 1024
KEY_BYTES = 32

Part = Callable[[int, int], bytes]


def seal(key: bytes, content: bytes) -> bytes:
    """The content, sealed with a tenant's key."""
    salt = hmac.new(key, b"salt" + hashlib.sha256(content).digest(), hashlib.sha256).digest()
    cipher = cipher_of(key, salt)
    last = last_chunk(len(content))
    chunks = (content[at * CHUNK : (at + 1) * CHUNK] for at in range(last + 1))
    sealed = (cipher.encrypt(nonce(at), chunk, place(at, last)) for at, chunk in enumerate(chunks))
    return b"".join([MAGIC, salt, *sealed])


def open_all(key: bytes, sealed: BinaryIO, size: int) -> Iterator[bytes]:
    """The content of a sealed object of that size, piece by piece. Raises RemoteDamaged."""
    cipher = opened(key, sealed.read(HEAD))
    last = last_sealed(size)
    for at in range(last + 1):
        yield open_chunk(cipher, at, last, sealed.read(CHUNK + TAG))


@dataclass(frozen=True)
class SealedObject:
    """A sealed object that is read in parts."""

    key: bytes
    size: int  # bytes, sealed
    part: Part

    @cached_property
    def cipher(self) -> AESGCM:
        """What opens it."""
        return opened(self.key, self.part(0, HEAD))

    def read(self, start: int, length: int) -> bytes:
        """Some bytes of the content; fewer at its end. Raises RemoteDamaged."""
        first, last = start // CHUNK, last_sealed(self.size)
        until = min((start + length - 1) // CHUNK, last)
        if first > until:
            return b""
        step = CHUNK + TAG
        sealed = self.part(HEAD + first * step, (until - first + 1) * step)
        chunks = [sealed[at : at + step] for at in range(0, len(sealed), step)]
        plain = b"".join(open_chunk(self.cipher, first + at, last, chunk) for at, chunk in enumerate(chunks))
        return plain[start - first * CHUNK :][:length]


def opened(key: bytes, head: bytes) -> AESGCM:
    """What opens the object with that head. Raises RemoteDamaged."""
    if len(head) != HEAD or not head.startswith(MAGIC):
        raise RemoteDamaged("An object that must be sealed is not.")
    return cipher_of(key, head[len(MAGIC) :])


def open_chunk(cipher: AESGCM, at: int, last: int, chunk: bytes) -> bytes:
    """One chunk. Raises RemoteDamaged."""
    try:
        return cipher.decrypt(nonce(at), chunk, place(at, last))
    except (InvalidTag, ValueError) as exc:
        raise RemoteDamaged("A sealed object does not open: it was changed, or is another tenant's.") from exc


def cipher_of(key: bytes, salt: bytes) -> AESGCM:
    """The cipher of one object."""
    return AESGCM(hmac.new(key, b"object" + salt, hashlib.sha256).digest())


def last_chunk(size: int) -> int:
    """The number of the last chunk of so many bytes; of none there is one, empty."""
    return max(0, size - 1) // CHUNK


def last_sealed(size: int) -> int:
    """The number of the last chunk of a sealed object of so many bytes."""
    return max(0, size - HEAD - 1) // (CHUNK + TAG)


def nonce(at: int) -> bytes:
    """Of a chunk; each object has a key of its own."""
    return at.to_bytes(NONCE, "big")


def place(at: int, last: int) -> bytes:
    """What a chunk is bound to."""
    return b"last" if at == last else b"more"
