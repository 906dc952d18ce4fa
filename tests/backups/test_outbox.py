"""The outbox: what has to be told elsewhere is told, by one worker at a time, and never forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from backups import outbox
from backups.errors import StoreBusy
from backups.outbox_models import Outbox
from inventory.models import Tenant
from tests.factories import make_tenant

NOW = timezone.now()
KIND = "test"


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_tenant()


def test_a_note_and_its_change_stand_or_fall_together(tenant: Tenant) -> None:
    """A change without its note would never reach the copy."""
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.note(tenant.pk, KIND, 1)
        raise RuntimeError

    assert not Outbox.objects.exists()


def test_all_that_a_tenant_has_waiting_is_taken_together(tenant: Tenant) -> None:
    """A copy that is ten batches behind is brought up to date once, not ten times."""
    other = make_tenant("other")
    for at, one in ((1, tenant), (2, tenant), (7, other)):
        outbox.note(one.pk, KIND, at)

    taken = [outbox.take(KIND, now=NOW) for _ in range(3)]

    assert [(due.tenant_id, due.seq, len(due.rows)) for due in taken if due] == [(tenant.pk, 2, 2), (other.pk, 7, 1)]


def test_what_is_noted_while_somebody_is_at_it_waits_for_him(tenant: Tenant) -> None:
    """Two workers of one tenant would do the same work, and get in each other's way."""
    outbox.note(tenant.pk, KIND, 1)
    due = outbox.take(KIND, now=NOW)
    outbox.note(tenant.pk, KIND, 2)
    assert due
    assert outbox.take(KIND, now=NOW) is None

    outbox.finish(due)

    rest = outbox.take(KIND, now=NOW)
    assert rest
    assert rest.seq == 2


def test_what_a_dead_worker_had_taken_comes_back(tenant: Tenant) -> None:
    """A worker that was killed says nothing."""
    outbox.note(tenant.pk, KIND, 1)
    outbox.take(KIND, now=NOW)

    again = outbox.take(KIND, now=NOW + outbox.LEASE + timedelta(seconds=1))

    assert again
    assert again.attempts == 2


def test_a_failure_is_kept_with_its_reason_and_tried_again_later(tenant: Tenant) -> None:
    """An object store that is down must neither be asked without a pause nor be forgotten."""
    outbox.note(tenant.pk, KIND, 1)

    def fail(_due: outbox.Due) -> None:
        raise StoreBusy("Somebody is at it.")

    assert outbox.work_off(KIND, fail, seconds=5) == 0

    row = Outbox.objects.get()
    assert row.error == "Somebody is at it."
    assert not outbox.is_due(KIND, timezone.now())
    assert outbox.is_due(KIND, timezone.now() + outbox.FIRST_WAIT)
    assert set(outbox.waiting_since(KIND, [tenant.pk])) == {tenant.pk}


def test_work_that_is_done_is_gone(tenant: Tenant) -> None:
    """Or it would be done for ever."""
    outbox.note(tenant.pk, KIND, 1)
    seen: list[int] = []

    assert outbox.work_off(KIND, lambda due: seen.append(due.seq), seconds=5) == 1

    assert (seen, Outbox.objects.count()) == ([1], 0)


def test_the_door_of_a_kind_is_called_when_the_transaction_stands(
    tenant: Tenant, settings, django_capture_on_commit_callbacks
) -> None:
    """So that a copy follows within a second and not within a minute."""
    settings.NETCAIRN_OUTBOX = {KIND: "tests.backups.test_outbox.called"}
    CALLS.clear()

    with django_capture_on_commit_callbacks(execute=True):
        outbox.note(tenant.pk, KIND, 1)
        assert CALLS == []

    assert CALLS == ["called"]


CALLS: list[str] = []


def called() -> None:
    """A door."""
    CALLS.append("called")
