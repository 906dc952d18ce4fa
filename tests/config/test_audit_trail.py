"""What people leave in the audit log by looking, taking along and changing rights."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from inventory.audit import AuditEntry, record
from inventory.audit_export import breaks_in, exported_lines
from inventory.models import Device, Membership, Tenant
from inventory.notices import Level, Notice, tell
from tests.checkpoints.conftest import back_up
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(settings: Any, tmp_path: Path) -> Device:
    """A device with one version that has a secret."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    device = make_device(make_tenant("acme"), "edge1")
    back_up(device, running_cfg="hostname edge1\nsnmp-server community s3cr3t RO\n")
    AuditEntry.objects.all()
    return device


def person(device: Device, role: str) -> Client:
    """Somebody of the device's tenant."""
    return logged_in(make_user(f"{role}1", (device.tenant, role)))


def actions() -> list[str]:
    """What was recorded, in order."""
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_who_sees_secrets_leaves_a_line_on_every_page_that_shows_them(device: Device) -> None:
    """After a leak the first question is who had seen it."""
    client, version = person(device, Role.RESTORER), device.snapshots.get()

    client.get(reverse("admin:inventory_device_overview", args=[device.pk]))
    client.get(reverse("admin:backups_snapshot_change", args=[version.pk]))
    client.get(reverse("admin:backups_snapshot_blame", args=[version.pk, "running.cfg"]))
    client.get(reverse("admin:backups_snapshot_compare"), {"right": version.pk})
    client.post(reverse("admin:backups_snapshot_search"), {"text": "s3cr3t"})

    assert actions() == ["version.seen", "version.seen", "version.seen", "version.compared", "search.done"]
    assert "s3cr3t" not in json.dumps(list(AuditEntry.objects.values_list("about", "detail")))


def test_who_sees_masked_texts_leaves_none(device: Device) -> None:
    """A log of everything is a log of nothing."""
    client, version = person(device, Role.AUDITOR), device.snapshots.get()

    client.get(reverse("admin:inventory_device_overview", args=[device.pk]))
    client.get(reverse("admin:backups_snapshot_change", args=[version.pk]))
    client.post(reverse("admin:backups_snapshot_search"), {"text": "hostname"})

    assert actions() == []


def test_what_is_taken_along_is_recorded_even_masked(device: Device) -> None:
    """A file outlives the right to see it."""
    client, version = person(device, Role.AUDITOR), device.snapshots.get()

    client.get(reverse("admin:backups_snapshot_file", args=[version.pk, "running.cfg"]))

    assert [entry.detail["masked"] for entry in AuditEntry.objects.all()] == [True]


def test_the_terminal_is_no_way_around(device: Device) -> None:
    """Whoever sits at the machine is named by the account there."""
    call_command("search", "hostname", stdout=io.StringIO())
    call_command("blame", "edge1", stdout=io.StringIO())
    call_command("blame", "edge1", "--masked", stdout=io.StringIO())

    assert actions() == ["search.done", "version.seen"]


def test_rights_are_recorded_in_the_tenants_chain(device: Device) -> None:
    """Who let whom in."""
    tenant, guest = device.tenant, make_user("guest")
    client = logged_in(make_user("root", is_superuser=True))
    own = {"name": "acme", "max_sessions": 10, "max_sessions_a_site": 10, "objective_hours": 26}
    table = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0}
    given = {"memberships-0-user": guest.pk, "memberships-0-role": "restorer", "memberships-0-tenant": str(tenant.pk)}

    client.post(reverse("admin:inventory_tenant_change", args=[tenant.pk]), own | table | given)

    assert Membership.objects.filter(user=guest, role="restorer").exists()
    entry = AuditEntry.objects.of(tenant).get(action="membership.given")
    assert (entry.by, entry.about, entry.detail) == ("root", "guest", {"role": "restorer"})


def test_a_changed_credential_is_recorded_without_a_value(device: Device) -> None:
    """Names of fields, and never what was typed."""
    client = person(device, Role.ADMINISTRATOR)
    form = {"tenant": str(device.tenant_id), "name": "lab", "username": "nora", "password": "very s3cr3t"}

    client.post(reverse("admin:inventory_credential_add"), form)

    assert actions() == ["credential.added"]
    assert "s3cr3t" not in json.dumps(list(AuditEntry.objects.values_list("about", "detail")))


def test_an_exported_chain_is_checked_without_the_database(device: Device) -> None:
    """The customer checks it with nothing but SHA-256; a changed, a missing and a moved line show."""
    for name in ("ada", "bob", "eve"):
        record(device.tenant, by=name, action="version.seen", about="röuter", detail={"b": 1, "a": ["x", None]})
    lines = list(exported_lines(device.tenant_id))

    assert len(lines) == 3
    assert not list(breaks_in(lines))
    assert list(breaks_in([lines[0], lines[1].replace("bob", "rob"), lines[2]]))
    assert list(breaks_in([lines[0], lines[2]]))
    assert list(breaks_in([lines[1], lines[0], lines[2]]))


def test_the_command_verifies_the_database_and_a_file(device: Device, tmp_path: Path) -> None:
    """Exit status 1 is what a nightly check looks at."""
    record(device.tenant, by="ada", action="version.seen", about="edge1")
    told, exported, bad = io.StringIO(), io.StringIO(), tmp_path / "bad.jsonl"

    call_command("audit", "verify", stdout=told)
    call_command("audit", "export", "--tenant", "acme", stdout=exported)
    bad.write_text(exported.getvalue().replace("ada", "eve"))

    assert "whole" in told.getvalue()
    with pytest.raises(SystemExit) as ended:
        call_command("audit", "verify", "--file", str(bad), stdout=told)
    assert ended.value.code == 1
    with pytest.raises(CommandError):
        call_command("audit", "list", "--limit", "0")


def test_the_page_shows_a_tenants_own_entries_and_exports_them(device: Device) -> None:
    """Another customer's people are nobody's business."""
    other: Tenant = make_tenant("theirs")
    record(device.tenant, by="ada", action="version.seen", about="edge1")
    record(other, by="mallory", action="version.seen", about="theirs-box")
    client = person(device, Role.AUDITOR)

    told = page(client.get(reverse("admin:inventory_auditentry_changelist")))
    listed = client.get(reverse("admin:inventory_auditentry_changelist")).context["exports"]
    exported = client.get(reverse("admin:inventory_auditentry_export", args=[device.tenant_id]))
    refused = client.get(reverse("admin:inventory_auditentry_export", args=[other.pk]))

    assert "edge1" in told and "mallory" not in told
    assert not list(breaks_in(line for line in exported.getvalue().decode().splitlines()))
    assert listed == [(device.tenant.name, reverse("admin:inventory_auditentry_export", args=[device.tenant_id]))]
    assert refused.status_code == 404
    assert actions()[-1] == "audit.exported"


def test_an_alarm_is_settled_by_a_person_and_leaves_the_dashboard(device: Device) -> None:
    """Only after the plan was agreed to; and it says who."""
    alarm = tell(device.tenant, code="store.damaged", about="edge1", text="It burns.", level=Level.ALARM)
    client = person(device, Role.OPERATOR)
    address = reverse("admin:inventory_notice_change", args=[alarm.pk]).replace("change/", "settle_it/")

    plan = client.get(address)
    assert Notice.objects.open_alarms().count() == 1
    client.post(address, {"confirmed": "yes", "fingerprint": dict(plan.context["hidden"])["fingerprint"]})

    alarm.refresh_from_db()
    assert alarm.settled_by == "operator1"
    assert "It burns." not in page(client.get(reverse("admin:index")))
    assert actions() == ["notice.settle_it"]
