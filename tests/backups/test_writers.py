"""Several writers of one tenant, with transactions that are real."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection

from backups.commit import DeviceChange, writing
from backups.errors import StoreBusy
from backups.models import Repository, Snapshot
from inventory.models import Device
from tests.backups.store_kit import NOON, assert_sound, back_up, files_of, kept, refs_of, repository

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(work: Callable[[], object]) -> None:
    """Do this on another connection, to its end; an error there is an error here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001  (raised again below, where the test sees it)
            failed.append(exc)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def hang_up(backend: int) -> None:
    """Let the server end a connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_writer_whose_connection_was_cut_moves_nothing(device: Device) -> None:
    """Promise 2: he believes that he holds the lock, and another has committed since."""
    back_up(kept(device, b"1\n"))

    with pytest.raises(DatabaseError), writing(device.tenant_id) as batch:
        zombie = backend()
        elsewhere(lambda: hang_up(zombie))
        elsewhere(lambda: back_up(kept(device, b"2\n")))
        change = DeviceChange(device.pk, device.name, {"running.cfg": b"late\n"})
        batch.put([change], message="m", author="a", when=NOON, trailers={})
    connection.close()

    assert b"2\n" in files_of(repository(device.tenant)).values()
    assert list(refs_of(repository(device.tenant))) == ["refs/heads/main"]
    assert Repository.objects.get().seq == Snapshot.objects.count() == 2
    assert_sound(device.tenant)


def test_a_connection_that_is_cut_at_the_commit_leaves_all_or_nothing(device: Device) -> None:
    """Whether it was acknowledged nobody knows, but the row knows."""
    back_up(kept(device, b"1\n"))
    with pytest.raises(DatabaseError), writing(device.tenant_id) as batch:
        change = DeviceChange(device.pk, device.name, {"running.cfg": b"late\n"})
        batch.put([change], message="m", author="a", when=NOON, trailers={})
        zombie = backend()
        elsewhere(lambda: hang_up(zombie))
    connection.close()

    with writing(device.tenant_id) as batch:
        assert batch.seq == 1

    assert_sound(device.tenant)


def test_a_second_writer_waits_no_longer_than_he_says(device: Device) -> None:
    """A4, C11: busy is an answer; hanging is none."""
    with writing(device.tenant_id), pytest.raises(StoreBusy, match="netcairn"):
        elsewhere(lambda: writing(device.tenant_id, wait=0.05).__enter__())


def test_two_first_backups_at_once_make_one_repository(device: Device) -> None:
    """A1, C4: of two makers one wins, and the other writes into what he made."""
    start = threading.Barrier(2)

    def first(content: bytes) -> Callable[[], None]:
        def work() -> None:
            start.wait(30)
            back_up(kept(device, content))

        return work

    other = threading.Thread(target=lambda: elsewhere(first(b"1\n")))
    other.start()
    elsewhere(first(b"2\n"))
    other.join()

    assert Repository.objects.get().seq == Snapshot.objects.count() == 2
    assert_sound(device.tenant)


def test_nobody_sees_a_version_before_its_commit(device: Device) -> None:
    """COMMIT is the acknowledgement: a reader finds either none of it or all of it."""
    seen = []
    with writing(device.tenant_id) as batch:
        change = DeviceChange(device.pk, device.name, {"running.cfg": b"1\n"})
        batch.put([change], message="m", author="a", when=NOON, trailers={})
        elsewhere(lambda: seen.append(Repository.objects.filter(seq__gt=0).exists()))
        seen.append("refs/heads/main" in refs_of(repository(device.tenant)))

    assert seen == [False, False]
    assert_sound(device.tenant)
