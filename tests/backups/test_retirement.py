"""Devices that go, come back and get other names: the current tree follows, the past stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import ProtectedError
from django.test import TestCase

from backups import fsck, retirement
from backups.blame import blame
from backups.errors import StoreBusy
from backups.models import Repository, Snapshot
from backups.search import Scope, search
from backups.store.grep import Pattern
from backups.store.layout import device_folder
from backups.store.reader import open_store
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from tests.backups.store_kit import CONFIG, NOON, assert_sound, back_up, files_of, git, kept, repository
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user


def of(*devices: Device) -> Any:
    """These devices as a set."""
    return Device.objects.filter(pk__in=[device.pk for device in devices])


def tree(tenant: Tenant) -> set[str]:
    """Every path of the current tree."""
    return set(files_of(repository(tenant)))


def test_a_retired_device_leaves_the_tree_and_not_the_history(tenant: Tenant, device: Device) -> None:
    """A17, A23: a clone shows what is in service; what was kept of the others can still be asked for."""
    other = make_device(tenant, "edge2")
    snapshot = back_up(kept(device), kept(other, b"other\n")).snapshots[device.pk]

    assert retirement.retire(of(device), by="ada", now=NOON) == 1

    assert tree(tenant) == {f"{device_folder(other.pk)}/running.cfg", "by-name/edge2"}
    assert open_store(tenant.pk).blob(snapshot.files["running.cfg"]["blob"]) == CONFIG
    assert Repository.objects.get().seq == 2
    assert git(repository(tenant), "log", "-1", "--format=%an %s", "main") == "ada Retire edge1"
    assert (AuditEntry.objects.get().action, AuditEntry.objects.get().about) == ("device.retired", "edge1")
    assert not search(Pattern("hostname"), [Scope(tenant, secrets=True)]).found
    assert not list(fsck.check(tenant))
    assert_sound(tenant)


def test_a_device_that_is_brought_back_has_its_newest_version(tenant: Tenant, device: Device) -> None:
    """A23: and its lines still come from the versions that brought them."""
    back_up(kept(device))
    newest = back_up(kept(device, CONFIG + b"more\n")).snapshots[device.pk]
    retirement.retire(of(device), by="ada", now=NOON)

    assert retirement.bring_back(of(device), by="ada", now=NOON) == 1

    assert set(files_of(repository(tenant)).values()) >= {CONFIG + b"more\n"}
    assert "by-name/edge1" in tree(tenant)
    assert Snapshot.objects.count() == 2
    assert back_up(kept(device, CONFIG + b"more\n")).unchanged == {device.pk}
    assert [line.version.seq for line in blame(newest, "running.cfg", secrets=True).lines] == [1, 1, 2]


def test_retiring_twice_or_what_was_never_kept_makes_no_commit(tenant: Tenant, device: Device) -> None:
    """A11: and a tenant without a repository gets none by it."""
    assert retirement.retire(of(device), by="ada", now=NOON) == 1
    assert retirement.retire(of(device), by="ada", now=NOON) == 0

    assert not repository(tenant).exists()
    assert retirement.bring_back(of(device), by="ada", now=NOON) == 1


def test_a_device_whose_store_is_busy_is_not_retired_by_half(
    tenant: Tenant, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row and tree go together or not at all."""
    back_up(kept(device))

    def busy(*_: object, **__: object) -> None:
        raise StoreBusy("Somebody else is at work.")

    monkeypatch.setattr("backups.batch.lock_tenant", busy)
    with pytest.raises(StoreBusy):
        retirement.retire(of(device), by="ada", now=NOON)

    device.refresh_from_db()
    assert device.retired_at is None


def test_what_comes_of_a_device_that_was_retired_meanwhile_is_kept_but_not_current(
    tenant: Tenant, device: Device
) -> None:
    """Its session may have lasted longer than it did."""
    back_up(kept(device))
    retirement.retire(of(device), by="ada", now=NOON)

    result = back_up(kept(device, b"last words\n"))

    assert set(result.snapshots) == {device.pk}
    assert tree(tenant) == set()
    assert_sound(tenant)


def test_a_rename_moves_one_link_and_no_history(tenant: Tenant, device: Device) -> None:
    """A23: found under its new name in every clone, with all versions behind it."""
    back_up(kept(device))
    client = logged_in(make_user("boss", (tenant, Role.ADMINISTRATOR)))
    address = f"/admin/inventory/device/{device.pk}/change/"
    form = client.get(address).context["adminform"].form
    sent = {name: value for name in form.fields if (value := form[name].value()) not in (None, False)}

    with TestCase.captureOnCommitCallbacks(execute=True):
        assert client.post(address, sent | {"name": "core7", "tags": ""}).status_code == 302

    assert tree(tenant) == {f"{device_folder(device.pk)}/running.cfg", "by-name/core7"}
    assert device.snapshots.count() == 1


def test_a_move_to_another_site_makes_no_commit(tenant: Tenant, device: Device) -> None:
    """A23: where a box stands says nothing about what it runs."""
    back_up(kept(device))
    Device.objects.update(site="Basel")
    device.refresh_from_db()

    assert back_up(kept(device)).unchanged == {device.pk}
    assert Repository.objects.get().seq == 1


def test_a_device_with_a_past_is_not_deleted(device: Device) -> None:
    """A23: whoever wants it gone retires it; the past is not a box's to take along."""
    back_up(kept(device))

    with pytest.raises(ProtectedError):
        device.delete()


def test_devices_of_several_tenants_are_retired_each_in_its_own_record(tenant: Tenant, device: Device) -> None:
    """A5: a selection in a list may cross tenants; a commit never does."""
    other = make_device(make_tenant("other"), "edge1")
    back_up(kept(device))
    back_up(kept(other))

    assert retirement.retire(of(device, other), by="ada", now=NOON) == 2

    assert tree(tenant) == set() == tree(other.tenant)
