"""Deleting and undeleting: parents, children and HEAD in any order."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoints.errors import Deleted, StillNamed, UnknownVersion
from checkpoints.lineage import delete_checkpoint, forget, lineage_of, undelete_checkpoint
from checkpoints.models import HEAD, Checkpoint, Ref
from checkpoints.refs import head_of, move_ref, set_ref
from inventory.models import Tenant
from tests.checkpoints.conftest import NOON
from tests.factories import make_tenant


def row(tenant: Tenant, parent: Checkpoint | None) -> Checkpoint:
    """A checkpoint as `making.make` leaves it, without a store: lineage is about rows alone."""
    head = head_of(tenant.pk)
    checkpoint = Checkpoint.objects.create(
        tenant=tenant,
        parent=parent,
        first_parent=parent,
        author="anna",
        message="x",
        created_at=NOON,
        seq=1,
        commit="0" * 40,
        pin="0" * 40,
        device_count=0,
        file_count=0,
        total_bytes=0,
    )
    if parent == head:
        with transaction.atomic():
            move_ref(tenant.pk, HEAD, checkpoint, by="anna", now=NOON)
    return checkpoint


def delete(checkpoint: Checkpoint) -> Checkpoint:
    """Delete it now."""
    return delete_checkpoint(checkpoint, by="anna", now=NOON)


def undelete(checkpoint: Checkpoint) -> Checkpoint:
    """Take the deletion back now."""
    return undelete_checkpoint(checkpoint, by="anna", now=NOON)


def parent_of(checkpoint: Checkpoint) -> Checkpoint | None:
    """Its parent as the database has it."""
    return Checkpoint.objects.get(pk=checkpoint.pk).parent


@pytest.fixture
def line(tenant: Tenant) -> list[Checkpoint]:
    """Four checkpoints, one after the other; HEAD names the last."""
    made: list[Checkpoint] = []
    for _ in range(4):
        made.append(row(tenant, made[-1] if made else None))
    return made


def test_children_of_a_deleted_checkpoint_get_its_parent(line: list[Checkpoint]) -> None:
    """Capability D12: a parent that is gone breaks every walk through history."""
    delete(line[1])

    assert parent_of(line[2]) == line[0]


def test_what_is_deleted_comes_back_where_it_was(line: list[Checkpoint]) -> None:
    """Capability D12: an undo that loses its place is none."""
    for checkpoint in (line[1], line[2]):
        delete(checkpoint)
    for checkpoint in (line[1], line[2]):
        undelete(checkpoint)

    assert [parent_of(checkpoint) for checkpoint in line] == [None, *line[:3]]


def test_head_moves_to_the_parent_of_a_deleted_checkpoint_and_back(tenant: Tenant, line: list[Checkpoint]) -> None:
    """Capability D12, D15: HEAD never names what is deleted, and the undo takes the whole deletion back."""
    delete(line[3])
    assert head_of(tenant.pk) == line[2]

    undelete(line[3])
    assert head_of(tenant.pk) == line[3]


def test_head_stays_where_new_work_was_done_meanwhile(tenant: Tenant, line: list[Checkpoint]) -> None:
    """An undo must not take HEAD away from what came after the deletion."""
    delete(line[3])
    newer = row(tenant, line[2])
    undelete(line[3])

    assert head_of(tenant.pk) == newer


def test_with_the_last_checkpoint_head_is_gone(tenant: Tenant) -> None:
    """Capability D12: no arbitrary other checkpoint becomes HEAD."""
    only = row(tenant, None)
    delete(only)
    assert head_of(tenant.pk) is None

    undelete(only)
    assert head_of(tenant.pk) == only


def test_a_checkpoint_that_a_ref_names_cannot_be_deleted(tenant: Tenant, line: list[Checkpoint]) -> None:
    """Capability D12: a name that leads nowhere is found out too late."""
    set_ref(tenant, "golden", line[1], by="anna", now=NOON)

    with pytest.raises(StillNamed, match="golden"):
        delete(line[1])
    assert Checkpoint.objects.deleted().count() == 0


def test_what_is_deleted_is_not_deleted_again(line: list[Checkpoint]) -> None:
    """The moment of the deletion counts for the grace; a second one must not renew it."""
    delete(line[1])

    with pytest.raises(Deleted):
        delete(line[1])


def test_what_was_collected_cannot_be_undeleted(line: list[Checkpoint]) -> None:
    """The sentence says why, instead of an error about a missing row."""
    gone = delete(line[1])
    forget([gone.pk])

    with pytest.raises(UnknownVersion, match="collected"):
        undelete(gone)


STEPS = st.lists(
    st.tuples(st.sampled_from(["make", "branch", "delete", "undelete", "forget", "name"]), st.integers(0, 9)),
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_checkpoint_ever_has_a_deleted_or_a_missing_parent(db: None, steps: list[tuple[str, int]]) -> None:
    """Capability D12: whatever is made, deleted, undeleted and collected in whatever order, against a model in plain words."""
    go(steps)


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_checkpoint_has_one_in_three_times_as_many_orders(db: None, steps: list[tuple[str, int]]) -> None:
    """Capability D12: the same, where there is more time to look for an order that breaks it."""
    go(steps)


def go(steps: list[tuple[str, int]]) -> None:
    """Take these steps with a tenant of their own, and look after each."""
    tenant = make_tenant(f"t{uuid4().hex}")
    world = World(tenant)
    for verb, number in steps:
        world.step(verb, number)
        world.check()


class World:
    """The model: what each checkpoint was made after, and which are deleted."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.made_after: dict[UUID, UUID | None] = {}
        self.deleted: set[UUID] = set()
        self.named: set[UUID] = set()

    def step(self, verb: str, number: int) -> None:
        """One thing that somebody does."""
        ids = list(self.made_after)
        kept = [pk for pk in ids if pk not in self.deleted]
        if verb == "make":
            self.make(head_of(self.tenant.pk))
        elif verb == "branch" and kept:
            self.make(Checkpoint.objects.get(pk=kept[number % len(kept)]))
        elif verb == "delete" and (free := [pk for pk in kept if pk not in self.named]):
            self.deleted.add(delete(Checkpoint.objects.get(pk=free[number % len(free)])).pk)
        elif verb == "undelete" and self.deleted:
            self.deleted.remove(undelete(self.deleted_one(number)).pk)
        elif verb == "forget" and self.deleted:
            self.forget(sorted(self.deleted)[: number % 3 + 1])
        elif verb == "name" and kept:
            pk = kept[number % len(kept)]
            set_ref(self.tenant, f"name-{number}", Checkpoint.objects.get(pk=pk), by="anna", now=NOON)
            self.named = set(
                Ref.objects.exclude(name=HEAD).filter(tenant=self.tenant).values_list("checkpoint", flat=True)
            )

    def make(self, parent: Checkpoint | None) -> None:
        """A new one after the parent."""
        self.made_after[row(self.tenant, parent).pk] = parent.pk if parent else None

    def deleted_one(self, number: int) -> Checkpoint:
        """Any of the deleted ones."""
        return Checkpoint.objects.get(pk=sorted(self.deleted)[number % len(self.deleted)])

    def forget(self, several: list[UUID]) -> None:
        """Collect them at once, which is as one after the other."""
        with lineage_of(self.tenant.pk):
            assert forget(several) == len(several)
        for gone in several:
            after = self.made_after.pop(gone)
            self.deleted.remove(gone)
            self.made_after = {pk: after if parent == gone else parent for pk, parent in self.made_after.items()}

    def parent(self, pk: UUID) -> UUID | None:
        """The nearest kept one on the way up."""
        above = self.made_after[pk]
        while above in self.deleted:
            above = self.made_after[above]
        return above

    def check(self) -> None:
        """The rows say what the model says, and HEAD names a kept one where there is any to name."""
        connection.check_constraints()
        rows = dict(Checkpoint.objects.filter(tenant=self.tenant).values_list("pk", "parent_id"))
        assert rows == {pk: self.parent(pk) for pk in self.made_after}
        head = head_of(self.tenant.pk)
        assert head is None or head.deleted_at is None
