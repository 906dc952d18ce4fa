"""A tenant is deleted: it can be undone for days, and then nothing of it is left but who did what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from backups import erasing_jobs, jobs
from backups.erasing import erase
from backups.errors import StoreBusy
from backups.mirrors.services import add_mirror
from backups.models import Run
from backups.remote.publishing import publish
from backups.schedule_models import Schedule
from backups.store.reader import store_path
from inventory import deletion
from inventory.audit import AuditEntry, breaks_of
from inventory.errors import Invalid
from inventory.models import Device, Tenant
from inventory.notices import Notice
from inventory.services import add_credential
from tests.backups.store_kit import back_up, files_of, kept
from tests.config.test_admin_walk import settle
from tests.config.test_canaries import tables
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def places(settings: LazySettings, tmp_path: Path) -> Path:
    """A store, an object store and published files of the test's own."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    settings.NETCAIRN_PUBLISHED_ROOT = str(tmp_path / "published")
    (tmp_path / "published").mkdir()
    (tmp_path / "remote").mkdir()
    settings.NETCAIRN_OBJECT_STORE = f"file://{tmp_path / 'remote'}"
    return tmp_path


@pytest.fixture
def leaving(db: None, places: Path) -> Tenant:
    """A tenant with a version and a schedule."""
    tenant = make_tenant("mine")
    back_up(kept(make_device(tenant, "mine-box")))
    Schedule.objects.create(tenant=tenant, name="mine-nightly", cron="0 2 * * *")
    return tenant


@pytest.fixture
def full(db: None, places: Path) -> Tenant:
    """A tenant with a row of nearly every kind, and another one beside it."""
    for name in ("theirs", "mine"):
        publish(settle(name)[Tenant].pk)
    tenant = Tenant.objects.get(name="mine")
    call_command("publish")
    LogEntry.objects.log_actions(make_user("root", is_superuser=True).pk, list(tenant.devices.all()), CHANGE, "x")
    jobs.enqueue("x.y", name=f"garbage {tenant.pk}")
    return tenant


def on_the_disk(root: Path, tenant: Tenant) -> list[Path]:
    """Whatever bears its id or its name."""
    return [path for path in root.rglob("*") if str(tenant.pk) in path.name or path.name == tenant.name]


def test_nothing_is_left_but_the_audit_log(full: Tenant, tmp_path: Path) -> None:
    """Rows, repository, objects, keys, published files, the admin's own log and the queue's memory. Capability C18."""
    other, pk = Tenant.objects.get(name="theirs"), str(full.pk)
    before = files_of(store_path(other.pk))
    words = [pk, full.pk.hex, "mine-box", "mine-nightly", "mine burns"]
    Run.objects.filter(tenant=full).update(state="done")
    deletion.ask(full, by="ada", now=NOW - timedelta(days=8))

    gone = erase(full, by="ada", now=NOW)

    assert gone["repositories"] == 1 and gone["objects"] >= 4 and gone["rows"] > 15
    assert on_the_disk(tmp_path, full) == []
    chain = AuditEntry.objects.filter(tenant=full.pk)
    assert chain.order_by("number").last().action == "tenant.deleted"  # type: ignore[union-attr]
    assert breaks_of(full.pk) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_auditentry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM inventory_auditentry")
    told = tables()
    assert [word for word in words if word in told] == []
    assert files_of(store_path(other.pk)) == before and "theirs-box" in told


def test_it_can_be_undone_until_then(leaving: Tenant) -> None:
    """A slip must not cost a customer's history; meanwhile nothing is collected."""
    deletion.ask(leaving, by="ada", now=NOW)
    assert not Device.objects.collectable().filter(tenant=leaving).exists()
    assert not Schedule.objects.filter(tenant=leaving)[0].devices().exists()
    with pytest.raises(Invalid, match="cannot be undone"):
        erase(leaving, by="ada", now=NOW + timedelta(days=6))

    call_command("tenant", "undelete", "mine")

    assert Device.objects.collectable().filter(tenant=leaving).exists()
    assert not Notice.objects.open_alarms().filter(code=deletion.LEAVING).exists()
    with pytest.raises(Invalid):
        erase(leaving, by="ada", now=NOW + timedelta(days=8))


def test_work_that_goes_on_is_waited_for(leaving: Tenant) -> None:
    """And told: the tick tries again every minute."""
    Tenant.objects.filter(pk=leaving.pk).update(ends_at=NOW)
    Run.objects.create(tenant=leaving, requested_by="ada", state="running")

    erasing_jobs.work()

    assert Notice.objects.open_alarms().filter(code=erasing_jobs.FAILED).exists()
    with pytest.raises(StoreBusy):
        erase(leaving, by="ada", now=NOW)


def test_a_deletion_that_was_cut_off_is_finished(
    leaving: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are gone, the rows are not: the tenant is still due, and the next try ends it."""
    Tenant.objects.filter(pk=leaving.pk).update(ends_at=NOW)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("backups.erasing.remove_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            erase(leaving, by="ada", now=NOW)
    assert Tenant.objects.filter(pk=leaving.pk).exists()

    erasing_jobs.work()

    assert not Tenant.objects.filter(pk=leaving.pk).exists() and on_the_disk(tmp_path, leaving) == []


def test_only_who_holds_the_right_and_types_the_name_asks_for_it(leaving: Tenant) -> None:
    """A tenant's own administrator does not end it."""
    boss, root = make_user("boss", (leaving, Role.ADMINISTRATOR)), make_user("chief", is_superuser=True)
    address = f"/admin/inventory/tenant/{leaving.pk}/end_tenant/"
    assert logged_in(boss).get(address).status_code == 403

    client = logged_in(root)
    shown = page(client.get(address))
    fingerprint = shown.partition('name="fingerprint" value="')[2].partition('"')[0]
    sent = {"confirmed": "yes", "fingerprint": fingerprint}
    client.post(address, {**sent, "answer-typed": "theirs"})
    assert Tenant.objects.get(pk=leaving.pk).ends_at is None
    client.post(address, {**sent, "answer-typed": "mine"})

    assert Tenant.objects.get(pk=leaving.pk).ends_at is not None
    assert "To be deleted" in page(client.get(f"/admin/inventory/tenant/{leaving.pk}/change/"))


def test_the_command_wants_the_name_typed(leaving: Tenant, capsys: Any) -> None:
    """`--yes` would be in somebody's script before long."""
    with pytest.raises(CommandError, match="exactly"):
        call_command("tenant", "delete", "mine", "--confirm", "theirs")

    call_command("tenant", "delete", "mine", "--confirm", "mine")

    assert Tenant.objects.get(pk=leaving.pk).ends_at is not None


def test_mirrors_and_credentials_go_with_it(leaving: Tenant) -> None:
    """Rows that stand on one another: in which order they go is PostgreSQL's affair."""
    add_credential(leaving, "deploy", "git", {"password": "a-token"})
    add_mirror(leaving, "far", url="https://git.example.net/x.git", credential="deploy", by="ada")
    back_up(kept(leaving.devices.get(), b"another\nend\n"))
    Tenant.objects.filter(pk=leaving.pk).update(ends_at=NOW)

    erase(leaving, by="ada", now=NOW)

    assert not Tenant.objects.filter(pk=leaving.pk).exists()
