"""Rows that are copied in instead of inserted."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from backups.copying import copy_in, learn_of_growth
from backups.models import Snapshot
from inventory.models import Device
from tests.backups.store_kit import NOON
from tests.factories import make_device, make_tenant

SPECIAL = "tab\t, line\n, \\N, \\., ü and 'quote'"


def version_of(device: Device) -> Snapshot:
    """A row with text in it that COPY would take for something else, were it not framed."""
    return Snapshot(
        tenant_id=device.tenant_id,
        device=device,
        seq=1,
        taken_at=NOON,
        commit="a" * 40,
        files={SPECIAL: {"blob": "b" * 40, "size": 3}},
        digest="c" * 64,
        size=3,
        lines_added=1,
        lines_removed=0,
        author=SPECIAL,
    )


def test_a_copied_row_is_the_row_that_was_given(device: Device) -> None:
    """A row that differs from its commit in anything is a version that cannot be trusted."""
    row = version_of(device)

    copy_in([row])

    found = Snapshot.objects.get()
    assert {field.name: getattr(found, field.attname) for field in Snapshot._meta.concrete_fields} == {
        field.name: getattr(row, field.attname) for field in Snapshot._meta.concrete_fields
    }


def test_a_copied_row_cannot_cross_tenants(device: Device) -> None:
    """COPY is no way around the constraints."""
    row = version_of(make_device(make_tenant("other")))
    row.tenant_id = device.tenant_id

    with pytest.raises(IntegrityError), transaction.atomic():
        copy_in([row])
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def rows_read_to_check(row: Snapshot) -> int:
    """Keep the row; how many devices PostgreSQL has read for it."""
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'inventory_device'"
    with connection.cursor() as cursor:
        before = cursor.execute(read).fetchone()[0]
        copy_in([row])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        return int(cursor.execute(read).fetchone()[0] - before)


def make_room(device: Device) -> None:
    """Let there have been many devices, whose place others can take, before statistics were gathered."""
    table = Device._meta.db_table
    devices = many(device, 800)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM inventory_device WHERE id = ANY(%s)", [[one.pk for one in devices]])
        cursor.execute(f"ANALYZE {table}")


def many(device: Device, count: int) -> list[Device]:
    """So many more of its tenant."""
    return Device.objects.bulk_create(
        Device(tenant_id=device.tenant_id, name=f"grown{number}", address="192.0.2.1", platform="cisco_ios")
        for number in range(count)
    )


def test_a_fleet_that_has_grown_is_not_read_for_every_row(device: Device) -> None:
    """The first backup of 10,000 devices spent a fifth of its time reading all of them for each one."""
    make_room(device)
    rows_read_to_check(version_of(device))  # how it looks up a device is decided while there is one
    many(device, 500)
    learn_of_growth()

    assert rows_read_to_check(version_of(Device.objects.get(name="grown400"))) < 10
