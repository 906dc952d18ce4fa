"""What `fsck` finds between checkpoints' rows and their refs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backups import fsck
from backups.fsck.rebuilding import rebuild
from backups.models import Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from backups.store.writer import RefMove, move_refs
from checkpoints.models import Checkpoint, Ref
from checkpoints.refs import head_of
from checkpoints.services import create_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up, later

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(edge: Device) -> TenantStore:
    """A repository with one checkpoint."""
    create_checkpoint(edge.tenant, message="before the move", author="anna", now=NOON)
    return open_store(edge.tenant_id)


def pin() -> Checkpoint:
    return Checkpoint.objects.get()


def delete_ref(store: TenantStore) -> None:
    move_refs(store.git, [RefMove(layout.checkpoint_ref(pin().pk), None, None)])


def break_ref(store: TenantStore) -> None:
    (store.path / layout.checkpoint_ref(pin().pk)).write_bytes(b"\0" * 41)


def move_ref(store: TenantStore) -> None:
    move_refs(store.git, [RefMove(layout.checkpoint_ref(pin().pk), pin().commit, None)])


def misname(store: TenantStore) -> None:
    (store.path / layout.checkpoint_ref(pin().pk)).write_text("f" * 40 + "\n")


def lose_content(store: TenantStore) -> None:
    """The ref and the commit, as an older copy of the repository does not have them."""
    delete_ref(store)
    (store.path / "objects" / pin().pin[:2] / pin().pin[2:]).unlink()
    store.close()


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (delete_ref, "checkpoint-ref-missing"),
        (break_ref, "checkpoint-ref-missing"),
        (move_ref, "checkpoint-ref-missing"),
        (misname, "checkpoint-ref-missing"),
        (lose_content, "checkpoint-lost"),
    ],
)
def test_a_checkpoint_gets_its_ref_back(store: TenantStore, damage: Callable[[TenantStore], None], code: str) -> None:
    """Without its ref a checkpoint is safe only until somebody collects garbage; the row says what it was."""
    tenant = pin().tenant
    damage(store)

    found, *others = fsck.check(tenant, repair=True)

    assert others == []
    assert (found.code, found.repairable, found.repaired) == (code, True, True)
    assert fsck.check(tenant, full=True) == []
    assert store.refs(layout.CHECKPOINTS) == {layout.checkpoint_ref(pin().pk): pin().pin}


def test_a_checkpoint_that_the_database_does_not_know_is_kept_in_quarantine(store: TenantStore) -> None:
    """It may be all that is left of a name that somebody gave before the database was restored."""
    row = pin()
    tenant: Tenant = row.tenant
    row.refs.all().delete()
    row.delete()

    (found,) = fsck.check(tenant, repair=True)

    assert (found.code, found.repaired) == ("checkpoint-ref-stray", True)
    assert "before the move" in found.what
    assert fsck.check(tenant) == []
    assert store.refs(layout.QUARANTINE) == {layout.quarantine_ref(row.pin): row.pin}


def test_checkpoints_come_back_with_a_lost_database(store: TenantStore, edge: Device, core: Device) -> None:
    """A name for a moment was given for a reason; the next collection would take a ref without a row for garbage."""
    back_up(core, later(0.5), running_cfg="hostname core1\n")
    tenant = edge.tenant
    create_checkpoint(tenant, message="only the edge", author="bob", devices=[edge], now=later(1))
    create_checkpoint(tenant, message="all\n\nof it", author="bob", now=later(2))
    kept = ("pk", "author", "message", "created_at", "seq", "commit", "pin", "whole", "parent_id", "device_count")
    kept = (*kept, "file_count", "total_bytes", "changed_count")
    before = list(Checkpoint.objects.order_by("created_at").values(*kept))
    Checkpoint.objects.update(parent=None, first_parent=None)
    for rows in (Ref, Checkpoint, Snapshot, Repository):
        rows.objects.all().delete()

    result = rebuild(tenant, by="anna", now=NOON)

    assert result.checkpoints == 3
    assert list(Checkpoint.objects.order_by("created_at").values(*kept)) == before
    assert head_of(tenant.pk).message == "all\n\nof it"
    assert fsck.check(tenant, full=True) == []
