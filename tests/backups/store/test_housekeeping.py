"""Which packs are put together, and that nothing is lost by it."""

from __future__ import annotations

from heapq import merge
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.commit import writing
from backups.errors import StoreDamaged
from backups.store.git import Git
from backups.store.housekeeping import GONE, ids_in, indexes, is_scattered, join, take_place, to_combine
from backups.store.object_ids import ObjectIds
from backups.store.workshop import WORKSHOP, Workshop, remove_abandoned
from inventory.models import Device
from tests.backups.store_kit import assert_sound, back_up, git, keep_house, kept, repository


@given(st.lists(st.integers(1, 5000), max_size=40))
def test_what_stays_is_a_geometric_row(sizes: list[int]) -> None:
    """A pack that is written again with every few batches would make each night longer than the last."""
    counts = {Path(f"pack-{number}.idx"): size for number, size in enumerate(sizes)}

    together = to_combine(counts)

    left = sorted(size for pack, size in counts.items() if pack not in together)
    left = [sum(counts[pack] for pack in together), *left] if together else left
    assert all(after >= 2 * before for before, after in pairwise(left))


IDS = st.lists(st.sampled_from([b"\0\0\0", b"\0\0\1", b"\0\1\0", b"\xff\xff\0"]), max_size=6).map(
    lambda starts: [start * 6 + bytes([number, 0]) for number, start in enumerate(starts)]
)


@given(first=IDS, second=IDS)
def test_ids_are_found_where_they_stand(first: list[bytes], second: list[bytes]) -> None:
    """They lie in one piece, where the end of one and the beginning of the next can read like a third."""
    ids = ObjectIds(merge(sorted(first), sorted(second)))

    assert [*ids] == sorted({*first, *second})
    assert [ids.place(one) for one in ids] == [*range(len(ids))]
    assert not any(one[1:] + one[:1] in ids for one in ids if one[1:] + one[:1] not in {*first, *second})


@pytest.mark.django_db
def test_putting_packs_together_loses_no_object_reachable_or_not(device: Device) -> None:
    """What no ref names may be the only proof of what happened; whether it goes is not housekeeping's to decide."""
    for number in range(5):
        back_up(kept(device, b"%d\n" % number * 300))
    path = repository(device.tenant)
    stray = git(path, "rev-parse", "main")
    git(path, "update-ref", "refs/heads/main", "main~1")  # as if it had never been acknowledged
    before = set().union(*map(ids_in, indexes(path)))

    keep_house(Git(path))

    assert stray in before
    assert [ids_in(index) for index in indexes(path)] == [before]


@pytest.mark.django_db
def test_a_version_is_stored_as_what_it_differs_in(device: Device) -> None:
    """A device keeps its configuration for years and changes a line of it: a version must cost that line."""
    lines = [b"interface %d address 10.0.%d.1\n" % (number * 7919 % 1000, number % 250) for number in range(300)]
    for number in range(12):
        lines[number * 20] = b"description %d\n" % number
        back_up(kept(device, b"".join(lines)))
    path = repository(device.tenant)

    keep_house(Git(path))

    [index] = indexes(path)
    chains = git(path, "verify-pack", "-v", str(index)).splitlines()
    # Nearly all: git divides the work among its threads, and looks for no neighbour on the other side.
    assert sum(len(line.split()) == 7 and line.split()[1] == "blob" for line in chains) >= 9


@pytest.mark.django_db
def test_the_next_writer_finishes_the_removal_of_a_pack(device: Device) -> None:
    """A crash between the two halves of a removal must not leave what the next check takes for damage."""
    back_up(kept(device, b"1\n"))
    back_up(kept(device, b"2\n"))
    path = repository(device.tenant)
    copy = next(iter(indexes(path)))
    git(path, "repack", "-q", "-a")  # all is in another pack, too
    copy.rename(copy.with_name(GONE + copy.name))

    with writing(device.tenant_id):
        pass

    assert not copy.with_suffix(".pack").exists()
    assert not list(path.glob(f"objects/pack/{GONE}*"))
    assert_sound(device.tenant)


@pytest.mark.django_db
def test_nothing_is_removed_where_an_index_cannot_be_read(device: Device) -> None:
    """Housekeeping on a disk that rots must not make it worse."""
    for number in range(3):
        back_up(kept(device, b"%d\n" % number))
    path = repository(device.tenant)
    damaged = next(iter(indexes(path)))
    damaged.chmod(0o644)
    damaged.write_bytes(b"rot")

    with pytest.raises(StoreDamaged, match="no index"):
        keep_house(Git(path))

    assert len(list(path.glob("objects/pack/*.pack"))) == 3


@pytest.mark.django_db
def test_packs_that_went_meanwhile_are_not_brought_back(device: Device) -> None:
    """Made without the lock: a collection of garbage may have removed for good what was being joined."""
    for number in range(3):
        back_up(kept(device, b"%d\n" % number))
    path = repository(device.tenant)

    with Workshop.beside(Git(path)) as workshop:
        old = join(workshop)
        git(path, "repack", "-q", "-a", "-d")  # somebody was quicker
        there = indexes(path)
        take_place(workshop, old)

    assert (len(old), indexes(path)) == (3, there)
    assert_sound(device.tenant)


@pytest.mark.django_db
def test_what_is_written_while_packs_are_joined_stays(device: Device) -> None:
    """A backup does not wait for minutes because a repository is large."""
    for number in range(3):
        back_up(kept(device, b"%d\n" % number))
    path = repository(device.tenant)

    with Workshop.beside(Git(path)) as workshop:
        old = join(workshop)
        back_up(kept(device, b"meanwhile\n"))
        take_place(workshop, old)

    assert len(indexes(path)) == 2
    assert git(path, "show", f"main:devices/{device.pk.hex[:2]}/{device.pk}/running.cfg") == "meanwhile"
    assert_sound(device.tenant)


def test_a_workshop_whose_owner_is_just_closing_it_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs of one tenant look for what a crash has left, while one of them is done with joining packs."""
    left = tmp_path / f"{WORKSHOP}elsewhere_1_2-00000000"
    left.mkdir()
    monkeypatch.setattr("backups.claimers.is_gone", lambda _: left.rmdir())

    remove_abandoned(tmp_path)

    assert not left.exists()


def test_a_pack_that_is_just_being_removed_does_not_count(tmp_path: Path) -> None:
    """The night looks at packs while a run puts others in their place."""
    packs = tmp_path / "objects" / "pack"
    packs.mkdir(parents=True)
    for name, size in (("a", 600), ("b", 99)):
        (packs / f"pack-{name}.pack").write_bytes(bytes(size))
        (packs / f"pack-{name}.idx").touch()
    (packs / "pack-c.idx").touch()

    assert not is_scattered(tmp_path)

    (packs / "pack-b.pack").write_bytes(bytes(101))

    assert is_scattered(tmp_path)
