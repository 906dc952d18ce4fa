"""From an empty installation to a registered device on one page."""

from __future__ import annotations

from typing import Any

import pytest

from backups import recognition
from backups.detection import Detected
from backups.errors import LoginRefused
from backups.transport import Target
from inventory.models import Credential, Device, Tenant
from inventory.platforms.signs import Proposal
from tests.factories import make_credential, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

BEGIN = "/admin/inventory/device/begin/"
SENT = {
    "tenant_name": "acme",
    "username": "netcairn",
    "password": "pa55word!",
    "name": "edge1",
    "address": "192.0.2.1",
    "port": "22",
    "platform": "",
}
IOS = Detected((Proposal("cisco_ios", "Cisco IOS and IOS-XE", sure=True, because="it said so"),))


@pytest.fixture
def device_says(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the device is found to be, or the error of a login, under `found`; and how it was reached."""
    told: dict[str, Any] = {"found": IOS}

    def look(target: Target, *, deadline: float) -> Detected:
        told["target"] = target
        if isinstance(told["found"], Exception):
            raise told["found"]
        return told["found"]

    monkeypatch.setattr(recognition, "look", look)
    return told


def test_one_page_makes_tenant_credential_and_device(db: None, device_says: dict[str, Any]) -> None:
    """Four forms in four places are where a trial of the product ends."""
    root = logged_in(make_user("root", is_superuser=True))

    response = root.post(BEGIN, SENT)

    device = Device.objects.select_related("tenant", "credential").get()
    assert response.url == f"/admin/inventory/device/{device.pk}/overview/"
    assert (device.name, device.tenant.name, device.platform) == ("edge1", "acme", "cisco_ios")
    assert device.credential and device.credential.password() == "pa55word!"
    assert device_says["target"].username == "netcairn"


def test_a_refused_login_keeps_what_is_right_and_says_what_is_not(db: None, device_says: dict[str, Any]) -> None:
    """Whoever mistypes a password must not type all the rest again, nor find half a device."""
    device_says["found"] = LoginRefused("192.0.2.1 refused user netcairn; check the credential.")
    root = logged_in(make_user("root", is_superuser=True))

    text = page(root.post(BEGIN, SENT))

    assert "192.0.2.1 refused user netcairn" in text and 'value="edge1"' in text and "pa55word!" not in text
    assert not Device.objects.exists() and Tenant.objects.get().name == "acme"
    device_says["found"] = IOS
    again = SENT | {"tenant": str(Tenant.objects.get().pk), "credential": str(Credential.objects.get().pk)}
    assert root.post(BEGIN, again).status_code == 302 and Device.objects.get().credential == Credential.objects.get()


def test_another_platform_than_the_chosen_one_is_not_registered(db: None, device_says: dict[str, Any]) -> None:
    """A wrong sheet reads the wrong commands, and no version of it can be put back."""
    root = logged_in(make_user("root", is_superuser=True))

    text = page(root.post(BEGIN, SENT | {"platform": "arista_eos"}))

    assert "runs Cisco IOS" in text and not Device.objects.exists()


def test_members_begin_in_their_tenants_only(db: None, device_says: dict[str, Any]) -> None:
    """Neither another tenant nor another tenant's credential can be named, and an auditor has no such page."""
    mine, others = make_tenant("mine"), make_tenant("others")
    foreign = make_credential(others)
    operator = logged_in(make_user("olga", (mine, Role.ADMINISTRATOR)))

    assert page(operator.post(BEGIN, SENT | {"tenant": str(others.pk)}))
    assert page(operator.post(BEGIN, SENT | {"tenant": str(mine.pk), "credential": str(foreign.pk)}))
    assert not Device.objects.exists() and Tenant.objects.count() == 2
    assert logged_in(make_user("anna", (mine, Role.AUDITOR))).get(BEGIN).status_code == 403
    assert operator.post(BEGIN, SENT | {"tenant": str(mine.pk)}).status_code == 302
