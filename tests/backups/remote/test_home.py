"""The object store as the home: what is acknowledged is there, and what a host has may be lost at any time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings

from backups import elsewhere
from backups.batch import writing
from backups.erasing import erase
from backups.errors import StoreDamaged
from backups.fsck.rebuilding import rebuild
from backups.hosts import caches
from backups.house import tidy_up
from backups.masked_texts import MASKED
from backups.models import Repository, Snapshot
from backups.remote import current, home
from backups.remote import manifest as documents
from backups.remote import publishing as publishers
from backups.remote.errors import RemoteDamaged, RemoteFailed
from backups.remote.manifest import Manifest
from backups.remote.objects import Objects
from backups.remote.publishing import latest
from backups.store import housekeeping
from backups.store.housekeeping import indexes
from backups.store.reader import open_store, store_path
from inventory.models import Device, Tenant
from tests.backups.store_kit import CONFIG, NOON, assert_sound, back_up, git, kept, refs_of, repository

Host = Callable[[str], None]


@pytest.fixture
def host(settings: LazySettings, objects: Objects, tmp_path: Path) -> Host:
    """Go on as another host, which has a directory of its own, and the same object store and database."""
    settings.NETCAIRN_OBJECT_STORE_MODE = "home"
    settings.NETCAIRN_STORE_READY = "backups.remote.home.ready"

    def go_on(name: str) -> None:
        settings.NETCAIRN_STORE_ROOT = tmp_path / name

    go_on("a")
    return go_on


def pointed_at(objects: Objects, device: Device) -> Manifest:
    """What the pointer names."""
    last = latest(objects, device.tenant_id)
    assert last
    return last.manifest


def newest_text(device: Device) -> bytes:
    """The newest version, as a page reads it."""
    version = Snapshot.objects.filter(device=device).order_by("-seq")[0]
    return open_store(device.tenant_id).blob(version.files["running.cfg"]["blob"])


def test_what_is_acknowledged_is_in_the_object_store(device: Device, host: Host, objects: Objects) -> None:
    """Before the COMMIT, or a host that burns down takes what was promised with it."""
    back_up(kept(device))

    row, manifest = Repository.objects.get(), pointed_at(objects, device)

    assert (manifest.head, manifest.batch, manifest.seq) == (row.head, row.seq, row.home_seq)


def test_any_host_reads_and_writes_on(device: Device, host: Host, objects: Objects) -> None:
    """A host without a cache, with one that is old, and with one that was deleted works at once."""
    back_up(kept(device))
    host("b")
    assert newest_text(device) == CONFIG
    back_up(kept(device, b"hostname edge2\n"))
    host("a")
    assert newest_text(device) == b"hostname edge2\n"
    shutil.rmtree(repository(device.tenant))

    back_up(kept(device, b"hostname edge3\n"))

    assert_sound(device.tenant)
    assert git(repository(device.tenant), "rev-list", "--count", "main") == "3"
    host("b")
    back_up(kept(device, b"hostname edge4\n"))
    assert_sound(device.tenant)
    assert pointed_at(objects, device).seq == 4


def test_nothing_is_acknowledged_while_the_object_store_is_away(
    device: Device, host: Host, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt is tried again later; what was kept can be read all the time."""
    back_up(kept(device))

    def fail(*_: Any) -> None:
        raise RemoteFailed("It does not answer.")

    with monkeypatch.context() as away:
        away.setattr(publishers, "point_at", fail)
        with pytest.raises(RemoteFailed):
            back_up(kept(device, b"hostname edge2\n"))
        assert newest_text(device) == CONFIG

    back_up(kept(device, b"hostname edge2\n"))
    assert Snapshot.objects.count() == 2
    assert_sound(device.tenant)


@pytest.mark.parametrize(
    ("died", "then"), [("a", "a"), *(pytest.param(*two, marks=pytest.mark.long) for two in ("ab", "ba"))]
)
def test_a_pointer_that_is_ahead_of_the_row_is_gone_back_from(
    device: Device, host: Host, objects: Objects, died: str, then: str
) -> None:
    """Who died between pointer and COMMIT: his batch was acknowledged to nobody, and the next writer goes on below it."""
    back_up(kept(device))

    def die(_snapshots: Any) -> None:
        elsewhere.changed(device.tenant_id, 2)
        raise RuntimeError

    host(died)
    with pytest.raises(RuntimeError):
        back_up(kept(device, b"hostname nobody\n"), also=die)
    assert pointed_at(objects, device).seq == 2
    assert Repository.objects.get().home_seq == 1

    host(then)
    assert newest_text(device) == CONFIG
    back_up(kept(device, b"hostname edge2\n"))

    row, manifest = Repository.objects.get(), pointed_at(objects, device)
    assert (manifest.seq, manifest.head, manifest.batch) == (3, row.head, 2)
    assert not [ref for ref in refs_of(repository(device.tenant)) if "quarantine" in ref]
    assert_sound(device.tenant)
    host("c")
    assert newest_text(device) == b"hostname edge2\n"


def test_who_has_lost_the_lock_does_not_publish(device: Device, host: Host, objects: Objects) -> None:
    """He has read the pointer before the next writer moved it, and whatever he swaps is compared with that."""
    back_up(kept(device))
    old = home.known(repository(device.tenant))
    assert old
    host("b")
    back_up(kept(device, b"hostname edge2\n"))
    state = publishers.look(device.tenant_id, open_store(device.tenant_id))
    newer = publishers.replace(state, batch=9, head="e" * 40)

    with pytest.raises(publishers.RemoteMoved):
        publishers.write(objects, device.tenant_id, newer, old)

    assert pointed_at(objects, device).head == Repository.objects.get().head


