"""What leaves this machine sealed is noise for everybody else, and nothing of it can be changed, moved or cut off."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypotheses
from hypothesis import strategies as st

from backups.models import RemoteKey, Snapshot
from backups.remote import manifest as documents
from backups.remote.bringing import bring
from backups.remote.cold import read_file
from backups.remote.errors import RemoteDamaged
from backups.remote.objects import Objects
from backups.remote.publishing import latest, publish
from backups.remote.sealing import CHUNK, SealedObject, open_all, seal
from config.conf import new_sealing_key
from inventory.models import Device
from tests.backups.store_kit import back_up, files_of, kept, repository

KEY = b"k" * 32
sizes = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]).map(os.urandom)


def opened(sealed: bytes, key: bytes = KEY) -> bytes:
    """All of it."""
    return b"".join(open_all(key, io.BytesIO(sealed), len(sealed)))


@hypotheses(max_examples=20)
@given(sizes, st.integers(0, 4 * CHUNK), st.integers(1, 2 * CHUNK))
def test_what_is_sealed_opens_as_a_whole_and_in_parts(content: bytes, start: int, length: int) -> None:
    """And twice the same content is twice the same bytes, so that a try can be repeated."""
    sealed = seal(KEY, content)

    far = SealedObject(KEY, len(sealed), lambda at, size: sealed[at : at + size])
    assert opened(sealed) == content
    assert far.read(start, length) == content[start : start + length]
    assert seal(KEY, content) == sealed


@hypotheses(max_examples=20)
@given(sizes, st.data())
def test_what_was_changed_or_cut_off_does_not_open(content: bytes, data: st.DataObject) -> None:
    """Nor with another tenant's key."""
    sealed = seal(KEY, content)
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]

    for wrong in (changed, sealed[:at]):
        with pytest.raises(RemoteDamaged):
            opened(wrong)
    with pytest.raises(RemoteDamaged):
        opened(sealed, b"x" * 32)


def test_a_sealed_copy_comes_back_and_says_nothing_to_others(
    device: Device, objects: Objects, remote: Path, settings: Any, tmp_path: Path
) -> None:
    """Neither a text nor a pack of git's is to be seen in it; a copy of before is sealed anew."""
    back_up(kept(device, b"hostname canary\n" * 50))
    publish(device.tenant_id)
    settings.NETCAIRN_OBJECT_STORE_ENCRYPT = True
    publish(device.tenant_id)
    back_up(kept(device, b"hostname edge2\n"))

    publish(device.tenant_id)

    last = latest(objects, device.tenant_id)
    assert last
    assert (last.manifest.seq, last.manifest.sealed) == (3, True)
    assert not [name for name in last.manifest.objects() if b"PACK" in (remote / name).read_bytes()[:64]]
    bring(device.tenant_id, tmp_path / "back.git")
    assert files_of(tmp_path / "back.git") == files_of(repository(device.tenant))
    blob = Snapshot.objects.order_by("seq")[0].files["running.cfg"]["blob"]
    assert read_file(device.tenant_id, blob) == b"hostname canary\n" * 50


def test_the_key_comes_back_from_the_object_store_and_is_gone_with_both(
    device: Device, objects: Objects, settings: Any, tmp_path: Path
) -> None:
    """The database may be lost; who deletes a tenant's key has deleted what is sealed with it, copies of the bucket included."""
    settings.NETCAIRN_OBJECT_STORE_ENCRYPT = True
    back_up(kept(device))
    publish(device.tenant_id)
    RemoteKey.objects.all().delete()

    bring(device.tenant_id, tmp_path / "back.git")

    assert RemoteKey.objects.count() == 1
    RemoteKey.objects.all().delete()
    objects.delete([documents.key_object(device.tenant_id)])
    with pytest.raises(RemoteDamaged, match="cannot be opened any more"):
        bring(device.tenant_id, tmp_path / "again.git")


@pytest.mark.long
def test_keys_change_and_the_old_ones_may_go(device: Device, objects: Objects, settings: Any, tmp_path: Path) -> None:
    """After one more publishing, manifest and key are of the new one."""
    settings.NETCAIRN_OBJECT_STORE_ENCRYPT = True
    settings.NETCAIRN_SECRETS_KEYS_READER = None
    settings.NETCAIRN_SECRETS_KEYS = [old := new_sealing_key()]
    back_up(kept(device))
    publish(device.tenant_id)
    settings.NETCAIRN_SECRETS_KEYS = [new := new_sealing_key(), old]

    publish(device.tenant_id)

    settings.NETCAIRN_SECRETS_KEYS = [new]
    bring(device.tenant_id, tmp_path / "back.git")
    RemoteKey.objects.all().delete()
    bring(device.tenant_id, tmp_path / "again.git")
