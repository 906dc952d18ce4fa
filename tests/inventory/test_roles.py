"""What a place in a tenant allows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from inventory.models import Device
from inventory.roles import RoleBackend, may, role_grants, tenants_with
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        ("inventory.view_device", "auditor operator restorer administrator"),
        ("backups.view_snapshot", "auditor operator restorer administrator"),
        ("backups.back_up", "operator restorer administrator"),
        ("inventory.change_device", "operator restorer administrator"),
        ("checkpoints.add_checkpoint", "operator restorer administrator"),
        ("checkpoints.restore_record", "restorer administrator"),
        ("checkpoints.export_checkpoint", "restorer administrator"),
        ("backups.view_secrets", "restorer administrator"),
        ("inventory.change_credential", "administrator"),
        ("inventory.change_membership", "administrator"),
        ("checkpoints.collect_garbage", "administrator"),
        ("checkpoints.delete_checkpoint", "administrator"),
        ("inventory.add_tenant", ""),
        ("auth.change_user", ""),
        ("django_q.add_schedule", ""),
    ],
)
def test_a_role_grants_what_it_is_for(permission: str, roles: str) -> None:
    """The whole table, so that a pattern that grows too wide is noticed."""
    assert [role for role in Role.values if role_grants(role, permission)] == roles.split()


def test_a_role_holds_in_its_tenant_alone() -> None:
    """An operator for one customer may be an auditor for another."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_user("olga", (acme, Role.OPERATOR), (globex, Role.AUDITOR))
    assert may(user, "inventory.change_device", acme.pk)
    assert not may(user, "inventory.change_device", globex.pk)
    assert list(tenants_with(user, "inventory.change_device")) == [acme]
    assert set(tenants_with(user, "inventory.view_device")) == {acme, globex}


def test_a_permission_of_djangos_own_holds_in_each_of_the_users_tenants_and_in_no_other() -> None:
    """Groups go on working, and reach no further than the memberships."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_user("olga", (acme, Role.AUDITOR), permissions=("inventory.change_device",))
    assert may(user, "inventory.change_device", acme.pk)
    assert not may(user, "inventory.change_device", globex.pk)
    assert list(tenants_with(user, "inventory.change_device")) == [acme]


def test_a_superuser_may_everything_and_a_stranger_nothing() -> None:
    """The two ends."""
    tenant = make_tenant()
    assert may(make_user("root", is_superuser=True), "inventory.change_device", tenant.pk)
    for user in (AnonymousUser(), make_user("nobody", permissions=("inventory.change_device",))):
        assert not may(user, "inventory.change_device", tenant.pk)
        assert not may(user, "inventory.change_device")
        assert not tenants_with(user, "inventory.change_device").exists()


def test_the_backend_tells_django_of_roles() -> None:
    """Menus and templates ask `user.has_perm`, with a row or without."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user, backend = make_user("olga", (acme, Role.OPERATOR)), RoleBackend()
    assert backend.has_perm(user, "inventory.change_device")
    assert backend.has_perm(user, "inventory.change_device", make_device(acme))
    assert not backend.has_perm(user, "inventory.change_device", make_device(globex))
    assert not backend.has_perm(user, "inventory.change_device", user)
    assert backend.has_module_perms(user, "backups")
    assert not backend.has_module_perms(user, "auth")


def test_with_the_backend_menus_show_what_a_role_opens(settings: Any) -> None:
    """Pages ask roles themselves; menus ask `user.has_perm`, which asks the backends."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "inventory.roles.RoleBackend"]
    user = make_user("olga", (make_tenant(), Role.OPERATOR))
    assert user.has_perm("inventory.view_device")
    assert user.has_module_perms("inventory")
    assert not user.has_perm("inventory.add_tenant")


def test_an_auditor_looks_and_cannot_touch() -> None:
    """The page is there, its inputs and buttons are not, and a request by hand is refused."""
    tenant = make_tenant()
    device = make_device(tenant)
    client = logged_in(make_user("ada", (tenant, Role.AUDITOR)))
    url = reverse("admin:inventory_device_change", args=[device.pk])
    shown = page(client.get(url))
    assert 'name="address"' not in shown
    assert "forget_host_key" not in shown
    assert 'value="disable"' not in page(client.get(reverse("admin:inventory_device_changelist")))
    assert client.post(url, {"name": "taken"}).status_code == 403
    assert client.get(reverse("admin:inventory_device_add")).status_code == 403
    assert client.get(reverse("admin:inventory_device_import")).status_code == 403
    assert client.get(reverse("admin:inventory_device_forget_host_key", args=[device.pk])).status_code == 403
    assert client.post(reverse("admin:inventory_device_delete", args=[device.pk]), {"post": "yes"}).status_code == 403
    assert Device.objects.get().name == "edge1"


def test_who_changes_in_one_tenant_and_looks_in_another_changes_only_there() -> None:
    """Roles are judged for the row at hand, not for the person."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    mine, watched = make_device(acme, "mine"), make_device(globex, "watched")
    client = logged_in(make_user("olga", (acme, Role.OPERATOR), (globex, Role.AUDITOR)))
    data = {"action": "disable", "_selected_action": [str(mine.pk), str(watched.pk)]}
    plan = client.post(reverse("admin:inventory_device_changelist"), data).context["plan"]
    assert [line.split()[0] for line in plan.effects] == ["mine"]
    assert client.post(reverse("admin:inventory_device_change", args=[watched.pk]), {}).status_code == 403
    offered = client.get(reverse("admin:inventory_device_add")).context["adminform"].form.fields["tenant"].queryset
    assert list(offered) == [acme]
