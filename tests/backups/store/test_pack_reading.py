"""Objects are read out of packs as git reads them, whichever way they are packed."""

from __future__ import annotations

import random
import subprocess
from functools import partial
from pathlib import Path

import pytest

from backups.errors import StoreDamaged
from backups.store.pack_reading import FarPack, applied


def near(path: Path, start: int, length: int) -> bytes:
    """Some bytes of a file."""
    return path.read_bytes()[start : start + length]


@pytest.mark.parametrize("options", [[], ["--delta-base-offset"]])
def test_every_object_of_a_pack_is_read_as_git_reads_it(tmp_path: Path, options: list[str]) -> None:
    """A16: differences by name and by distance, chains of them, and contents larger than what is read at once."""
    git = ["git", f"--git-dir={tmp_path}"]
    subprocess.run(["git", "init", "-q", "--bare", tmp_path], check=True)
    dice = random.Random(3)
    lines = [dice.randbytes(30).hex() for _ in range(2000)]
    ids = []
    for at in range(12):
        lines[dice.randrange(2000)] = f"changed {at}"
        text = "\n".join(lines).encode()
        said = subprocess.run([*git, "hash-object", "-w", "--stdin"], input=text, capture_output=True, check=True)
        ids.append(said.stdout.decode().strip())
    made = subprocess.run(
        [*git, "pack-objects", "-q", *options, str(tmp_path / "pack")],
        input="\n".join(ids).encode(),
        capture_output=True,
        check=True,
    )
    stem = f"pack-{made.stdout.decode().strip()}"
    far = FarPack(partial(near, tmp_path / f"{stem}.pack"), partial(near, tmp_path / f"{stem}.idx"))

    for one in ids:
        content = subprocess.run([*git, "cat-file", "blob", one], capture_output=True, check=True).stdout
        place = far.place_of(one)
        assert place
        assert far.read(place) == ("blob", content)
    assert far.place_of("0" * 40) is None


def test_a_damaged_difference_is_no_content() -> None:
    """E11: what cannot be read is an error, never something else."""
    with pytest.raises(StoreDamaged):
        applied(b"base", b"\x09\x03\x90\x03")
