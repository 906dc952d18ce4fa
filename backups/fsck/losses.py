"""Which devices, versions and dates it is that git has lost: damage told as people know it, not as git does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from backups.errors import StoreDamaged
from backups.models import Snapshot
from backups.store import layout
from backups.store.codes import Code
from backups.store.reader import TenantStore
from backups.store.rereading import DIED
from backups.store.troubles import Trouble
from backups.store.walk import blob_at
from inventory.models import Tenant

ROWS = 2000
LONG = 3600.0  # seconds: a large repository takes minutes to read
NAMED = 5  # versions, or objects, that a sentence names


@dataclass(frozen=True)
class Lost:
    """One file of one version that is not there as the row says."""

    version: Snapshot
    name: str
    content: bool  # the content itself is lost; else only its place in the record


@dataclass
class Damage:
    """What a walk over all versions has found."""

    bad: frozenset[str]  # objects that are known to be unreadable
    lost: dict[tuple[Code, UUID], list[Lost]] = field(default_factory=lambda: defaultdict(list))
    explained: set[str] = field(default_factory=set)  # objects that are files of versions, lost ones

    def add(self, code: Code, version: Snapshot, name: str, *, content: bool) -> None:
        """Note a file."""
        self.explained.add(version.files[name]["blob"])
        self.lost[code, version.device_id].append(Lost(version, name, content))


def losses(tenant: Tenant, store: TenantStore | None, bad: frozenset[str]) -> Iterator[Trouble]:
    """One trouble for each device whose versions have lost something, then one for what no version needs."""
    damage = Damage(bad)
    rows = Snapshot.objects.filter(tenant=tenant).readable().with_commit_gone().select_related("device").order_by("seq")
    for some in batched(rows.iterator(ROWS), ROWS):
        look_at(store, some, damage)
    for (code, _), lost in sorted(damage.lost.items(), key=lambda item: item[1][0].version.device.name):
        yield Trouble(code, sentence(lost))
    if rest := sorted(bad - damage.explained):
        yield Trouble("damaged-object", in_no_version(rest))


def batched(rows: Iterator[Snapshot], size: int) -> Iterator[list[Snapshot]]:
    """The rows, so many at a time."""
    while some := list(islice(rows, size)):
        yield some


def look_at(store: TenantStore | None, versions: Sequence[Snapshot], damage: Damage) -> None:
    """Hold the files of some versions against git."""
    files = [(one, name, file["blob"]) for one in versions for name, file in one.files.items()]
    places = found_at(store, files) if store else ["missing"] * len(files)
    there = present(store, {blob for _, _, blob in files}) if store else set()
    for (version, name, blob), place in zip(files, places, strict=True):
        if blob not in there:
            damage.add("missing-object", version, name, content=True)
        elif blob in damage.bad:
            damage.add("damaged-object", version, name, content=True)
        elif place != blob:
            damage.add("damaged-object" if place == "damaged" else "missing-object", version, name, content=False)


def found_at(store: TenantStore, files: Sequence[tuple[Snapshot, str, str]]) -> list[str]:
    """For each file what its commit names at its path: an id, `missing` or `damaged`."""
    asked = "".join(f"{place_of(one, name, blob)}\n" for one, name, blob in files)
    command = ("cat-file", "--batch-check=%(objectname)")
    answer = store.git.run(*command, stdin=asked.encode(), seconds=LONG, expect=(0, DIED))
    if answer.status == DIED:
        # git stops at the first commit or tree that it cannot read; ours goes on after it.
        return walked(store, files)
    return [line if layout.FULL_ID.match(line) else "missing" for line in answer.out.decode().splitlines()]


def place_of(version: Any, name: str, blob: str) -> str:
    """The path in the version's commit; where that went with its epoch, the file itself."""
    return blob if version.commit_gone else f"{version.commit}:{layout.device_file(version.device_id, name)}"


def walked(store: TenantStore, files: Iterable[tuple[Any, str, str]]) -> list[str]:
    """The same, tree by tree; what was unreadable once is not asked for again, for git dies of it."""
    found: list[str] = []
    unreadable: set[str] = set()
    for version, name, blob in files:
        if version.commit_gone:
            found.append(blob)
            continue
        try:
            path = layout.device_file(version.device_id, name)
            found.append(blob_at(store, version.commit, path, unreadable=unreadable) or "missing")
        except StoreDamaged:
            found.append("damaged")
    return found


def present(store: TenantStore, blobs: Iterable[str]) -> set[str]:
    """Those of the ids that are in some pack or file."""
    asked = "".join(f"{layout.checked_id(one)}\n" for one in blobs).encode()
    out = store.git.run("cat-file", "--batch-check=%(objectname)", stdin=asked, seconds=LONG).out.decode()
    return {line for line in out.splitlines() if layout.FULL_ID.match(line)}


def sentence(lost: Sequence[Lost]) -> str:
    """What the loss means for one device: how many versions, of which dates, which files."""
    device = lost[0].version.device
    gone = {one.version.pk: one.version for one in lost if one.content}
    unnamed = {one.version.pk: one.version for one in lost if not one.content}
    names = ", ".join(sorted({one.name for one in lost}))
    said = []
    if gone:
        said.append(
            f"{names} of {device} is lost in {counted(gone.values())}: it cannot be shown, compared or put back."
        )
    if unnamed:
        said.append(
            f"The record has lost the place of {names} of {device} in {counted(unnamed.values())}: "
            "the content is there, but clones, exports and checkpoints of then miss it."
        )
    return f"{' '.join(said)} Bring the repository back from a copy."


def counted(versions: Iterable[Snapshot]) -> str:
    """So many versions, and of which moments, the newest first."""
    newest = sorted(versions, key=lambda one: one.seq, reverse=True)
    moments = ", ".join(f"{one.taken_at:%Y-%m-%d %H:%M:%S} UTC ({str(one.pk)[:8]})" for one in newest[:NAMED])
    more = f" and {len(newest) - NAMED} older ones" if len(newest) > NAMED else ""
    return f"{len(newest)} version{'s' if len(newest) > 1 else ''}, of {moments}{more}"


def in_no_version(objects: Sequence[str]) -> str:
    """Damage to what is no file of any version."""
    named = ", ".join(objects[:NAMED]) + (f" and {len(objects) - NAMED} more" if len(objects) > NAMED else "")
    count = f"{len(objects)} object{'s' if len(objects) > 1 else ''}"
    return (
        f"{count} of the record that are no file of a version cannot be read ({named}): folders, commits or files of "
        "checkpoints; versions that need them are named besides. Bring the repository back from a copy."
    )
