"""The record as git alone tells it, oldest change first: what the tables can be filled from when they are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, pairwise
from uuid import UUID

from backups.errors import GitFailed, RebuildRefused, StoreDamaged
from backups.store import layout
from backups.store.patches import PLAIN, parse_numstat
from backups.store.reader import TenantStore
from backups.store.stream import trailers_of
from backups.store.troubles import is_ancestor, is_readable

SECONDS = 3600.0  # a large record takes minutes
CHUNK = 500  # changes that are compared by one git process
FORMAT = "--format=%H%n%T%n%an%n%at%n%B"


@dataclass(frozen=True)
class Change:
    """One commit of the record, as it tells of itself."""

    commit: str
    tree: str
    before: str | None  # the commit that it goes on from, in an earlier epoch too
    author: str
    when: datetime
    message: str
    seq: int
    run: UUID | None
    epoch: int | None = None  # the number of the epoch that it opens, by repeating what the one before has ended with
    versions: bool = True  # whether it brought any; not where a device was retired, renamed or brought back
    continues: str | None = None  # the commit that this one ended with; swept where it is not `before`


@dataclass(frozen=True)
class Touched:
    """What a change did: paths with what they name from then on; None: gone."""

    change: Change
    paths: dict[str, str | None] = field(default_factory=dict)


def chronicle(store: TenantStore, tip: str, tenant_id: UUID) -> list[Change]:
    """Every change up to a commit, oldest first. Raises RebuildRefused where one is not of this tenant's record.

    An epoch begins with a commit that has no parent and says which one it continues.
    """
    changes: list[Change] = []
    end: str | None = tip
    while end is not None:
        part = log_of(store, end)
        end = trailers_of(part[0][4]).get("Continues")
        if end is not None and not is_readable(store.git, end):
            end = None  # the epoch before was swept
        changes = numbered(part, end, tenant_id) + changes
    for one, after in pairwise(changes):
        if after.seq <= one.seq:
            raise RebuildRefused(
                f"Commit {after.commit} of {store.path} says that it is change {after.seq}, but comes after {one.seq}: "
                "the record was written by two programs that did not know of each other."
            )
    return changes


def descends(store: TenantStore, old: str, new: str) -> bool:
    """Whether a commit is among those that another goes on from, across the cuts between epochs too."""
    while not is_ancestor(store.git, old, new):
        options = ("--first-parent", "--max-parents=0", "-z", FORMAT, "--end-of-options", layout.checked_id(new), "--")
        message = store.git.run("log", *options, seconds=SECONDS).out.decode("utf-8", "replace").split("\0")[0]
        before = trailers_of(message).get("Continues", "")
        if not layout.FULL_ID.match(before) or not is_readable(store.git, before):
            return False
        new = before
    return True


def log_of(store: TenantStore, tip: str) -> list[tuple[str, str, str, str, str]]:
    """Commit, tree, author, seconds and message of each commit up to the tip, oldest first. Raises StoreDamaged."""
    options = ("--first-parent", "--reverse", "-z", FORMAT, "--end-of-options", layout.checked_id(tip), "--")
    try:
        out = store.git.run("log", *options, seconds=SECONDS).out.decode("utf-8", "replace")
    except GitFailed as exc:
        if type(exc) is not GitFailed:
            raise
        raise StoreDamaged(f"{exc} The record cannot be followed to its beginning: run `fsck --full`.") from exc
    commits = [entry.split("\n", 4) for entry in out.split("\0") if entry]
    return [(one[0], one[1], one[2], one[3], one[4]) for one in commits]


def numbered(part: Sequence[tuple[str, str, str, str, str]], before: str | None, tenant_id: UUID) -> list[Change]:
    """The changes of one epoch. Raises RebuildRefused."""
    changes: list[Change] = []
    for commit, tree, author, seconds, message in part:
        said = trailers_of(message)
        if said.get("Tenant") != str(tenant_id) or not said.get("Seq", "").isdecimal():
            whose = f"says that it belongs to tenant {said['Tenant']}" if "Tenant" in said else "is none of Netcairn's"
            raise RebuildRefused(
                f"Commit {commit} by {author} {whose}: it cannot become a part of this tenant's record. "
                "`fsck --repair` keeps it in quarantine."
            )
        when = datetime.fromtimestamp(int(seconds), UTC)
        changes.append(
            Change(
                commit=commit,
                tree=tree,
                before=before,
                author=author,
                when=when,
                message=message.strip(),
                seq=int(said["Seq"]),
                run=run_of(said.get("Run")),
                versions=said.get("Versions") != "none",
                epoch=int(said["Epoch"]) if said.get("Epoch", "").isdecimal() and "Continues" in said else None,
                continues=said.get("Continues"),
            )
        )
        before = commit
    return changes


def run_of(said: str | None) -> UUID | None:
    """The run that a trailer names; None where it names none."""
    try:
        return UUID(said) if said else None
    except ValueError:
        return None


def touched(store: TenantStore, changes: Iterable[Change]) -> Iterator[Touched]:
    """What each change did to devices' files and to names, in order. Raises StoreDamaged."""
    asked = iter(changes)
    while some := list(islice(asked, CHUNK)):
        found = {change.commit: Touched(change) for change in some}
        current: Touched | None = None
        tokens = iter(compared(store, some, "--raw", "--no-abbrev"))
        for token in tokens:
            if not token.startswith(b":"):
                current = found[token.decode("ascii")]
            elif current is not None:
                new = token.split()[3].decode("ascii")
                current.paths[next(tokens).decode("utf-8", "surrogateescape")] = None if new == layout.NO_ID else new
        yield from found.values()


def lines_of(store: TenantStore, changes: Sequence[Change]) -> dict[str, dict[UUID, tuple[int, int]]]:
    """Lines added and removed by each change, by device. Raises StoreDamaged."""
    counts: dict[str, dict[UUID, tuple[int, int]]] = {change.commit: {} for change in changes}
    current = ""
    for token in compared(store, changes, "--numstat"):
        if token.decode("ascii", "replace") in counts:
            current = token.decode("ascii")
            continue
        for path, (added, removed) in parse_numstat(token).items():
            if place := layout.parse_device_file(path):
                before = counts[current].get(place[0], (0, 0))
                counts[current][place[0]] = (before[0] + added, before[1] + removed)
    return counts


def compared(store: TenantStore, changes: Sequence[Change], *form: str) -> list[bytes]:
    """What `git diff-tree` says of each change against the one before, as the parts between its NULs."""
    # Two ids: git takes the second for the only parent of the first, also where an epoch has cut them apart.
    asked = "".join(
        f"{change.commit} {change.before}\n" if change.before else f"{change.commit}\n" for change in changes
    )
    options = ("--stdin", "--root", "-r", "-z", *PLAIN, *form)
    try:
        out = store.git.run("diff-tree", *options, stdin=asked.encode(), seconds=SECONDS).out
    except GitFailed as exc:
        raise store.damage(exc) from exc
    return [token for token in out.split(b"\0") if token]


def sizes_of(store: TenantStore, blobs: Iterable[str]) -> dict[str, int]:
    """The size of each file that is there."""
    asked = "".join(f"{layout.checked_id(one)}\n" for one in blobs).encode()
    form = "--batch-check=%(objectname) %(objectsize)"
    lines = store.git.run("cat-file", form, stdin=asked, seconds=SECONDS).out.decode("ascii").splitlines()
    return {found[0]: int(found[1]) for found in map(str.split, lines) if found[1].isdecimal()}
