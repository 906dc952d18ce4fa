"""Writing off what is lost for good, when somebody says so: all that is whole stays, and work goes on.

Versions whose content is gone keep their rows and say so. Where the record itself has lost something, it is written
anew from the rows, version by version, from the first epoch that is not whole; the part that went on until now ends,
and a new epoch begins with what is whole. A device whose newest version was lost is not in there, so that its next
backup is kept whatever it says.
"""

from __future__ import annotations

import logging
import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils.module_loading import import_string

from backups import elsewhere, quota
from backups.batch import Batch
from backups.epochs import Epoch, begin_of_current
from backups.errors import StoreError
from backups.fsck.losses import ROWS, present
from backups.locks import lock_tenant
from backups.models import Repository, Run, Snapshot, Verification
from backups.phases import Phases
from backups.retirement import gone, put
from backups.store import layout
from backups.store.creation import create
from backups.store.discarding import discard_damaged
from backups.store.reader import TenantStore, is_repository, open_store, store_path
from backups.store.replaying import State, is_complete, message_of, puts_of, removals_of, write_chain
from backups.store.stream import NewCommit, with_trailers
from backups.store.writer import RefMove, make_ref_durable, move_refs
from inventory import audit
from inventory.models import Device, Tenant
from inventory.notices import Level, tell

log = logging.getLogger(__name__)

ACCEPTED = "store.lost"  # the code of the alarm, which a person closes
WAIT = 30.0  # seconds for the tenant's lock
CHUNK = 500
NAMED = 20  # devices, checkpoints and refs that the alarm names
LISTED = 1000  # versions that the audit entry lists
AGAIN = "Kept again after a loss"
LOSSES = frozenset({
    "missing-object", "damaged-object", "damaged-pack", "repository-older", "missing-repository", "checkpoint-lost",
    "epoch-ref-missing",
})  # fmt: skip
"""The findings that say that something is lost."""


@dataclass
class Turn:
    """One acceptance: what was lost, and what follows once it is committed."""

    tenant: Tenant
    batch: Batch
    now: datetime
    lost: list[Snapshot] = field(default_factory=list)
    checkpoints: list[str] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    commits: dict[int, str] = field(default_factory=dict)  # number of a change -> its new commit
    moves: list[RefMove] = field(default_factory=list)

    @property
    def store(self) -> TenantStore:
        """The tenant's repository."""
        return self.batch.store

    def commit_at(self, seq: int) -> str | None:
        """The new commit that holds the record as it was at a change; None where that was not written anew."""
        seqs = list(self.commits)  # in order
        at = bisect_right(seqs, seq)
        return self.commits[seqs[at - 1]] if at else None

    def txn_ref(self) -> str:
        """A ref that keeps what is written until the transaction is committed."""
        ref = layout.txn_ref(self.batch.fence, self.batch.seq, secrets.token_hex(4))
        self.batch.txn_refs.append(ref)
        return ref

    def write_files(self, seq: int, message: str, trailers: dict[str, str], author: str, when: datetime) -> str:
        """A commit without parent that holds what is left of the record at a change."""
        state = state_at(self.tenant, seq)
        puts = puts_of(state, names_of(self.tenant))
        new = NewCommit(self.txn_ref(), None, with_trailers(message, trailers), author, when, puts)
        return write_chain(self.store.git, [new])[0]


def accept_loss(tenant: Tenant, *, by: str, now: datetime) -> int:
    """Write off what of a tenant's store is lost; how many versions. The whole store is read, under the tenant's lock.

    To be asked for after `--repair`, with a copy where there is one: what cannot be read is removed for good.
    Raises StoreBusy, GitFailed, StoreDamaged; then no row has changed.
    """
    elsewhere.refuse_cache(tenant.pk)
    with transaction.atomic(durable=True):
        lock_tenant(tenant.pk, wait=WAIT)
        row = Repository.objects.filter(tenant=tenant, head__isnull=False).first()
        if row is None:
            return 0
        turn = Turn(tenant, begin(tenant, row), now)
        try:
            write_off(turn, by)
            elsewhere.swept(tenant.pk)
        except BaseException:
            turn.batch.abandon()
            raise
        finally:
            turn.batch.lookup.close()
    follow(turn)
    return len(turn.lost)


def begin(tenant: Tenant, row: Repository) -> Batch:
    """The next fence, on the repository as it is: what a writer would put in order first is what is lost here."""
    if not is_repository(store_path(tenant.pk)):
        create(store_path(tenant.pk))
    Repository.objects.filter(pk=row.pk).update(fence=F("fence") + 1)
    row.refresh_from_db()
    return Batch(row, open_store(tenant.pk), Phases(tenant.pk), beyond_quota=True)


