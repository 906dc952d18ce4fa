"""The document that says what a repository consists of: one form, signed, and no path of anybody else's making."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.remote.errors import RemoteDamaged
from backups.remote.manifest import Manifest, Pack, Signer, canonical, read, written

TENANT = UUID(int=7)
SIGNER = Signer("ab" * 8, b"k" * 32)
KEYS = {SIGNER.id: SIGNER}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
hexes = st.binary(min_size=20, max_size=20).map(bytes.hex)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
packs = st.builds(Pack, hexes.map(lambda one: f"pack-{one}"), hashes, st.integers(0), hashes, st.integers(0))
manifests = st.builds(
    Manifest,
    tenant=st.just(TENANT),
    seq=st.integers(1, 10**9),
    batch=st.integers(0),
    fence=st.integers(0),
    head=st.none() | hexes,
    refs=st.dictionaries(st.uuids().map(lambda one: f"refs/checkpoints/{one}"), hexes, max_size=3),
    packs=st.lists(packs, max_size=3).map(tuple),
    previous=hashes.map(lambda one: f"{1:012d}-{one}") | st.just(""),
    at=st.just(NOON),
)


def resigned(content: bytes, **changes: Any) -> tuple[str, bytes]:
    """The manifest with changes, signed with the right key."""
    told = json.loads(content)["manifest"] | changes
    new = canonical({"manifest": told, "key": SIGNER.id, "signature": SIGNER.sign(canonical(told))})
    return f"{told['seq']:012d}-{hashlib.sha256(new).hexdigest()}", new


@settings(max_examples=20)
@given(manifests)
def test_what_is_written_is_read(manifest: Manifest) -> None:
    """Nothing is lost on the way, and the name follows from the content."""
    name, content = written(manifest, SIGNER)

    assert read(TENANT, name, content, KEYS) == manifest
    assert read(TENANT, name, content, None) == manifest


@settings(max_examples=20)
@given(manifests, st.data())
def test_a_byte_that_differs_is_noticed(manifest: Manifest, data: st.DataObject) -> None:
    """Whoever can write to the object store must not be able to change what we take for ours."""
    name, content = written(manifest, SIGNER)
    at = data.draw(st.integers(0, len(content) - 1))
    forged = bytearray(content)
    forged[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(RemoteDamaged):
        read(TENANT, name, bytes(forged), KEYS)
    with pytest.raises(RemoteDamaged):
        read(TENANT, f"{manifest.seq:012d}-{hashlib.sha256(forged).hexdigest()}", bytes(forged), KEYS)


@settings(max_examples=20)
@given(manifests)
def test_a_manifest_of_another_tenant_or_key_is_refused(manifest: Manifest) -> None:
    """A copy of a customer's repository must not be taken for that of another."""
    name, content = written(manifest, SIGNER)

    with pytest.raises(RemoteDamaged, match="moved there"):
        read(UUID(int=8), name, content, KEYS)
    with pytest.raises(RemoteDamaged, match="NETCAIRN_SECRETS_KEYS"):
        read(TENANT, name, content, {})


@pytest.mark.parametrize(
    "change",
    [
        {"refs": {"refs/../../config": "a" * 40}},
        {"refs": {"refs/checkpoints/x.lock": "a" * 40}},
        {"refs": {"refs/checkpoints/x": "--upload-pack=sh"}},
        {"head": "main"},
        {"previous": "../../other"},
        {"packs": [{"name": "../x", "sha256": "a" * 64, "size": 1, "index": "b" * 64, "index_size": 1, "suffix": ""}]},
        {"format": 2},
        {"seq": True},
    ],
)
def test_names_that_could_be_paths_are_refused_even_when_signed(change: dict[str, Any]) -> None:
    """A13: what becomes part of a path is checked where it comes in."""
    manifest = Manifest(TENANT, 1, 1, 1, "a" * 40, {}, (), "", NOON)
    name, content = resigned(written(manifest, SIGNER)[1], **change)

    with pytest.raises(RemoteDamaged):
        read(TENANT, name, content, KEYS)
