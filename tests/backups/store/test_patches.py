"""What changed, as git sees it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.patches import DiffCaps, compare, compared, comparing
from backups.store.reader import TenantStore
from backups.store.writer import verify_change
from tests.backups.store.kit import commit
from tests.backups.store_kit import git

PATH = "devices/00/00000000-0000-4000-8000-000000000000/running.cfg"


def delta(store: TenantStore, before: bytes | None, after: bytes | None) -> tuple[int, int]:
    """Lines added and removed between two versions of one file."""
    first = commit(store, {"devices/other": b"x"} | ({PATH: before} if before is not None else {}))
    second = commit(store, {PATH: after, "devices/other": b"y"}, parent=first)
    return store.numstat(first, second).get(PATH, (0, 0))


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (None, b"a\nb\nc\n", (3, 0)),
        (b"a\nb\nc\n", b"", (0, 3)),
        (b"a\nb\nc\n", None, (0, 3)),
        (b"", b"", (0, 0)),
        (b"a\n", b"a\n", (0, 0)),
        (b"a\nb\nc\n", b"a\nX\nc\n", (1, 1)),
        (b"a\n", b"a", (1, 1)),
        (b"a\n", b"a\r\n", (1, 1)),
        (b"a\x0cb\n", b"a\x0cc\n", (1, 1)),
        (b"a\x85b\xe2\x80\xa8c\n", b"a\x85b\xe2\x80\xa8d\n", (1, 1)),
        (b"\0a\n", b"\0b\n", (0, 0)),
    ],
)
def test_lines_are_counted_as_git_counts(
    store: TenantStore, before: bytes, after: bytes, lines: tuple[int, int]
) -> None:
    """A21: a missing last line end and a changed line end are changes; a form feed does not end a line."""
    assert delta(store, before, after) == lines


def test_the_first_version_counts_all_its_lines(store: TenantStore) -> None:
    """A21: the first backup is (n, 0)."""
    made = commit(store, {PATH: b"a\nb\n"})

    assert store.numstat(None, made) == {PATH: (2, 0)}


def test_links_are_no_files_of_devices(store: TenantStore) -> None:
    """A rename is no change of a configuration."""
    made = commit(store, {"by-name/edge1": b"x"})

    assert store.numstat(None, made) == {}


def test_a_patch_shows_what_changed(store: TenantStore) -> None:
    """The side-by-side page is made of it."""
    commit(store, {PATH: b"a\nb\nc\n", "devices/x": b"a\nX\nc\n"})

    patch = store.diff_blobs(layout.blob_id(b"a\nb\nc\n"), layout.blob_id(b"a\nX\nc\n"), context=0)

    assert patch.text.endswith(b"@@ -2 +2 @@ a\n-b\n+X\n")
    assert (patch.lines_added, patch.lines_removed, patch.truncated) == (1, 1, False)


def test_a_patch_of_commits_can_be_of_one_device(store: TenantStore) -> None:
    """A checkpoint has thousands of devices; a page shows one."""
    first = commit(store, {PATH: b"a\n", "devices/x": b"a\n"})
    second = commit(store, {PATH: b"b\n", "devices/x": b"b\n"}, parent=first)

    patch = store.diff_commits(first, second, paths=[PATH])

    assert patch.text.count(b"diff --git") == 1
    assert (patch.lines_added, patch.lines_removed) == (1, 1)
    assert store.diff_commits(first, second).text.count(b"diff --git") == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60).map(lambda text: text.replace(b"x", b"\n")), added=st.booleans())
def test_a_whole_file_is_shown_as_git_would(store: TenantStore, content: bytes, added: bool) -> None:
    """The one patch that is not git's own must be read like one."""
    made = commit(store, {"devices/x": content})
    base = commit(store, {"devices/y": b""})
    ours = store.diff_blobs(*((None, layout.blob_id(content)) if added else (layout.blob_id(content), None)))
    sides = (base, made) if added else (made, base)

    said = git(store.path, "diff", "--full-index", *sides, "--", "devices/x").encode("utf-8", "surrogateescape")
    counts = git(store.path, "diff", "--numstat", *sides, "--", "devices/x").split("\t")[:2]

    names = (b"devices/x", layout.blob_id(content).encode())
    assert ours.text.strip() == said.replace(*names).strip()
    assert [ours.lines_added, ours.lines_removed] == [0 if count == "-" else int(count) for count in counts]


@pytest.mark.parametrize("old", [b"", b"x\n"])
@pytest.mark.parametrize("caps", [DiffCaps(max_lines=10), DiffCaps(max_bytes=500)])
def test_a_patch_ends_at_its_caps(store: TenantStore, caps: DiffCaps, old: bytes) -> None:
    """A device that says a million lines must not bring the web server down; the counts stay true."""
    new = b"".join(b"line %d\n" % number for number in range(1000))
    commit(store, {PATH: old, "devices/x": new})

    patch = store.diff_blobs(layout.blob_id(old) if old else None, layout.blob_id(new), caps=caps)

    assert patch.truncated
    assert 0 < len(patch.text) <= caps.max_bytes
    assert patch.text.count(b"\n") <= caps.max_lines
    assert (patch.lines_added, patch.lines_removed) == (1000, 1 if old else 0)


def test_nothing_is_the_same_as_nothing(store: TenantStore) -> None:
    """A file that neither side has."""
    assert store.diff_blobs(None, None).text == b""


def test_a_comparison_names_all_that_differs_and_counts_its_lines(store: TenantStore) -> None:
    """Step 5 of a batch: what is not among these is as it was, links and files alike; a name may look like anything."""
    odd = f"by-name/:100644 100644 {layout.NO_ID} {layout.NO_ID} M"
    first = commit(store, {PATH: b"a\nb\n", "by-name/old": b"x", "devices/other": b"x\n"})
    second = commit(store, {PATH: b"a\n", "by-name/old": None, odd: b"x"}, parent=first)

    with comparing(store.git) as process:
        compare(process, first, second)
        found = compared(process)

    assert found.ids == {PATH: layout.blob_id(b"a\n"), "by-name/old": None, odd: layout.blob_id(b"x")}
    assert found.lines == {PATH: (0, 1), "by-name/old": (0, 1), odd: (1, 0)}


@pytest.mark.parametrize(
    ("found", "meant"),
    [({}, {"x": "1"}), ({}, {"x": None}), ({"x": "1"}, {}), ({"x": None}, {}), ({"x": "1"}, {"x": "2"})],
)
def test_a_commit_that_is_not_what_was_meant_is_refused(
    store: TenantStore, found: dict[str, str | None], meant: dict[str, str | None]
) -> None:
    """Capability E3: too little, too much and another content are all damage."""
    with pytest.raises(StoreDamaged, match="git stored"):
        verify_change(store.git, found, meant)