def write_off(turn: Turn, by: str) -> None:
    """Everything that is done in the transaction."""
    discard_damaged(turn.store)
    turn.lost = mark_lost(turn)
    write_record(turn, by)
    for name in settings.NETCAIRN_LOSSES:
        higher: Callable[[Turn], list[str]] = import_string(name)
        turn.checkpoints += higher(turn)
    drop_broken_refs(turn)
    Verification.objects.filter(tenant=turn.tenant).update(damaged=[])
    text = told(turn)
    tell(turn.tenant, code=ACCEPTED, about=f"store of {turn.tenant}", text=text, level=Level.ALARM)
    detail = {
        "versions": len(turn.lost),
        "lost": [str(one.pk) for one in turn.lost[:LISTED]],
        "checkpoints": turn.checkpoints[:LISTED],
        "refs": turn.refs[:LISTED],
    }
    audit.record(turn.tenant, by=by, action="store.loss_accepted", about=turn.tenant.name, detail=detail)


def mark_lost(turn: Turn) -> list[Snapshot]:
    """Let versions say that their content is lost; which. Without a digest the next capture is never "as last time"."""
    rows = Snapshot.objects.filter(tenant=turn.tenant).readable().select_related("device").order_by("seq")
    named = {file["blob"] for files in rows.values_list("files", flat=True).iterator(ROWS) for file in files.values()}
    absent = named - present(turn.store, named)
    every = rows.iterator(ROWS) if absent else iter(())
    lost = [row for row in every if any(file["blob"] in absent for file in row.files.values())]
    for start in range(0, len(lost), CHUNK):
        some = Snapshot.objects.filter(pk__in=[row.pk for row in lost[start : start + CHUNK]])
        some.update(pruned_at=turn.now, lost=True, digest="")
    return lost


def names_of(tenant: Tenant) -> dict[UUID, str]:
    """The names of the devices that are in service."""
    return dict(Device.objects.filter(tenant=tenant, retired_at=None).values_list("pk", "name"))


def files_of(row: Snapshot) -> dict[str, str]:
    """The files of a version that is there; none of one that is not."""
    return {} if row.pruned_at else {name: str(file["blob"]) for name, file in row.files.items()}


def state_at(tenant: Tenant, seq: int) -> State:
    """What every device had at a change, as far as it is left."""
    rows = Snapshot.objects.filter(tenant=tenant, seq__lte=seq).latest_by_device()
    return {row.device_id: files for row in rows if (files := files_of(row))}


def write_record(turn: Turn, by: str) -> None:
    """Write the record anew from the first epoch that is not whole, and end the one that goes on."""
    git, batch = turn.store.git, turn.batch
    epochs = list(Epoch.objects.there().filter(tenant=turn.tenant).order_by("number"))
    broken = next((at for at, one in enumerate(epochs) if not is_complete(git, one.tip)), len(epochs))
    head = str(batch.head)
    if broken == len(epochs) and is_complete(git, head):
        return
    before = epochs[broken - 1].tip if broken else None
    for epoch in epochs[broken:]:
        before = write_epoch(turn, epoch.number, epoch.first_seq, epoch.last_seq, before)
        Epoch.objects.filter(pk=epoch.pk).update(tip=before)
        turn.moves.append(RefMove(layout.epoch_ref(epoch.number), before, None))
    number, first, _ = begin_of_current(turn.tenant.pk)
    batch.advance(write_epoch(turn, number, first, batch.seq, before), batch.seq)
    rename_commits(turn)
    batch.cut(author=by, when=turn.now)
    there = state_at(turn.tenant, batch.seq)
    retired = list(Device.objects.filter(tenant=turn.tenant, pk__in=there).exclude(retired_at=None))
    for start in range(0, len(retired), CHUNK):
        put(batch, [gone(one) for one in retired[start : start + CHUNK]], "Retire devices again", by, turn.now)
    mark_main(turn)


def write_epoch(turn: Turn, number: int, first: int, last: int, before: str | None) -> str:
    """One epoch from its rows; its last commit."""
    names, ref = names_of(turn.tenant), turn.txn_ref()
    rows = Snapshot.objects.filter(tenant=turn.tenant, seq__gte=first, seq__lte=last).order_by("seq")
    seqs, commits = [], []
    opens = number > 1 or not rows.exists()
    if opens:
        said = {"Epoch": str(number), "Continues": before} if before else {}
        trailers = {**said, "Tenant": str(turn.tenant.pk), "Seq": str(first)}
        puts = puts_of(state_at(turn.tenant, first - 1), names)
        seqs.append(first)
        commits.append(
            NewCommit(ref, None, with_trailers(f"Begin epoch {number}", trailers), "Netcairn", turn.now, puts)
        )
    for seq, together in groupby(rows, key=lambda row: row.seq):
        seqs.append(seq)
        commits.append(commit_of(turn, ref, list(together), names))
    ids = write_chain(turn.store.git, commits)
    turn.commits |= dict(zip(seqs, ids, strict=True))
    return ids[-1]


