"""A repository goes to the object store and comes back: whole at every moment, and no more of it than is needed."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups import outbox
from backups.batch import writing
from backups.models import Outbox, Repository
from backups.remote import jobs, repacking
from backups.remote import manifest as documents
from backups.remote import publishing as publishers
from backups.remote.bringing import bring
from backups.remote.errors import RemoteAhead, RemoteDamaged, RemoteFailed, RemoteMoved
from backups.remote.objects import Objects
from backups.remote.publishing import latest, publish
from backups.store.housekeeping import indexes
from backups.store.reader import open_store
from config.conf import new_sealing_key
from inventory.models import Device
from inventory.notices import Notice
from tests.backups.store_kit import CONFIG, NOON, back_up, files_of, git, keep_house, kept, refs_of, repository


def newest(objects: Objects, device: Device) -> documents.Manifest:
    """What the pointer names."""
    last = latest(objects, device.tenant_id)
    assert last
    return last.manifest


def test_what_was_published_comes_back_as_it_was(device: Device, objects: Objects, tmp_path: Path) -> None:
    """The copy is what is left after the loss of every host: each ref, each file, and git finds it whole."""
    back_up(kept(device))
    back_up(kept(device, b"hostname edge2\n"))
    publish(device.tenant_id)

    brought = bring(device.tenant_id, tmp_path / "back.git")

    here = repository(device.tenant)
    assert refs_of(tmp_path / "back.git") == refs_of(here)
    assert files_of(tmp_path / "back.git") == files_of(here)
    git(tmp_path / "back.git", "fsck", "--full", "--strict")
    assert (brought.manifest.seq, brought.manifest.batch, brought.packs) == (1, 2, 2)


def test_only_what_is_missing_goes_and_comes(device: Device, objects: Objects, tmp_path: Path) -> None:
    """C6, C7: a batch costs what it brings, not what the tenant has."""
    back_up(kept(device))
    publish(device.tenant_id)
    bring(device.tenant_id, tmp_path / "back.git")
    there = {one.name for one in objects.listed(documents.packs_folder(device.tenant_id))}
    back_up(kept(device, b"hostname edge2\n"))

    publish(device.tenant_id)

    new = {one.name for one in objects.listed(documents.packs_folder(device.tenant_id))} - there
    assert len(new) == 2
    assert bring(device.tenant_id, tmp_path / "back.git").packs == 1


def test_nothing_new_is_not_published_again(device: Device, objects: Objects) -> None:
    """A11: a job that comes twice, or late, changes nothing."""
    back_up(kept(device))
    publish(device.tenant_id)

    publish(device.tenant_id)

    assert newest(objects, device).seq == 1


def test_pins_and_single_objects_are_published(device: Device, objects: Objects, tmp_path: Path) -> None:
    """C5: a checkpoint of a tree that is there already is one single object, which git puts into no pack."""
    back_up(kept(device))
    with writing(device.tenant_id) as batch:
        assert batch.head
        batch.pin(device.pk, tree_of=batch.head, folders=None, message="Keep", author="alice", when=NOON)

    publish(device.tenant_id)

    bring(device.tenant_id, tmp_path / "back.git")
    assert f"refs/checkpoints/{device.pk}" in refs_of(tmp_path / "back.git")
    git(tmp_path / "back.git", "fsck", "--full", "--strict")


def test_of_two_publishers_the_second_goes_on_from_the_first(
    device: Device, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers of manifests grow without a gap, and none of them is lost."""
    back_up(kept(device))
    publish(device.tenant_id)
    back_up(kept(device, b"hostname edge2\n"))
    point_at = publishers.point_at
    first = [True]

    def late(*arguments: Any) -> publishers.Latest:
        if first:
            first.clear()
            publishers.publish_once(objects, device.tenant_id)
            with pytest.raises(RemoteMoved):
                point_at(*arguments)
            raise RemoteMoved("The other one was first.")
        return point_at(*arguments)

    monkeypatch.setattr(publishers, "point_at", late)
    publish(device.tenant_id)
    back_up(kept(device, b"hostname edge3\n"))
    publish(device.tenant_id)

    manifest = newest(objects, device)
    seqs = []
    while manifest.previous:
        seqs.append(manifest.seq)
        manifest = publishers.read_manifest(objects, device.tenant_id, manifest.previous)
    assert seqs == [3, 2]


@pytest.mark.long
def test_housekeeping_is_followed_and_old_packs_go_when_nothing_names_them(device: Device, objects: Objects) -> None:
    """New packs, a new manifest, and then the old ones, days later."""
    for number in range(2):
        back_up(kept(device, b"hostname edge%d\n" % number))
        publish(device.tenant_id)
    keep_house(open_store(device.tenant_id).git)
    publish(device.tenant_id)
    now, days = timezone.now(), timedelta(days=7)
    assert repacking.sweep(device.tenant_id, now=now, keep=days).objects == 0

    swept = repacking.sweep(device.tenant_id, now=now + days + timedelta(hours=1), keep=days)

    packs = {one.name for one in objects.listed(documents.packs_folder(device.tenant_id))}
    assert packs == newest(objects, device).objects()
    assert swept.objects == 4 + 2


