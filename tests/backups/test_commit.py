"""Keeping captures: one commit, one transaction, nothing lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import transaction

from backups.commit import Batch, DeviceChange, Written, keep, writing
from backups.errors import GitFailed, NoStore, StoreDamaged, StoreError, StoreMoved
from backups.models import Repository, Run, Snapshot, StoredFile
from backups.store.lookup import Lookup
from backups.store.packing import packed
from backups.store.reader import open_store
from backups.store.stream import NewCommit, Put
from backups.store.writer import write_batch
from inventory.models import Device, Tenant
from tests.backups.store_kit import CONFIG, NOON, assert_sound, back_up, files_of, git, kept, refs_of, repository
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
    """A20, C17: history is a table, so the table has to be right."""
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

    with pytest.raises(StoreError), writing(nobody):
        pass

    assert not store_root.exists()


def test_the_branch_is_main_and_a_clone_checks_it_out(tenant: Tenant, device: Device, tmp_path) -> None:
    """A3: a clone that is empty is a backup that is not there."""
    back_up(kept(device))

    git(tmp_path, "clone", "--quiet", str(repository(tenant)), "clone")

    assert (tmp_path / "clone" / "by-name" / "edge1" / "running.cfg").read_bytes() == CONFIG


def put(batch: Batch, device: Device, files: dict[str, bytes | str | None], **fields: object) -> Written | None:
    """Write one device's change."""
    change = DeviceChange(device.pk, device.name, files)
    values = {"message": "Change", "author": "alice", "when": NOON, "trailers": {}, **fields}
    return batch.put([change], **values)


def test_the_operator_and_the_run_stand_in_the_commit(device: Device) -> None:
    """A14: the database can be rebuilt from it, and an auditor needs no database."""
    run = Run.objects.create(tenant=device.tenant, requested_by="bob")
    keep(
        device.tenant_id, [kept(device)], author="bob", message="Nightly", run_id=run.pk, now=NOON, also=lambda _: None
    )

    said = git(repository(device.tenant), "log", "-1", "--format=%an|%at|%B", "main")
    trailers = f"Run: {run.pk}\nTenant: {device.tenant_id}\nSeq: 1"
    assert said == f"bob|{NOON.timestamp():.0f}|Nightly\n\n{trailers}"
    assert Snapshot.objects.get().run == run


