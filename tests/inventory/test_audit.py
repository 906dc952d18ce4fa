"""The audit log: who did what, where it cannot be changed."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory.audit import AuditEntry, breaks_of, record
from inventory.models import Tenant
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    """A tenant with three entries."""
    tenant = make_tenant("acme")
    for number in (1, 2, 3):
        record(tenant, by="ada", action="snapshot.downloaded", about=f"r{number}", detail={"bytes": number})
    return tenant


def tampered(statement: str) -> None:
    """What somebody could do who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_auditentry DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE inventory_auditentry ENABLE TRIGGER USER")


def test_each_tenant_has_a_chain_of_its_own(tenant: Tenant) -> None:
    """A customer can be given his log, and check it, without a line of anybody else's."""
    other = make_tenant("other")
    record(other, by="bob", action="device.added", about="r9")
    record(None, by="system", action="started", about="netcairn")

    numbers = [list(AuditEntry.objects.of(of).values_list("number", flat=True)) for of in (tenant, other, None)]

    assert numbers == [[1, 2, 3], [1], [1]]


def test_an_untouched_chain_is_whole(tenant: Tenant) -> None:
    """A check that cries wolf would soon not be read."""
    assert breaks_of(tenant.pk) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE inventory_auditentry SET by = 'eve'", "DELETE FROM inventory_auditentry"],
)
def test_the_database_refuses_to_change_what_was_recorded(tenant: Tenant, statement: str) -> None:
    """Whoever broke in wants his traces gone first."""
    with (
        pytest.raises(DatabaseError, match="can only be added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_database_refuses_to_empty_the_log(tenant: Tenant) -> None:
    """TRUNCATE passes by the triggers of rows."""
    with (
        pytest.raises(DatabaseError, match="can only be added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL netcairn.audit_may_be_emptied TO 'no'")
        cursor.execute("TRUNCATE inventory_auditentry")


@pytest.mark.parametrize(
    ("statement", "number", "what"),
    [
        ("UPDATE inventory_auditentry SET by = 'eve' WHERE number = 2", 2, "its text was changed"),
        ("DELETE FROM inventory_auditentry WHERE number = 2", 3, "an entry before it is missing"),
        ("UPDATE inventory_auditentry SET digest = decode('00', 'hex') WHERE number = 1", 2, "does not continue"),
    ],
)
def test_a_chain_that_was_tampered_with_says_where(tenant: Tenant, statement: str, number: int, what: str) -> None:
    """Who owns the database can take the guard away; it must show."""
    tampered(statement)

    assert any(found.number == number and what in found.what for found in breaks_of(tenant.pk))


def test_recording_is_one_statement(tenant: Tenant) -> None:
    """It stands in the way of everything that is audited."""
    with CaptureQueriesContext(connection) as queries:
        record(tenant, by="ada", action="device.added", about="r4")

    assert len(queries) == 1
