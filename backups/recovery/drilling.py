"""A drill: a tenant is brought from the object store beside the live one, and compared with it byte by byte.

A copy that nobody has ever restored is a hope. What is compared is every object that the newest manifest's refs need:
commits, trees and files of the record, of each epoch and of each checkpoint. Then each version's row is held to it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from uuid import UUID

from django.conf import settings

from backups.errors import StoreError
from backups.models import Repository, Snapshot
from backups.recovery.models import Drill
from backups.remote.bringing import bring
from backups.remote.errors import RemoteMissing
from backups.remote.manifest import Manifest
from backups.remote.opening import open_objects
from backups.remote.publishing import latest
from backups.store import layout
from backups.store.git import Git
from backups.store.reader import open_path, open_store
from inventory.models import Tenant
from inventory.notices import Level, settle, tell

FAILED = "drill.failed"  # the code of the alarm
AT_ONCE = 16 * 1024 * 1024  # bytes of objects in memory, twice
SECONDS = 3600.0
ROWS = 2000
PREFIX = "drill-"


class Differs(StoreError):
    """What was restored is not what is here."""

    cause = "drill-differs"


@dataclass(frozen=True)
class Compared:
    """How much was found equal."""

    objects: int
    size: int
    versions: int


def drill(tenant: Tenant, *, by: str, now: datetime) -> Drill:
    """Restore one tenant beside the live one and compare; the row says what came of it, and an alarm where it differs.

    Raises nothing that the row cannot say.
    """
    began = monotonic()
    row = Drill(tenant=tenant, at=now, by=by, equal=False)
    try:
        compare(tenant, row)
        row.equal = True
    except StoreError as error:
        row.trouble = str(error)
    row.seconds = monotonic() - began
    row.save(force_insert=True)
    if row.equal:
        settle(tenant, code=FAILED, about=f"restore drill of {tenant}")
    else:
        text = f"It could not be restored from the object store as it is here: {row.trouble}"
        tell(tenant, code=FAILED, about=f"restore drill of {tenant}", text=text, level=Level.ALARM)
    return row


def compare(tenant: Tenant, row: Drill) -> None:
    """Bring, compare, and note how much. Raises Differs, RemoteError, StoreError."""
    last = latest(open_objects(), tenant.pk)
    if last is None:
        raise RemoteMissing(f"There is nothing of {tenant} in the object store.")
    place = room_for(last.manifest)
    try:
        path = place / f"{tenant.pk}.git"
        manifest = bring(tenant.pk, path).manifest
        found = compared(tenant, open_path(path).git, manifest)
        open_path(path).close()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    row.batch, row.versions = manifest.batch, found.versions
    row.behind = Repository.objects.values_list("seq", flat=True).get(tenant=tenant) - manifest.batch
    row.objects_compared, row.size = found.objects, found.size
    row.checkpoints = sum(ref.startswith(f"{layout.CHECKPOINTS}/") for ref in manifest.refs)


def room_for(manifest: Manifest) -> Path:
    """A directory for it, with what earlier drills left gone. Raises StoreError where the disk has no room."""
    root = Path(settings.NETCAIRN_VAR) / "drills"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o700, parents=True)
    needed = 2 * sum(pack.size + pack.index_size for pack in manifest.packs)
    if (free := shutil.disk_usage(root).free) < needed:
        raise StoreError(f"A drill needs {needed:,} bytes below {root}, and {free:,} are free.")
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))


def compared(tenant: Tenant, restored: Git, manifest: Manifest) -> Compared:
    """Every object of the copy with that of the same name here, and every row with the copy. Raises Differs."""
    tips = {commit for commit in (manifest.head, *manifest.refs.values()) if commit}
    ids = needed_by(restored, tips)
    live = open_store(tenant.pk).git
    size, number = 0, 0
    for some in by_size(live, ids):
        asked = "".join(f"{one}\n" for one in some).encode()
        here, there = (git.run("cat-file", "--batch", stdin=asked, seconds=SECONDS).out for git in (live, restored))
        if here != there:
            raise Differs(f"Objects between {some[0]} and {some[-1]} of {tenant} differ: run `fsck --full`.")
        size, number = size + len(here), number + len(some)
    return Compared(number, size, versions_in(tenant.pk, manifest, set(ids)))


def needed_by(git: Git, tips: set[str]) -> list[str]:
    """Every object that these commits need, each of which git has to find. Raises GitFailed."""
    asked = "".join(f"{layout.checked_id(tip)}\n" for tip in sorted(tips)).encode()
    out = git.run("rev-list", "--objects", "--no-object-names", "--stdin", stdin=asked, seconds=SECONDS).out
    return sorted(set(out.decode("ascii").split()))


def by_size(git: Git, ids: Sequence[str]) -> Iterator[list[str]]:
    """Those of the objects that are here, a few at a time; what was collected here since is not."""
    asked = "".join(f"{one}\n" for one in ids).encode()
    told = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked, seconds=SECONDS).out
    some: list[str] = []
    size = 0
    for line in told.decode("ascii").splitlines():
        name, _, length = line.partition(" ")
        if not length.isdigit():
            continue
        if some and size + int(length) > AT_ONCE:
            yield some
            some, size = [], 0
        some.append(name)
        size += int(length)
    if some:
        yield some


def versions_in(tenant_id: UUID, manifest: Manifest, ids: set[str]) -> int:
    """How many versions' files are all in the copy, of those that it is old enough for. Raises Differs."""
    rows = Snapshot.objects.filter(tenant=tenant_id, seq__lte=manifest.batch).readable()
    number = 0
    for pk, files in rows.values_list("pk", "files").iterator(chunk_size=ROWS):
        missing = [name for name, file in files.items() if file["blob"] not in ids]
        if missing:
            raise Differs(f"The copy has not the file {missing[0]} of version {pk}: run `remote publish`.")
        number += 1
    return number
