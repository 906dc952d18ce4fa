"""Single objects, as git makes them of a pack of one: put into a pack, so that packs are all there is."""

from __future__ import annotations

import re
from pathlib import Path

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import Git
from backups.store.housekeeping import SECONDS, ids_in

LOOSE = re.compile(r"[0-9a-f]{38}\Z")


def loose_objects(path: Path) -> list[Path]:
    """The files of single objects."""
    return [found for found in (path / "objects").glob("[0-9a-f][0-9a-f]/*") if LOOSE.match(found.name)]


def pack_loose(git: Git) -> None:
    """Make one pack of all single objects; the tenant's lock is held. Raises GitFailed, StoreDamaged."""
    single = loose_objects(git.path)
    if not single:
        return
    ids = {found.parent.name + found.name for found in single}
    directory = git.path / "objects" / "pack"
    asked = "".join(f"{one}\n" for one in sorted(ids)).encode()
    said = git.run("pack-objects", "-q", "--window=0", str(directory / "pack"), stdin=asked, seconds=SECONDS)
    index = directory / f"pack-{layout.checked_id(said.out.decode().strip())}.idx"
    if not ids <= ids_in(index):
        raise StoreDamaged(f"git left objects out of {index}: nothing is removed; run `fsck --full` for this tenant.")
    fsync(directory)
    for found in single:
        found.unlink(missing_ok=True)
