"""Packs and what lies beside them, by the checksums that they carry. Reads files, asks no git, changes nothing.

Every such file of git ends with the SHA-1 of all before it, and an index repeats that of its pack: a pack that was cut
off, or an index that is not of it, is seen without reading the pack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backups.store.creation import fsync
from backups.store.git import Git

SUM = 20  # bytes of a checksum
PIECE = 1024 * 1024
SMALLEST_PACK = 12 + SUM
SMALLEST_INDEX = 8 + 256 * 4 + 2 * SUM
CACHES = (
    "objects/pack/*.rev",
    "objects/pack/*.bitmap",
    "objects/pack/multi-pack-index",
    "objects/info/commit-graph",
    "objects/info/commit-graphs/*.graph",
)
"""What git computes from the objects at any time, and is slower without."""
INDEX_SECONDS = 3600.0


@dataclass(frozen=True)
class Flaw:
    """One file that is not what it was."""

    kind: Literal["pack", "index", "cache"]
    path: Path
    what: str  # what is wrong with it, as the second half of a sentence


def flaws(repository: Path, *, full: bool = False) -> Iterator[Flaw]:
    """Files that are not what they were; `full` reads the packs from one end to the other, too.

    A file that is removed meanwhile, as a repack does, is no flaw.
    """
    folder = repository / "objects" / "pack"
    for stem in sorted({found.with_suffix("") for found in folder.glob("pack-*") if found.suffix in (".pack", ".idx")}):
        pack = stem.with_suffix(".pack")
        try:
            yield from flaws_of_pack(pack, stem.with_suffix(".idx"), full=full)
        except FileNotFoundError:
            continue
        except OSError as exc:
            yield Flaw("pack", pack, f"cannot be read ({exc.strerror})")
    for cache in sorted(found for pattern in CACHES for found in repository.glob(pattern)):
        try:
            if not is_whole(cache):
                yield Flaw("cache", cache, "does not fit its checksum")
        except FileNotFoundError:
            continue
        except OSError as exc:
            yield Flaw("cache", cache, f"cannot be read ({exc.strerror})")


def flaws_of_pack(pack: Path, index: Path, *, full: bool) -> Iterator[Flaw]:
    """What is wrong with a pack and its index. Raises FileNotFoundError where both are gone."""
    if not pack.exists():
        if index.exists():
            yield Flaw("pack", pack, "is gone, only its index is there")
        return
    head, end = ends_of(pack)
    told = index_says(index)
    # Without a sound index only the pack itself can say whether it is whole.
    whole = is_whole(pack) if full or told is None else len(end) == SUM
    if head[:4] != b"PACK" or not whole:
        yield Flaw("pack", pack, "does not fit its checksum")
    elif told is None:
        yield Flaw("index", index, "is missing" if not index.exists() else "does not fit its checksum")
    elif told != (end, head[8:12]):
        yield Flaw("pack", pack, "is not what its index says: it was cut off or replaced")


def ends_of(pack: Path) -> tuple[bytes, bytes]:
    """The first twelve bytes and the checksum at the end; empty ones of a file that is too short to be a pack."""
    if pack.stat().st_size < SMALLEST_PACK:
        return b"", b""
    with pack.open("rb") as file:
        head = file.read(12)
        file.seek(-SUM, 2)
        return head, file.read(SUM)


def index_says(index: Path) -> tuple[bytes, bytes] | None:
    """The checksum of the pack and its number of objects, as an index has them; None where there is no sound index."""
    if not index.exists() or index.stat().st_size < SMALLEST_INDEX or not is_whole(index):
        return None
    with index.open("rb") as file:
        file.seek(8 + 255 * 4)
        number = file.read(4)
        file.seek(-2 * SUM, 2)
        return file.read(SUM), number


def is_whole(path: Path) -> bool:
    """Whether a file ends with the SHA-1 of all before it."""
    left = path.stat().st_size - SUM
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while left > 0 and (piece := file.read(min(PIECE, left))):
            digest.update(piece)
            left -= len(piece)
        return left == 0 and file.read() == digest.digest()


def index_again(git: Git, pack: Path, index: Path) -> None:
    """Give a whole pack its index back; git reads all of the pack for it. Raises GitFailed, and nothing has changed."""
    draft = index.with_name(f"tmp_{index.name}")
    draft.unlink(missing_ok=True)
    git.run("index-pack", "-o", str(draft), str(pack), seconds=INDEX_SECONDS)
    fsync(draft)
    draft.replace(index)
    fsync(index.parent)


def drop_cache(cache: Path) -> None:
    """Remove what git can compute again; of a chain of commit graphs the list, too, which would name what is gone."""
    if cache.parent.name == "commit-graphs":
        (cache.parent / "commit-graph-chain").unlink(missing_ok=True)
    cache.unlink(missing_ok=True)
    fsync(cache.parent)
