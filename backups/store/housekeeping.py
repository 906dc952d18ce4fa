"""Few packs, packed refs, and an index of which commit touched which path.

Packs are put together in a workshop beside, without the tenant's lock; only what takes their place needs it.

A batch is written as one pack without deltas, in a hurry. Here packs are put together, and a file is stored as what
makes it differ from its device's next version. git looks for such neighbours by the last sixteen characters of a path,
which for us are `/running.cfg` and four more: among thousands of devices it finds them by luck. So it is given names
that tell the devices apart, and then need look at the nearest neighbours only. 5,000 versions of 1,000 devices, 12 KB
each, measured: `repack` with its default names 8.0 MB in 3.9 s of CPU, `git gc --aggressive` 3.2 MB in 40 s, with these
names 3.0 MB in 0.8 s.
"""

from __future__ import annotations

import hashlib
from array import array
from binascii import unhexlify
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import IO

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import Git, in_memory
from backups.store.object_ids import ID_BYTES, ObjectIds
from backups.store.workshop import Workshop

MAX_PACKS = 30
"""With 2,010 packs a commit was measured to take 84 ms instead of 36. Not less than 30: beginning with packs of one
object, as a pin is, a geometric row of up to 20 is normal, and housekeeping leaves it alone."""
SECONDS = 600.0
FACTOR = 2
SPARE = 6
"""The largest pack may have a sixth of its bytes beside it after a night. A geometric row of packs is quick to keep,
but each has a whole text of every device, as no pack builds on another: 11,000 versions of 1,000 devices were 9.3 MB
in a row of two with the newest batches, and 4.0 MB in one pack; `git gc --aggressive` makes 4.1 MB of them."""
DEPTH = 20
"""Differences between a version and the one that is stored whole. With git's own 50, counting the lines of a batch took
27 ms instead of 20 at 10,000 devices, for 2 % less disk; 141 versions of each of 100 devices take 1.24 times what
`git gc --aggressive` makes of them, instead of 1.08 times."""
ALONE = "alone-"  # in front of the name of a file that has no neighbours
GONE = "gone-"  # in front of the index of a pack that is being removed

INDEX_HEAD = b"\377tOc\0\0\0\2"
COUNT_AT = len(INDEX_HEAD) + 255 * 4
IDS_AT = COUNT_AT + 4
PIECE = 64 * 1024


def pack_count(path: Path) -> int:
    """How many packs there are."""
    return len(indexes(path))


def indexes(path: Path) -> list[Path]:
    """The index of every pack; a pack that has none yet, or none any more, does not count."""
    return list((path / "objects" / "pack").glob("pack-*.idx"))


def is_scattered(path: Path) -> bool:
    """Whether much of it is not in the largest pack."""
    *others, largest = sorted(map(size_of, indexes(path))) or [0]
    return sum(others) * SPARE > largest


def size_of(index: Path) -> int:
    """Bytes of a pack; 0 where it has just been removed."""
    try:
        return index.with_suffix(".pack").stat().st_size
    except FileNotFoundError:
        return 0


def take_place(workshop: Workshop, old: Sequence[Path]) -> None:
    """Let what was made take the place of these packs, and put the refs in order. The tenant's lock is held.

    Not where one of them is gone: then somebody was quicker, or has removed what nobody needs any more.
    """
    git = workshop.source
    if all(index.exists() for index in old):
        workshop.install()
        mine = {f"pack-{name}" for name in workshop.packs}
        for index in old:
            if index.stem not in mine:
                remove_pack(index)
        fsync(git.path / "objects" / "pack")
        workshop.install_index()
    git.run("pack-refs", "--all")


def index_commits(git: Git) -> None:
    """Write git's index of commits and of the paths that each touched."""
    git.run("commit-graph", "write", "--reachable", "--changed-paths", "--no-progress", seconds=SECONDS)


def to_combine(counts: Mapping[Path, int]) -> list[Path]:
    """The packs to be made one, by the objects of each, so that each that stays has twice those of all before it."""
    packs = sorted(counts, key=lambda pack: (counts[pack], pack.name))
    uneven = [at for at in range(1, len(packs)) if counts[packs[at]] < FACTOR * counts[packs[at - 1]]]
    size = max(uneven, default=-1) + 1
    total = sum(counts[pack] for pack in packs[:size])
    while 0 < size < len(packs) and counts[packs[size]] < FACTOR * total:
        total += counts[packs[size]]
        size += 1
    return packs[:size]


def join(workshop: Workshop, *, everything: bool = False) -> list[Path]:
    """Make one pack of those whose time has come, and git's index of all commits; the packs. Needs no lock.

    Geometric, where not all are asked for: a pack is only written again once as much has come after it, so that the
    work stays small however large the repository is. Raises GitFailed, StoreDamaged.
    """
    git = workshop.source
    there = indexes(git.path)
    old = there if everything else to_combine({index: object_count(index) for index in there})
    old = old if len(old) > 1 else []
    workshop.borrow()
    if old:
        pack(workshop, ObjectIds(merge(*map(ordered_ids, old))))
    refs = git.run("for-each-ref", "--format=%(objectname) %(refname)").out
    (workshop.path / "packed-refs").write_bytes(refs)
    index_commits(workshop.git)
    return old