@pytest.mark.long
def test_a_checkpoint_made_on_one_host_can_be_read_on_another(device: Device, host: Host) -> None:
    """It is a commit that no batch brings."""
    back_up(kept(device))
    host("b")
    newest_text(device)
    host("a")
    with writing(device.tenant_id) as batch:
        assert batch.head
        pin = batch.pin(device.pk, tree_of=batch.head, folders=None, message="Keep", author="alice", when=NOON)

    host("b")

    assert open_store(device.tenant_id).tree(pin)
    with writing(device.tenant_id):
        assert f"refs/checkpoints/{device.pk}" in refs_of(repository(device.tenant))


@pytest.mark.long
def test_housekeeping_on_one_host_reaches_the_others(
    device: Device, host: Host, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what went there comes back from nowhere: an old cache does not publish what it still has."""
    monkeypatch.setattr("backups.house.MAX_PACKS", 2)
    back_up(kept(device))
    host("b")
    newest_text(device)
    host("a")
    for number in range(2):
        back_up(kept(device, b"hostname edge%d\n" % number))
    tidy_up(device.tenant_id)
    host("b")
    old = {index.stem for index in indexes(repository(device.tenant))}

    back_up(kept(device, b"hostname last\n"))

    named = {pack.name for pack in pointed_at(objects, device).packs}
    assert named == {index.stem for index in indexes(repository(device.tenant))}
    assert not old & named
    assert_sound(device.tenant)


@pytest.mark.long
def test_a_pack_that_is_missing_in_a_cache_is_brought_again(device: Device, host: Host) -> None:
    """Somebody made room on the disk."""
    back_up(kept(device))
    (index,) = indexes(repository(device.tenant))
    housekeeping.remove_pack(index)
    open_store(device.tenant_id).close()

    back_up(kept(device, b"hostname edge2\n"))

    assert_sound(device.tenant)


@pytest.mark.long
def test_repositories_move_into_their_home(
    device: Device, settings: LazySettings, objects: Objects, host: Host
) -> None:
    """What was kept before is published by the host that has it, and no other host takes the place of it."""
    settings.NETCAIRN_OBJECT_STORE_MODE, settings.NETCAIRN_STORE_READY = "copy", None
    back_up(kept(device))
    publishers.publish(device.tenant_id)
    back_up(kept(device, b"hostname edge2\n"))
    settings.NETCAIRN_OBJECT_STORE_MODE, settings.NETCAIRN_STORE_READY = "home", "backups.remote.home.ready"
    host("b")
    with pytest.raises(StoreDamaged, match="on the host that has it"):
        back_up(kept(device, b"hostname edge3\n"))
    assert not store_path(device.tenant_id).exists()

    host("a")
    current.bring_up_to_date(device.tenant_id)

    host("b")
    back_up(kept(device, b"hostname edge3\n"))
    assert_sound(device.tenant)
    assert git(repository(device.tenant), "rev-list", "--count", "main") == "3"


def test_an_older_object_store_is_not_taken_for_the_truth(device: Device, host: Host, objects: Objects) -> None:
    """What is here may be all that is left of it."""
    back_up(kept(device))
    first = objects.get(documents.pointer_object(device.tenant_id)).content
    back_up(kept(device, b"hostname edge2\n"))
    objects.swap(
        documents.pointer_object(device.tenant_id), first, objects.get(documents.pointer_object(device.tenant_id)).etag
    )
    host("b")

    with pytest.raises(RemoteDamaged, match="Nothing is touched"):
        newest_text(device)


@pytest.mark.long
def test_tables_that_are_filled_anew_are_at_home(device: Device, host: Host, objects: Objects) -> None:
    """The row that a rebuild makes is acknowledged like any other: the object store has it, and hosts go on."""
    back_up(kept(device))
    back_up(kept(device, b"hostname edge2\n"))
    Snapshot.objects.all().delete()
    Repository.objects.all().delete()

    rebuild(device.tenant, by="ada", now=NOON)

    row, manifest = Repository.objects.get(), pointed_at(objects, device)
    assert (manifest.head, manifest.batch, manifest.seq) == (row.head, row.seq, row.home_seq)
    host("b")
    back_up(kept(device, b"hostname edge3\n"))
    assert pointed_at(objects, device).batch == 3


def test_what_was_purged_goes_from_the_caches_of_all_hosts(device: Device, host: Host, objects: Objects) -> None:
    """A host that does nothing for the tenant would have the secret on its disk for ever."""
    back_up(kept(device))
    host("b")
    newest_text(device)
    host("a")
    back_up(kept(device, b"hostname edge2\n"))
    elsewhere.forget(device.tenant_id)

    caches.clean()
    assert store_path(device.tenant_id).exists()
    host("b")
    caches.clean()

    assert not store_path(device.tenant_id).exists()
    assert newest_text(device) == b"hostname edge2\n"
    caches.clean()
    assert store_path(device.tenant_id).exists()


def test_a_deleted_tenant_goes_from_the_caches_of_all_hosts(device: Device, host: Host, objects: Objects) -> None:
    """Nothing of it is to be left; what a database does not know may be another database's, and stays. Capability C18."""
    back_up(kept(device))
    host("b")
    newest_text(device)
    path, strange = store_path(device.tenant_id), store_path(uuid4())
    strange.mkdir()
    (path.parent / MASKED / str(device.tenant_id)).mkdir(parents=True)
    host("a")
    caches.clean()
    assert path.exists()
    Tenant.objects.update(ends_at=NOON)
    erase(device.tenant, by="ada", now=NOON)

    host("b")
    caches.clean()

    assert {one.name for one in path.parent.iterdir()} == {strange.name, MASKED}
    assert not any((path.parent / MASKED).iterdir())
