"""Paths, refs and names that git may see."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.errors import NameRefused
from backups.store import layout

DEVICE = uuid.UUID("0f0e0d0c-0b0a-4908-8706-050403020100")


def test_a_device_has_one_of_256_folders_by_its_id() -> None:
    """A7: a flat folder of 10,000 devices costs 462 KiB a commit, a divided one 8."""
    assert layout.device_folder(DEVICE) == f"devices/0f/{DEVICE}"


DANGEROUS = ["", ".", "..", "a/b", "../x", ".git", ".gitmodules", ".GIT", "a\0b", "a\nb", 'a"b', "a\\b", "-rf", " a"]
DANGEROUS += ["a\x7f", "é", "a" * 101, "running.cfg\n", "git~1", "a:b", "--output=x"]


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_dangerous_file_name_is_refused(name: str) -> None:
    """A13, A16: fast-import accepts `..`, `.git/config` and an unquoted line end without a word."""
    with pytest.raises(NameRefused):
        layout.device_file(DEVICE, name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".git", "a..b", "edge1.", "-a", "a b", "a\nb", "é", "a" * 101])
def test_a_dangerous_device_name_is_refused(name: str) -> None:
    """A13: the name of a device becomes a file name in every clone."""
    with pytest.raises(NameRefused):
        layout.link_path(name)


@pytest.mark.parametrize("text", ["", "HEAD", "main", "a" * 39, "a" * 41, "A" * 40, "--all", "a" * 40 + "\n"])
def test_only_a_full_id_is_an_id(text: str) -> None:
    """A16: an abbreviation may name another object tomorrow, and an option is no object at all."""
    with pytest.raises(NameRefused):
        layout.checked_id(text)


@pytest.mark.parametrize("tenant", ["../evil", "", "acme", None])
def test_only_a_uuid_names_a_repository(tenant: object) -> None:
    """A1, C3: what goes into a path unchecked leads out of it."""
    with pytest.raises(TypeError):
        layout.repository_path(Path("/store"), tenant)


@given(st.uuids(), st.from_regex(layout.FILE_NAME, fullmatch=True))
def test_a_path_tells_its_device_and_file(device: uuid.UUID, name: str) -> None:
    """What reads the tree and what writes it must agree."""
    assert layout.parse_device_file(layout.device_file(device, name)) == (device, name)


@given(st.text(max_size=20))
def test_no_name_that_is_allowed_can_leave_its_folder(name: str) -> None:
    """A13: whatever the rule lets through is one plain part of a path."""
    try:
        path = layout.device_file(DEVICE, name)
    except NameRefused:
        return
    assert path == f"{layout.device_folder(DEVICE)}/{name}"
    assert Path("/x", path).resolve() == Path("/x", path)
    assert name.isascii()
    assert name.isprintable()


def test_a_foreign_path_belongs_to_no_device() -> None:
    """A device's folder sits in the fan-out of its own id, and nowhere else."""
    assert layout.parse_device_file("by-name/edge1") is None
    assert layout.parse_device_file(f"devices/ff/{DEVICE}/running.cfg") is None


@pytest.mark.parametrize("content", [b"", b"x", b"hostname edge1\r\n\0\xff"])
def test_our_ids_are_those_of_git(content: bytes) -> None:
    """A commit is checked against ids that were computed without git."""
    said = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True).stdout
    assert layout.blob_id(content) == said.decode().strip()
