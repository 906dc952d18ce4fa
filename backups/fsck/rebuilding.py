"""Filling the tables from git alone: after the database was lost, or restored to an earlier point.

The commits tell when, by whom, for which run and as which change something was kept; their trees tell what. Rows that
are there stay as they are, so it may be done any number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from backups import elsewhere
from backups.capture import stable_digest
from backups.content import sheet
from backups.epochs import Epoch
from backups.errors import RebuildRefused, StoreDamaged
from backups.fsck.devices import Names, recreate_devices
from backups.locks import lock_tenant
from backups.mending import reconcile
from backups.models import Repository, Run, Snapshot
from backups.quota import recount
from backups.store import layout
from backups.store.chronicle import Change, Touched, chronicle, descends, lines_of, run_of, sizes_of, touched
from backups.store.lookup import Lookup
from backups.store.reader import TenantStore, is_repository, open_store, store_path
from backups.store.troubles import is_readable, kind_of
from backups.store.writer import RefMove, move_refs
from inventory import audit
from inventory.models import Device, Tenant

WAIT = 30.0  # seconds for the tenant's lock
ROWS = 500  # versions whose content is looked at before their rows are written


@dataclass(frozen=True)
class Rebuilt:
    """What was given back to the database."""

    tenant: str
    versions: int = 0
    devices: int = 0  # that had no row any more
    runs: int = 0
    checkpoints: int = 0
    lost: int = 0  # versions whose files are not all there, so they have no row

    @property
    def nothing(self) -> bool:
        """Whether all of it was there already."""
        return not (self.versions or self.devices or self.runs or self.checkpoints or self.lost)


@dataclass(frozen=True)
class Missing:
    """One version without a row."""

    change: Change
    device_id: UUID
    files: dict[str, str]  # name -> blob


def rebuild(tenant: Tenant, *, by: str, now: datetime) -> Rebuilt:
    """Fill the tenant's tables from its repository: row, versions, devices without a row, runs, and checkpoints.

    Takes back what a writer has put into quarantine because the database did not know it, as long as nothing else was
    written since. Raises RebuildRefused, StoreDamaged, NoStore, StoreBusy; then nothing has changed.
    """
    return take_in(tenant, by=by, now=now, action="store.rebuilt")


def adopt(tenant: Tenant, *, by: str, now: datetime) -> Rebuilt:
    """Take in changes that another Netcairn, on a database of its own, has written onto the record.

    Only what goes on from the newest change that this database knows, number by number, and can be read as a whole.
    Raises RebuildRefused with the reason where it is not so, StoreDamaged, NoStore, StoreBusy.
    """
    return take_in(tenant, by=by, now=now, action="store.adopted", look=check_tail)


def take_in(
    tenant: Tenant,
    *,
    by: str,
    now: datetime,
    action: str,
    look: Callable[[TenantStore, Repository | None, Sequence[Change]], None] | None = None,
) -> Rebuilt:
    """Bring the tables to where the repository is, in one transaction; then the refs, under the lock once more."""
    with transaction.atomic(durable=True):
        lock_tenant(tenant.pk, wait=WAIT)
        store = open_store(tenant.pk)
        row = Repository.objects.filter(tenant=tenant).first()
        tip = newest(store, row.head if row else None)
        if tip is None:
            return Rebuilt(tenant.name)
        record = chronicle(store, tip, tenant.pk)
        if look is not None:
            look(store, row, record)
        take_over(tenant, row, record[-1])
        result = fill(tenant, store, record, now=now)
        elsewhere.swept(tenant.pk)
        if not result.nothing:
            audit.record(tenant, by=by, action=action, about=tenant.name, detail={"head": tip, **vars(result)})
    follow(tenant, store, tip)
    return result


def check_tail(store: TenantStore, row: Repository | None, record: Sequence[Change]) -> None:
    """Raise RebuildRefused unless what is new goes on number by number, StoreDamaged unless all of it can be read."""
    known = row.seq if row and row.head else 0
    tail = [change for change in record if change.seq > known]
    if not tail and (aside := store.refs(layout.QUARANTINE)):
        raise RebuildRefused(
            f"{min(aside)} in {store.path} does not go on from change {known}, which this database has: both have "
            "written changes of their own. What is in there can be looked at with git, and stays."
        )
    for expected, change in enumerate(tail, known + 1):
        if change.seq != expected:
            raise RebuildRefused(
                f"Commit {change.commit} in {store.path} says that it is change {change.seq}, and {expected} is due."
            )
    for one in touched(store, tail):
        for blob in filter(None, one.paths.values()):
            store.blob(blob)


def newest(store: TenantStore, head: str | None) -> str | None:
    """The commit to rebuild up to: main, or what was put aside and goes on from it. Raises RebuildRefused."""
    main = store.refs(layout.MAIN).get(layout.MAIN, head)
    if head is not None and not is_readable(store.git, head):
        raise RebuildRefused(f"{store.path} has not the commit {head} that the database names: bring it back first.")
    if main is None:
        return None
    if main != head and goes_on(store, head, main):
        return main
    if main != head and not (head and descends(store, main, head)):
        raise RebuildRefused(
            f"main in {store.path} does not go on from {head}, which the database names: `fsck --repair` puts it aside."
        )
    aside = [commit for commit in set(store.refs(layout.QUARANTINE).values()) if goes_on(store, head, commit)]
    ends = [one for one in aside if not any(one != other and goes_on(store, one, other) for other in aside)]
    if head is not None and len(ends) > 1:
        raise RebuildRefused(f"{len(ends)} lines of quarantine in {store.path} go on from {head}: delete all but one.")
    return ends[0] if ends and head is not None else main if head is None else head


def goes_on(store: TenantStore, head: str | None, commit: str) -> bool:
    """Whether an id is one of a commit, and this descends from the head."""
    return kind_of(store.git, commit) == "commit" and (head is None or descends(store, head, commit))


def fill(tenant: Tenant, store: TenantStore, record: Sequence[Change], *, now: datetime) -> Rebuilt:
    """Every row that the record tells of and that is not there; in the caller's transaction, with the lock."""
    names = Names()
    runs = make_runs(tenant, record)
    there = set(Snapshot.objects.filter(tenant=tenant).values_list("device_id", "seq"))
    versions, lost = 0, 0
    found = (one for one in states(touched(store, record), names) if (one.device_id, one.change.seq) not in there)
    platforms = dict(Device.objects.filter(tenant=tenant).values_list("pk", "platform"))
    while some := list(islice(found, ROWS)):
        rows = [row for row in rows_of(tenant, store, some, platforms) if row is not None]
        versions, lost = versions + len(rows), lost + len(some) - len(rows)
        Snapshot.objects.bulk_create(rows)
    devices = recreate_devices(tenant, names, now=now)
    make_epochs(tenant, record)
    checkpoints = sum(hook(tenant, store, record) for hook in higher())
    if versions and not lost:
        recount(tenant.pk)
    return Rebuilt(tenant.name, versions, devices, runs, checkpoints, lost)


