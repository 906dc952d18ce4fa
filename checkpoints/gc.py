"""Collecting garbage: what expired checkpoints and swept epochs alone needed is removed, and nothing where something
kept cannot be read.

Plan, look, execute. The plan is pure. Looking packs all that is kept beside the repository and reads it there, without
the lock, because it takes long. Executing takes the tenant's lock in short turns: rows go first, in transactions of
their own, and only when those are committed the refs and the objects, so that a crash in between leaves too much and
never too little. The old packs go last, in one turn (`sweeping.py`): a second small pack brings what was written since
the look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from uuid import UUID

from django.db import transaction

from backups import quota
from backups.errors import GitFailed
from backups.locks import lock_tenant
from backups.models import Epoch, Repository, Snapshot
from backups.store.housekeeping import half_removed, index_commits
from backups.store.reader import TenantStore, open_store
from backups.store.rereading import absent
from backups.store.workshop import remove_abandoned
from checkpoints import garbage
from checkpoints.errors import CollectionRefused
from checkpoints.events import failure_told
from checkpoints.garbage import Workshop
from checkpoints.gc_plan import A_DAY, GcPlan, missing_commits, plan_gc
from checkpoints.lineage import forget
from checkpoints.models import Checkpoint
from checkpoints.purge_refs import finish, follow_refs
from checkpoints.retention_models import policy_of
from checkpoints.sweeping import WAIT, sweep
from inventory.models import Tenant
from inventory.notices import Level, settle, tell

GRACE = A_DAY
TURN = 0.05  # seconds that rows are marked or forgotten under the lock at a time, so that no commit waits for long
LOOKS = 3  # packs go away under a look now and then, because a writer repacks; what is missing three times is missing
AT_ONCE = 20  # of these rows; the clock is looked at in between
ROWS = 2000
NAMED = 10  # missing things that an answer names
REFUSED, FAILED = "collection.refused", "collection.failed"  # the codes of the alarms

log = logging.getLogger(__name__)

Told = Callable[[str], None]


@dataclass(frozen=True)
class Collected:
    """What a collection came to."""

    tenant: Tenant
    objects_removed: int = 0
    bytes_freed: int = 0  # measured on the disk; in a dry run what git says the objects take
    kept: int = 0  # objects
    checkpoints_removed: int = 0
    refs_removed: int = 0
    epochs_removed: int = 0
    versions_pruned: int = 0
    refused: tuple[str, ...] = ()  # why nothing was deleted, a sentence each
    dry_run: bool = False


def nobody(_step: str) -> None:
    """Nobody wants to hear how far it is."""


def collect_garbage(
    tenant: Tenant, *, now: datetime, grace: timedelta = GRACE, dry_run: bool = False, told: Told = nobody
) -> Collected:
    """Remove what was deleted or marked before the grace, and every object that nothing kept needs.

    Refused as a whole where something kept is missing or damaged: the answer says what, and an alarm is raised. `told`
    hears of each step; what it raises ends the collection there, and nothing is half done. Raises StoreBusy.
    """
    if not Repository.objects.filter(tenant=tenant, head__isnull=False).exists():
        return Collected(tenant, dry_run=dry_run)
    collection = Collection(tenant, open_store(tenant.pk), now, grace, told)
    try:
        if dry_run:
            return collection.foresee()
        with failure_told(tenant, FAILED, "Garbage could not be collected"):
            result = collection.execute()
    except CollectionRefused as refusal:
        if not dry_run:
            text = f"Nothing was deleted: {' '.join(refusal.reasons)}"
            tell(tenant, code=REFUSED, about=str(tenant), text=text, level=Level.ALARM)
        return Collected(tenant, refused=refusal.reasons, dry_run=dry_run)
    if not result.refused:
        finish(tenant, now=now)
        settle(tenant, code=REFUSED, about=str(tenant))
        tell_what_went(result)
    return result


def tell_what_went(done: Collected) -> None:
    """A notice where something went."""
    if done.objects_removed or done.checkpoints_removed or done.epochs_removed:
        text = (
            f"{done.checkpoints_removed} checkpoints, {done.epochs_removed} epochs and {done.objects_removed} objects "
            f"were removed for good; {done.bytes_freed:,} bytes are free again."
        )
        tell(done.tenant, code="collection.done", about=str(done.tenant), text=text)


class Collection:
    """One collection of one tenant's garbage."""

    def __init__(
        self, tenant: Tenant, store: TenantStore, now: datetime, grace: timedelta, told: Told = nobody
    ) -> None:
        self.tenant = tenant
        self.store = store
        self.git = store.git
        self.now = now
        self.grace = grace
        self.told = told

    def foresee(self) -> Collected:
        """What `execute` would do. Nothing is written, and content is not read. Raises CollectionRefused."""
        last = self.last_change()
        plan = self.plan()
        self.refuse_absent(plan)
        needed, missing = garbage.reachable(self.git, plan.tips)
        there = garbage.all_objects(self.git)
        lost, pruned = self.fate_of_versions(plan, last, lambda blobs: blobs - needed)
        self.refuse_lost({*missing, *lost})
        going = there.keys() - needed
        return Collected(
            self.tenant,
            objects_removed=len(going),
            bytes_freed=sum(there[one] for one in going),
            kept=len(there) - len(going),
            checkpoints_removed=len(plan.expired),
            refs_removed=len(plan.stray) + len(plan.expired) + len(plan.expired_epochs),
            epochs_removed=len(plan.expired_epochs),
            versions_pruned=len(pruned),
            dry_run=True,
        )

    def execute(self) -> Collected:
        """Look, forget the rows, sweep. Raises CollectionRefused before anything is deleted."""
        follow_refs(self.tenant)
        remove_abandoned(self.git.path)
        plan = self.plan()
        if plan.idle and not self.has_garbage(plan):
            self.read_all(plan)
            quota.recount_beside(self.tenant.pk)
            return Collected(self.tenant, kept=garbage.object_count(self.git))
        with Workshop.beside(self.git) as workshop:
            plan, pruned = self.look(workshop)
            return self.execute_looked(plan, pruned, workshop)

    def execute_looked(self, plan: GcPlan, pruned: set[UUID], workshop: Workshop) -> Collected:
        """The second half, for what was looked at."""
        self.told("forgetting")
        epochs = self.forget_epochs(plan)
        forgotten = self.forget_checkpoints(plan)
        self.mark_pruned(pruned)
        result = Collected(
            self.tenant, checkpoints_removed=forgotten, epochs_removed=epochs, versions_pruned=len(pruned)
        )
        self.told("sweeping")
        swept = sweep(self.tenant, self.store, plan, workshop, plan=self.plan)
        return replace(
            result,
            objects_removed=swept.objects_removed,
            bytes_freed=swept.bytes_freed,
            kept=swept.kept,
            refs_removed=swept.refs_removed,
            refused=swept.cut_short,
        )

    def plan(self) -> GcPlan:
        """The plan as things are. The refs are read before the rows: one that is made later is not taken for stray."""
        refs = self.store.refs()
        head = Repository.objects.values_list("head", flat=True).get(tenant=self.tenant)
        return plan_gc(
            Checkpoint.objects.filter(tenant=self.tenant),
            refs,
            head,
            now=self.now,
            grace=self.grace,
            epochs=Epoch.objects.filter(tenant=self.tenant),
            held=bool(policy_of(self.tenant.pk).hold),
        )

    def has_garbage(self, plan: GcPlan) -> bool:
        """Whether there are objects that nothing kept needs. What is missing is for the look to tell."""
        self.told("looking for garbage")
        if half_removed(self.store.path) or absent(self.git, plan.tips):
            return True
        try:
            needed, missing = garbage.reachable(self.git, plan.tips)
        except GitFailed:
            return True  # a writer took a pack away, or it is damage: the look finds out
        return bool(missing or garbage.object_count(self.git) > len(needed))

    def read_all(self, plan: GcPlan) -> None:
        """Read everything, where nothing goes: damage is found here even if nothing is deleted."""
        self.told("reading")
        if garbage.examine(self.git, plan.tips).damaged:
            self.explain(plan)

    def look(self, workshop: Workshop) -> tuple[GcPlan, set[UUID]]:
        """Pack and read all that is kept, beside whoever writes; with the versions whose content goes.

        Raises CollectionRefused. A writer that repacks takes packs away from under our feet, so a failure counts only
        if it comes again.
        """
        for _ in range(LOOKS - 1):
            try:
                return self.look_once(workshop)
            except (GitFailed, CollectionRefused) as failure:
                if isinstance(failure, GitFailed) and type(failure) is not GitFailed:
                    raise  # a full disk, or a git that takes too long: no damage
                log.info("Looking again: %s", failure)
        try:
            return self.look_once(workshop)
        except GitFailed as failure:
            if type(failure) is not GitFailed:
                raise
            self.explain(self.plan())
            raise CollectionRefused([f"{failure} Run `fsck --full --tenant {self.tenant}`."]) from failure

    def look_once(self, workshop: Workshop) -> tuple[GcPlan, set[UUID]]:
        """One look. Raises CollectionRefused, GitFailed."""
        workshop.clear()
        last = self.last_change()
        plan = self.plan()
        self.refuse_absent(plan)
        self.told("packing what is kept")
        workshop.pack(plan.tips)
        self.told("reading what is kept")
        workshop.prove(plan.tips)
        index_commits(workshop.git)
        lost, pruned = self.fate_of_versions(plan, last, workshop.absent)
        self.refuse_lost(lost)
        return plan, pruned

    def last_change(self) -> int:
        """The number of the newest batch; asked before the plan is made, so that what comes later is no part of it."""
        seq: int = Repository.objects.values_list("seq", flat=True).get(tenant=self.tenant)
        return seq

    def fate_of_versions(
        self, plan: GcPlan, last: int, absent: Callable[[set[str]], set[str]]
    ) -> tuple[set[str], set[UUID]]:
        """What versions must have and have not, and the versions whose content goes with their epoch.

        Only versions up to batch `last`: what writers brought since the plan was not packed, and is not lost.

        A version of an epoch that is kept must be there; of another one it may be, because a checkpoint or the record
        of today has the same content. The last good version of a device must, wherever it is from.
        """
        gone = {epoch.number for epoch in plan.expired_epochs}
        spans = [
            (epoch.first_seq, epoch.last_seq)
            for epoch in Epoch.objects.filter(tenant=self.tenant)
            if epoch.swept_at or epoch.number in gone
        ]
        rows = Snapshot.objects.filter(tenant=self.tenant, seq__lte=last).readable()
        newest = set(rows.latest_by_device().values_list("pk", flat=True))
        must: set[str] = set()
        may: dict[UUID, set[str]] = {}
        for pk, seq, files in rows.values_list("pk", "seq", "files").iterator(chunk_size=ROWS):
            blobs = {file["blob"] for file in files.values()}
            if pk in newest or not any(first <= seq <= last for first, last in spans):
                must |= blobs
            else:
                may[pk] = blobs
        missing = absent(must.union(*may.values()))
        return must & missing, {pk for pk, blobs in may.items() if blobs & missing}

    def refuse_absent(self, plan: GcPlan) -> None:
        """Raise CollectionRefused where a commit that must be there is not."""
        if gone := absent(self.git, plan.tips):
            raise CollectionRefused(missing_commits(plan, gone))

    def refuse_lost(self, lost: set[str]) -> None:
        """Raise CollectionRefused where something is lost."""
        if lost:
            raise CollectionRefused(self.missing_files(lost))

    def explain(self, plan: GcPlan) -> None:
        """Find out what is wrong, slowly. Raises CollectionRefused where something is."""
        self.refuse_absent(plan)
        examined = garbage.examine(self.git, plan.tips)
        self.refuse_lost(set(examined.missing))
        if examined.damaged:
            raise CollectionRefused(
                [f"Something of {self.tenant} is damaged; run `fsck --full --tenant {self.tenant}`."]
            )

    def missing_files(self, lost: set[str]) -> Iterator[str]:
        """A sentence for each lost object, by the newest version that needs it where one does."""
        named: dict[str, str] = {}
        for version in Snapshot.objects.filter(tenant=self.tenant).select_related("device").order_by("seq").iterator():
            for name, file in version.files.items():
                if file["blob"] in lost:
                    named[file["blob"]] = f"{name} of {version.device.name} of {version}"
        for one in sorted(lost)[:NAMED]:
            yield f"{named.get(one, 'An object of the record')} is missing ({one}); run `fsck --tenant {self.tenant}`."
        if len(lost) > NAMED:
            yield f"{len(lost) - NAMED} more objects are missing."

    def forget_epochs(self, plan: GcPlan) -> int:
        """Let the rows of expired epochs say that they are swept; how many. One that was unmarked meanwhile stays."""
        with transaction.atomic():
            lock_tenant(self.tenant.pk, wait=WAIT)
            there = Epoch.objects.there()
            as_looked_at = [there.filter(pk=one.pk, marked_at=one.marked_at) for one in plan.expired_epochs]
            return sum(rows.update(swept_at=self.now) for rows in as_looked_at)

    def forget_checkpoints(self, plan: GcPlan) -> int:
        """Delete the rows of expired checkpoints, in short turns; how many. Their refs are stray from now on.

        Only those that were looked at: the plan of a later moment may be another.
        """
        left, forgotten = list(plan.expired), 0
        while left:
            with transaction.atomic():
                lock_tenant(self.tenant.pk, wait=WAIT)
                ends = monotonic() + TURN
                while left and monotonic() < ends:
                    some = {row.pk: row.deleted_at for row in left[-AT_ONCE:]}
                    del left[-AT_ONCE:]
                    now = dict(Checkpoint.objects.filter(pk__in=some).values_list("pk", "deleted_at"))
                    forgotten += forget([pk for pk, deleted_at in some.items() if now.get(pk) == deleted_at])
            self.told("forgetting")
        return forgotten

    def mark_pruned(self, pruned: set[UUID]) -> None:
        """Let the rows of versions say that their content is gone, before it is.

        Not those of an epoch that somebody unmarked since the look.
        """
        ids = iter(pruned)
        while some := list(islice(ids, ROWS)):
            gone = Snapshot.objects.filter(pk__in=some).with_commit_gone().filter(commit_gone=True)
            gone.update(pruned_at=self.now)
