"""Rows that are copied in instead of inserted."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from backups.copying import copy_in
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
