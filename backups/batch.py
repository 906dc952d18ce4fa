"""One turn with a tenant's lock: changes become commits of the record in one transaction, or nothing at all.

COMMIT is the acknowledgement. Before it the objects are complete and durable, and named by nothing that counts; after
it the record's ref follows the row, now or with the next writer.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import DatabaseError, transaction

from backups import elsewhere, quota
from backups.epochs import Epoch, begin_of_current
from backups.errors import GitFailed, StoreError, StoreMoved
from backups.floor import FLOOR
from backups.fsck.findings import alarming
from backups.locks import lock_tenant, try_lock_tenant
from backups.lost import refuse_lost
from backups.mending import reconcile
from backups.models import Repository
from backups.phases import Phases
from backups.store import changes as changing
from backups.store import layout, packing, patches
from backups.store.changes import DeviceChange, Plan
from backups.store.creation import create
from backups.store.lookup import Lookup
from backups.store.patches import Difference
from backups.store.reader import Entry, TenantStore, is_repository, open_store, store_path
from backups.store.stream import NewCommit, Put, with_trailers
from backups.store.troubles import Trouble
from backups.store.writer import (
    RefMove,
    drop_quietly,
    make_ref_durable,
    move_refs,
    verify_change,
    write_batch,
    write_commit,
)
from inventory.models import Tenant

log = logging.getLogger(__name__)

FileRows = dict[str, dict[str, str | int]]


@dataclass(frozen=True)
class Written:
    """One commit of the record."""

    commit: str
    seq: int
    files: dict[UUID, FileRows]  # of each device that changed: all its files, as Snapshot.files has them
    lines: dict[UUID, tuple[int, int]]  # of each device that changed: added, removed
    unchanged: set[UUID]


class Batch:
    """One turn with a tenant's lock: what is written here counts when the transaction does."""

    def __init__(self, row: Repository, store: TenantStore, phases: Phases, *, beyond_quota: bool = False) -> None:
        self.tenant_id: UUID = row.tenant_id
        self.store = store
        self.lookup = Lookup(store.git)
        self.beyond_quota = beyond_quota
        self.phases = phases
        self.head: str | None = row.head
        self.seq: int = row.seq
        self.fence: int = row.fence
        self.first_head = row.head
        self.txn_refs: list[str] = []
        self.pins: list[str] = []
        self.dropped: list[str] = []

    def put(
        self,
        changes: Sequence[DeviceChange],
        *,
        message: str,
        author: str,
        when: datetime,
        trailers: Mapping[str, str],
    ) -> Written | None:
        """Write what differs from the record as one commit; None where nothing does.

        At most 200 files and 16 MB of new content (one device alone: any). Raises NameRefused, StoreDamaged where an
        id names nothing, QuotaFull, GitFailed, StoreMoved.
        """
        changing.check_changes(changes)
        # The database, two processes of git and two threads are at work at once: most machines have two processors.
        with self.phases.of("git"), packing.beside(changing.contents(changes)) as contents:
            plan = self.plan(changes)
            if plan.empty:
                return None
            seq = self.seq + 1
            trailers = {**trailers, "Tenant": str(self.tenant_id), "Seq": str(seq)}
            told = with_trailers(message, trailers)
            new = NewCommit(layout.MAIN, self.head, told, author, when, plan.puts, plan.removals)
            with patches.comparing(self.store.git) as comparing:
                commit = write_batch(self.lookup, new, chain.from_iterable(share.take() for share in contents))
                patches.compare(comparing, self.head, commit)
                self.charge(plan)
                self.advance(commit, seq)
                difference = patches.compared(comparing)
            verify_change(self.store.git, difference.ids, plan.outcome())
        lines = self.lines(plan, difference)
        self.phases.wrote(plan.contents(), len(plan.changed))
        return Written(commit, seq, {device: rows(plan.files[device]) for device in lines}, lines, plan.unchanged)

    def plan(self, changes: Sequence[DeviceChange]) -> Plan:
        """What of the changes differs from the record."""
        links = [layout.link_path(change.device_name) for change in changes]
        paths = [*links, *(change.folder for change in changes)]
        # What is replaced may be as it likes; what is said to be there already must be.
        unless = dict.fromkeys(links, "") | {put.path: put.id for change in changes for put in change.puts}
        present = self.lookup.entries(self.head, paths, unless=unless) if self.head and paths else {}
        named = {content for change in changes for content in change.files.values() if isinstance(content, str)}
        plan = changing.plan_files(changes, present, {one: len(self.store.blob(one)) for one in named})
        if not changing.links_are_right(plan, changes, present):
            theirs = self.lookup.naming(self.head, layout.BY_NAME, changing.links_to(changes)) if self.head else {}
            changing.plan_links(plan, changes, {path: present[path] for path in links if path in present} | theirs)
        return plan

    def charge(self, plan: Plan) -> None:
        """Count what the plan brings. Raises QuotaFull."""
        quota.charge(self.tenant_id, plan.contents(), beyond=self.beyond_quota)

    def lines(self, plan: Plan, difference: Difference) -> dict[UUID, tuple[int, int]]:
        """Lines added and removed, for each device with a file that differs."""
        lines = dict.fromkeys(plan.changed, (0, 0))
        for path, (added, removed) in difference.lines.items():
            if found := layout.parse_device_file(path):
                before = lines[found[0]]
                lines[found[0]] = (before[0] + added, before[1] + removed)
        return lines

    def advance(self, commit: str, seq: int) -> None:
        """Let the row name the commit; only while it is still as we found it. Raises StoreMoved."""
        mine = Repository.objects.filter(pk=self.tenant_id, fence=self.fence, seq=self.seq, head=self.head)
        if mine.update(head=commit, seq=seq) != 1:
            raise StoreMoved(
                f"Another writer was first in the store of tenant {self.tenant_id}; nothing of ours counts."
            )
        self.head, self.seq = commit, seq

    def cut(self, *, author: str, when: datetime) -> Epoch:
        """End the current epoch: what the record holds now begins the next one, by a commit without parent.

        Both refs are durable before the transaction is committed; without it they are harmless. Raises StoreMoved.
        """
        if self.head is None:
            raise ValueError("nothing was kept yet that an epoch could end with")
        number, first, began = begin_of_current(self.tenant_id)
        ended, seq = self.head, self.seq + 1
        kept, ref = layout.epoch_ref(number), layout.txn_ref(self.fence, seq, secrets.token_hex(4))
        self.pins.append(kept)
        self.txn_refs.append(ref)
        move_refs(self.store.git, [RefMove(kept, ended, None)])
        make_ref_durable(self.store.git, kept)
        trailers = {"Epoch": str(number + 1), "Continues": ended, "Tenant": str(self.tenant_id), "Seq": str(seq)}
        message = with_trailers(f"Begin epoch {number + 1}", trailers)
        commit = write_commit(
            self.store.git, NewCommit(ref, None, message, author, when, self.part_of(ended, folders=None))
        )
        began = began or Repository.objects.values_list("created_at", flat=True).get(pk=self.tenant_id)
        row = Epoch.objects.create(
            tenant_id=self.tenant_id,
            number=number,
            first_seq=first,
            last_seq=self.seq,
            tip=ended,
            began_at=began,
            ended_at=when,
        )
        self.advance(commit, seq)
        return row

    def pin(
        self,
        ref_id: UUID,
        *,
        tree_of: str,
        folders: Sequence[UUID] | None,
        message: str,
        author: str,
        when: datetime,
        trailers: Mapping[str, str] | None = None,
    ) -> str:
        """Keep the tree of a commit, or these devices' part, by a parentless commit and refs/checkpoints/<ref_id>.

        Both are durable when this returns. A ref whose row was never committed is harmless.
        """
        puts = self.part_of(tree_of, folders)
        return self.pin_tree(ref_id, puts, message=message, author=author, when=when, trailers=trailers)

    def pin_tree(
        self,
        ref_id: UUID,
        puts: Sequence[Put],
        *,
        message: str,
        author: str,
        when: datetime,
        trailers: Mapping[str, str] | None = None,
    ) -> str:
        """The same with a tree of these paths. Whoever brings new content has charged the quota for it."""
        ref = layout.checkpoint_ref(ref_id)
        self.pins.append(ref)
        told = {"Tenant": str(self.tenant_id), "Checkpoint": str(ref_id), **(trailers or {})}
        commit = write_commit(
            self.store.git, NewCommit(ref, None, with_trailers(message, told), author, when, list(puts))
        )
        make_ref_durable(self.store.git, ref)
        return commit

    def part_of(self, commit: str, folders: Sequence[UUID] | None) -> list[Put]:
        """What brings a commit's whole tree into another, or these devices' folders and links."""
        if folders is None:
            top = self.store.entries(commit, [], folders=True)
            return [Put(path, entry.id, entry.mode) for path, entry in top.items()]
        wanted = [layout.device_folder(device) for device in folders]
        targets = {layout.blob_id(layout.link_target(device)) for device in folders}
        there = self.store.entries(commit, wanted, folders=True) if wanted else {}
        links = {path: link for path, link in self.store.tree(commit, layout.BY_NAME).items() if link.id in targets}
        return [Put(path, entry.id, entry.mode) for path, entry in (there | links).items()]

    def drop_refs(self, names: Sequence[str]) -> None:
        """Delete these refs of checkpoints after COMMIT; until then an undo is possible."""
        for name in names:
            if not name.startswith(f"{layout.CHECKPOINTS}/"):
                raise ValueError(f"{name} is not the ref of a checkpoint")
        self.dropped += names

    def abandon(self) -> None:
        """Remove the refs of a batch that came to nothing, while the lock is still ours."""
        try:
            drop_quietly(self.store.git, [*self.txn_refs, *self.pins])
        except GitFailed as exc:
            log.warning("Refs of an abandoned batch of tenant %s are left to the next writer: %s", self.tenant_id, exc)

    @property
    def has_changed(self) -> bool:
        """Whether the repository is to be another one than before."""
        return self.head != self.first_head or bool(self.pins or self.dropped)

    def moves(self) -> list[RefMove]:
        """What has to follow the row once the transaction is committed."""
        moves = [RefMove(ref, None, None) for ref in [*self.txn_refs, *self.dropped]]
        if self.head != self.first_head:
            moves.insert(0, RefMove(layout.MAIN, self.head, self.first_head or layout.NO_ID))
        return moves


