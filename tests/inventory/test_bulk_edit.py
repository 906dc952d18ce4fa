"""Editing many devices at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inventory.models import AuditEntry, Device, Tenant
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

LIST = "/admin/inventory/device/"


@pytest.fixture
def tenant(db: None) -> Tenant:
    """Where the devices are."""
    return make_tenant()


def agreed(client: Client, devices: list[Device], **answers: Any) -> Any:
    """Choose the devices, read the plan, and send it back with what is to change."""
    chosen = {"action": "edit_several", "_selected_action": [str(device.pk) for device in devices]}
    shown = client.post(LIST, chosen)
    hidden = dict(shown.context["hidden"]) | {"_selected_action": chosen["_selected_action"]}
    return client.post(LIST, hidden | {f"answer-{name}": value for name, value in answers.items()}, follow=True)


def test_what_is_filled_in_changes_and_nothing_else(tenant: Tenant) -> None:
    """A hundred devices move to another site in one step, and keep what they had."""
    devices = [make_device(tenant, name, tags=["core", "old"]) for name in ("edge1", "edge2")]
    other = make_device(tenant, "edge3", site="zrh")
    credential = make_credential(tenant)
    client = logged_in(make_user("olga", (tenant, Role.OPERATOR)))

    agreed(client, devices, site="gva", credential=str(credential.pk), add_tags="new core", remove_tags="old")

    for device in Device.objects.filter(pk__in=[device.pk for device in devices]):
        assert (device.site, device.credential, device.tags) == ("gva", credential, ["core", "new"])
        assert device.platform == "cisco_ios"
    assert Device.objects.get(pk=other.pk).site == "zrh"
    assert "2 devices" in AuditEntry.objects.get(action="device.changed", by="olga").about


def test_nothing_filled_in_changes_nothing(tenant: Tenant) -> None:
    """An empty form must not empty a hundred devices."""
    device = make_device(tenant, site="zrh")

    text = page(agreed(logged_in(make_user("olga", (tenant, Role.OPERATOR))), [device]))

    assert "Fill in what is to change" in text and Device.objects.get().site == "zrh"


def test_others_devices_and_credentials_are_out_of_reach(tenant: Tenant) -> None:
    """Neither by their ids among one's own, nor as what is chosen."""
    mine, theirs = make_device(tenant), make_device(make_tenant("other"), "foreign", site="x")
    foreign = make_credential(theirs.tenant)
    client = logged_in(make_user("olga", (tenant, Role.OPERATOR)))

    agreed(client, [mine, theirs], site="gva")
    agreed(client, [mine], credential=str(foreign.pk))

    assert Device.objects.get(pk=theirs.pk).site == "x" and Device.objects.get(pk=mine.pk).site == "gva"
    assert Device.objects.get(pk=mine.pk).credential is None