def commit_of(turn: Turn, ref: str, rows: list[Snapshot], names: dict[UUID, str]) -> NewCommit:
    """The commit of some versions of one change: those that are lost are not in there."""
    first = rows[0]
    run = {"Run": str(first.run_id)} if first.run_id else {}
    message = with_trailers(
        message_of(turn.store, first.commit, AGAIN), {**run, "Tenant": str(turn.tenant.pk), "Seq": str(first.seq)}
    )
    devices = [row.device_id for row in rows]
    puts = puts_of({row.device_id: files_of(row) for row in rows}, names)
    when = max(row.taken_at for row in rows)
    return NewCommit(ref, None, message, first.author, when, puts, removals_of(devices, names))


def rename_commits(turn: Turn) -> None:
    """Let versions and runs name the new commits."""
    renamed: dict[str, str] = {}
    changed: list[Snapshot] = []
    for row in Snapshot.objects.filter(tenant=turn.tenant, seq__in=turn.commits).only("pk", "seq", "commit"):
        renamed[row.commit] = turn.commits[row.seq]
        row.commit = turn.commits[row.seq]
        changed.append(row)
    Snapshot.objects.bulk_update(changed, ["commit"], batch_size=CHUNK)
    runs = [run for run in Run.objects.filter(tenant=turn.tenant).only("pk", "commit") if run.commit in renamed]
    for run in runs:
        run.commit = renamed[run.commit]
    Run.objects.bulk_update(runs, ["commit"], batch_size=CHUNK)


def mark_main(turn: Turn) -> None:
    """Say what took the place of the old main, so that a writer after a crash takes it for behind, not for foreign."""
    git, old, new = turn.store.git, turn.store.refs(layout.MAIN).get(layout.MAIN), str(turn.batch.head)
    if old is not None:
        mark = layout.purged_ref(old)
        turn.batch.txn_refs.append(mark)
        move_refs(git, [RefMove(mark, new, None)])
        make_ref_durable(git, mark)


def drop_broken_refs(turn: Turn) -> None:
    """Refs that are neither of the record nor of checkpoints, and of which not everything is there."""
    ours = (layout.MAIN, f"{layout.EPOCHS}/", f"{layout.CHECKPOINTS}/", f"{layout.TXN}/", f"{layout.PURGED}/")
    for ref, commit in turn.store.refs().items():
        if not ref.startswith(ours) and not is_complete(turn.store.git, commit):
            turn.refs.append(ref)
            turn.moves.append(RefMove(ref, None, None))


def follow(turn: Turn) -> None:
    """Let the refs follow the rows. What fails here `fsck --repair` does, so it is logged and no more."""
    moves = [move for move in turn.batch.moves() if move.ref != layout.MAIN]
    if turn.batch.head != turn.batch.first_head:
        moves.insert(0, RefMove(layout.MAIN, turn.batch.head, None))
    try:
        with transaction.atomic():
            lock_tenant(turn.tenant.pk, wait=WAIT)
            move_refs(turn.store.git, [*moves, *turn.moves])
            turn.store.close()
            quota.recount(turn.tenant.pk)
    except (StoreError, DatabaseError) as exc:
        log.warning("The refs of %s follow with the next repair: %s", turn.tenant, exc)


def told(turn: Turn) -> str:
    """What was written off, for people."""
    return " ".join(sentences(turn)) or f"Nothing that {turn.tenant} keeps was lost; only the record was written anew."


def sentences(turn: Turn) -> Iterator[str]:
    """By device, then checkpoints, then refs."""
    by_device: dict[str, list[Snapshot]] = {}
    for one in turn.lost:
        by_device.setdefault(one.device.name, []).append(one)
    for name, rows in sorted(by_device.items())[:NAMED]:
        span = f"of {rows[0]} UTC" if len(rows) == 1 else f"from {rows[0]} to {rows[-1]} UTC"
        yield f"{name} has lost {len(rows)} version{'s' if rows[1:] else ''} {span}."
    if len(by_device) > NAMED:
        yield f"So have {len(by_device) - NAMED} more devices."
    for word, things in (("checkpoints", turn.checkpoints), ("refs", turn.refs)):
        if things:
            more = f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
            yield f"These {word} have lost content: {', '.join(things[:NAMED])}{more}."