def test_what_was_purged_is_gone_at_once(device: Device, objects: Objects, tmp_path: Path) -> None:
    """Days of grace are for mistakes, not for a secret that must vanish; nor may another publisher's leftovers hold it."""
    back_up(kept(device))
    publish(device.tenant_id)
    objects.put_new(documents.pack_object(device.tenant_id, "f" * 64), b"left by a publisher that was stopped")
    keep_house(open_store(device.tenant_id).git)
    back_up(kept(device, b"hostname edge2\n"))
    keep_house(open_store(device.tenant_id).git)

    with pytest.raises(RemoteFailed, match="when an hour has passed"):
        repacking.forget(device.tenant_id, now=timezone.now())
    repacking.forget(device.tenant_id, now=timezone.now() + timedelta(hours=2))

    there = {one.name for one in objects.listed(documents.folder(device.tenant_id))}
    assert len(there) == len(newest(objects, device).objects()) + 2
    assert bring(device.tenant_id, tmp_path / "back.git").packs == 1


def test_an_older_database_does_not_undo_the_copy(device: Device, objects: Objects) -> None:
    """What was kept after the dump was made is in the copy alone."""
    back_up(kept(device))
    old = Repository.objects.values("head", "seq", "fence").get()
    back_up(kept(device, b"hostname edge2\n"))
    publish(device.tenant_id)
    Repository.objects.update(**old)

    with pytest.raises(RemoteAhead, match="fsck --rebuild"):
        publish(device.tenant_id)

    assert newest(objects, device).batch == 2


def test_a_damaged_pack_is_not_copied_over_a_good_one(device: Device, objects: Objects) -> None:
    """The copy is what damage is mended from."""
    back_up(kept(device))
    publish(device.tenant_id)
    back_up(kept(device, b"hostname edge2\n"))
    known = {pack.name for pack in newest(objects, device).packs}
    (new,) = [index for index in indexes(repository(device.tenant)) if index.stem not in known]
    pack = new.with_suffix(".pack")
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-30] + bytes(30))

    with pytest.raises(publishers.StoreDamaged, match="not copied"):
        publish(device.tenant_id)


@pytest.mark.long
def test_a_pack_that_is_not_what_it_was_is_not_brought(
    device: Device, objects: Objects, remote: Path, tmp_path: Path
) -> None:
    """E3: what comes back is held to the hash in the signed manifest."""
    back_up(kept(device))
    publish(device.tenant_id)
    pack = newest(objects, device).packs[0]
    stored = remote / documents.pack_object(device.tenant_id, pack.sha256)
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")

    with pytest.raises(RemoteDamaged):
        bring(device.tenant_id, tmp_path / "back.git")

    assert not list((tmp_path / "back.git").glob("bringing-*"))


@pytest.mark.django_db(transaction=True)
def test_a_batch_asks_for_its_copy_and_the_job_makes_it(
    store_root: Path, objects: Objects, django_user_model: Any
) -> None:
    """Through the outbox: a batch without its copy waits there, and what waits for too long is an alarm."""
    from tests.factories import make_device, make_tenant

    device = make_device(make_tenant())
    back_up(kept(device))
    assert Outbox.objects.get().kind == outbox.PUBLISH
    Outbox.objects.update(created_at=timezone.now() - timedelta(hours=1), error="It does not answer.")
    jobs.tick()
    assert "It does not answer." in Notice.objects.open_alarms().get().text

    jobs.turn()

    row = Repository.objects.get()
    assert (newest(objects, device).head, row.copied_seq) == (row.head, 1)
    assert not Outbox.objects.exists()
    assert not Notice.objects.open_alarms().exists()


def test_a_tenant_that_was_never_copied_is_found(device: Device, objects: Objects, settings: Any) -> None:
    """An object store that is named later, or another one, gets everything and not only what comes next."""
    settings.NETCAIRN_OBJECT_STORE, there = "", settings.NETCAIRN_OBJECT_STORE
    back_up(kept(device))
    assert not Outbox.objects.exists()
    settings.NETCAIRN_OBJECT_STORE = there

    jobs.note_missing()
    jobs.turn()
    jobs.note_missing()

    assert newest(objects, device).batch == 1
    assert not Outbox.objects.exists()


def test_what_is_old_goes_where_nothing_new_comes(device: Device, objects: Objects, settings: Any) -> None:
    """A tenant that changes once a year would keep what retention has removed for as long."""
    for number in range(2):
        back_up(kept(device, b"hostname edge%d\n" % number))
        jobs.turn()
    keep_house(open_store(device.tenant_id).git)
    outbox.note(device.tenant_id, outbox.PUBLISH, 2)
    jobs.turn()
    later = Outbox.objects.get(kind=outbox.SWEEP)
    assert later.not_before and later.not_before > timezone.now() + timedelta(days=6)
    settings.NETCAIRN_OBJECT_STORE_KEEP_DAYS, settings.NETCAIRN_SECRETS_KEYS_READER = 0, None
    settings.NETCAIRN_SECRETS_KEYS = [new_sealing_key(), *settings.NETCAIRN_SECRETS_KEYS]
    publish(device.tenant_id)
    settings.NETCAIRN_SECRETS_KEYS = settings.NETCAIRN_SECRETS_KEYS[:1]  # the older manifests' key is gone
    outbox.hurry(device.tenant_id, outbox.SWEEP)

    jobs.turn()

    packs = {one.name for one in objects.listed(documents.packs_folder(device.tenant_id))}
    assert packs == newest(objects, device).objects()
    assert not Outbox.objects.exists()


@pytest.mark.long
def test_a_repository_that_is_lost_comes_back_from_its_copy(device: Device, objects: Objects) -> None:
    """The very thing that the copy is for."""
    back_up(kept(device))
    publish(device.tenant_id)
    shutil.rmtree(repository(device.tenant))

    bring(device.tenant_id, repository(device.tenant))

    back_up(kept(device, b"hostname edge2\n"))
    assert CONFIG in files_of(repository(device.tenant), "main~1").values()
