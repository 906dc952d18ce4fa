"""The tenant's lock."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from backups.errors import StoreBusy
from backups.locks import Lock, holder_of, lock_tenant, numbers, try_lock_tenant

TENANT = uuid.UUID("ffffffff-0000-4000-8000-000000000000")  # its number is negative for PostgreSQL
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def held_elsewhere(tenant: uuid.UUID) -> Iterator[None]:
    """Somebody else has the lock: another connection, in another thread."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_tenant(tenant, wait=1)
            held.set()
            release.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        yield
    finally:
        release.set()
        thread.join()


def test_a_busy_store_says_who_has_it_and_since_when() -> None:
    """A4, C11: 'busy' alone leaves an operator with nobody to ask."""
    with held_elsewhere(TENANT), transaction.atomic():
        with pytest.raises(StoreBusy) as caught:
            lock_tenant(TENANT, wait=0.05)
        holder = holder_of(TENANT)

    assert caught.value.worth_retrying
    assert str(holder) in str(caught.value)
    assert "netcairn" in holder.application
    assert f"database process {holder.pid}" in str(caught.value)
    assert f"{holder.since:%H:%M:%S} UTC" in str(caught.value)


def test_a_transaction_that_found_the_store_busy_can_go_on() -> None:
    """Whoever tries must be able to write down that it did not work."""
    with held_elsewhere(TENANT), transaction.atomic():
        with pytest.raises(StoreBusy):
            lock_tenant(TENANT, wait=0.05)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            assert cursor.fetchone() == ("0",)


def test_the_lock_ends_with_the_transaction() -> None:
    """C10, C12: a lock that leaks through an exception blocks a tenant until somebody notices."""
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lock_tenant(TENANT, wait=1)
        raise ZeroDivisionError

    with held_elsewhere(TENANT):
        pass
    assert holder_of(TENANT) is None


def test_nobody_waits_for_another_tenant() -> None:
    """One slow tenant must not stop the others."""
    with held_elsewhere(TENANT), transaction.atomic():
        lock_tenant(uuid.uuid4(), wait=0.05)


def test_a_try_does_not_wait() -> None:
    """What the holder does anyway is not worth waiting for."""
    with held_elsewhere(TENANT), transaction.atomic():
        assert not try_lock_tenant(TENANT)
    with transaction.atomic():
        assert try_lock_tenant(TENANT)


def test_every_lock_has_a_number_of_its_own() -> None:
    """Two kinds of lock with one number wait for each other for ever."""
    assert len({int(lock) for lock in Lock.__members__.values()}) == len(Lock.__members__)
    assert all(-(2**31) <= number < 2**31 for number in numbers(TENANT))
