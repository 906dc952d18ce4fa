"""Reading: what is there, all of it, or an error."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import timedelta

import pytest

from backups.errors import NameRefused, StoreDamaged
from backups.store import layout
from backups.store.reader import Entry, TenantStore, open_path
from backups.store.stream import Put
from tests.backups.store.kit import NOON, commit
from tests.backups.store_kit import git, keep_house

FOLDER = "devices/00/00000000-0000-4000-8000-000000000000"


def put_aside(store: TenantStore, object_id: str) -> None:
    """Damage: unpack everything and lose one object."""
    packs = list((store.path / "objects" / "pack").glob("*.pack"))
    for pack in packs:
        aside = pack.rename(store.path / pack.name)
        pack.with_suffix(".idx").unlink()
        with aside.open("rb") as stream:
            subprocess.run(["git", "-C", store.path, "unpack-objects", "-q"], stdin=stream, check=True)
        aside.unlink()
    (store.path / "objects" / object_id[:2] / object_id[2:]).unlink()
    store.close()


def test_a_file_is_read_back_byte_for_byte(store: TenantStore) -> None:
    """A12, A16: what goes back into a device is what it said."""
    content = bytes(range(256)) * 3 + b"no end"
    made = commit(store, {f"{FOLDER}/x": content})

    entries = store.tree(made)

    assert entries == {f"{FOLDER}/x": Entry("100644", layout.blob_id(content), len(content))}
    assert store.blob(layout.blob_id(content)) == content


def test_many_files_come_in_the_order_asked(store: TenantStore) -> None:
    """An export reads thousands."""
    contents = [b"%d\n" % number for number in range(50)]
    commit(store, {f"{FOLDER}/f{number}": content for number, content in enumerate(contents)})
    ids = [layout.blob_id(content) for content in contents]

    assert list(store.blobs(reversed(ids))) == list(zip(reversed(ids), reversed(contents), strict=True))


def test_a_folder_is_listed_alone(store: TenantStore) -> None:
    """One device of 10,000."""
    made = commit(store, {f"{FOLDER}/x": b"1", "by-name/edge1": b"2"})

    assert list(store.tree(made, FOLDER)) == [f"{FOLDER}/x"]
    assert store.tree(made, "devices/ff") == {}


@pytest.mark.parametrize("object_id", ["main", "abcd", "--all", "HEAD^{tree}", ""])
def test_only_full_ids_are_looked_up(store: TenantStore, object_id: str) -> None:
    """A16: three undeclared errors there, one of ours here."""
    for ask in (store.blob, store.tree, lambda text: store.numstat(None, text)):
        with pytest.raises(NameRefused):
            ask(object_id)


def test_a_missing_file_is_damage_and_not_empty(store: TenantStore) -> None:
    """A16, C8, D8: partial data returned as success is how backups are lost unnoticed."""
    with pytest.raises(StoreDamaged, match="missing"):
        store.blob("f" * 40)


def test_a_folder_is_not_a_file(store: TenantStore) -> None:
    """A16: the id of a tree gave an AttributeError."""
    made = commit(store, {f"{FOLDER}/x": b"1"})

    with pytest.raises(StoreDamaged, match="is a commit, not a file"):
        store.blob(made)


def test_an_unreadable_tree_is_damage_and_not_empty(store: TenantStore) -> None:
    """A10: with an empty tree in its place, every other device vanished from HEAD without an error."""
    made = commit(store, {f"{FOLDER}/x": b"1"})
    put_aside(store, git(store.path, "rev-parse", f"{made}^{{tree}}"))

    with pytest.raises(StoreDamaged):
        store.tree(made)


def test_a_tree_that_names_a_missing_file_says_so(store: TenantStore) -> None:
    """A size that git does not know must not become 0."""
    made = commit(store, {f"{FOLDER}/x": b"1"})
    put_aside(store, layout.blob_id(b"1"))

    with pytest.raises(StoreDamaged, match="is missing"):
        store.tree(made)


def test_a_flipped_bit_is_damage(store: TenantStore) -> None:
    """Half a configuration restored is worse than none."""
    content = os.urandom(5000)
    commit(store, {f"{FOLDER}/x": content})
    (pack,) = (store.path / "objects" / "pack").glob("*.pack")
    whole = bytearray(pack.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    pack.chmod(0o600)
    pack.write_bytes(whole)

    with pytest.raises(StoreDamaged):
        store.blob(layout.blob_id(content))


def test_what_another_process_has_written_since_is_found(store: TenantStore) -> None:
    """The long-lived process is older than the newest pack."""
    commit(store, {f"{FOLDER}/x": b"1"})
    store.blob(layout.blob_id(b"1"))

    commit(store, {f"{FOLDER}/x": b"2"})

    assert store.blob(layout.blob_id(b"2")) == b"2"


def test_reading_survives_a_repack(store: TenantStore) -> None:
    """Housekeeping removes the packs that a reader knows."""
    made = None
    for number in range(4):
        made = commit(store, {f"{FOLDER}/x": b"%d" % number}, parent=made)
    store.blob(layout.blob_id(b"0"))

    keep_house(store.git)

    assert [store.blob(layout.blob_id(b"%d" % number)) for number in range(4)] == [b"0", b"1", b"2", b"3"]


def test_reading_survives_the_death_of_its_process(store: TenantStore) -> None:
    """An operator's `pkill git` is not a reason to fail a page."""
    commit(store, {f"{FOLDER}/x": b"1"})
    store.blob(layout.blob_id(b"1"))
    store.objects.process.popen.kill()
    store.objects.process.popen.wait()

    assert store.blob(layout.blob_id(b"1")) == b"1"


