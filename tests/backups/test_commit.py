"""Keeping captures: one commit, one transaction, nothing lost."""

from __future__ import annotations

import uuid

import pytest

from backups.errors import NoStore, StoreError
from backups.models import Repository, Snapshot
from backups.store.reader import open_store
from inventory.models import Device, Tenant
from tests.backups.store_kit import CONFIG, NOON, assert_sound, back_up, files_of, git, kept, repository
from tests.factories import make_device


def test_the_first_backup_makes_the_repository_and_the_first_commit(device: Device, store_root) -> None:
    """A1, A2, A8, A15: nothing has to be set up before the first backup, and the answer is a full id."""
    result = back_up(kept(device))

    path = repository(device.tenant)
    folder = f"devices/{device.pk.hex[:2]}/{device.pk}"
    assert files_of(path) == {f"{folder}/running.cfg": CONFIG, "by-name/edge1": f"../{folder}".encode()}
    assert result.commits == [git(path, "rev-parse", "main")]
    assert path.parent == store_root
    assert_sound(device.tenant)


def test_a_snapshot_says_what_is_in_the_commit(device: Device) -> None:
    """A20: history is a table, so the table has to be right."""
    result = back_up(kept(device))

    snapshot = Snapshot.objects.get()
    assert snapshot == result.snapshots[device.pk]
    assert (snapshot.seq, snapshot.size, snapshot.author, snapshot.taken_at) == (1, len(CONFIG), "alice", NOON)
    assert open_store(device.tenant_id).blob(snapshot.files["running.cfg"]["blob"]) == CONFIG


def test_an_unchanged_backup_makes_no_commit(device: Device) -> None:
    """A11: a commit that changes nothing hides those that do."""
    back_up(kept(device))

    result = back_up(kept(device))

    assert result.unchanged == {device.pk}
    assert Repository.objects.get().seq == 1
    assert git(repository(device.tenant), "rev-list", "--count", "main") == "1"


def test_other_devices_survive_a_backup(device: Device) -> None:
    """A7, A9: a backup of one device must not touch another."""
    other = make_device(device.tenant, "edge2")
    back_up(kept(other, b"hostname edge2\n"))

    back_up(kept(device))

    assert set(files_of(repository(device.tenant)).values()) >= {CONFIG, b"hostname edge2\n"}


def test_several_files_of_a_device_are_kept_together(device: Device) -> None:
    """A6: the text and the binary of one moment belong together."""
    back_up(kept(device, **{"system.backup": b"\x88\xac\xa1\xb1\0\xff"}))

    contents = list(files_of(repository(device.tenant)).values())
    assert b"\x88\xac\xa1\xb1\0\xff" in contents
    assert CONFIG in contents
    assert git(repository(device.tenant), "rev-list", "--count", "main") == "1"


def test_a_mistyped_tenant_gets_no_repository(db: None, store_root) -> None:
    """A2: reading must not create, and neither must writing for nobody."""
    nobody = uuid.uuid4()
    with pytest.raises(NoStore):
        open_store(nobody)

    from backups.commit import writing

    with pytest.raises(StoreError), writing(nobody):
        pass

    assert not store_root.exists()


def test_the_branch_is_main_and_a_clone_checks_it_out(tenant: Tenant, device: Device, tmp_path) -> None:
    """A3: a clone that is empty is a backup that is not there."""
    back_up(kept(device))

    git(tmp_path, "clone", "--quiet", str(repository(tenant)), "clone")

    assert (tmp_path / "clone" / "by-name" / "edge1" / "running.cfg").read_bytes() == CONFIG
