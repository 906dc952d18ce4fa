"""Collecting garbage: what expired checkpoints alone needed is removed, and nothing where something kept is missing.

Plan, look, execute. The plan is pure. Looking is reading all that is kept, without the lock, because it takes long.
Executing takes the tenant's lock twice: rows go in a transaction of their own, and only when that is committed the
refs and the objects, so that a crash in between leaves too much and never too little.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from backups.commit import writing
from backups.errors import GitFailed
from backups.locks import lock_tenant
from backups.models import Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from backups.store.writer import RefMove, move_refs
from checkpoints import garbage
from checkpoints.errors import CollectionRefused
from checkpoints.garbage import Examined
from checkpoints.lineage import forget
from checkpoints.models import Checkpoint
from inventory.models import Tenant

GRACE = timedelta(days=1)
WAIT = 30.0  # seconds for the tenant's lock
NAMED = 10  # missing things that an answer names

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GcPlan:
    """What is kept and what goes."""

    head: str | None
    kept: Mapping[UUID, Checkpoint]
    expired: tuple[Checkpoint, ...]  # deleted for longer than the grace
    stray: Mapping[str, str]  # refs of checkpoints without a row, with what they name
    astray: Mapping[str, str]  # refs of kept checkpoints that are not what the row says, with what it says
    foreign: frozenset[str]  # commits that other refs name: not ours to judge, so they are kept

    @property
    def tips(self) -> set[str]:
        """The commits that everything kept is reachable from."""
        pins = {checkpoint.pin for checkpoint in self.kept.values()}
        return pins | self.foreign | ({self.head} if self.head else set())


@dataclass(frozen=True)
class Collected:
    """What a collection came to."""

    tenant: Tenant
    objects_removed: int = 0
    bytes_freed: int = 0  # measured on the disk; in a dry run what git says the objects take
    kept: int = 0  # objects
    checkpoints_removed: int = 0
    refs_removed: int = 0
    refused: tuple[str, ...] = ()  # why nothing was deleted, a sentence each
    dry_run: bool = False


def plan_gc(
    checkpoints: Iterable[Checkpoint], refs: Mapping[str, str], head: str | None, *, now: datetime, grace: timedelta
) -> GcPlan:
    """What goes and what stays, from all checkpoints of a tenant and all refs of its repository. Pure.

    A ref of a checkpoint without a row is what a crash has left, or a collection that was cut short.
    """
    rows = {checkpoint.pk: checkpoint for checkpoint in checkpoints}
    expired = {pk: row for pk, row in rows.items() if row.deleted_at and row.deleted_at <= now - grace}
    kept = {pk: row for pk, row in rows.items() if pk not in expired}
    wanted = {layout.checkpoint_ref(pk): row.pin for pk, row in kept.items()}
    known = wanted.keys() | {layout.checkpoint_ref(pk) for pk in expired}
    ours = {ref: commit for ref, commit in refs.items() if ref.startswith(f"{layout.CHECKPOINTS}/")}
    return GcPlan(
        head=head,
        kept=kept,
        expired=tuple(expired.values()),
        stray={ref: commit for ref, commit in ours.items() if ref not in known},
        astray={ref: pin for ref, pin in wanted.items() if refs.get(ref) != pin},
        foreign=frozenset(commit for ref, commit in refs.items() if ref not in ours),
    )


def collect_garbage(tenant: Tenant, *, now: datetime, grace: timedelta = GRACE, dry_run: bool = False) -> Collected:
    """Remove checkpoints that were deleted before the grace, and every object that nothing kept needs.

    Refused as a whole where something kept is missing or damaged; the answer says what. Raises StoreBusy, GitFailed.
    """
    if not Repository.objects.filter(tenant=tenant, head__isnull=False).exists():
        return Collected(tenant, dry_run=dry_run)
    collection = Collection(tenant, open_store(tenant.pk), now, grace)
    try:
        return collection.foresee() if dry_run else collection.execute()
    except CollectionRefused as refusal:
        return Collected(tenant, refused=refusal.reasons, dry_run=dry_run)


class Collection:
    """One collection of one tenant's garbage."""

    def __init__(self, tenant: Tenant, store: TenantStore, now: datetime, grace: timedelta) -> None:
        self.tenant = tenant
        self.store = store
        self.git = store.git
        self.now = now
        self.grace = grace

    def foresee(self) -> Collected:
        """What `execute` would do. Nothing is written. Raises CollectionRefused."""
        plan = self.plan()
        unreachable = self.look_twice(plan).unreachable
        return Collected(
            self.tenant,
            objects_removed=len(unreachable),
            bytes_freed=garbage.stored_bytes(self.git, unreachable),
            kept=garbage.object_count(self.git) - len(unreachable),
            checkpoints_removed=len(plan.expired),
            refs_removed=len(plan.stray) + len(plan.expired),
            dry_run=True,
        )

    def execute(self) -> Collected:
        """Look, forget the rows, sweep. Raises CollectionRefused before anything is deleted."""
        self.look_twice(self.plan())
        forgotten, unreachable = self.forget_expired()
        result = Collected(self.tenant, kept=garbage.object_count(self.git), checkpoints_removed=forgotten)
        # An unreachable object is no reason to hurry, but a repack of everything needs one.
        return self.sweep(result) if unreachable or forgotten else result

    def plan(self) -> GcPlan:
        """The plan as things are. The refs are read before the rows: one that is made later is not taken for stray."""
        refs = self.store.refs()
        head = Repository.objects.values_list("head", flat=True).get(tenant=self.tenant)
        return plan_gc(Checkpoint.objects.filter(tenant=self.tenant), refs, head, now=self.now, grace=self.grace)

    def look_twice(self, plan: GcPlan) -> Examined:
        """Read all that is kept, beside whoever writes. Raises CollectionRefused.

        A writer that repacks meanwhile takes packs away from under our feet. So what is missing without the lock counts
        only if it is missing with it.
        """
        try:
            return self.look(plan, read_all=True)
        except CollectionRefused:
            with transaction.atomic():
                lock_tenant(self.tenant.pk, wait=WAIT)
                return self.look(self.plan(), read_all=True)

    def look(self, plan: GcPlan, *, read_all: bool) -> Examined:
        """Walk over all that is kept. Raises CollectionRefused where something of it is missing or damaged."""
        if gone := garbage.absent(self.git, plan.tips):
            raise CollectionRefused(missing_commits(plan, gone))
        examined = garbage.examine(self.git, plan.tips, read_all=read_all)
        blobs = self.blobs_of_versions()
        lost = {*examined.missing, *garbage.absent(self.git, blobs), *(blobs & examined.unreachable)}
        if lost:
            raise CollectionRefused(self.missing_files(lost))
        if examined.damaged:
            raise CollectionRefused(
                [f"Something of {self.tenant} is damaged; run `fsck --full --tenant {self.tenant}`."]
            )
        return examined

    def blobs_of_versions(self) -> set[str]:
        """The ids of every file of every version: the record has one epoch, so all of them are kept."""
        rows = Snapshot.objects.filter(tenant=self.tenant).values_list("files", flat=True)
        return {file["blob"] for files in rows.iterator(chunk_size=5000) for file in files.values()}

    def missing_files(self, lost: set[str]) -> Iterator[str]:
        """A sentence for each lost object, by the newest version that needs it where one does."""
        named: dict[str, str] = {}
        for version in Snapshot.objects.filter(tenant=self.tenant).select_related("device").order_by("seq").iterator():
            for name, file in version.files.items():
                if file["blob"] in lost:
                    named[file["blob"]] = f"{name} of {version.device.name} of {version} UTC"
        for one in sorted(lost)[:NAMED]:
            yield f"{named.get(one, 'An object of the record')} is missing ({one}); run `fsck --tenant {self.tenant}`."
        if len(lost) > NAMED:
            yield f"{len(lost) - NAMED} more objects are missing."

    def forget_expired(self) -> tuple[int, bool]:
        """Delete the rows of expired checkpoints; how many there were, and whether there is anything to sweep.

        A second look, under the lock, because time has passed; it need not read content once more.
        """
        with writing(self.tenant.pk, wait=WAIT):
            plan = self.plan()
            self.mend(plan)
            examined = self.look(plan, read_all=False)
            for checkpoint in plan.expired:
                forget(checkpoint)  # its ref is stray from now on
        return len(plan.expired), bool(examined.unreachable or plan.stray)

    def mend(self, plan: GcPlan) -> None:
        """Let the refs of kept checkpoints follow their rows, or the sweep would take what they need."""
        if missing := garbage.absent(self.git, plan.astray.values()):
            raise CollectionRefused(missing_commits(plan, missing))
        move_refs(self.git, [RefMove(ref, pin, None) for ref, pin in plan.astray.items()])

    def sweep(self, result: Collected) -> Collected:
        """Remove refs without rows, then what no ref needs, and measure what that came to."""
        cut_short: tuple[str, ...] = ()
        with transaction.atomic():
            lock_tenant(self.tenant.pk, wait=WAIT)
            plan = self.plan()
            self.mend(plan)
            objects, space = garbage.object_count(self.git), garbage.bytes_on_disk(self.store.path)
            try:
                move_refs(self.git, [RefMove(ref, None, commit) for ref, commit in plan.stray.items()])
                garbage.sweep(self.git)
            except GitFailed as failure:
                cut_short = (f"The collection was cut short, and the next one goes on: {failure}",)
            self.store.close()  # it may still read from packs that are gone
            left = garbage.object_count(self.git)
            freed = max(0, space - garbage.bytes_on_disk(self.store.path))
        log.info("Garbage of %s: %d objects and %d bytes removed, %d kept.", self.tenant, objects - left, freed, left)
        return replace(
            result,
            objects_removed=objects - left,
            bytes_freed=freed,
            kept=left,
            refs_removed=len(plan.stray),
            refused=cut_short,
        )


def missing_commits(plan: GcPlan, gone: set[str]) -> Iterator[str]:
    """A sentence for each commit that must be there and is not."""
    for checkpoint in plan.kept.values():
        if checkpoint.pin in gone:
            yield f"The content of checkpoint {checkpoint.short_id} ({checkpoint}) is missing; run `fsck`."
    if plan.head in gone:
        yield f"The newest commit of the record, {plan.head}, is missing; run `fsck`."
    for commit in sorted((gone & plan.foreign) - {plan.head or ""}):
        yield f"The commit {commit}, which a ref names, is missing; run `fsck`."
