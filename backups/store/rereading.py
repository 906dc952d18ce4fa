"""Reading every object again, and holding each to its id: what a disk has changed is found before it is needed."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from backups.store import layout
from backups.store.git import Git, Process

CHUNK = 500  # ids that are asked at a time: they fit into a pipe, so that neither side waits for the other
PIECE = 1024 * 1024
LISTING_SECONDS = 600.0
WALK_SECONDS = 3600.0  # a large repository takes minutes
DIED = 128  # git's exit status where it cannot read an object


def object_ids(git: Git, *, after: str = "") -> list[str]:
    """The ids of all objects that packs and files say they have, in order; those behind `after` only."""
    everything = ("--batch-all-objects", "--batch-check=%(objectname)")
    out = git.run("cat-file", *everything, seconds=LISTING_SECONDS).out.decode("ascii")
    return sorted(one for one in set(out.split()) if one > after)


def reread(git: Git, ids: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each id, in order, with whether its object can be read and is what the id says.

    As slow or fast as the caller takes them. Raises GitFailed where git fails for another reason than damage.
    """
    asked = iter(ids)
    process: Process | None = None
    try:
        while waiting := deque(islice(asked, CHUNK)):
            while waiting:
                process = process or git.start("cat-file", "--batch")
                yield from answers(process, waiting)
                if waiting:  # it died of the first that is left
                    refuse_other_reasons(process)
                    process = None
                    yield waiting.popleft(), False
    finally:
        if process is not None:
            process.__exit__()


def answers(process: Process, waiting: deque[str]) -> Iterator[tuple[str, bool]]:
    """Answers for those that wait, each taken off once it is there, until all are or git has died."""
    try:
        process.stdin.write("".join(f"{layout.checked_id(one)}\n" for one in waiting).encode())
        process.stdin.flush()
    except BrokenPipeError:
        return
    while waiting:
        sound = answer(process, waiting[0])
        if sound is None:
            return
        yield waiting.popleft(), sound


def answer(process: Process, object_id: str) -> bool | None:
    """Whether the next object is what it should be; None where git has died over it."""
    head = process.stdout.readline().decode("ascii", "replace").split()
    if len(head) == 2:  # "<id> missing"
        return False
    if len(head) != 3 or not head[2].isdigit():
        return None
    left = int(head[2])
    digest = hashlib.sha1(f"{head[1]} {left}\0".encode(), usedforsecurity=False)
    # In pieces: a size that a flipped bit has made enormous must not be asked of our memory at once.
    while left:
        piece = process.stdout.read(min(left, PIECE))
        if not piece:
            return None
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest() == object_id if process.stdout.read(1) else None


def refuse_other_reasons(process: Process) -> None:
    """End a process that has died. Raises GitFailed where it was not an object that killed it."""
    try:
        process.popen.wait(timeout=10)
        if process.popen.returncode != DIED:
            raise process.failure(process.complaint())
    finally:
        process.__exit__()


def damaged(git: Git, ids: Iterable[str]) -> frozenset[str]:
    """Those of the ids whose objects cannot be read, or are not what they were.

    Asked twice: a repack or a collection that takes packs away meanwhile is no damage, and what was collected is gone
    from the list as well.
    """
    suspects = [one for one, sound in reread(git, ids) if not sound]
    return confirmed(git, suspects)


def missing(git: Git) -> frozenset[str]:
    """The ids of objects that others name and that are not there. Damage may end the walk early: mend that first."""
    options = ("--connectivity-only", "--no-dangling", "--no-reflogs", "--no-progress")
    answer = git.run("fsck", *options, seconds=WALK_SECONDS, expect=tuple(range(256)))
    lines = [line.split() for line in answer.out.decode("ascii", "replace").splitlines()]
    return frozenset(line[2] for line in lines if len(line) == 3 and line[0] == "missing")


def confirmed(git: Git, suspects: Iterable[str]) -> frozenset[str]:
    """Those that are still listed and still cannot be read."""
    again = [one for one, sound in reread(git, suspects) if not sound]
    return frozenset(again) & frozenset(object_ids(git)) if again else frozenset()


def absent(git: Git, ids: Iterable[str]) -> set[str]:
    """Those of the ids that are in no pack and no file."""
    answer = git.run("cat-file", "--batch-check=%(objectname)", stdin=lines_of(ids), seconds=WALK_SECONDS)
    return {line.split()[0].decode() for line in answer.out.splitlines() if line.endswith(b" missing")}


def lines_of(ids: Iterable[str]) -> bytes:
    """A line for each id."""
    return "".join(f"{layout.checked_id(one)}\n" for one in ids).encode()
