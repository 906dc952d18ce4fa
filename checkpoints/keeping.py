"""Applying a tenant's retention policy: plan, mark, undo. What is marked goes with `gc`, at least a day later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from backups.commit import writing
from backups.epochs import begin_of_current
from backups.errors import NoStore
from backups.locks import lock_tenant
from backups.models import Epoch, Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from checkpoints import garbage
from checkpoints.errors import OnHold, UnknownVersion
from checkpoints.gc import AT_ONCE, GRACE, TURN, WAIT
from checkpoints.gc_plan import plan_gc
from checkpoints.lineage import lineage_of, mark_deleted, undelete_checkpoint
from checkpoints.models import Checkpoint, Restore
from checkpoints.retention import Era, Judgement, Moment, Policy, drops_many, judge, needs_cut
from checkpoints.retention_models import NOBODY, RetentionPolicy, policy_of
from inventory import audit
from inventory.models import Tenant


@dataclass(frozen=True)
class RetentionPlan:
    """What a policy keeps and lets go of a tenant, and what that would free."""

    tenant: Tenant
    policy: Policy
    judgement: Judgement
    checkpoints: dict[UUID, Checkpoint]
    epochs: dict[int, Epoch]
    cuts: bool  # the current epoch ends when the policy is applied
    objects_going: int = 0  # of what is there, by git; what will be freed is measured when it goes
    bytes_going: int = 0

    @property
    def expired(self) -> list[Checkpoint]:
        """The checkpoints that nothing keeps."""
        return [self.checkpoints[pk] for pk in self.judgement.dropped]

    @property
    def expired_epochs(self) -> list[Epoch]:
        """The epochs that nothing keeps."""
        return [self.epochs[number] for number in self.judgement.dropped_eras]

    @property
    def fingerprint(self) -> str:
        """Differs when the policy differs, or anything else would go."""
        told = [repr(self.policy), sorted(map(str, self.judgement.dropped)), sorted(self.judgement.dropped_eras)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass
class Applied:
    """What came of it."""

    tenant: Tenant
    marked: list[Checkpoint] = field(default_factory=list)
    unmarked: list[Checkpoint] = field(default_factory=list)  # a rule keeps them again
    epochs_marked: list[int] = field(default_factory=list)
    epochs_unmarked: list[int] = field(default_factory=list)
    began: int | None = None  # the epoch that has begun


def plan_retention(tenant: Tenant, *, policy: Policy | None = None, now: datetime) -> RetentionPlan:
    """What a policy (the tenant's own, or one that is thought about) keeps, by which rule, and what nothing keeps.

    Nothing is written, and no content is read. What a person has deleted is not looked at: it goes anyway.
    """
    policy = policy or policy_of(tenant.pk)
    rows = Checkpoint.objects.filter(tenant=tenant).filter(Q(deleted_at=None) | Q(deleted_by=NOBODY))
    checkpoints = {row.pk: row for row in rows.prefetch_related("refs")}
    epochs = {epoch.number: epoch for epoch in Epoch.objects.there().filter(tenant=tenant)}
    try:
        store = open_store(tenant.pk)
    except NoStore:
        return RetentionPlan(tenant, policy, judge(policy, [], [], now=now), checkpoints, epochs, cuts=False)
    moments = list(moments_of(tenant, checkpoints.values()))
    judgement = judge(policy, moments, eras_of(tenant, store, epochs.values()), now=now)
    _, first_seq, began = begin_of_current(tenant.pk)
    row = Repository.objects.get(pk=tenant.pk)
    cuts = row.head is not None and row.seq > first_seq
    cuts = cuts and needs_cut(policy, moments, began=began or first_kept(tenant, now), first_seq=first_seq, now=now)
    return weighed(RetentionPlan(tenant, policy, judgement, checkpoints, epochs, cuts), store, now)


def first_kept(tenant: Tenant, now: datetime) -> datetime:
    """When the record began."""
    first = Snapshot.objects.filter(tenant=tenant).order_by("taken_at").values_list("taken_at", flat=True).first()
    return first or now


def moments_of(tenant: Tenant, checkpoints: Iterable[Checkpoint]) -> Iterator[Moment]:
    """Checkpoints as the rules look at them; with their refs fetched."""
    unended = Restore.objects.filter(tenant=tenant, state__in=[*Restore.WAITING, *Restore.WORKING])
    used = set(unended.exclude(checkpoint=None).values_list("checkpoint", flat=True))
    for row in checkpoints:
        yield Moment(
            row.pk,
            row.seq,
            row.created_at,
            whole=row.whole,
            tags=tuple(row.tags),
            refs=tuple(ref.name for ref in row.refs.all()),
            protected=row.protected,
            in_use="a restore" if row.pk in used else "",
        )


def eras_of(tenant: Tenant, store: TenantStore, epochs: Iterable[Epoch]) -> Iterator[Era]:
    """Epochs as the rules look at them, the current one among them."""
    number, first, _ = begin_of_current(tenant.pk)
    last = Repository.objects.values_list("seq", flat=True).get(pk=tenant.pk)
    good, used = only_old_good(tenant, store), seqs_in_use(tenant)
    for epoch in epochs:
        span = range(epoch.first_seq, epoch.last_seq + 1)
        yield Era(
            epoch.number,
            epoch.first_seq,
            epoch.last_seq,
            epoch.ended_at,
            last_good=any(seq in span for seq in good),
            protected=epoch.protected,
            in_use="a restore" if any(seq in span for seq in used) else "",
        )
    yield Era(number, first, last, None)


def only_old_good(tenant: Tenant, store: TenantStore) -> set[int]:
    """Where in the record the last good versions of devices are that the record of today does not hold any more."""
    head = Repository.objects.values_list("head", flat=True).get(pk=tenant.pk)
    there = {entry.id for entry in store.tree(head, layout.DEVICES).values()} if head else set()
    newest = Snapshot.objects.filter(tenant=tenant).readable().latest_by_device().values_list("seq", "files")
    return {seq for seq, files in newest if any(file["blob"] not in there for file in files.values())}


def seqs_in_use(tenant: Tenant) -> set[int]:
    """Where in the record the versions are that a restore under way needs."""
    unended = Restore.objects.filter(tenant=tenant, state__in=[*Restore.WAITING, *Restore.WORKING])
    return set(unended.exclude(version=None).values_list("version__seq", flat=True))


def weighed(plan: RetentionPlan, store: TenantStore, now: datetime) -> RetentionPlan:
    """The plan with what it would free: what nothing would need any more, in the bytes it takes now."""
    dropped, eras = set(plan.judgement.dropped), set(plan.judgement.dropped_eras)
    if not dropped and not eras:
        return plan
    head = Repository.objects.values_list("head", flat=True).get(pk=plan.tenant.pk)
    rows = [row for row in Checkpoint.objects.filter(tenant=plan.tenant) if row.pk not in dropped]
    epochs = [epoch for epoch in plan.epochs.values() if epoch.number not in eras]
    own = {layout.epoch_ref(number) for number in eras}
    refs = {ref: commit for ref, commit in store.refs().items() if ref not in own}
    # Held: what a person has deleted is there until its own time has come.
    kept = plan_gc(rows, refs, head, now=now, grace=GRACE, epochs=epochs, held=True)
    needed, _ = garbage.reachable(store.git, kept.tips)
    going = [size for name, size in garbage.all_objects(store.git).items() if name not in needed]
    return replace(plan, objects_going=len(going), bytes_going=sum(going))


def apply_retention(tenant: Tenant, *, by: str, now: datetime) -> Applied:
    """Mark what no rule keeps, take the marks off what a rule keeps again, and end the epoch where it is time.

    Nothing is deleted. Marks go in short turns under the lock, each checkpoint looked at again; the next application
    goes on where one was cut short. Raises StoreBusy, StoreDamaged, GitFailed.
    """
    done = Applied(tenant)
    plan = plan_retention(tenant, now=now)
    if plan.cuts:
        with writing(tenant.pk, wait=WAIT) as batch:
            done.began = batch.cut(author=by, when=now).number + 1
        plan = plan_retention(tenant, now=now)
    mark_checkpoints(plan, done, now=now)
    mark_epochs(plan, done, now=now)
    RetentionPolicy.objects.filter(tenant=tenant).update(applied_at=now)
    if any((done.marked, done.unmarked, done.epochs_marked, done.epochs_unmarked, done.began)):
        audit.record(tenant, by=by, action="retention.applied", about=str(tenant), detail=counts(done))
    return done


def counts(done: Applied) -> dict[str, object]:
    """The application in numbers."""
    return {
        "marked": len(done.marked),
        "unmarked": len(done.unmarked),
        "epochs_marked": done.epochs_marked,
        "epochs_unmarked": done.epochs_unmarked,
        "epoch_begun": done.began,
    }


def mark_checkpoints(plan: RetentionPlan, done: Applied, *, now: datetime) -> None:
    """Marks, in turns that are short for those who wait."""
    dropped = set(plan.judgement.dropped)
    again = [row for row in plan.checkpoints.values() if row.deleted_at and row.pk not in dropped]
    for row in again:
        done.unmarked.append(undelete_checkpoint(row, by=NOBODY, now=now))
    left = [row for row in plan.expired if row.deleted_at is None]
    while left:
        with lineage_of(plan.tenant.pk, wait=WAIT):
            ends = monotonic() + TURN
            while left and monotonic() < ends:
                some = [row.pk for row in left[-AT_ONCE:]]
                del left[-AT_ONCE:]
                if policy_of(plan.tenant.pk) != plan.policy:
                    return
                # Somebody may have deleted, named or protected one since it was judged.
                rows = Checkpoint.objects.select_for_update(of=["self"]).filter(pk__in=some, protected=False, refs=None)
                unchanged = list(rows.kept().order_by("seq"))
                mark_deleted(unchanged, by=NOBODY, now=now)
                done.marked += unchanged


def mark_epochs(plan: RetentionPlan, done: Applied, *, now: datetime) -> None:
    """The same for epochs, in one turn."""
    dropped = set(plan.judgement.dropped_eras)
    with transaction.atomic():
        lock_tenant(plan.tenant.pk, wait=WAIT)
        if policy_of(plan.tenant.pk) != plan.policy:
            return
        rows = Epoch.objects.there().filter(tenant=plan.tenant)
        for epoch in rows:
            if epoch.number in dropped and not epoch.marked_at and not epoch.protected:
                rows.filter(pk=epoch.pk).update(marked_at=now, marked_by=NOBODY)
                done.epochs_marked.append(epoch.number)
            elif epoch.marked_at and epoch.number in plan.epochs and epoch.number not in dropped:
                rows.filter(pk=epoch.pk).update(marked_at=None, marked_by="")
                done.epochs_unmarked.append(epoch.number)


def undelete_epoch(tenant: Tenant, number: int, *, by: str) -> Epoch:
    """Take the mark off an epoch and protect it from retention from now on. Raises UnknownVersion where it is gone."""
    with transaction.atomic():
        lock_tenant(tenant.pk, wait=WAIT)
        epoch = Epoch.objects.there().filter(tenant=tenant, number=number).first()
        if epoch is None:
            raise UnknownVersion(f"{tenant} has no epoch {number} any more; `retention plan` shows those that it has.")
        epoch.marked_at, epoch.marked_by, epoch.protected = None, "", True
        epoch.save(update_fields=["marked_at", "marked_by", "protected"])
        audit.record(tenant, by=by, action="epoch.undeleted", about=str(epoch))
    return epoch


def protect_checkpoint(checkpoint: Checkpoint, *, on: bool, by: str) -> None:
    """Let no rule of retention delete a checkpoint, or let the rules decide again."""
    with transaction.atomic():
        Checkpoint.objects.filter(pk=checkpoint.pk).update(protected=on)
        action = "checkpoint.protected" if on else "checkpoint.unprotected"
        audit.record(checkpoint.tenant, by=by, action=action, about=f"{checkpoint.short_id} {checkpoint}")
    checkpoint.protected = on


def is_drastic(tenant: Tenant, policy: Policy, plan: RetentionPlan, *, now: datetime) -> bool:
    """Whether a new policy drops more than a fifth of what the old one keeps, so that one must ask again."""
    moments = [verdict.of for verdict in plan.judgement.moments]
    eras = [verdict.of for verdict in plan.judgement.eras]
    return drops_many(judge(policy_of(tenant.pk), moments, eras, now=now), judge(policy, moments, eras, now=now))


def set_policy(tenant: Tenant, row: RetentionPolicy, *, by: str) -> RetentionPolicy:
    """Let a tenant have this policy from now on; only its row, until it is applied. Raises ValidationError, OnHold."""
    before = RetentionPolicy.objects.filter(tenant=tenant).first()
    row.tenant = tenant
    if before:
        row.pk = before.pk
    row.full_clean()
    with transaction.atomic():
        row.save(force_insert=before is None, force_update=before is not None)
        detail = {"before": told(before.policy()) if before else None, "after": told(row.policy())}
        audit.record(tenant, by=by, action="retention.policy_set", about=str(tenant), detail=detail)
    return row


def told(policy: Policy) -> dict[str, object]:
    """A policy as JSON; only what is set."""
    fields = {
        "everything": policy.everything,
        "last": policy.last,
        "within_days": policy.within.days,
        **{name: getattr(policy, name) for name in ("hourly", "daily", "weekly", "monthly", "yearly")},
        "tags": sorted(policy.tags),
        "hold": policy.hold,
    }
    return {**{name: value for name, value in fields.items() if value}, "zone": policy.zone}


def refuse_on_hold(tenant: Tenant) -> None:
    """Raise OnHold where nothing of the tenant may go."""
    if hold := policy_of(tenant.pk).hold:
        raise OnHold(f"Nothing of {tenant} may be removed: it is under a legal hold ({hold}).")
