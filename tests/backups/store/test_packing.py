"""Commits that we pack ourselves: to the byte those that git makes of the same changes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backups.store.lookup import Lookup
from backups.store.packing import beside, heading, index_of, pack_of, packed, packed_all
from backups.store.reader import TenantStore
from backups.store.stream import NewCommit, Put
from backups.store.writer import RefMove, move_refs, write_batch, write_commit
from tests.backups.store.kit import NOON
from tests.backups.store_kit import git

# Names that git orders unlike Python: a folder counts as if it ended with a slash.
NAMES = st.sampled_from(["a", "a.b", "a-b", "a0", "ab", "b"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PUTS = st.dictionaries(PATHS, st.binary(max_size=40), max_size=6)


def apart(puts: dict[str, bytes]) -> list[Put]:
    """Those that do not lie below another."""
    return [Put(path, one) for path, one in puts.items() if not any(path.startswith(f"{other}/") for other in puts)]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=PUTS, second=PUTS, going=st.sets(PATHS, max_size=3), words=st.tuples(st.text(), st.text()))
@example(first={"a": b""}, second={}, going={"a", "a/a"}, words=("", ""))
@example(first={"a/a": b"", "a/b": b""}, second={"a/b": b"1"}, going={"a", "a/b"}, words=("", ""))
def test_our_commit_is_the_one_that_git_makes(
    store: TenantStore, first: dict[str, bytes], second: dict[str, bytes], going: set[str], words: tuple[str, str]
) -> None:
    """A1, A12: files that come, go, and become folders; whatever differed would be another tree than the one meant."""
    ref = "refs/txn/1-1-00"
    move_refs(store.git, [RefMove(ref, None, None)])
    parent = write_commit(store.git, NewCommit(ref, None, "m", "a", NOON, apart(first)))
    new = NewCommit(ref, parent, *words, NOON, apart(second), sorted(going))
    alone = replace(new, parent=None, removals=())

    with closing(Lookup(store.git)) as lookup:
        ours = [write_batch(lookup, one, packed_all([*first.values(), *second.values()][::2])) for one in (new, alone)]

    git(store.path, "fsck", "--strict", *ours)
    theirs = [write_commit(store.git, new)]
    move_refs(store.git, [RefMove(ref, None, None)])
    assert ours == [*theirs, write_commit(store.git, alone)]


def test_a_pack_is_whole_by_gits_own_reading(store: TenantStore) -> None:
    """A1: of every length that the format writes differently; a pack that only we can read is lost."""
    sizes = [0, 15, 16, 2047, 2048, 300_000]
    with closing(Lookup(store.git)) as lookup:
        contents = {f"f{size}": bytes([size % 7]) * size for size in sizes}
        puts = [Put(path, content) for path, content in contents.items()]
        with beside(list(contents.values())) as shares:
            made = [one for share in shares for one in share.take()]
        write_batch(lookup, NewCommit("", None, "m", "a", NOON, puts), made)

    (index,) = (store.path / "objects" / "pack").glob("*.idx")
    said = git(store.path, "verify-pack", "-v", str(index))

    assert [int(line.split()[2]) for line in said.splitlines() if " blob " in line] == sizes
    assert index.stat().st_mode & 0o777 == index.with_suffix(".pack").stat().st_mode & 0o777 == 0o444


def test_only_our_own_index_limits_the_size_of_a_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is taken out of a long history makes gigabytes anew, and git writes the index of those."""
    monkeypatch.setattr("backups.store.packing.MOST", 20)
    objects = [packed("blob", content) for content in (b"one", b"two", b"three")]

    pack = pack_of(objects)

    with pytest.raises(ValueError, match="needs another index"):
        index_of(objects, pack[-20:])


def test_the_size_of_an_object_is_written_as_the_format_says() -> None:
    """Four bits, then seven at a time."""
    assert heading("blob", 15) == b"\x3f"
    assert heading("tree", 16) == b"\xa0\x01"
    assert packed("blob", b"").id.hex() == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
