"""Checkpoints from their commits alone, for `fsck --rebuild`: each says when, by whom and why, and holds its tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from backups.store import layout
from backups.store.chronicle import Change, log_of
from backups.store.reader import TenantStore
from backups.store.stream import trailers_of
from backups.store.troubles import kind_of
from backups.store.writer import RefMove, make_ref_durable, move_refs
from checkpoints import manifest
from checkpoints.making import UPLOADED, statistics
from checkpoints.models import HEAD, Checkpoint, Ref
from checkpoints.refs import move_ref
from inventory.models import Tenant


@dataclass(frozen=True)
class Pin:
    """A checkpoint's commit, as it tells of itself."""

    id: UUID
    commit: str
    tree: str
    author: str
    when: datetime
    message: str
    lost_at: datetime | None = None  # when it was written off: it holds a part of what it held
    uploaded: bool = False  # somebody brought its files


def rebuild(tenant: Tenant, store: TenantStore, record: Sequence[Change]) -> int:
    """Rows for the tenant's checkpoints without one; how many. In the caller's transaction, with the tenant's lock.

    Tags, names and deletions are not in git. Who came after whom is taken from the times.
    """
    known = set(Checkpoint.objects.filter(tenant=tenant).values_list("pk", flat=True))
    pins = {pin.id: pin for pin in pins_of(tenant, store) if pin.id not in known}
    rows = [row_of(tenant, store, pin, moment_of(pin, record)) for pin in pins.values()]
    rows.sort(key=lambda row: (row.seq, row.created_at))
    if not rows:
        return 0
    parent = Checkpoint.objects.filter(tenant=tenant, seq__lte=rows[0].seq).order_by("seq", "created_at").last()
    for row in rows:
        row.parent = row.first_parent = parent
        row.changed_count = changed_since(store, parent, row)
        row.save(force_insert=True)
        parent = row
    if parent and not Ref.objects.filter(tenant=tenant, name=HEAD).exists():
        move_ref(tenant.pk, HEAD, parent, by=parent.author, now=parent.created_at)
    return len(rows)


def pins_of(tenant: Tenant, store: TenantStore) -> Iterator[Pin]:
    """The checkpoints that refs keep, those in quarantine too, which get their own ref back."""
    for ref, commit in store.refs(layout.CHECKPOINTS, layout.QUARANTINE).items():
        if kind_of(store.git, commit) != "commit":
            continue
        _, tree, author, seconds, message = log_of(store, commit)[-1]
        said = trailers_of(message)
        if said.get("Tenant") != str(tenant.pk) or "Checkpoint" not in said:
            continue
        pin = Pin(
            UUID(said["Checkpoint"]),
            commit,
            tree,
            author,
            moment(seconds),
            message.strip().rpartition("\n\n")[0],
            datetime.fromisoformat(said["Lost"]) if "Lost" in said else None,
            uploaded=UPLOADED in said,
        )
        if ref.startswith(layout.QUARANTINE):
            own = layout.checkpoint_ref(pin.id)
            move_refs(store.git, [RefMove(own, commit, None), RefMove(ref, None, commit)])
            make_ref_durable(store.git, own)
        yield pin


def moment(seconds: str) -> datetime:
    """git's time."""
    return datetime.fromtimestamp(int(seconds), UTC)


def moment_of(pin: Pin, record: Sequence[Change]) -> tuple[Change, bool]:
    """The change of the record that a checkpoint was made at, and whether it holds the whole tenant.

    Whole where the record had the very same tree just then. git's times have whole seconds only: of several changes
    within that of the checkpoint, or the one before them, it may be any.
    """
    before = [change for change in record if change.when < pin.when][-1:]
    just_then = [*before, *(change for change in record if change.when == pin.when)] or [record[0]]
    same = [change for change in just_then if change.tree == pin.tree]
    return (same[-1], True) if same else (just_then[-1], False)


def row_of(tenant: Tenant, store: TenantStore, pin: Pin, at: tuple[Change, bool]) -> Checkpoint:
    """The row, without what depends on other rows."""
    change, whole = at
    return Checkpoint(
        id=pin.id,
        tenant=tenant,
        author=pin.author[:150],
        message=pin.message,
        created_at=pin.when,
        seq=change.seq,
        commit=change.commit,
        pin=pin.commit,
        whole=whole and not pin.uploaded,
        uploaded=pin.uploaded,
        lost_at=pin.lost_at,
        **statistics(manifest.of_commit(store, pin.commit)),
    )


def changed_since(store: TenantStore, parent: Checkpoint | None, row: Checkpoint) -> int:
    """How many devices differ from the record of the parent's moment."""
    held = manifest.of_commit(store, row.pin)
    before = manifest.of_commit(store, parent.commit, None if row.whole else held.keys()) if parent else {}
    return len(manifest.changed_devices(before, held))
