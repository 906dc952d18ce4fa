"""Taking out of a repository what cannot be read any more, so that the same content can be stored again.

git stores nothing twice: an object that an index lists is never written anew, however unreadable it is.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import Git
from backups.store.housekeeping import ids_in, remove_pack
from backups.store.packs import CACHES, drop_cache, flaws, index_says
from backups.store.reader import TenantStore
from backups.store.rereading import damaged, object_ids, reread

SECONDS = 3600.0


def discard_damaged(store: TenantStore) -> int:
    """Remove every object that cannot be read, and keep all others; how many. Raises GitFailed, StoreDamaged.

    Packs that hold such objects are written anew without them; what git computes from objects goes, too.
    """
    store.close()
    bad = damaged(store.git, object_ids(store.git))
    for cache in [found for pattern in CACHES for found in store.path.glob(pattern)]:
        drop_cache(cache)
    for one in bad:
        (store.path / "objects" / one[:2] / one[2:]).unlink(missing_ok=True)
    flawed = {flaw.path.with_suffix(".idx") for flaw in flaws(store.path, full=True) if flaw.kind == "pack"}
    packs = (store.path / "objects" / "pack").glob("pack-*.idx")
    for index in sorted(flawed.union(index for index in packs if bad & listed_in(index))):
        write_anew(store.git, index, bad)
    store.close()
    return len(bad)


def listed_in(index: Path) -> set[str]:
    """The objects of a pack; none where its index does not say, for then git reads none of them either."""
    return ids_in(index) if index_says(index) else set()


def write_anew(git: Git, index: Path, bad: Collection[str]) -> None:
    """Put the sound objects of a pack into another, and remove it. Raises StoreDamaged, and then it stays."""
    good = sorted(listed_in(index) - set(bad))
    if good:
        listed = "".join(f"{one}\n" for one in good).encode()
        said = git.run("pack-objects", "-q", str(index.parent / "pack"), stdin=listed, seconds=SECONDS)
        new = index.with_name(f"pack-{layout.checked_id(said.out.decode().strip())}.idx")
        fsync(index.parent)
        if new == index or not set(good) <= ids_in(new) or not all(sound for _, sound in reread(git, good)):
            raise StoreDamaged(f"What can be read of {index} could not be put into another pack; nothing is removed.")
    if index.exists():
        remove_pack(index)
    index.with_suffix(".pack").unlink(missing_ok=True)
    fsync(index.parent)
