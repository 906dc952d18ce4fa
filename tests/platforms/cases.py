"""Reads the written-down answers of devices: `tests/platforms/<slug>/<hardware_version>/`.

A case holds, for each file NAME of a capture, `NAME.raw` (what the device said, terminal and all) and `NAME` (what must
be stored). A file that comes over SFTP has no `.raw`. `case.toml` says for each file which lines look how when they are
masked, in order, all others staying as they are; and pairs of lines, "now" = "at another time", that are no change.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.sheet import Platform

HERE = Path(__file__).parent


@dataclass(frozen=True, repr=False)
class CaseFile:
    """One file of a case."""

    name: str
    raw: bytes
    stored: bytes
    masked: list[str]
    volatile: dict[bytes, bytes]

    def __repr__(self) -> str:
        """Its name: a report with its bytes is unreadable."""
        return self.name


@dataclass(frozen=True, repr=False)
class Case:
    """One device's answers."""

    directory: Path
    platform: Platform
    files: list[CaseFile]

    def __repr__(self) -> str:
        """The platform and the device: a report with its bytes is unreadable."""
        return f"{self.platform.slug}/{self.directory.name}"

    @property
    def answers(self) -> dict[str, bytes]:
        """What the device said: file name -> bytes."""
        return {file.name: file.raw for file in self.files}

    @property
    def stored(self) -> dict[str, bytes]:
        """What must be stored: file name -> bytes."""
        return {file.name: file.stored for file in self.files}


def read_case(directory: Path) -> Case:
    """The case in a directory."""
    said = tomllib.loads((directory / "case.toml").read_text("utf-8"))
    files = [_read_file(directory, entry) for entry in said["file"]]
    return Case(directory, read_catalogue(None).get(directory.parent.name), files)


def _read_file(directory: Path, entry: dict[str, Any]) -> CaseFile:
    stored = directory / entry["name"]
    raw = directory / f"{entry['name']}.raw"
    return CaseFile(
        name=entry["name"],
        raw=(raw if raw.exists() else stored).read_bytes(),
        stored=stored.read_bytes(),
        masked=entry["masked"].encode().decode("latin-1").splitlines(),
        volatile={now.encode(): later.encode() for now, later in entry.get("volatile", {}).items()},
    )


CASES = [read_case(path.parent) for path in sorted(HERE.glob("*/*/case.toml"))]
