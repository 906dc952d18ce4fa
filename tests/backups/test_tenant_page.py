"""A tenant's page and the dashboard: what is kept, what is full, what cannot be put back, and who may change it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backups import quota
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from tests.backups.store_kit import back_up, kept
from tests.factories import make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page


@pytest.fixture
def root(db: None) -> Client:
    """Who runs the program."""
    return logged_in(make_user("root", is_superuser=True))


@pytest.fixture
def boss(tenant: Tenant) -> Client:
    """The tenant's administrator."""
    return logged_in(make_user("boss", (tenant, Role.ADMINISTRATOR)))


def agree(client: Client, tenant: Tenant, verb: str, **answers: str) -> Any:
    """Look at the plan, then agree to exactly that."""
    address = f"/admin/inventory/tenant/{tenant.pk}/{verb}/"
    shown = client.get(address)
    assert shown.status_code == 200, shown.status_code
    sent = dict(shown.context["hidden"]) | {f"answer-{name}": value for name, value in answers.items()}
    return client.post(address, sent, follow=True)


def test_a_quota_is_set_on_the_page_and_shown_there_and_on_the_dashboard(
    tenant: Tenant, device: Device, root: Client
) -> None:
    """E12: who looks after a hundred tenants has to see the full one first."""
    back_up(kept(device, b"x" * 900))

    answer = page(agree(root, tenant, "set_quota", size="1000"))

    assert "900 bytes of 1000 bytes" in answer.replace("\xa0", " ")
    dashboard = root.get("/admin/")
    assert [(owner, usage.percent) for owner, usage in dashboard.context["quotas"]] == [(tenant, 90.0)]
    assert [alarm.code for alarm in dashboard.context["alarms"]] == [quota.NEARLY_FULL]
    assert AuditEntry.objects.get().by == "root"


def test_a_size_that_is_none_is_refused(tenant: Tenant, root: Client) -> None:
    """A slip of the pen must not become no limit."""
    agree(root, tenant, "set_quota", size="lots")

    assert not AuditEntry.objects.exists()


def test_no_tenant_sets_its_own_quota(tenant: Tenant, boss: Client) -> None:
    """Else it would be none."""
    assert boss.get(f"/admin/inventory/tenant/{tenant.pk}/set_quota/").status_code == 403


def test_masking_is_agreed_to_by_typing_the_name_and_said_wherever_it_matters(
    tenant: Tenant, device: Device, boss: Client
) -> None:
    """Nobody may find out in an emergency that nothing can be put back."""
    back_up(kept(device))
    agree(boss, tenant, "change_secrets_policy", typed="other")
    tenant.refresh_from_db()
    assert tenant.secrets_policy == "keep"
    assert "does not rewrite the past" in page(boss.get(f"/admin/inventory/tenant/{tenant.pk}/change_secrets_policy/"))

    agree(boss, tenant, "change_secrets_policy", typed="acme")

    tenant.refresh_from_db()
    assert tenant.secrets_policy == "mask"
    for address in (f"tenant/{tenant.pk}/change/", f"device/{device.pk}/overview/"):
        assert "cannot be put back onto a device" in page(boss.get(f"/admin/inventory/{address}"))
    assert [(entry.by, entry.action) for entry in AuditEntry.objects.exclude(action="version.seen")] == [
        ("boss", "secrets_policy.set")
    ]
    agree(boss, tenant, "change_secrets_policy")
    tenant.refresh_from_db()
    assert tenant.secrets_policy == "keep"


def test_a_version_that_was_stored_masked_says_so(device: Device, boss: Client) -> None:
    """Also long after the policy was changed back."""
    snapshot = back_up(kept(device, b"enable secret 5 (masked)\n")).snapshots[device.pk]

    assert "cannot be put back" in page(boss.get(f"/admin/backups/snapshot/{snapshot.pk}/change/"))


def test_alarms_of_others_are_not_on_the_dashboard(tenant: Tenant, device: Device, db: None, boss: Client) -> None:
    """Not even that there is one."""
    other = make_tenant("third", quota_bytes=1)
    quota.watch(other, quota.Usage(1, 1))

    context = boss.get("/admin/").context

    assert not list(context["alarms"])
    assert context["quotas"] == []
