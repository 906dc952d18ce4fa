"""Making checkpoints: of a run, by hand, of everything, of chosen devices."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection

from backups.models import Repository
from backups.store import layout
from backups.store.reader import is_repository, open_store
from checkpoints import manifest
from checkpoints.errors import BadName, Deleted, NothingKept, UnknownVersion
from checkpoints.models import HEAD, Checkpoint, Ref, RefMove
from checkpoints.services import (
    checkpoint_run,
    create_checkpoint,
    delete_checkpoint,
    head_of,
    restore_record,
    summary_of,
    tag_checkpoint,
    undelete_checkpoint,
)
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.checkpoints.conftest import NOON, back_up, later, make_run
from tests.factories import make_device, make_tenant


def create(tenant: Tenant, message: str = "before the change", **options: object) -> Checkpoint:
    """A checkpoint by hand."""
    return create_checkpoint(tenant, message=message, author="anna", **{"now": NOON, **options})  # type: ignore[arg-type]


def test_a_checkpoint_is_pinned_by_a_commit_of_its_own(tenant: Tenant, edge: Device) -> None:
    """Capability D1, D3: the content stays whatever becomes of the record, and a clone can check it out."""
    checkpoint = create(tenant)

    store = open_store(tenant.pk)
    assert store.refs(layout.CHECKPOINTS) == {layout.checkpoint_ref(checkpoint.pk): checkpoint.pin}
    assert store.tree(checkpoint.pin) == store.tree(checkpoint.commit)
    assert store.log(layout.DEVICES, start=checkpoint.pin)[0].message.splitlines()[0] == "before the change"


def test_a_checkpoint_can_be_told_from_git_alone(tenant: Tenant, edge: Device) -> None:
    """Capability D1, D4: its commit names it and its tenant, and git's own sums cover every word and every file of it."""
    checkpoint = create(tenant)
    (entry,) = open_store(tenant.pk).log(layout.DEVICES, start=checkpoint.pin)

    assert entry.author == "anna" and entry.when == NOON
    assert {f"Checkpoint: {checkpoint.pk}", f"Tenant: {tenant.pk}"} <= set(entry.message.splitlines())


def test_a_checkpoint_knows_how_much_it_holds(tenant: Tenant, edge: Device, core: Device) -> None:
    """Capability D1: figures that a list shows without reading the store."""
    checkpoint = create(tenant, tags=["audit", " q4 ", "audit"])

    assert (checkpoint.device_count, checkpoint.file_count, checkpoint.total_bytes) == (2, 3, 44)
    assert (checkpoint.changed_count, checkpoint.tags, checkpoint.whole) == (2, ["audit", "q4"], True)


def test_the_first_has_no_parent_and_the_next_has_head(tenant: Tenant, edge: Device, core: Device) -> None:
    """Capability D3, D15: HEAD moves with each; the count of changed devices is against the parent."""
    first = create(tenant)
    back_up(edge, running_cfg="hostname edge9\n")
    second = create(tenant)

    assert (first.parent, second.parent, head_of(tenant.pk)) == (None, first, second)
    assert second.changed_count == 1


def test_a_checkpoint_by_hand_is_made_though_nothing_changed(tenant: Tenant, edge: Device) -> None:
    """It names a moment: the night of a change is worth a name even before the change."""
    first, second = create(tenant), create(tenant)

    assert (second.parent, second.commit, second.changed_count) == (first, first.commit, 0)


def test_a_checkpoint_after_another_than_head_is_a_branch(tenant: Tenant, edge: Device) -> None:
    """Capability D3, D11: HEAD stays where it is when the parent is another one."""
    first, second = create(tenant), create(tenant)
    branch = create(tenant, parent=first, ref="try-out")

    assert (branch.parent, head_of(tenant.pk)) == (first, second)
    assert set(first.children.all()) == {second, branch}
    assert Ref.objects.get(name="try-out").checkpoint == branch


def test_a_parent_must_be_a_kept_checkpoint_of_the_tenant(tenant: Tenant, edge: Device) -> None:
    """Capability D3: a parent that does not exist would break the line for everybody after."""
    other = make_tenant("other")
    back_up(make_device(other), running_cfg="hostname x\n")
    foreign = create(other)
    create(tenant)
    gone = delete_checkpoint(create(tenant), by="anna", now=NOON)

    with pytest.raises(UnknownVersion):
        create(tenant, parent=foreign)
    with pytest.raises(Deleted):
        create(tenant, parent=gone)


