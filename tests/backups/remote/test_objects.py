"""Two conditions that everything above rests on, kept by a bucket and by a directory alike."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backups.remote import objects as tries
from backups.remote.directory import Directory
from backups.remote.errors import RemoteDamaged, RemoteFailed, RemoteMissing, RemoteMoved, RemoteRefused
from backups.remote.objects import Objects
from backups.remote.opening import open_objects


@pytest.fixture(params=["objects", pytest.param("s3", marks=pytest.mark.long)])
def place(request: pytest.FixtureRequest) -> Objects:
    """Each kind of object store."""
    return request.getfixturevalue(request.param)


def test_an_object_is_made_once_and_read_back(place: Objects) -> None:
    """A try whose answer was lost is repeated; what is there under the name is never another content."""
    place.put_new("tenants/a/packs/1", b"one")
    assert place.put_new("tenants/a/packs/1", b"one") is not None

    with pytest.raises(RemoteDamaged):
        place.put_new("tenants/a/packs/1", b"another")

    file = io.BytesIO()
    place.download("tenants/a/packs/1", file)
    assert (file.getvalue(), place.get_part("tenants/a/packs/1", 1, 2)) == (b"one", b"ne")


def test_of_several_writers_of_the_pointer_one_wins(place: Objects) -> None:
    """C10: without the condition the last writer would undo what the others had published."""
    etag = place.swap("tenants/a/pointer", b"0", None)

    def win(at: int) -> bool:
        try:
            place.swap("tenants/a/pointer", b"by %d" % at, etag)
        except RemoteMoved:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(win, range(4))) == 1
    with pytest.raises(RemoteMoved):
        place.swap("tenants/a/pointer", b"first", None)


def test_what_is_listed_can_be_deleted(place: Objects) -> None:
    """C18: a tenant's data goes for good, and only that tenant's."""
    for name in ("tenants/a/packs/1", "tenants/a/pointer", "tenants/ab/pointer"):
        place.put_new(name, b"x")

    place.delete([one.name for one in place.listed("tenants/a/")])

    assert [one.name for one in place.listed("tenants/")] == ["tenants/ab/pointer"]
    place.delete(["tenants/a/pointer"])


def test_what_is_missing_is_named(place: Objects) -> None:
    """A file that is not there is another thing than an object store that does not answer."""
    with pytest.raises(RemoteMissing, match="tenants/nothing"):
        place.get("tenants/nothing")
    assert place.found("tenants/nothing") is None


def test_a_swap_whose_answer_was_lost_is_known_for_ours(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pointer names our manifest: to publish once more on top of it would be a gap in what is told."""
    monkeypatch.setattr(tries, "PAUSE", 0.0)
    replace = Directory.replace
    lost = [True]

    def replace_and_lose(self: Directory, *arguments: Any) -> str:
        etag = replace(self, *arguments)
        if lost.pop() if lost else False:
            raise RemoteFailed("The answer was lost.")
        return etag

    monkeypatch.setattr(Directory, "replace", replace_and_lose)

    etag = objects.swap("pointer", b"ours", None)

    assert objects.swap("pointer", b"next", etag)


def test_a_failure_that_does_not_pass_is_one_of_ours(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what failed, and that trying again makes sense."""
    monkeypatch.setattr(tries, "PAUSE", 0.0)
    asked = []

    def fail(_self: Directory, name: str) -> None:
        asked.append(name)
        raise RemoteFailed("No answer.")

    monkeypatch.setattr(Directory, "read", fail)

    with pytest.raises(RemoteFailed) as failure:
        objects.get("pointer")

    assert (len(asked), failure.value.worth_retrying) == (tries.TRIES, True)


@pytest.mark.parametrize("address", ["ftp://host/path", "s3://", "file://host/path", "bucket"])
def test_an_address_of_no_object_store_is_refused(settings: Any, address: str) -> None:
    """In a sentence that says what one looks like."""
    settings.NETCAIRN_OBJECT_STORE = address

    with pytest.raises(RemoteRefused, match="s3://bucket/prefix"):
        open_objects()


def test_nothing_goes_over_a_network_in_clear(settings: Any) -> None:
    """What devices say holds secrets."""
    settings.NETCAIRN_OBJECT_STORE = "s3://bucket/prefix"
    settings.NETCAIRN_OBJECT_STORE_ENDPOINT = "http://storage.example.net"

    with pytest.raises(RemoteRefused, match="https://"):
        open_objects()