def test_threads_share_one_process(store: TenantStore) -> None:
    """A22: the web server has threads, and git's answers have no addressee."""
    contents = [os.urandom(3000) for _ in range(8)]
    commit(store, {f"{FOLDER}/f{number}": content for number, content in enumerate(contents)})
    wrong = []

    def read(content: bytes) -> None:
        wrong.extend(1 for _ in range(50) if store.blob(layout.blob_id(content)) != content)

    threads = [threading.Thread(target=read, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_fork_gets_a_process_of_its_own(store: TenantStore) -> None:
    """The queue forks its workers; two readers of one pipe would each get the other's configurations."""
    commit(store, {f"{FOLDER}/x": b"1", f"{FOLDER}/y": b"2"})
    store.blob(layout.blob_id(b"1"))
    child = os.fork()
    if not child:
        fine = all(store.blob(layout.blob_id(b"2")) == b"2" for _ in range(50))
        os._exit(0 if fine and open_path(store.path) is not store else 1)

    answers = [store.blob(layout.blob_id(b"1")) for _ in range(50)]

    assert answers == [b"1"] * 50
    assert os.waitpid(child, 0)[1] == 0


def test_the_log_is_in_the_order_of_descent(store: TenantStore) -> None:
    """A17, A18, C16: a clock that steps back must not change which version is the latest."""
    first = commit(store, {f"{FOLDER}/x": b"1"}, when=NOON, message="First\n\nSeq: 1")
    second = commit(store, {f"{FOLDER}/x": b"2"}, parent=first, when=NOON - timedelta(days=1))
    elsewhere = commit(store, {"devices/y": b"2"}, parent=second)
    removed = commit(store, {f"{FOLDER}/x": None}, parent=elsewhere)

    log = store.log(f"{FOLDER}/x")

    assert [entry.commit for entry in log] == [removed, second, first]
    assert (log[2].author, log[2].when, log[2].message) == ("alice", NOON, "First\n\nSeq: 1")
    assert [entry.commit for entry in store.log(f"{FOLDER}/x", 1, start=second)] == [second]


def test_an_empty_path_is_nothing_special(store: TenantStore) -> None:
    """A glob or a magic pathspec must not widen what a reader sees."""
    made = commit(store, {f"{FOLDER}/x": b"1"})

    assert store.tree(made, "devices/*") == {}
    assert store.log(":/") == []


def test_reading_writes_nothing(store: TenantStore) -> None:
    """A read never creates anything."""
    made = commit(store, {f"{FOLDER}/x": b"1"})
    before = {path: path.stat().st_mtime_ns for path in store.path.rglob("*")}

    store.blob(layout.blob_id(b"1"))
    store.tree(made)
    store.log(FOLDER)
    store.diff_commits(None, made)
    store.diff_blobs(None, layout.blob_id(b"1"))

    assert {path: path.stat().st_mtime_ns for path in store.path.rglob("*")} == before


def test_puts_know_their_ids() -> None:
    """A path is verified against this."""
    assert Put("x", b"1").id == layout.blob_id(b"1")
    assert Put("x", "a" * 40).id == "a" * 40


@pytest.mark.parametrize("folders", [False, True])
def test_very_many_paths_are_no_other_question(
    store: TenantStore, monkeypatch: pytest.MonkeyPatch, folders: bool
) -> None:
    """Going back with 20,000 devices needs more paths than a command line takes."""
    other = FOLDER.replace("00000000-", "00000001-")
    made = commit(store, {f"{FOLDER}/x": b"1", f"{other}/x": b"2", "by-name/edge1": b"3"})
    paths = [FOLDER] if folders else [FOLDER, "by-name/edge1", "devices/nothing"]
    few = store.entries(made, paths, folders=folders)
    monkeypatch.setattr("backups.store.reader.MANY_PATHS", 0)

    assert store.entries(made, paths, folders=folders) == few
    assert len(few) == len(paths) - (not folders)


def test_an_interrupted_answer_is_not_the_next_one(store: TenantStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a configuration must not give its rest to the next reader."""
    commit(store, {f"{FOLDER}/x": b"1", f"{FOLDER}/y": b"2"})

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store.objects, "answer", interrupt)
        store.blob(layout.blob_id(b"1"))

    assert store.blob(layout.blob_id(b"2")) == b"2"


def test_a_process_does_not_hold_removed_packs_for_ever(store: TenantStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a collection has freed must become free."""
    commit(store, {f"{FOLDER}/x": b"1"})
    store.blob(layout.blob_id(b"1"))
    first = store.objects.process
    monkeypatch.setattr("backups.store.objects.LIFETIME", 0.0)

    store.blob(layout.blob_id(b"1"))

    assert store.objects.process is not first
    assert first.popen.poll() is not None