@contextmanager
def writing(tenant_id: UUID, *, wait: float = 10.0, beyond_quota: bool = False) -> Iterator[Batch]:
    """Write to a tenant's store: one transaction of our own, with the tenant's lock, on a repository put in order.

    The first writer makes the repository. Leaving without an error is the COMMIT; with one, nothing has happened.
    `beyond_quota`: what is written here is charged, and kept even where the tenant is full.
    Raises StoreBusy, StoreDamaged, GitFailed.
    """
    phases = Phases(tenant_id)
    with ExitStack() as first:
        with alarming(tenant_id) as mended, transaction.atomic(durable=True):
            with phases.of("lock"):
                lock_tenant(tenant_id, wait=wait)
            first.enter_context(FLOOR.first())
            batch = begin(tenant_id, phases, mended, beyond_quota=beyond_quota)
            try:
                yield batch
                if batch.has_changed:
                    elsewhere.changed(tenant_id, batch.seq)
            except BaseException:  # an interruption, too, leaves no refs behind
                batch.abandon()
                raise
            finally:
                batch.lookup.close()
        with phases.of("git"):
            follow(batch)
    phases.tell()


def begin(tenant_id: UUID, phases: Phases, mended: list[Trouble], *, beyond_quota: bool = False) -> Batch:
    """Take the next fence and put the repository in order; what had to be mended for it is added to the list."""
    elsewhere.prepare(tenant_id)
    row = repository_of(tenant_id)
    row.fence += 1
    batch = Batch(row, open_store(tenant_id), phases, beyond_quota=beyond_quota)
    try:
        batch.lookup.running()  # git starts while the database is asked
        row.save(update_fields=["fence"])
        with phases.of("git"):
            mended += reconcile(batch.store, row.head, tenant_id, batch.lookup)
    except BaseException:  # an interruption, too, leaves no process behind
        batch.lookup.close()
        raise
    return batch