def higher() -> Iterator[Callable[[Tenant, TenantStore, Sequence[Change]], int]]:
    """What the higher apps have to fill."""
    return (import_string(name) for name in settings.NETCAIRN_REBUILDS)


def states(history: Iterable[Touched], names: Names) -> Iterator[Missing]:
    """Every version that the record holds: a device's whole set of files after each change that touched them."""
    files: dict[UUID, dict[str, str]] = {}
    for one in history:
        changed: set[UUID] = set()
        for path, blob in one.paths.items():
            if place := layout.parse_device_file(path):
                device_id, name = place
                changed.add(device_id)
                if blob is None:
                    files.get(device_id, {}).pop(name, None)
                else:
                    files.setdefault(device_id, {})[name] = blob
            elif blob is not None:
                names.link(path, blob)
        names.devices |= changed
        if one.change.epoch is not None or not one.change.versions:
            continue
        yield from (Missing(one.change, pk, dict(files[pk])) for pk in sorted(changed) if files.get(pk))


def rows_of(
    tenant: Tenant, store: TenantStore, missing: Sequence[Missing], platforms: dict[UUID, str]
) -> Iterator[Snapshot | None]:
    """The rows of some versions; None for one whose files are not all there."""
    sizes = sizes_of(store, {blob for one in missing for blob in one.files.values()})
    changes = list({one.change.commit: one.change for one in missing}.values())
    lines = lines_of(store, changes)
    runs = set(
        Run.objects.filter(tenant=tenant, pk__in={one.change.run for one in missing}).values_list("pk", flat=True)
    )
    for one in missing:
        if not sizes.keys() >= set(one.files.values()):
            yield None
            continue
        added, removed = lines[one.change.commit].get(one.device_id, (0, 0))
        yield Snapshot(
            # The same id each time, so that a link to a version outlives a second loss.
            id=uuid5(one.device_id, one.change.commit),
            tenant=tenant,
            device_id=one.device_id,
            run_id=one.change.run if one.change.run in runs else None,
            seq=one.change.seq,
            taken_at=one.change.when,
            commit=one.change.commit,
            files={name: {"blob": blob, "size": sizes[blob]} for name, blob in sorted(one.files.items())},
            digest=digest_of(store, platforms.get(one.device_id, ""), one.files),
            size=sum(sizes[blob] for blob in one.files.values()),
            lines_added=added,
            lines_removed=removed,
            author=one.change.author[:150],
        )