def test_a_refused_checkpoint_leaves_nothing_behind(tenant: Tenant, edge: Device) -> None:
    """Capability D3: neither a row nor a ref, and HEAD is where it was."""
    head = create(tenant)
    with pytest.raises(BadName):
        create(tenant, ref="../evil")
    with pytest.raises(NothingKept):
        create(tenant, devices=[edge, make_device(tenant, "new1")])

    assert list(Checkpoint.objects.all()) == [head]
    assert set(open_store(tenant.pk).refs(layout.CHECKPOINTS)) == {layout.checkpoint_ref(head.pk)}


def test_chosen_devices_alone_are_in_the_checkpoint(tenant: Tenant, edge: Device, core: Device) -> None:
    """A checkpoint before work on one router needs no other."""
    checkpoint = create(tenant, devices=[core])

    held = manifest.of_commit(open_store(tenant.pk), checkpoint.pin)
    assert (set(held), checkpoint.whole, checkpoint.device_count, checkpoint.file_count) == ({core.pk}, False, 1, 2)


def test_after_a_checkpoint_of_chosen_devices_the_others_do_not_count_as_changed(
    tenant: Tenant, edge: Device, core: Device
) -> None:
    """The figure compares moments of the record, not what two checkpoints happen to hold."""
    create(tenant, devices=[core])
    back_up(core, running_cfg="hostname core9\n")

    assert create(tenant).changed_count == 1


@pytest.mark.parametrize("message", ["", "  \n", "x" * 4001, "a\0b"])
def test_a_message_has_to_say_something(tenant: Tenant, edge: Device, message: str) -> None:
    """A list of nameless moments helps nobody, and neither git nor the database keeps a NUL."""
    with pytest.raises(BadName):
        create(tenant, message)


def test_a_tenant_without_a_backup_gets_neither_checkpoint_nor_repository(tenant: Tenant, store_root: Path) -> None:
    """Capability D2: asking must not create anything."""
    with pytest.raises(NothingKept):
        create(tenant)

    assert not is_repository(layout.repository_path(store_root, tenant.pk))
    assert not Repository.objects.exists()


def test_a_run_that_changed_something_gets_a_checkpoint(tenant: Tenant, edge: Device, core: Device) -> None:
    """The line of checkpoints is the diary of the network."""
    run = make_run([edge, core], later(9))
    back_up(edge, later(9), run, running_cfg="hostname edge2\n")

    checkpoint = checkpoint_run(run)

    assert checkpoint is not None
    assert (checkpoint.message, checkpoint.author) == ("Backup of 2026-11-20 21:00 UTC: 1 of 2 devices changed", "anna")
    assert (checkpoint.run, checkpoint.whole, head_of(tenant.pk)) == (run, True, checkpoint)


def test_a_run_that_changed_nothing_gets_none(tenant: Tenant, edge: Device) -> None:
    """Capability D3: 365 nights without a change must not be 365 checkpoints."""
    run = make_run([edge])
    back_up(edge, NOON, run, running_cfg="hostname edge1\n")

    assert checkpoint_run(run) is None
    assert not Checkpoint.objects.exists()


def test_the_end_of_a_run_may_be_worked_on_twice(tenant: Tenant, edge: Device) -> None:
    """A worker that dies between the checkpoint and the end of the run is normal."""
    run = make_run([edge])
    back_up(edge, NOON, run, running_cfg="hostname edge2\n")

    assert checkpoint_run(run) == checkpoint_run(run)
    assert Checkpoint.objects.count() == 1


def test_a_run_whose_changes_are_in_head_already_gets_none(tenant: Tenant, edge: Device) -> None:
    """Somebody made a checkpoint by hand just before the run ended."""
    run = make_run([edge])
    back_up(edge, NOON, run, running_cfg="hostname edge2\n")
    create(tenant)

    assert checkpoint_run(run) is None


def test_tags_come_and_go(tenant: Tenant, edge: Device) -> None:
    """Capability D5: a tag that can only be given at creation is never right."""
    checkpoint = create(tenant, tags=["audit"])

    assert tag_checkpoint(checkpoint, add=["q4", "audit"], remove=["nothing"]).tags == ["audit", "q4"]
    assert tag_checkpoint(checkpoint, remove=["audit"]).tags == ["q4"]
    with pytest.raises(BadName):
        tag_checkpoint(checkpoint, add=["a,b"])


