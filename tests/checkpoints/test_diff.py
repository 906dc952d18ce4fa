"""git's patch, read back: nothing lost, nothing believed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoints.diff import FilePatch, Hunk, parse_patch, section, visible, with_headings
from checkpoints.errors import PatchUnreadable

# Lines that a parser could take for headers, and bytes that are no text.
HOSTILE = st.sampled_from(
    [
        b"",
        b"diff --git a/x b/x",
        b"--- a/x",
        b"+++ b/x",
        b"@@ -1,2 +1,2 @@ x",
        b"\\ No newline at end of file",
        b"-",
        b"+",
        b" ",
        b"Binary files a and b differ",
        b"\xff\xfe\x1b[2J",
        b"\r",
        b"interface Gi0/1",
        b" shutdown",
    ]
)
TEXTS = st.lists(HOSTILE | st.binary(max_size=8).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b""))).map(
    b"\n".join
)


def git_diff(folder: Path, old: bytes, new: bytes, *options: str) -> bytes:
    """What git says about two texts."""
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    command = ["git", "diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", *options, "old", "new"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout


def side(hunks: tuple[Hunk, ...], other: str) -> bytes:
    """One side of a patch that shows the whole file."""
    lines = [line for hunk in hunks for line in hunk.lines if line.sign != other]
    return b"".join(line.text + (b"\n" if line.ended else b"") for line in lines)


def applied(patch: FilePatch, old: bytes) -> bytes:
    """The old text with the patch applied."""
    source = old.split(b"\n")
    tail = source.pop()
    source = [line + b"\n" for line in source] + ([tail] if tail else [])
    result, at = [], 0
    for hunk in patch.hunks:
        result += source[at : hunk.old_first - 1]
        result += [line.text + (b"\n" if line.ended else b"") for line in hunk.lines if line.sign != "removed"]
        at = hunk.old_first - 1 + hunk.old_count
    return b"".join(result + source[at:])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TEXTS, new=TEXTS)
def test_a_patch_of_any_two_texts_gives_back_both(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Capability D9: what the page shows is what git compared, whatever the device wrote into it."""
    files = parse_patch(git_diff(tmp_path, old, new, "--text", "--unified=1000000"))

    hunks = files[0].hunks if files else ()
    assert (side(hunks, "added"), side(hunks, "removed")) == ((old, new) if old != new else (b"", b""))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TEXTS, new=TEXTS, context=st.integers(0, 2))
def test_a_patch_with_little_context_turns_old_into_new(tmp_path: Path, old: bytes, new: bytes, context: int) -> None:
    """The line numbers of hunks are right, also where a side of one is empty."""
    files = parse_patch(git_diff(tmp_path, old, new, "--text", f"--unified={context}"))

    assert applied(files[0] if files else FilePatch(b"", ()), old) == new


def test_a_binary_file_has_no_hunks(tmp_path: Path) -> None:
    """A binary backup differs or it does not; there are no lines to show."""
    (file,) = parse_patch(git_diff(tmp_path, b"a\0b", b"a\0c"))

    assert (file.binary, file.hunks) == (True, ())


def test_lines_are_counted(tmp_path: Path) -> None:
    """A21: a replaced line counts on both sides."""
    (file,) = parse_patch(git_diff(tmp_path, b"a\nb\nc\n", b"a\nx\ny\nc\n"))

    assert (file.lines_added, file.lines_removed) == (2, 1)


@pytest.mark.parametrize(
    "patch",
    [
        b"hello\n",
        b"diff --git a/x b/x\n@@ -1 +1 @@\n-a\n",
        b"diff --git a/x b/x\n@@ -1 +1 @@\n-a\n-b\n+c\n",
        b"diff --git a/x b/x\n@@ -1 +1 @@\n?a\n+c\n",
        b"diff --git a/x b/x\n@@ nonsense @@\n",
        b"diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b",
    ],
)
def test_what_is_no_patch_is_refused(patch: bytes) -> None:
    """Half a patch that reads as a whole one would hide a change."""
    with pytest.raises(PatchUnreadable):
        parse_patch(patch)


def test_a_patch_that_was_cut_short_says_so() -> None:
    """A page that shows the first part of a huge change must not look like all of it."""
    (file,) = parse_patch(b"diff --git a/x b/x\n@@ -1,3 +1,3 @@\n-a\n+b\n c\n+d", cut=True)

    assert (file.cut, [line.text for line in file.hunks[0].lines]) == (True, [b"a", b"b", b"c"])


@given(raw=st.binary())
def test_nothing_that_is_shown_steers_a_terminal_or_a_page(raw: bytes) -> None:
    """A device may send escape sequences and characters that turn the reading direction."""
    assert all(character == "\t" or character.isprintable() for character in visible(raw))


def test_plain_text_is_shown_as_it_is() -> None:
    """Names of people and places are not all ASCII."""
    assert visible("description Müller → Zürich".encode()) == "description Müller → Zürich"


@pytest.mark.parametrize(
    ("config", "line", "expected"),
    [
        (b"interface Gi0/1\n description x\n shutdown", b" shutdown", "interface Gi0/1"),
        (b"hostname a\nip routing", b"ip routing", ""),
        (b"router bgp 1\n neighbor 1\n  remote-as 2\n !\n  mtu 9", b"  mtu 9", "neighbor 1"),
        (b"interfaces {\n  ge-0 {\n    unit 0;\n  }\n  ge-1 {\n    mtu 9;", b"    mtu 9;", "ge-1 {"),
        (b"vlan 1\n\n!\n\tname x", b"\tname x", "vlan 1"),
    ],
)
def test_a_line_belongs_to_the_nearest_line_above_that_is_indented_less(
    config: bytes, line: bytes, expected: str
) -> None:
    """Without its interface a changed line says nothing."""
    lines = config.split(b"\n")

    assert section(lines, lines.index(line)) == expected


def test_each_hunk_is_headed_by_the_section_of_its_first_change(tmp_path: Path) -> None:
    """git's own heading is the section before the context, which is often another interface."""
    old = b"".join(b"interface Gi%d\n description d\n mtu 1500\n shutdown\n" % n for n in range(9))
    new = old.replace(b"interface Gi4\n description d\n", b"interface Gi4\n description e\n")
    new = new.replace(b"interface Gi8\n description d\n", b"interface Gi8\n")
    (file,) = parse_patch(git_diff(tmp_path, old, new, "--unified=2"))

    assert [hunk.heading for hunk in with_headings(file, old, new).hunks] == ["interface Gi4", "interface Gi8"]
