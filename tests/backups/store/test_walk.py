"""One file of one commit."""

from __future__ import annotations

import pytest

from backups.errors import NameRefused, StoreDamaged
from backups.models import Snapshot
from backups.store import layout
from backups.store.reader import open_store
from backups.store.walk import blob_at, file_at
from inventory.models import Device
from tests.backups.store_kit import back_up, kept, repository
from tests.factories import make_device


def test_a_file_is_found_in_every_commit_as_it_was_then(device: Device) -> None:
    """Also in commits that changed other devices."""
    other = make_device(device.tenant, "other")
    first, second = (
        back_up(kept(device, content), kept(other, content + b"too\n")).commits[0] for content in (b"one\n", b"two\n")
    )
    store = open_store(device.tenant_id)

    found = [file_at(store, commit, one.pk, "running.cfg") for commit in (first, second) for one in (device, other)]

    assert found == [b"one\n", b"one\ntoo\n", b"two\n", b"two\ntoo\n"]


def test_what_is_not_there_is_none(device: Device) -> None:
    """A device that was not backed up then, a file that it never had, a path through a file."""
    other = make_device(device.tenant, "other")
    (commit,) = back_up(kept(device)).commits
    store = open_store(device.tenant_id)

    assert file_at(store, commit, other.pk, "running.cfg") is None
    assert file_at(store, commit, device.pk, "startup.cfg") is None
    assert blob_at(store, commit, "nowhere/at/all") is None


def test_what_is_no_commit_is_damage(device: Device) -> None:
    """Nothing may look as if there had been no file."""
    (commit,) = back_up(kept(device)).commits
    store = open_store(device.tenant_id)
    blob = Snapshot.objects.get().files["running.cfg"]["blob"]

    for wrong in ("1" * 40, blob):
        with pytest.raises(StoreDamaged):
            file_at(store, wrong, device.pk, "running.cfg")
    with pytest.raises(StoreDamaged):  # a file is no folder
        blob_at(store, commit, f"{layout.device_file(device.pk, 'running.cfg')}/x")


def test_a_name_that_leads_elsewhere_is_refused(device: Device) -> None:
    """A file's name comes from a form."""
    (commit,) = back_up(kept(device)).commits

    assert repository(device.tenant).exists()
    with pytest.raises(NameRefused):
        file_at(open_store(device.tenant_id), commit, device.pk, "../running.cfg")
