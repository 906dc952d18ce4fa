"""What a tenant's repository consists of, as one signed document. Pure: no git, no network, no Django.

    tenants/<uuid>/pointer                           the name of the newest manifest; the only object ever replaced
    tenants/<uuid>/manifests/<seq, 12 digits>-<sha256>
    tenants/<uuid>/packs/<sha256>                    a pack, or the index of one, by the hash of what is stored; with
                                                     -<8 hex> behind it where an old one of no manifest is in the way
    tenants/<uuid>/key                               what packs are sealed with, itself sealed (`sealing.py`)

A manifest is written after its packs and named by the pointer after itself, so whoever begins at the pointer finds all
of it. It is signed with a key that is made from those that seal credentials: who can write to the object store cannot
have a repository of their own taken for ours.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.remote.errors import RemoteDamaged

TENANTS = "tenants/"
FORMAT = 1
PACK_NAME = re.compile(r"pack-[0-9a-f]{40}\Z")
ID = re.compile(r"[0-9a-f]{40}\Z")
HASH = re.compile(r"[0-9a-f]{64}\Z")
SUFFIX = re.compile(r"(-[0-9a-f]{8})?\Z")
REF = re.compile(r"refs/[A-Za-z0-9][A-Za-z0-9/._-]*\Z")
NAME = re.compile(r"[0-9]{12}-[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Pack:
    """A pack and its index: git's name for both, and what of them is in the object store."""

    name: str  # pack-<40 hex>
    sha256: str  # of the stored pack, which is its object's name
    size: int  # bytes of the stored pack
    index: str  # SHA-256 of the stored index
    index_size: int
    suffix: str = ""  # of both objects' names

    def objects(self) -> tuple[str, str]:
        """The names of both objects, below the tenant's packs."""
        return self.sha256 + self.suffix, self.index + self.suffix


@dataclass(frozen=True)
class Manifest:
    """One state of a tenant's repository."""

    tenant: UUID
    seq: int  # of manifests: 1, 2, 3 ... without a gap
    batch: int  # Repository.seq of the head
    fence: int  # of the writer
    head: str | None
    refs: Mapping[str, str]  # all but main, which is the head, and those of batches under way
    packs: tuple[Pack, ...]
    previous: str  # the name of the manifest before; empty for the first
    at: datetime
    sealed: bool = False  # whether the packs are sealed with the tenant's key
    extra: Mapping[str, Any] = field(default_factory=dict)  # what a later version has added, kept

    def same_state(self, other: Manifest) -> bool:
        """Whether both are of one state of the repository."""
        mine, theirs = ((m.head, m.batch, dict(m.refs), frozenset(m.packs), m.sealed) for m in (self, other))
        return mine == theirs

    def pack(self, name: str) -> Pack | None:
        """The pack of that name of git's."""
        return next((pack for pack in self.packs if pack.name == name), None)

    def objects(self) -> set[str]:
        """The names of all objects that it needs."""
        return {pack_object(self.tenant, one) for pack in self.packs for one in pack.objects()}


@dataclass(frozen=True)
class Signer:
    """A key that signs, and the name by which documents know it."""

    id: str
    key: bytes

    def sign(self, body: bytes) -> str:
        """The signature of these bytes."""
        return hmac.new(self.key, body, hashlib.sha256).hexdigest()


def folder(tenant: UUID) -> str:
    """Where everything of a tenant is."""
    if not isinstance(tenant, UUID):
        raise TypeError(f"{tenant!r} is no UUID")
    return f"{TENANTS}{tenant}/"


def pointer_object(tenant: UUID) -> str:
    """The object that names the newest manifest."""
    return f"{folder(tenant)}pointer"


def manifest_object(tenant: UUID, name: str) -> str:
    """The object of the manifest of that name. Raises RemoteDamaged for what is no name of one."""
    if not NAME.match(name):
        raise RemoteDamaged(f"The pointer of tenant {tenant} in the object store names no manifest.")
    return f"{manifests_folder(tenant)}{name}"


def pack_object(tenant: UUID, name: str) -> str:
    """The object of a pack, or of an index."""
    return f"{packs_folder(tenant)}{name}"


def packs_folder(tenant: UUID) -> str:
    """Where all packs of a tenant are."""
    return f"{folder(tenant)}packs/"


def manifests_folder(tenant: UUID) -> str:
    """Where all manifests of a tenant are."""
    return f"{folder(tenant)}manifests/"