def digest_of(store: TenantStore, slug: str, files: dict[str, str]) -> str:
    """What `capture` would say of this content; empty where the platform is not known, or a file cannot be read.

    An empty one costs nothing but that the next capture is compared byte by byte.
    """
    platform = sheet(slug)
    if platform is None:
        return ""
    try:
        return stable_digest(platform, {name: store.blob(blob) for name, blob in files.items()})
    except StoreDamaged:
        return ""


def make_epochs(tenant: Tenant, record: Sequence[Change]) -> None:
    """Rows of the epochs that have ended; one that was swept is known by what the next one continues."""
    known = set(Epoch.objects.filter(tenant=tenant).values_list("number", flat=True))
    first = record[0]
    for change, before in zip(record, [record[0], *record], strict=False):
        if change.epoch is None or change.continues is None:
            continue
        swept = change.before is None
        if change.epoch - 1 not in known:
            Epoch.objects.create(
                tenant=tenant,
                number=change.epoch - 1,
                first_seq=1 if swept else first.seq,
                last_seq=change.seq - 1 if swept else before.seq,
                tip=change.continues,
                began_at=first.when,
                ended_at=change.when,
                swept_at=change.when if swept else None,
            )
        first = change


def make_runs(tenant: Tenant, record: Sequence[Change]) -> int:
    """Rows of runs that commits name and the database does not: who asked, and from when to when something was kept."""
    told: dict[UUID, list[Change]] = {}
    for change in record:
        if change.run:
            told.setdefault(change.run, []).append(change)
    known = set(Run.objects.filter(pk__in=told).values_list("pk", flat=True))
    rows = [run_row(tenant, pk, changes) for pk, changes in told.items() if pk not in known]
    return len(Run.objects.bulk_create(rows))


def run_row(tenant: Tenant, pk: UUID, changes: Sequence[Change]) -> Run:
    """A run as far as its commits tell."""
    first, last = changes[0], changes[-1]
    by_schedule = first.author.startswith("schedule ")
    return Run(
        id=pk,
        tenant=tenant,
        state=Run.State.DONE,
        trigger=Run.Trigger.SCHEDULE if by_schedule else Run.Trigger.HAND,
        requested_by=first.author[:150],
        requested_at=first.when,
        started_at=first.when,
        ended_at=last.when,
        commit=last.commit,
    )


def take_over(tenant: Tenant, row: Repository | None, last: Change) -> None:
    """Let the row name the newest change; where it does already, nothing is written."""
    if row is not None and row.head == last.commit:
        return
    fence = max(row.fence if row else 0, last.seq) + 1
    Repository.objects.update_or_create(tenant=tenant, defaults={"head": last.commit, "seq": last.seq, "fence": fence})


def follow(tenant: Tenant, store: TenantStore, tip: str) -> None:
    """Let the refs follow the row, under the lock once more; what came back from quarantine has its place in main."""
    with transaction.atomic():
        lock_tenant(tenant.pk, wait=WAIT)
        with closing(Lookup(store.git)) as lookup:
            head = Repository.objects.values_list("head", flat=True).get(tenant=tenant)
            reconcile(store, head, tenant.pk, lookup)
        kept = layout.quarantine_ref(tip)
        if kept in store.refs(layout.QUARANTINE):
            move_refs(store.git, [RefMove(kept, None, tip)])


def recover_tenants() -> list[Tenant]:
    """Rows for tenants of whom only the repository is left: its directory has their id, and nothing their name."""
    known = {str(pk) for pk in Tenant.objects.values_list("pk", flat=True)}
    root = store_path(UUID(int=0)).parent
    ids = [found.stem for found in sorted(root.glob("*-*.git")) if found.stem not in known and is_repository(found)]
    return [Tenant.objects.create(id=UUID(one), name=f"recovered-{one[:8]}") for one in ids if run_of(one)]
