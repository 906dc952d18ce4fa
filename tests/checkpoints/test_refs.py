"""Movable names: set by compare-and-swap, never pointing at nothing."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from checkpoints.errors import BadName, Deleted, RefMoved, UnknownVersion
from checkpoints.models import HEAD, Checkpoint, Ref, RefMove
from checkpoints.refs import checked_ref_name, delete_ref, head_of, set_ref
from inventory.models import Tenant
from tests.checkpoints.conftest import NOON, later
from tests.checkpoints.test_lineage import delete, row
from tests.factories import make_tenant


@pytest.fixture
def first(tenant: Tenant) -> Checkpoint:
    """A checkpoint."""
    return row(tenant, None)


@pytest.fixture
def second(tenant: Tenant, first: Checkpoint) -> Checkpoint:
    """The one after it, which HEAD names."""
    return row(tenant, first)


def test_a_ref_is_made_and_moved(tenant: Tenant, first: Checkpoint, second: Checkpoint) -> None:
    """Capability D13: and each move is remembered."""
    set_ref(tenant, "golden", first, by="anna", now=NOON)
    ref = set_ref(tenant, "golden", second, by="ben", now=later(1))

    assert (ref.checkpoint, ref.moved_by, ref.moved_at) == (second, "ben", later(1))
    assert list(RefMove.objects.filter(name="golden").values_list("before", "after")) == [
        (first.pk, second.pk),
        (None, first.pk),
    ]


def test_a_ref_that_moved_meanwhile_is_not_moved(tenant: Tenant, first: Checkpoint, second: Checkpoint) -> None:
    """Capability D13: of two people who promote a version at once, the second has to look again."""
    set_ref(tenant, "golden", first, by="anna", now=NOON, expected=None)

    for stale in (None, second):
        with pytest.raises(RefMoved):
            set_ref(tenant, "golden", second, by="ben", now=NOON, expected=stale)
    assert set_ref(tenant, "golden", second, by="ben", now=NOON, expected=first).checkpoint == second


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_a_ref_at_once_one_is_refused(store_root: object) -> None:
    """Capability D13, D20: the database settles the race, not a lock in one process."""
    tenant = make_tenant()
    checkpoint = row(tenant, None)
    barrier = Barrier(2)
    outcomes: list[object] = []

    def contend(who: str) -> None:
        barrier.wait()
        try:
            outcomes.append(set_ref(tenant, "golden", checkpoint, by=who, now=NOON, expected=None).moved_by)
        except RefMoved:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=contend, args=[who]) for who in ("anna", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, outcomes)) in (["anna", "refused"], ["ben", "refused"])
    assert Ref.objects.filter(name="golden").count() == 1


def test_a_ref_names_a_kept_checkpoint_of_its_tenant(tenant: Tenant, first: Checkpoint, second: Checkpoint) -> None:
    """Capability D13: never nothing, never what is deleted, never somebody else's."""
    with pytest.raises(Deleted):
        set_ref(tenant, "golden", delete(second), by="anna", now=NOON)
    with pytest.raises(UnknownVersion):
        set_ref(make_tenant("other"), "golden", first, by="anna", now=NOON)


@pytest.mark.parametrize(
    "name",
    (
        *("", "../evil", "a/b", "-x", "--output=x", ".hidden", "a..b", "x.lock", "a b", "a\nb", "a\0b"),
        *("head", "LIVE", "1f3a09c2", "deadbeef-dead", "x" * 101),
    ),
)
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    """Capability D13: a name must not read as a path, an option, an id or another word of the commands."""
    with pytest.raises(BadName):
        checked_ref_name(name)


def test_a_ref_is_deleted_and_what_it_named_stays(tenant: Tenant, first: Checkpoint) -> None:
    """Capability D14: a name is only a name."""
    set_ref(tenant, "golden", first, by="anna", now=NOON)
    delete_ref(tenant, "golden", by="anna", now=later(1))

    assert not Ref.objects.filter(name="golden").exists()
    assert RefMove.objects.filter(name="golden", after=None).count() == 1
    with pytest.raises(UnknownVersion):
        delete_ref(tenant, "golden", by="anna", now=later(2))


def test_head_moves_by_hand_but_is_never_deleted(tenant: Tenant, first: Checkpoint, second: Checkpoint) -> None:
    """Capability D15: without HEAD the next checkpoint would begin a line of its own."""
    set_ref(tenant, HEAD, first, by="anna", now=NOON)
    assert head_of(tenant.pk) == first

    with pytest.raises(BadName):
        delete_ref(tenant, HEAD, by="anna", now=NOON)


def test_nobody_else_is_waited_for(tenant: Tenant, first: Checkpoint, django_assert_max_num_queries: Any) -> None:
    """Capability D20: moving a name takes a handful of queries, and not the tenant's lock."""
    with django_assert_max_num_queries(10):
        set_ref(tenant, "golden", first, by="anna", now=NOON)