def key_object(tenant: UUID) -> str:
    """The object of the key that a tenant's packs are sealed with."""
    return f"{folder(tenant)}key"


def canonical(document: Mapping[str, Any]) -> bytes:
    """JSON in the one form that is signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def written(manifest: Manifest, signer: Signer) -> tuple[str, bytes]:
    """The name and the content of a manifest."""
    told = asdict(manifest)
    told |= {"format": FORMAT, "tenant": str(manifest.tenant), "at": manifest.at.isoformat()}
    told |= told.pop("extra")
    signature = {"key": signer.id, "signature": signer.sign(canonical(told))}
    content = canonical({"manifest": told, **signature})
    return f"{manifest.seq:012d}-{hashlib.sha256(content).hexdigest()}", content


def read(tenant: UUID, name: str, content: bytes, signers: Mapping[str, Signer] | None) -> Manifest:
    """The manifest of that name. Raises RemoteDamaged where it is not ours, not this tenant's, or not what it was.

    `signers`: the keys that count, by their names; None: whoever asks has no key any more, and says so.
    """
    if name.rpartition("-")[2] != hashlib.sha256(content).hexdigest():
        raise RemoteDamaged(f"The manifest {name} of tenant {tenant} is not what it was.")
    try:
        document = json.loads(content)
        told = document["manifest"]
        if signers is not None:
            check_signature(tenant, name, document, signers)
        manifest = parsed(told)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise RemoteDamaged(f"The manifest {name} of tenant {tenant} cannot be understood ({exc}).") from exc
    if manifest.tenant != tenant or int(name[:12]) != manifest.seq:
        raise RemoteDamaged(f"The manifest {name} is not of tenant {tenant}: it was moved there by somebody.")
    return manifest


def signer_of(content: bytes) -> str:
    """The name of the key that a manifest is signed with; it was read before."""
    return str(json.loads(content)["key"])


def check_signature(tenant: UUID, name: str, document: Mapping[str, Any], signers: Mapping[str, Signer]) -> None:
    """Raise RemoteDamaged unless one of our keys has signed."""
    signer = signers.get(document["key"])
    if signer is None:
        raise RemoteDamaged(
            f"The manifest {name} of tenant {tenant} was signed with key {str(document['key'])[:16]}, which is not in "
            "NETCAIRN_SECRETS_KEYS: put that key back."
        )
    if not hmac.compare_digest(signer.sign(canonical(document["manifest"])), str(document["signature"])):
        raise RemoteDamaged(f"The signature of the manifest {name} of tenant {tenant} is wrong: it was tampered with.")


def parsed(told: dict[str, Any]) -> Manifest:
    """A manifest from its document. Raises ValueError and its like: every name becomes a part of a path."""
    if told.pop("format") != FORMAT:
        raise ValueError("its format is of another version of Netcairn")
    fields = {name: told.pop(name) for name in ("seq", "batch", "fence", "head", "previous", "sealed")}
    numbers = (fields["seq"], fields["batch"], fields["fence"])
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number is none")
    refs = {checked(REF, ref): checked(ID, commit) for ref, commit in told.pop("refs").items()}
    if any(".." in ref or ref.endswith((".lock", "/", ".")) for ref in refs):
        raise ValueError("a ref has no name of one")
    packs = tuple(parsed_pack(pack) for pack in told.pop("packs"))
    tenant, at = UUID(told.pop("tenant")), datetime.fromisoformat(told.pop("at"))
    if fields["head"] is not None:
        checked(ID, fields["head"])
    if fields["previous"]:
        checked(NAME, fields["previous"])
    return Manifest(tenant=tenant, refs=refs, packs=packs, at=at, extra=told, **fields)


def parsed_pack(told: Mapping[str, Any]) -> Pack:
    """A pack from its part of the document."""
    hashes = checked(HASH, told["sha256"]), checked(HASH, told["index"])
    sizes = int(told["size"]), int(told["index_size"])
    suffix = checked(SUFFIX, told["suffix"])
    return Pack(checked(PACK_NAME, told["name"]), hashes[0], sizes[0], hashes[1], sizes[1], suffix)


def checked(pattern: re.Pattern[str], text: str) -> str:
    """The text, if it is of that form."""
    if not pattern.match(text):
        raise ValueError(f"{text[:80]!r} is not of the right form")
    return text
