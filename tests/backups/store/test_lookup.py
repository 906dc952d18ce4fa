"""Many paths of a commit at once, as git's own `ls-tree` names them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backups.errors import GitTooSlow, StoreDamaged
from backups.store import layout
from backups.store.lookup import Folder, Lookup
from backups.store.reader import open_store
from inventory.models import Device
from tests.backups.store_kit import back_up, git, kept, repository
from tests.factories import make_device

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(device: Device) -> list[Device]:
    """Thirty devices with two files each."""
    devices = [device, *(make_device(device.tenant, f"core{number}") for number in range(29))]
    back_up(*(kept(one, b"%d\n" % number, **{"hardware.txt": b"same\n"}) for number, one in enumerate(devices)))
    return devices


@pytest.fixture
def lookup(fleet: list[Device]) -> Iterator[Lookup]:
    """Into the fleet's repository."""
    lookup = Lookup(open_store(fleet[0].tenant_id).git)
    yield lookup
    lookup.close()


def head_of(device: Device) -> str:
    """The newest commit."""
    return git(repository(device.tenant), "rev-parse", "main")


def test_it_finds_what_git_lists(fleet: list[Device], lookup: Lookup) -> None:
    """What is compared with the wrong files is stored again, or not at all."""
    paths = [path for one in fleet[:20] for path in (layout.device_folder(one.pk), layout.link_path(one.name))]
    paths += [
        "devices/zz/none",
        "by-name/nobody",
        layout.device_file(fleet[25].pk, "running.cfg"),
        "by-name/core28/below",
    ]

    found = lookup.entries(head_of(fleet[0]), paths)

    assert found == open_store(fleet[0].tenant_id).entries(head_of(fleet[0]), paths)
    assert len(found) == 61


def test_what_nobody_needs_the_size_of_is_not_asked_for(fleet: list[Device], lookup: Lookup) -> None:
    """Of a hundred devices that changed, the sizes of a hundred contents that they had."""
    same, other = (layout.device_file(one.pk, "running.cfg") for one in fleet[:2])

    found = lookup.entries(head_of(fleet[0]), [same, other], unless={same: layout.blob_id(b"0\n"), other: "1" * 40})

    assert (found[same].size, found[other].size, found[other].id) == (2, 0, layout.blob_id(b"1\n"))


def test_the_names_of_an_object_are_found_in_a_folder(fleet: list[Device], lookup: Lookup) -> None:
    """A20: so a batch knows which links are wrong; asking git anew for each batch was another process."""
    head = head_of(fleet[0])
    listed = open_store(fleet[0].tenant_id).tree(head, layout.BY_NAME)
    path, entry = next(iter(listed.items()))

    found = lookup.naming(head, layout.BY_NAME, [entry.id, "1" * 40])

    assert {at: (one.mode, one.id) for at, one in found.items()} == {path: (entry.mode, entry.id)}
    assert lookup.naming(head, "no-such-folder", [entry.id]) == {}


def test_it_sees_what_was_written_after_it_began(fleet: list[Device], lookup: Lookup) -> None:
    """A commit is looked at by the process that has looked at the one before."""
    path = layout.device_file(fleet[0].pk, "running.cfg")
    before = lookup.entries(head_of(fleet[0]), [path])
    back_up(kept(fleet[0], b"new\n"))

    after = lookup.entries(head_of(fleet[0]), [path])

    assert before[path].id != after[path].id == layout.blob_id(b"new\n")


def test_what_is_missing_is_damage_and_not_an_empty_answer(fleet: list[Device], lookup: Lookup) -> None:
    """With an empty answer in place of a lost tree, the next commit would leave every other device out."""
    path = repository(fleet[0].tenant)
    for pack in (path / "objects" / "pack").iterdir():
        pack.unlink()

    with pytest.raises(StoreDamaged, match="missing"):
        lookup.entries("1" * 40, [layout.DEVICES])


def test_a_commit_that_is_not_there_is_said_to_be_missing(fleet: list[Device], lookup: Lookup) -> None:
    """Before it writes, the writer asks for the head; nothing is written over a loss."""
    assert lookup.has(head_of(fleet[0]))
    assert not lookup.has("1" * 40)
    assert not lookup.has(layout.blob_id(b"same\n"))
    assert lookup.has(head_of(fleet[0]))


def test_a_git_that_hangs_is_stopped(fleet: list[Device], lookup: Lookup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait for the lock meanwhile."""
    monkeypatch.setattr("backups.store.lookup.SECONDS", 0.01)
    process = lookup.running().popen
    process.wait()  # its time is up while nobody asks

    with pytest.raises(GitTooSlow):
        lookup.entries(head_of(fleet[0]), [layout.DEVICES])


def test_a_large_tree_is_remembered_and_must_be_there_still(
    fleet: list[Device], lookup: Lookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written onto a `by-name/` that the disk has lost, though this process could do without it."""
    monkeypatch.setattr("backups.store.lookup.LARGE", 100)
    monkeypatch.setattr(Lookup, "shelf", {})
    links = [layout.link_path(one.name) for one in fleet[:3]]
    before = lookup.entries(head_of(fleet[0]), links)
    lookup.trees.clear()

    assert lookup.entries(head_of(fleet[0]), links) == before
    lost: dict[str, Folder] = {"1" * 40: {}}
    monkeypatch.setattr(Lookup, "shelf", lost)
    with pytest.raises(StoreDamaged, match="missing"):
        lookup.load(set(lost), {})
