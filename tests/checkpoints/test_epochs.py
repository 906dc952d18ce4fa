"""The record is cut into epochs, old ones go whole, and nothing that is kept moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from backups import batch, fsck
from backups.blame import blame
from backups.commit import writing
from backups.content import stored
from backups.errors import Pruned
from backups.models import Epoch, Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from checkpoints.gc import GRACE, collect_garbage
from checkpoints.models import Checkpoint
from checkpoints.services import checkpoint_run, create_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up, later, make_run
from tests.checkpoints.remembered import remembered
from tests.checkpoints.test_gc import git


def cut(tenant: Tenant) -> Epoch:
    """End the current epoch now."""
    with writing(tenant.pk) as turn:
        return turn.cut(author="retention", when=NOON)


def sweep(tenant: Tenant, *numbers: int) -> None:
    """Let epochs go that were marked long ago."""
    Epoch.objects.filter(tenant=tenant, number__in=numbers).update(marked_at=NOON)
    assert collect_garbage(tenant, now=later(49)).refused == ()


def head(tenant: Tenant) -> str:
    """What the row says."""
    return str(Repository.objects.get(pk=tenant.pk).head)


def sound(tenant: Tenant, store: TenantStore) -> None:
    """Git and the database say the same, and each is whole."""
    assert fsck.check(tenant, full=True) == []
    assert git(store, "fsck", "--full", "--strict", "--no-dangling") == ""
    assert store.refs()[layout.MAIN] == head(tenant)


@pytest.fixture
def versions(tenant: Tenant, edge: Device, core: Device) -> list[Snapshot]:
    """Three versions of one device in the first epoch, the last of them in the second too."""
    remembered(tenant, "versions", lambda: make_versions(tenant, edge))
    return list(edge.snapshots.order_by("seq"))


def make_versions(tenant: Tenant, edge: Device) -> None:
    """Two more, and a cut."""
    for text in ("two", "three"):
        back_up(edge, running_cfg=f"hostname edge1\n! {text}\n")
    cut(tenant)


def test_an_epoch_ends_and_the_next_one_holds_the_same(tenant: Tenant, versions: list[Snapshot]) -> None:
    """No id changes: the old commits keep theirs, and the new one has the old one's tree and no parent."""
    store, epoch = open_store(tenant.pk), Epoch.objects.get()

    assert (epoch.number, epoch.tip, epoch.last_seq) == (1, versions[-1].commit, versions[-1].seq)
    assert store.refs()[layout.epoch_ref(1)] == epoch.tip
    assert git(store, "rev-parse", f"{head(tenant)}^{{tree}}") == git(store, "rev-parse", f"{epoch.tip}^{{tree}}")
    assert git(store, "rev-list", "--count", "main") == "1"
    sound(tenant, store)


