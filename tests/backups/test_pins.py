"""Pinning: a checkpoint's tree, kept by a commit without parents."""

from __future__ import annotations

import uuid

import pytest

from backups.commit import writing
from backups.errors import StoreDamaged
from backups.models import Repository, Snapshot
from inventory.models import Device, Tenant
from tests.backups.store_kit import CONFIG, NOON, assert_sound, back_up, files_of, git, kept, refs_of, repository
from tests.factories import make_device

REF = uuid.UUID("11111111-1111-4111-8111-111111111111")


def pin(tenant: Tenant, commit: str, folders: list[uuid.UUID] | None = None) -> str:
    with writing(tenant.pk) as batch:
        return batch.pin(REF, tree_of=commit, folders=folders, message="Before", author="alice", when=NOON)


def test_a_pin_has_the_whole_tree_and_no_parent(device: Device) -> None:
    """D1: a checkpoint outlives the epoch that it was made in."""
    (commit,) = back_up(kept(device)).commits

    made = pin(device.tenant, commit)

    path = repository(device.tenant)
    assert refs_of(path)[f"refs/checkpoints/{REF}"] == made
    assert git(path, "rev-parse", f"{made}^{{tree}}") == git(path, "rev-parse", f"{commit}^{{tree}}")
    assert git(path, "log", "--format=%P|%an", made) == "|alice"
    assert Repository.objects.get().seq == 1
    assert_sound(device.tenant)


def test_a_pin_of_some_devices_has_their_folders_and_links(device: Device) -> None:
    """A checkpoint of chosen devices says nothing about the others."""
    other, never = make_device(device.tenant, "edge2"), make_device(device.tenant, "edge3")
    (commit,) = back_up(kept(device), kept(other, b"other\n")).commits

    made = pin(device.tenant, commit, [device.pk, never.pk])

    folder = f"devices/{device.pk.hex[:2]}/{device.pk}"
    assert files_of(repository(device.tenant), made) == {
        f"{folder}/running.cfg": CONFIG,
        "by-name/edge1": f"../{folder}".encode(),
    }


def test_a_pin_of_no_devices_is_empty(device: Device) -> None:
    """Not everything, which is what 'no paths' means to git."""
    (commit,) = back_up(kept(device)).commits

    made = pin(device.tenant, commit, [])

    assert files_of(repository(device.tenant), made) == {}


def test_a_pin_of_what_is_not_there_is_refused(device: Device) -> None:
    """A checkpoint must never name nothing."""
    back_up(kept(device))

    with pytest.raises(StoreDamaged):
        pin(device.tenant, "f" * 40)

    assert f"refs/checkpoints/{REF}" not in refs_of(repository(device.tenant))


def test_a_pin_of_a_turn_that_failed_is_gone(device: Device) -> None:
    """Its row was never committed."""
    (commit,) = back_up(kept(device)).commits
    with pytest.raises(ZeroDivisionError), writing(device.tenant_id) as batch:
        batch.pin(REF, tree_of=commit, folders=None, message="m", author="a", when=NOON)
        raise ZeroDivisionError

    assert list(refs_of(repository(device.tenant))) == ["refs/heads/main"]


def test_refs_are_dropped_after_the_commit(device: Device) -> None:
    """D12: a deletion that is rolled back has deleted nothing; one that is not, also what is gone already."""
    (commit,) = back_up(kept(device)).commits
    pin(device.tenant, commit)
    ref = f"refs/checkpoints/{REF}"
    with pytest.raises(ZeroDivisionError), writing(device.tenant_id) as batch:
        batch.drop_refs([ref])
        raise ZeroDivisionError
    assert ref in refs_of(repository(device.tenant))

    for _ in range(2):
        with writing(device.tenant_id) as batch:
            batch.drop_refs([ref])

    assert ref not in refs_of(repository(device.tenant))


def test_only_refs_of_checkpoints_can_be_dropped(device: Device) -> None:
    """The record is append-only."""
    back_up(kept(device))
    with pytest.raises(ValueError, match="not the ref of a checkpoint"), writing(device.tenant_id) as batch:
        batch.drop_refs(["refs/heads/main"])


def test_a_device_that_was_renamed_is_pinned_under_its_name_of_then(device: Device) -> None:
    """Links are found by where they lead."""
    (commit,) = back_up(kept(device)).commits
    device.name = "core1"
    device.save()
    back_up(kept(device, b"new\n"))

    made = pin(device.tenant, commit, [device.pk])

    assert "by-name/edge1" in files_of(repository(device.tenant), made)
    assert Snapshot.objects.count() == 2
