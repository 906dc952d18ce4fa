"""What nothing needs any more goes from the object store.

New packs come by publishing: housekeeping and collections put a repository's packs together, and the next manifest
names those. Here old ones go: objects that no manifest of the last days names. A manifest stays for so long after the
next one came, so that whoever began to read finds all of it, and a mistake of yesterday can be undone from the one of
the day before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from backups.remote import manifest as documents
from backups.remote.current import bring_up_to_date
from backups.remote.errors import RemoteFailed
from backups.remote.objects import Listed, Objects
from backups.remote.opening import open_objects
from backups.remote.publishing import latest, read_manifest

ON_ITS_WAY = timedelta(hours=1)  # for which a pack may wait for its manifest, and a manifest for the pointer
SOME = 500  # names in one request


@dataclass(frozen=True)
class Swept:
    """What went."""

    objects: int = 0
    size: int = 0  # bytes
    left: int = 0  # that nothing names, and that somebody may be about to name
    waiting: bool = False  # whether there is more that is to go some day


def sweep(tenant_id: UUID, *, now: datetime, keep: timedelta) -> Swept:
    """Delete manifests that gave way to the next one so long ago, and what only they named. Raises RemoteFailed.

    What no manifest names at all is left for an hour: a publisher may be on his way to the pointer.
    """
    objects = open_objects()
    last = latest(objects, tenant_id)
    if last is None:
        return Swept()
    manifests = list(objects.listed(documents.manifests_folder(tenant_id)))
    there = list(objects.listed(documents.packs_folder(tenant_id)))
    old = expired(manifests, last.manifest.seq, documents.manifest_object(tenant_id, last.name), now=now, keep=keep)
    stays = needed(objects, tenant_id, [one for one in manifests if one.name not in old])
    named = needed(objects, tenant_id, [one for one in manifests if one.name in old])
    unneeded = [one for one in there if one.name not in stays]
    going = [one for one in unneeded if one.name in named or one.at <= now - ON_ITS_WAY]
    # Packs first: a manifest that names what is gone is only one that cannot be gone back to.
    delete(objects, going)
    delete(objects, [one for one in manifests if one.name in old])
    left = len(unneeded) - len(going)
    waiting = left > 0 or len(manifests) - len(old) > 1
    return Swept(len(going) + len(old), sum(one.size for one in going), left, waiting)


def expired(manifests: Iterable[Listed], seq: int, newest: str, *, now: datetime, keep: timedelta) -> set[str]:
    """The manifests that go: those that gave way to the next so long ago, and of each hour but the last all but one.

    Those of the newest's number or beyond are of publishers that were second, or are on their way.
    """
    old: set[str] = set()
    hours: set[datetime] = set()
    following = now
    for one in sorted(manifests, key=lambda one: one.name, reverse=True):
        number, hour = number_of(one), one.at.replace(minute=0, second=0, microsecond=0)
        if one.name == newest:
            following = one.at
        elif number >= seq:
            second = number == seq and not keep
            old |= {one.name} if second or one.at <= now - ON_ITS_WAY else set()
        elif following <= now - keep or (hour in hours and following <= now - ON_ITS_WAY):
            old.add(one.name)
        else:
            hours.add(hour)
            following = one.at
    return old


def number_of(one: Listed) -> int:
    """The number in a manifest's name; 0 of what is none."""
    name = one.name.rpartition("/")[2]
    return int(name[:12]) if documents.NAME.match(name) else 0


def needed(objects: Objects, tenant_id: UUID, manifests: Iterable[Listed]) -> set[str]:
    """The objects that these manifests name; what is no manifest, as a crash may leave it, names none.

    Whoever signed them: the key of an old one may be gone by now. A forged one could only let something stay.
    """
    names: set[str] = set()
    for one in manifests:
        name = one.name.rpartition("/")[2]
        if documents.NAME.match(name):
            names |= read_manifest(objects, tenant_id, name, unsigned=True).objects()
    return names


def delete(objects: Objects, going: list[Listed]) -> None:
    """Delete them, many with one request."""
    for at in range(0, len(going), SOME):
        objects.delete([one.name for one in going[at : at + SOME]])


def forget(tenant_id: UUID, *, now: datetime) -> Swept:
    """Leave nothing in the object store but what the repository holds now. Raises RemoteFailed while there is more."""
    bring_up_to_date(tenant_id)
    swept = sweep(tenant_id, now=now, keep=timedelta())
    if swept.left:
        raise RemoteFailed(
            f"{swept.left} objects of tenant {tenant_id} may hold what was purged; they go when an hour has passed."
        )
    return swept
