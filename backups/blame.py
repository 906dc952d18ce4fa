"""Who brought this line: for each line of a version the version, and so the run and the person, that it came with.

The device's own rows say which texts there were and in which order; git compares each with the one before; the rest is
arithmetic (`backups/store/origins.py`). Exact to the byte: a line whose end changed from CR LF to LF has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime

from backups.content import for_eyes, is_binary, sheet
from backups.errors import NoSuchVersion
from backups.models import Snapshot
from backups.store import layout
from backups.store.origins import origins
from backups.store.reader import open_store
from backups.store.steps import differences
from inventory.models import Device

VERSIONS = 5_000  # that are looked at; beyond them a line counts as brought by the oldest of these, or before
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class BlamedLine:
    """A line, and the version that brought it."""

    number: int
    text: bytes
    version: Snapshot


@dataclass(frozen=True)
class Blame:
    """Every line of a version's file."""

    version: Snapshot
    name: str
    lines: tuple[BlamedLine, ...]
    complete: bool  # False: lines of the oldest version named may come from one before it
    masked: bool

    @property
    def versions(self) -> dict[Snapshot, int]:
        """The versions that brought a line, newest first, with how many of them."""
        found: dict[Snapshot, int] = {}
        for line in self.lines:
            found[line.version] = found.get(line.version, 0) + 1
        return dict(sorted(found.items(), key=lambda item: -item[0].seq))


def blame(version: Snapshot, name: str, *, secrets: bool, limit: int = VERSIONS, seconds: float = SECONDS) -> Blame:
    """Where each line of a file of the version comes from; without `secrets`, the lines are masked.

    Raises NoSuchVersion where the version has no such file of lines, Pruned, StoreDamaged, GitTooSlow.
    """
    blob = version.blob(name)
    if blob is None:
        raise NoSuchVersion(f"This version has no file {name!r}; it has {', '.join(sorted(version.files))}.")
    version.refuse_pruned()
    store = open_store(version.tenant_id)
    content = store.blob(blob)
    if is_binary(content):
        raise NoSuchVersion(f"The file {name!r} of this version is not text: it has no lines.")
    texts = lines_of(for_eyes(content, version.device.platform, secrets=secrets))
    versions, complete = versions_of(version, name, limit)
    pairs = ((newer.commit, older.commit) for newer, older in pairwise(versions))
    with closing(differences(store.git, pairs, layout.device_file(version.device_id, name), seconds=seconds)) as steps:
        numbers = origins(len(texts), steps)
    lines = tuple(
        BlamedLine(at, text, versions[number])
        for at, (text, number) in enumerate(zip(texts, numbers, strict=True), start=1)
    )
    return Blame(version, name, lines, complete or len(versions) - 1 not in numbers, masked=not secrets)


def lines_of(content: bytes) -> list[bytes]:
    """The lines as git counts them; the last one need not end."""
    lines = content.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def versions_of(version: Snapshot, name: str, limit: int) -> tuple[list[Snapshot], bool]:
    """The versions that changed the file, newest first, up to the one that made it; and whether that was reached.

    It is not where there are too many, or where retention has removed the ones before.
    """
    rows = Snapshot.objects.filter(device=version.device_id, seq__lte=version.seq).with_commit_gone()
    found: list[Snapshot] = []
    for count, row in enumerate(rows.select_related("run").order_by("-seq")[: limit + 1]):
        # A commit that went with its epoch cannot be compared; the version that is looked at need not be.
        if count == limit or (count and (row.commit_gone or row.pruned_at)):
            return found, False
        if row.blob(name) is None:
            return found, True
        if found and found[-1].blob(name) == row.blob(name):
            found[-1] = row  # the same text, earlier
        else:
            found.append(row)
    return found, True


def find_version(device: Device, at: str | None) -> Snapshot:
    """The device's version that is meant: by its id or the first 8 digits or more of it, by a time, else the newest.

    A day means its end; a time without a zone is in UTC. Raises NoSuchVersion.
    """
    rows = device.snapshots.order_by("-seq")
    if at:
        digits = at.lower().replace("-", "")
        moment = moment_of(at)
        if moment:
            rows = rows.filter(taken_at__lte=moment)
        elif 8 <= len(digits) <= 32 and set(digits) <= set("0123456789abcdef"):
            rows = rows.filter(pk__gte=UUID(digits.ljust(32, "0")), pk__lte=UUID(digits.ljust(32, "f")))
        else:
            rows = rows.none()
    version = rows.select_related("device").first()
    if version is None:
        what = f"no version {at!r}" if at else "no version yet"
        raise NoSuchVersion(f"{device.name} has {what}; `history {device.name}` shows those that it has.")
    return version


def moment_of(text: str) -> datetime | None:
    """The time that is meant; None for what is no time."""
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError:
        return None
    if day is not None:
        return datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC)
    return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment


def main_file(version: Snapshot) -> str:
    """The file that a version is looked at for: the first that the platform's sheet names and that is there."""
    platform = sheet(version.device.platform)
    named: Sequence[str] = platform.filenames if platform else ()
    return first_of(named, version.files)


def first_of(named: Iterable[str], there: Iterable[str]) -> str:
    """The first of the names that is there, else the first of those that are."""
    names = set(there)
    return next((name for name in named if name in names), min(names))
