"""When git and the database disagree: what the next writer finds, and what he does about it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from backups.commit import writing
from backups.errors import StoreDamaged, StoreMoved
from backups.models import Repository, Snapshot
from inventory.models import Device
from inventory.notices import Notice
from tests.backups.store_kit import assert_sound, back_up, git, kept, refs_of, repository
from tests.sampling import sampled

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(device: Device) -> Path:
    """A repository with two versions of one device."""
    back_up(kept(device, b"1\n"))
    back_up(kept(device, b"2\n"))
    return repository(device.tenant)


def foreign_commit(path: Path, *parents: str) -> str:
    """A commit that we know nothing of."""
    tree = git(path, "rev-parse", "main^{tree}")
    options = [word for parent in parents for word in ("-p", parent)]
    identity = ("-c", "user.name=x", "-c", "user.email=x@y")
    return git(path, *identity, "commit-tree", tree, *options, "-m", "foreign")


@pytest.mark.parametrize(
    "name",
    sampled(
        [
            "HEAD.lock",
            "config.lock",
            "packed-refs.lock",
            "packed-refs.new",
            "refs/heads/main.lock",
            "refs/checkpoints/x.lock",
            "objects/info/commit-graph.lock",
            "objects/info/commit-graphs/commit-graph-chain.lock",
            "objects/pack/multi-pack-index.lock",
        ],
        ("packed-refs.new", "refs/heads/main.lock", "objects/info/commit-graphs/commit-graph-chain.lock"),
    ),
)
def test_a_stale_lock_is_removed(device: Device, path: Path, name: str) -> None:
    """2 to 4 of 100 kills leave one, which blocks a tenant until somebody removes it."""
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).touch()

    back_up(kept(device, b"3\n"))

    assert not (path / name).exists()
    assert_sound(device.tenant)


@pytest.mark.parametrize(
    "name",
    [
        "fast_import_crash_1",
        "objects/pack/tmp_pack_x",
        "objects/pack/tmp_idx_x",
        "objects/pack/.tmp-1-pack-x.pack",
        "objects/pack/pack-x.keep",
        "objects/info/tmp_graph_x",
    ],
)
def test_half_written_files_are_removed(device: Device, path: Path, name: str) -> None:
    """They would pile up, and a .keep would keep its pack from housekeeping for ever."""
    (path / name).touch()

    back_up(kept(device, b"3\n"))

    assert not (path / name).exists()
    assert_sound(device.tenant)


def test_a_pack_that_got_no_index_is_readable_again(device: Device, path: Path) -> None:
    """A writer that died between the two names leaves one; or the disk has lost an index, of a pack that counts."""
    for index in (path / "objects" / "pack").glob("*.idx"):
        index.unlink()

    with writing(device.tenant_id):
        pass

    assert_sound(device.tenant)


def test_commits_on_their_way_in_are_removed(device: Device, path: Path) -> None:
    """They never outlive the next writer."""
    git(path, "update-ref", "refs/txn/7-7-00", "main")

    with writing(device.tenant_id):
        pass

    assert list(refs_of(path)) == ["refs/heads/main"]


@pytest.mark.parametrize("behind", ["main~1", None])
def test_a_ref_behind_the_row_is_rolled_forward(device: Device, path: Path, behind: str | None) -> None:
    """A crash after COMMIT: the row is the acknowledgement."""
    git(path, *(["update-ref", "refs/heads/main", behind] if behind else ["update-ref", "-d", "refs/heads/main"]))

    with writing(device.tenant_id):
        pass

    assert_sound(device.tenant)


@pytest.mark.parametrize("content", [b"", b"\0" * 41, b"nonsense\n", b"f" * 40 + b"\n"])
def test_a_broken_ref_is_made_again(device: Device, path: Path, content: bytes) -> None:
    """A disk that lied leaves an empty file, which git neither reads nor replaces."""
    (path / "refs" / "heads" / "main").write_bytes(content)

    with writing(device.tenant_id):
        pass

    assert_sound(device.tenant)


@pytest.mark.parametrize("ahead", [True, False])
def test_a_ref_that_the_database_does_not_know_is_kept_aside(
    device: Device, path: Path, caplog: pytest.LogCaptureFixture, ahead: bool
) -> None:
    """A foreign writer, or a restored database: nothing is thrown away, and nobody overlooks it."""
    foreign = foreign_commit(path, *(["main"] if ahead else []))
    git(path, "update-ref", "refs/heads/main", foreign)

    back_up(kept(device, b"3\n"))

    assert refs_of(path)[f"refs/quarantine/{foreign}"] == foreign
    assert [record.levelno for record in caplog.records if "ref-foreign" in record.message] == [logging.ERROR]
    assert Notice.objects.open_alarms().get().code == "store.foreign"
    assert_sound(device.tenant)


def test_a_repository_of_which_the_database_knows_nothing_is_kept_aside(device: Device, path: Path) -> None:
    """An empty database beside an old repository."""
    old = git(path, "rev-parse", "main")
    Snapshot.objects.all().delete()
    Repository.objects.all().delete()

    back_up(kept(device, b"3\n"))

    assert refs_of(path)[f"refs/quarantine/{old}"] == old
    assert git(path, "rev-list", "--count", "main") == "1"
    assert_sound(device.tenant)


def test_nothing_is_written_over_a_loss(device: Device, path: Path) -> None:
    """An older copy of the repository: a new commit would bury what is missing."""
    row = Repository.objects.get()
    Repository.objects.update(head="f" * 40)
    before = refs_of(path)

    with pytest.raises(StoreDamaged, match="f" * 40) as caught:
        back_up(kept(device, b"3\n"))

    assert not caught.value.worth_retrying
    assert Notice.objects.open_alarms().get().code == "store.damaged"
    assert refs_of(path) == before
    assert Repository.objects.get().seq == row.seq


def test_a_missing_tree_is_a_loss_too(device: Device, path: Path) -> None:
    """A10: with the root tree missing, every other device vanished without an error."""
    for pack in (path / "objects" / "pack").glob("*.pack"):
        aside = pack.rename(path / pack.name)
        with aside.open("rb") as stream:
            subprocess.run(["git", "-C", path, "unpack-objects", "-q"], stdin=stream, check=True)
    tree = git(path, "rev-parse", "main^{tree}")
    (path / "objects" / tree[:2] / tree[2:]).unlink()

    with pytest.raises(StoreDamaged):
        back_up(kept(device, b"3\n"))

    assert Snapshot.objects.count() == 2


def test_a_repository_that_is_gone_is_not_made_again(device: Device, path: Path) -> None:
    """An unmounted disk must not become an empty history."""
    shutil.rmtree(path)

    with pytest.raises(StoreDamaged, match="is gone"):
        back_up(kept(device, b"3\n"))

    assert not path.exists()


def test_something_else_in_the_repositorys_place_is_left_alone(device: Device) -> None:
    """A2: a half-made directory is not a repository, and not ours to remove."""
    path = repository(device.tenant)
    path.mkdir(parents=True)
    (path / "notes.txt").touch()

    with pytest.raises(Exception, match="move it away"):
        back_up(kept(device))

    assert list(path.iterdir()) == [path / "notes.txt"]


def test_drafts_of_a_creation_that_crashed_are_swept(device: Device) -> None:
    """They would pile up beside the repositories."""
    draft = repository(device.tenant).parent / f".new-{device.tenant_id}-abc"
    young = draft.with_name(draft.name + "d")
    for made in (draft, young):
        made.mkdir(parents=True)
    os.utime(draft, (0, 0))

    back_up(kept(device))

    assert {found.name for found in draft.parent.iterdir()} == {f"{device.tenant_id}.git", young.name}


def test_a_repository_without_its_configuration_is_as_safe(device: Device, path: Path) -> None:
    """Who brings it back with `git clone --mirror` brings no configuration."""
    (path / "config").write_text("[core]\n\tbare = true\n[fastimport]\n\tunpackLimit = 100\n")

    back_up(kept(device, b"3\n"))

    assert not [found for found in (path / "objects").glob("??/*") if found.parent.name != "pack"]
    assert_sound(device.tenant)


def test_a_repository_is_for_our_eyes_only(path: Path) -> None:
    """It holds every password of every router."""
    assert path.stat().st_mode & 0o777 == 0o700
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_writer_that_has_lost_the_lock_mends_nothing(
    device: Device, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suspended machine wakes up in the middle of reconciling, and takes the next writer's work for trouble."""
    newer = foreign_commit(path, git(path, "rev-parse", "main"))
    git(path, "update-ref", "refs/heads/main", newer)
    monkeypatch.setattr("backups.mending.try_lock_tenant", lambda _: False)

    with pytest.raises(StoreMoved), writing(device.tenant_id):
        pass

    assert refs_of(path)["refs/heads/main"] == newer
