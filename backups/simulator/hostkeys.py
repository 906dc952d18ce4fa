"""Host keys that are the same each time a fleet is started, so that a pinned key stays valid."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def _key(seed: int, index: int, generation: int) -> Ed25519PrivateKey:
    secret = hashlib.sha256(f"simulated host key {seed}/{index}/{generation}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(secret)


def public_line(seed: int, index: int, generation: int) -> str:
    """`ssh-ed25519 AAAA…`, as it stands in a known_hosts file."""
    public = _key(seed, index, generation).public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def private_pem(seed: int, index: int, generation: int) -> bytes:
    """The private key in OpenSSH's format."""
    return _key(seed, index, generation).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
