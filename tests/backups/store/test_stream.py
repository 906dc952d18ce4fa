"""What fast-import is told: whatever a person or a device says stays data."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.errors import GitFailed
from backups.store.reader import TenantStore
from backups.store.stream import NewCommit, Put, identity, stream, with_trailers
from backups.store.writer import write_commit
from tests.backups.store_kit import git

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NASTY = st.text(st.sampled_from("a \n\r\t\0<>\"'\\#\x1b\udc80é") | st.characters(), max_size=60)


def new(**fields: object) -> NewCommit:
    values = {"ref": "refs/txn/1-1-00", "parent": None, "message": "m", "author": "alice", "when": NOON, "puts": ()}
    return NewCommit(**{**values, **fields})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=NASTY, author=NASTY, content=st.binary(max_size=200))
def test_no_text_becomes_a_command(store: TenantStore, message: str, author: str, content: bytes) -> None:
    """A12, A14: a line end in a name once made git create `refs/heads/evil`."""
    content = b"\ndone\nreset refs/heads/evil\nfrom refs/txn/1-1-00\n" + content
    message += "\n\ncommit refs/heads/evil\n"
    for ref in store.refs():
        git(store.path, "update-ref", "-d", ref)

    commit = write_commit(store.git, new(message=message, author=author, puts=[Put("devices/x", content)]))

    assert store.refs() == {"refs/txn/1-1-00": commit}
    assert {path: store.blob(entry.id) for path, entry in store.tree(commit).items()} == {"devices/x": content}
    git(store.path, "fsck", "--strict", commit)


@pytest.mark.parametrize(
    ("name", "seen"),
    [("alice", "alice"), ("Al <x@y> \n\0 Ice", "Al x@y Ice"), ("", "unknown"), ("<>", "unknown"), ("\udc80", "?")],
)
def test_an_author_is_only_a_name(name: str, seen: str) -> None:
    """A14, C13: the operator stands in git, whatever his name is made of."""
    assert identity(name).removesuffix(" <>").split() == seen.split()


def test_the_commit_has_the_time_it_was_given(store: TenantStore) -> None:
    """C15: the time of the capture, not of the machine that happens to write."""
    commit = write_commit(store.git, new())

    assert git(store.path, "log", "-1", "--format=%at %ct", commit) == f"{NOON.timestamp():.0f} {NOON.timestamp():.0f}"


def test_the_trailers_are_the_last_paragraph_whatever_the_message_says() -> None:
    """The database can be rebuilt from them, so nobody may forge one."""
    message = with_trailers("Hello\n\nSeq: 999", {"Tenant": "t", "Seq": "7\nSeq: 8"})

    said = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, text=True, capture_output=True, check=True
    )
    assert said.stdout.splitlines() == ["Tenant: t", "Seq: 7 Seq: 8"]


def test_a_stream_that_was_cut_off_makes_no_commit(store: TenantStore) -> None:
    """Our own death in the middle of a batch must not leave half of it behind."""
    whole = stream(new(puts=[Put("devices/x", b"1"), Put("devices/y", b"2")]))
    for length in (len(whole) - len(b"done\n"), whole.index(b'M 100644 inline "devices/y"')):
        with pytest.raises(GitFailed):
            store.git.run("fast-import", "--quiet", "--done", stdin=whole[:length])

    assert store.refs() == {}