def test_a_crash_before_the_refs_follow_is_brought_to_its_end(
    tenant: Tenant, edge: Device, core: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old main is no foreigner's: it is the end of an epoch, and main goes on from the row."""
    with monkeypatch.context() as patch:
        patch.setattr(batch, "follow", lambda _: None)
        cut(tenant)
    store = open_store(tenant.pk)
    assert store.refs()[layout.MAIN] == Epoch.objects.get().tip != head(tenant)

    back_up(edge, running_cfg="hostname edge1\n! next\n")

    assert not [ref for ref in store.refs() if ref.startswith((layout.QUARANTINE, layout.TXN))]
    sound(tenant, store)


def test_a_cut_that_fails_has_not_happened(tenant: Tenant, edge: Device, core: Device) -> None:
    """No epoch, no ref, and the record as it was."""
    before, store = head(tenant), open_store(tenant.pk)
    with pytest.raises(KeyboardInterrupt), writing(tenant.pk) as turn:
        turn.cut(author="retention", when=NOON)
        raise KeyboardInterrupt

    assert (head(tenant), Epoch.objects.count()) == (before, 0)
    assert list(store.refs()) == [layout.MAIN]
    sound(tenant, store)


def test_a_database_of_before_the_cut_is_known_as_older(tenant: Tenant, versions: list[Snapshot]) -> None:
    """It must not be taken for a main that is behind, and rolled back."""
    first = versions[0]
    Repository.objects.update(head=first.commit, seq=first.seq)
    Epoch.objects.all().delete()
    Snapshot.objects.filter(seq__gt=first.seq).delete()

    assert [finding.code for finding in fsck.check(tenant)] == ["database-older"]


def test_a_swept_epoch_takes_what_it_alone_held(tenant: Tenant, edge: Device, versions: list[Snapshot]) -> None:
    """Its versions keep their rows and say so; what the record of today holds, or a checkpoint, stays to the byte."""
    store = open_store(tenant.pk)
    sweep(tenant, 1)

    pruned = {version.seq: version.pruned_at is not None for version in edge.snapshots.all()}
    assert pruned == {versions[0].seq: True, versions[1].seq: True, versions[2].seq: False}
    assert stored(versions[2], "running.cfg") == b"hostname edge1\n! three\n"
    assert store.refs().keys() == {layout.MAIN}
    assert Epoch.objects.get().swept_at is not None
    sound(tenant, store)


def test_a_checkpoint_outlives_its_epoch(tenant: Tenant, edge: Device, core: Device) -> None:
    """By its own commit, whose id never changes; the version of that moment is readable because of it."""
    kept = create_checkpoint(tenant, message="before", author="anna", now=NOON)
    part = create_checkpoint(tenant, message="one", author="anna", now=NOON, devices=[edge])
    back_up(edge, running_cfg="hostname edge1\n! after\n")
    cut(tenant)
    sweep(tenant, 1)

    store = open_store(tenant.pk)
    assert store.refs()[layout.checkpoint_ref(kept.pk)] == kept.pin
    assert edge.snapshots.filter(pruned_at=None).count() == 2
    assert store.tree(kept.pin) and store.tree(part.pin)
    sound(tenant, store)


def test_checkpoints_are_made_after_the_epoch_of_their_parent_is_gone(
    tenant: Tenant, edge: Device, versions: list[Snapshot]
) -> None:
    """The parent's commit is gone; what has changed since is told all the same."""
    whole = create_checkpoint(tenant, message="whole", author="anna", now=NOON)
    create_checkpoint(tenant, message="part", author="anna", now=NOON, devices=[edge])
    Checkpoint.objects.update(seq=1, commit="f" * 40)
    cut(tenant)
    sweep(tenant, 1, 2)
    run = make_run([edge])
    back_up(edge, run=run, running_cfg="hostname edge1\n! four\n")

    made = checkpoint_run(run)

    assert made is not None and made.changed_count == 1
    assert create_checkpoint(tenant, message="x", author="anna", now=NOON, parent=whole).changed_count == 1


def test_what_is_pruned_says_so_wherever_it_is_opened(
    tenant: Tenant, edge: Device, versions: list[Snapshot], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody reads "missing" and thinks of a broken disk."""
    sweep(tenant, 1)
    first = edge.snapshots.order_by("seq")[0]
    for opened in (
        lambda: stored(first, "running.cfg"),
        lambda: blame(first, "running.cfg", secrets=True),
        lambda: call_command("show", "edge1", at=str(first.pk)),
        lambda: call_command("diff", str(first.pk), str(versions[2].pk)),
    ):
        with pytest.raises(Exception, match="retention removed it") as said:
            opened()
        assert isinstance(said.value, Pruned) or isinstance(said.value.__cause__, Pruned)

    call_command("history", "edge1")
    assert capsys.readouterr().out.count("(pruned)") == 2
    call_command("search", "edge1", "--history")
    found = blame(edge.snapshots.order_by("-seq")[0], "running.cfg", secrets=True)
    assert {line.version for line in found.lines} == {versions[2]}


def test_the_mark_of_an_epoch_can_be_undone_until_the_sweep(tenant: Tenant, versions: list[Snapshot]) -> None:
    """Capability D16: a day to think again."""
    Epoch.objects.update(marked_at=timezone.now())

    collect_garbage(tenant, now=timezone.now() + GRACE - timedelta(minutes=1))

    assert layout.epoch_ref(1) in open_store(tenant.pk).refs()
    assert not Snapshot.objects.exclude(pruned_at=None).exists()