def pack(workshop: Workshop, ids: ObjectIds) -> None:
    """Make a pack of just these objects, and see that they are all in it. Raises GitFailed, StoreDamaged."""
    (workshop.path / "info" / "attributes").write_text(f"{ALONE}* -delta\n")
    listed = (b"%b %b\n" % (one.hex().encode(), name) for one, name in named(workshop.source, ids))
    # What packs of before knew as the nearest version seldom is it among more: with their deltas 752 bytes a version.
    options = ("-q", "--window=3", f"--depth={DEPTH}", "--no-reuse-delta", "--delta-base-offset", workshop.base)
    with in_memory(listed) as told, workshop.git.start("pack-objects", *options, stdin=told) as process:
        said = process.finish(SECONDS, (0,))
    workshop.packs = [layout.checked_id(said.out.decode().strip())]
    new = Path(f"{workshop.base}-{workshop.packs[0]}.idx")
    if not ids.are(ObjectIds(ordered_ids(new))):
        raise StoreDamaged(f"git left objects out of {new}: nothing is removed; run `fsck --full` for this tenant.")


def named(git: Git, ids: ObjectIds) -> Iterator[tuple[bytes, bytes]]:
    """Each id with a name that its neighbours of earlier and later share; the newest first, as they are read most.

    A file without any is not compared with those of other devices: of a first backup that was nearly all the work.
    """
    names = array("Q", bytes(8 * len(ids)))  # 0: none; numbers, or a large repository costs tens of megabytes
    newest_first = array("I")
    for one, path in paths(git, ids):
        place = ids.place(one)
        if place is not None and not names[place]:
            names[place] = int.from_bytes(hashlib.sha1(path, usedforsecurity=False).digest()[:8])
            newest_first.append(place)
    often = {name for name, following in pairwise(sorted(names)) if name == following}
    for place in newest_first:
        yield ids[place], b"%b%016x" % (b"" if names[place] in often else ALONE.encode(), names[place])
    for place, name in enumerate(names):  # commits, root trees, and what no commit of the record names
        if not name:
            yield ids[place], b""


def paths(git: Git, ids: ObjectIds) -> Iterator[tuple[bytes, bytes]]:
    """What the commits of the record among these brought, newest first: ids of files and folders with their paths."""
    record = BytesIO(git.run("rev-list", "--branches", "--glob=refs/epochs", seconds=SECONDS).out)
    commits = (line for line in record if unhexlify(line.strip()) in ids)
    options = ("--stdin", "--root", "-r", "-t", "-z", "--no-commit-id", "--no-renames")
    with in_memory(commits) as asked, git.start("diff-tree", *options, stdin=asked) as process:
        fields = (field for field in pieces(process.stdout) if field)
        for change in fields:  # ":<mode> <mode> <old> <new> <status>", then the path
            yield unhexlify(change.split(b" ")[3]), next(fields)
        process.finish(SECONDS, (0,))


def pieces(content: IO[bytes]) -> Iterator[bytes]:
    """What stands between zero bytes, never all of it in memory."""
    rest = b""
    while piece := content.read(PIECE):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
    yield rest


def object_count(index: Path) -> int:
    """How many objects a pack has, by its index. Raises StoreDamaged."""
    with index.open("rb") as content:
        return count_in(content.read(IDS_AT), index)


def count_in(head: bytes, index: Path) -> int:
    """The number in the head of an index. Raises StoreDamaged."""
    if len(head) < IDS_AT or not head.startswith(INDEX_HEAD):
        raise StoreDamaged(f"{index} is no index of a pack: run `fsck --full` for this tenant.")
    return int.from_bytes(head[COUNT_AT:IDS_AT], "big")


def ids_in(index: Path) -> set[str]:
    """The ids of all objects of a pack, by its index. Raises StoreDamaged."""
    return {one.hex() for one in ordered_ids(index)}


def ordered_ids(index: Path) -> Iterator[bytes]:
    """The same, twenty bytes each, in order (git's pack format, version 2). Raises StoreDamaged."""
    with index.open("rb") as content:
        ids = content.read(ID_BYTES * count_in(content.read(IDS_AT), index))
    return (ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES))


def remove_pack(index: Path) -> None:
    """Remove a pack whose objects are all in another; from the first step on git does not see it any more."""
    gone = index.with_name(GONE + index.name)
    index.rename(gone)
    finish_removal(gone)


def half_removed(path: Path) -> list[Path]:
    """What a crash has left of packs that were to go. A pack that only lost its index is none of them: it is all there
    may be of its objects."""
    return list((path / "objects" / "pack").glob(f"{GONE}pack-*.idx"))


def finish_removal(gone: Path) -> None:
    """Remove what is left of such a pack; its renamed index last, because that says what is to be done."""
    index = gone.with_name(gone.name.removeprefix(GONE))
    for suffix in (".rev", ".pack"):
        index.with_suffix(suffix).unlink(missing_ok=True)
    gone.unlink(missing_ok=True)