def test_a_large_group_becomes_several_batches(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash loses at most one batch."""
    monkeypatch.setattr("backups.commit.MAX_FILES", 2)
    devices = [make_device(tenant, f"edge{number}") for number in range(5)]
    told: list[set] = []

    result = back_up(
        *(kept(device, device.name.encode()) for device in devices), also=lambda new: told.append(set(new))
    )

    ids = [device.pk for device in devices]
    assert told == [set(ids[:2]), set(ids[2:4]), set(ids[4:])]
    assert len(result.commits) == Repository.objects.get().seq == 3
    assert_sound(tenant)


def test_an_error_in_the_callers_share_undoes_the_batch(device: Device) -> None:
    """The attempts and the snapshots of a batch are acknowledged together, or not at all."""
    back_up(kept(device))
    before = refs_of(repository(device.tenant))

    def fail(_: dict) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        back_up(kept(device, b"new\n"), also=fail)

    assert refs_of(repository(device.tenant)) == before
    assert Snapshot.objects.count() == Repository.objects.get().seq == 1
    assert_sound(device.tenant)


def test_a_file_that_a_device_no_longer_has_is_gone_from_the_record(device: Device) -> None:
    """A version is what the device said, not a mixture of two moments."""
    back_up(kept(device, **{"startup.cfg": b"1"}))

    back_up(kept(device))

    assert set(Snapshot.objects.first().files) == {"running.cfg"}
    assert_sound(device.tenant)


def test_the_lines_of_a_version_are_counted_over_all_its_files(device: Device) -> None:
    """A21, C14: lines, not characters; the first backup is (n, 0), and the table needs no git to say so."""
    back_up(kept(device, b"a\nb\n", **{"startup.cfg": b"a\n"}))
    back_up(kept(device, b"a\nc\n", **{"startup.cfg": b"a\nb\n"}))

    newest, oldest = Snapshot.objects.all()
    assert (oldest.lines_added, oldest.lines_removed) == (3, 0)
    assert (newest.lines_added, newest.lines_removed) == (2, 1)


def test_a_rename_alone_is_a_commit_without_a_snapshot(device: Device) -> None:
    """A17: one link moves; the device said nothing new."""
    back_up(kept(device))
    device.name = "core1"
    device.save()

    result = back_up(kept(device))

    assert result.unchanged == {device.pk}
    assert [path for path in files_of(repository(device.tenant)) if "by-name" in path] == ["by-name/core1"]
    assert Snapshot.objects.count() == 1
    assert_sound(device.tenant)


def test_a_device_can_be_removed_and_its_history_stays(device: Device) -> None:
    """A17, A23: the removal is a version like any other."""
    back_up(kept(device))
    with writing(device.tenant_id) as batch:
        written = put(batch, device, {"running.cfg": None})

    assert written.files == {device.pk: {}}
    assert written.lines == {device.pk: (0, 2)}
    assert files_of(repository(device.tenant)) == {}
    folder = f"devices/{device.pk.hex[:2]}/{device.pk}"
    assert open_store(device.tenant_id).log(folder)[0].commit == written.commit


def test_going_back_names_what_is_there_already(device: Device) -> None:
    """D10: a new commit with the old content, and no byte written twice."""
    back_up(kept(device))
    old = Snapshot.objects.get().files["running.cfg"]
    back_up(kept(device, b"new\n"))

    with writing(device.tenant_id) as batch:
        written = put(batch, device, {"running.cfg": old["blob"]})

    assert written.files == {device.pk: {"running.cfg": old}}
    assert CONFIG in files_of(repository(device.tenant)).values()
    assert_sound(device.tenant)


@pytest.mark.parametrize("wrong", ["f" * 40, "commit"])
def test_going_back_to_what_is_not_there_is_refused(device: Device, wrong: str) -> None:
    """A ref to nothing must never be written, nor a commit in a file's place."""
    result = back_up(kept(device))

    with pytest.raises(StoreDamaged), writing(device.tenant_id) as batch:
        put(batch, device, {"running.cfg": result.commits[0] if wrong == "commit" else wrong})

    assert Repository.objects.get().seq == 1
    assert_sound(device.tenant)


def test_several_changes_in_one_turn_are_several_commits(device: Device) -> None:
    """Going back in the record and what follows from it are one transaction."""
    with writing(device.tenant_id) as batch:
        first = put(batch, device, {"a.cfg": b"1"})
        second = put(batch, device, {"b.cfg": b"2"})
        assert (batch.head, batch.seq) == (second.commit, 2)

    assert git(repository(device.tenant), "rev-parse", "main^") == first.commit
    assert set(second.files[device.pk]) == {"a.cfg", "b.cfg"}
    assert_sound(device.tenant)


def test_every_turn_has_a_fence_of_its_own(device: Device) -> None:
    """Promise 2: seq counts what was accepted, fence who had the lock."""
    for _ in range(3):
        with writing(device.tenant_id) as batch:
            fence, seq = batch.fence, batch.seq

    assert (fence, seq) == (3, 0)


def test_a_writer_who_lost_his_turn_changes_nothing(device: Device) -> None:
    """A5: the lock saves work, the compare-and-swap saves data."""
    back_up(kept(device))
    with pytest.raises(StoreMoved) as caught, writing(device.tenant_id) as batch:
        Repository.objects.update(fence=99)
        put(batch, device, {"running.cfg": b"late\n"})

    assert caught.value.worth_retrying
    assert CONFIG in files_of(repository(device.tenant)).values()


def test_what_git_stored_is_compared_with_what_was_meant(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Capability E3. Step 5: a commit is believed when every path has been seen in it; else it costs no quota either."""

    def write_other(lookup: Lookup, new: NewCommit, _: object) -> str:
        return write_batch(
            lookup, replace(new, puts=[Put(put.path, b"xyz") for put in new.puts]), [packed("blob", b"xyz")]
        )

    monkeypatch.setattr("backups.batch.write_batch", write_other)

    with pytest.raises(StoreDamaged, match="git stored"), writing(device.tenant_id) as batch:
        put(batch, device, {"running.cfg": CONFIG})

    assert Repository.objects.count() == StoredFile.objects.count() == 0


def test_the_row_is_acknowledged_even_when_the_ref_cannot_follow(
    device: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 3: what was committed is kept; the ref is the next writer's matter."""
    back_up(kept(device))

    def fail(*_: object) -> None:
        raise GitFailed("no")

    with monkeypatch.context() as patch:
        patch.setattr("backups.batch.move_refs", fail)
        back_up(kept(device, b"new\n"))
    assert "follow with the next writer" in caplog.text
    assert git(repository(device.tenant), "rev-parse", "main") != Repository.objects.get().head

    back_up(kept(device, b"newer\n"))

    assert_sound(device.tenant)


def test_another_writers_turn_is_not_disturbed_by_refs_that_follow(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the lock takes a lock file for left over; so nothing of ours runs without the lock."""
    monkeypatch.setattr("backups.batch.try_lock_tenant", lambda _: False)
    back_up(kept(device))
    assert "refs/heads/main" not in refs_of(repository(device.tenant))
    monkeypatch.undo()

    with writing(device.tenant_id):
        pass

    assert_sound(device.tenant)


def test_housekeeping_keeps_everything(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A23: 2,010 packs more than double the time of a commit."""
    monkeypatch.setattr("backups.house.MAX_PACKS", 5)
    for number in range(12):
        back_up(kept(device, b"%d\n" % number))

    path = repository(device.tenant)
    assert len(list((path / "objects" / "pack").glob("*.pack"))) <= 6
    assert git(path, "rev-list", "--count", "main") == "12"
    assert (path / "objects" / "info" / "commit-graph").exists()
    assert_sound(device.tenant)


def test_housekeeping_brings_main_along(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Capability C16: who found its lock where main was to follow leaves a clone behind only until it is done."""
    monkeypatch.setattr("backups.batch.try_lock_tenant", lambda _: False)
    monkeypatch.setattr("backups.house.MAX_PACKS", 2)

    for number in range(3):
        back_up(kept(device, b"%d\n" % number))

    assert_sound(device.tenant)


def test_housekeeping_that_fails_costs_nothing(device: Device, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    """What is kept is kept."""
    monkeypatch.setattr("backups.house.MAX_PACKS", 0)

    def fail(*_: object) -> None:
        raise GitFailed("no")

    back_up(kept(device, b"1\n"))
    monkeypatch.setattr("backups.house.take_place", fail)

    assert back_up(kept(device)).snapshots
    assert "left for later" in caplog.text


def test_a_transaction_of_the_callers_is_refused(device: Device) -> None:
    """An acknowledgement that somebody can still take back is none."""
    with transaction.atomic(), mock_no_testcase(), pytest.raises(RuntimeError), writing(device.tenant_id):
        pass


@contextmanager
def mock_no_testcase() -> Iterator[None]:
    """Let Django see the test's own transaction as what it is."""
    blocks = transaction.get_connection().atomic_blocks
    marks = [block._from_testcase for block in blocks]
    for block in blocks:
        block._from_testcase = False
    yield
    for block, mark in zip(blocks, marks, strict=True):
        block._from_testcase = mark


def test_a_page_of_history_costs_a_page(device: Device) -> None:
    """A19: a walk over every commit of a tenant took 10 s; the table has an index, and the cross-check a limit."""
    for number in range(4):
        back_up(kept(device, b"%d\n" % number))
    folder = f"devices/{device.pk.hex[:2]}/{device.pk}"

    newest = [snapshot.commit for snapshot in Snapshot.objects.filter(device=device)[:2]]

    assert [entry.commit for entry in open_store(device.tenant_id).log(folder, 2)] == newest


def test_the_whole_record_goes_back_in_one_commit(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """D10: half a network of yesterday and half of today is a third network."""
    monkeypatch.setattr("backups.store.changes.MAX_FILES", 2)
    monkeypatch.setattr("backups.commit.MAX_FILES", 2)
    devices = [make_device(tenant, f"edge{number}") for number in range(5)]
    back_up(*(kept(device, b"old %d\n" % number) for number, device in enumerate(devices)))
    old = {device.pk: Snapshot.objects.get(device=device).files for device in devices}
    back_up(*(kept(device, b"new\n") for device in devices))
    changes = [
        DeviceChange(
            device.pk, device.name, {name: str(file["blob"]) for name, file in old[device.pk].items()}, complete=True
        )
        for device in devices
    ]

    with writing(tenant.pk) as batch:
        written = batch.put(changes, message="Go back", author="alice", when=NOON, trailers={})

    assert written.files == old
    assert set(written.lines.values()) == {(1, 1)}
    assert_sound(tenant)


def test_a_batch_says_how_long_each_part_took(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    """C19: in figures that a program can collect, not only in words; nothing where nothing was written."""
    caplog.set_level("INFO", logger="netcairn.batches")
    back_up(kept(device))
    back_up(kept(device))

    (told,) = [record.batch for record in caplog.records if record.name == "netcairn.batches"]  # type: ignore[attr-defined]
    assert told["lock_ms"] + told["git_ms"] + told["database_ms"] == pytest.approx(told["total_ms"], abs=0.3)
    assert told["git_ms"] > 0 < told["database_ms"]
    assert told["tenant"] == str(device.tenant_id)
    assert (told["commits"], told["devices"], told["files"], told["bytes"]) == (1, 1, 1, len(CONFIG))


def test_a_slow_batch_is_always_told(device: Device, caplog: pytest.LogCaptureFixture, monkeypatch) -> None:
    """C19: who asks why a night took so long has not turned anything on beforehand."""
    monkeypatch.setattr("backups.phases.SLOW", 0.0)

    back_up(kept(device))

    assert [record.levelname for record in caplog.records if record.name == "netcairn.batches"] == ["WARNING"]


def test_main_moves_only_when_all_that_it_needs_is_there(device: Device) -> None:
    """C5: who clones in the middle of a batch gets the record of before, whole, and never half of the new one."""
    back_up(kept(device))
    path, seen = repository(device.tenant), []

    def look(snapshots: dict) -> None:
        (new,) = snapshots.values()
        git(path, "rev-list", "--objects", new.commit)  # all of it is there already
        seen.append((git(path, "rev-parse", "main"), new.commit))

    first = git(path, "rev-parse", "main")
    back_up(kept(device, b"2\n"), also=look)

    ((main, new),) = seen
    assert main == first
    assert git(path, "rev-parse", "main") == new


def test_readers_in_many_threads_leave_nothing_behind(device: Device) -> None:
    """C20, A22: a web server reads all day beside a writer; neither processes nor files may pile up."""
    contents = [b"%d\n" % number for number in range(6)]
    for content in contents:
        back_up(kept(device, content))
    store, path = open_store(device.tenant_id), repository(device.tenant)
    files = sorted(path.rglob("*"))
    blobs = [snapshot.files["running.cfg"]["blob"] for snapshot in Snapshot.objects.order_by("seq")]

    def read(at: int) -> tuple[bytes, int]:
        return store.blob(blobs[at]), store.diff_blobs(blobs[at - 1], blobs[at]).lines_added

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(read, [1, 2, 3, 4, 5] * 4))
    store.close()

    assert found == [(contents[at], 1) for at in [1, 2, 3, 4, 5] * 4]
    assert sorted(path.rglob("*")) == files
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if names(one, path)]


def names(process: Path, path: Path) -> bool:
    """Whether a running process was told of the repository."""
    try:
        return str(path).encode() in process.read_bytes()
    except OSError:  # it has just ended
        return False