def test_checkpoints_are_listed_by_time_and_tag(tenant: Tenant, edge: Device) -> None:
    """Capability D7: since and until include their moment, and any of the tags is enough."""
    made = [create(tenant, str(at), tags=[f"t{at}"], now=later(at)) for at in range(4)]

    assert list(Checkpoint.objects.made(since=later(1), until=later(2))) == [made[2], made[1]]
    assert list(Checkpoint.objects.made(tags=["t0", "t3"])) == [made[3], made[0]]


def test_what_is_stored_once_is_counted_as_often_as_it_is_meant(tenant: Tenant, edge: Device) -> None:
    """Capability D17, D18: figures show what sharing content saves."""
    create(tenant)
    delete_checkpoint(create(tenant), by="anna", now=NOON)
    back_up(edge, running_cfg="hostname edge2\n")
    back_up(edge, running_cfg="hostname edge1\n")

    summary = summary_of(tenant)
    assert (summary.checkpoints, summary.deleted, summary.refs) == (1, 1, 1)
    assert (summary.snapshots, summary.snapshot_bytes) == (3, 45)
    assert len({file["blob"] for version in edge.snapshots.all() for file in version.files.values()}) == 2


def test_every_move_of_head_leaves_a_line(tenant: Tenant, edge: Device) -> None:
    """Capability D13: who moved a name, when, and from where."""
    first, second = create(tenant, now=later(0)), create(tenant, now=later(1))

    moves = RefMove.objects.filter(name=HEAD).order_by("moved_at").values_list("before", "after", "moved_by")
    assert list(moves) == [(None, first.pk, "anna"), (first.pk, second.pk, "anna")]


@pytest.mark.django_db(transaction=True)
def test_checkpoints_made_at_once_are_one_line(store_root: Path) -> None:
    """Capability D3, D20: each has the one before as its parent, and HEAD names the last; nobody's is lost."""
    tenant = make_tenant()
    back_up(make_device(tenant), running_cfg="hostname edge1\n")
    barrier = Barrier(3)

    def contend(who: str) -> None:
        barrier.wait()
        create(tenant, who)
        connection.close()

    threads = [Thread(target=contend, args=[who]) for who in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    line, at = [], head_of(tenant.pk)
    while at:
        line.append(at.message)
        at = at.parent
    assert sorted(line) == ["one", "three", "two"]
    assert len(open_store(tenant.pk).refs(layout.CHECKPOINTS)) == 3


def test_a_checkpoint_holds_what_another_one_holds(tenant: Tenant, edge: Device) -> None:
    """Capability D3. The known good state under a new name and parent; the record and HEAD stay where they are."""
    golden = create_checkpoint(tenant, message="golden", author="anna", now=NOON)
    back_up(edge, later(1), running_cfg="hostname moved\n")
    head = create_checkpoint(tenant, message="moved", author="anna", now=later(1))

    made = create_checkpoint(tenant, message="golden again", author="anna", parent=head, content=golden, now=later(2))

    store = open_store(tenant.pk)
    assert manifest.of_commit(store, made.pin) == manifest.of_commit(store, golden.pin)
    assert (made.parent, made.changed_count, head_of(tenant.pk)) == (head, 1, head)


def test_what_happens_to_a_checkpoint_is_told_and_audited(tenant: Tenant, edge: Device) -> None:
    """Capability D19. Made, deleted, brought back, gone back to: one notice each, and who did it."""
    made = create_checkpoint(tenant, message="golden", author="anna", now=NOON)
    delete_checkpoint(made, by="bert", now=later(1))
    undelete_checkpoint(made, by="bert", now=later(2))
    back_up(edge, later(3), running_cfg="hostname moved\n")
    restore_record(made, author="cleo", now=later(4))
    tag_checkpoint(made, add=["approved"], by="cleo")

    verbs = ["created", "deleted", "undeleted", "restored"]
    told = Notice.objects.filter(about=f"checkpoint {made.short_id}").order_by("pk")
    assert [notice.code for notice in told] == [f"checkpoint.{verb}" for verb in verbs]
    entries = AuditEntry.objects.of(tenant).filter(action__startswith="checkpoint.")
    assert [(entry.action.partition(".")[2], entry.by) for entry in entries] == [
        *zip(verbs, ("anna", "bert", "bert", "cleo"), strict=True), ("tagged", "cleo"),
    ]  # fmt: skip