def repository_of(tenant_id: UUID) -> Repository:
    """The tenant's row, with a repository behind it. Raises StoreDamaged where what it names is gone."""
    path = store_path(tenant_id)
    row = Repository.objects.filter(pk=tenant_id).first()
    if row is None and not Tenant.objects.filter(pk=tenant_id).exists():
        raise StoreError(f"There is no tenant {tenant_id}: `tenant list` shows those that exist.")
    if row is not None and row.head is not None:
        refuse_lost(path)
    if not is_repository(path):
        create(path)
    # The row after the repository: a crash in between leaves an empty repository, which the next writer takes.
    return row or quota.new_row(tenant_id)


def follow(batch: Batch) -> None:
    """Let the refs follow the row. What fails here is done by the next writer, so it is logged and no more.

    Under the lock once more, because that next writer may be at work: what he finds locked he takes for left over.
    """
    moves = batch.moves()
    if not moves:
        return
    try:
        with transaction.atomic():
            if try_lock_tenant(batch.tenant_id) and batch.head == head_of(batch.tenant_id):
                move_refs(batch.store.git, moves)
    except (StoreError, DatabaseError) as exc:
        log.warning("The refs of tenant %s follow with the next writer: %s", batch.tenant_id, exc)


def head_of(tenant_id: UUID) -> str | None:
    """The commit that the row names."""
    return Repository.objects.values_list("head", flat=True).get(pk=tenant_id)


def rows(files: Mapping[str, Entry]) -> FileRows:
    """Files as `Snapshot.files` has them."""
    return {name: {"blob": entry.id, "size": entry.size} for name, entry in sorted(files.items())}
