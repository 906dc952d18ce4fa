"""Actions that show what they will do, and do that or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from inventory.confirmation import AnswerForm, Plan, confirmed_action
from inventory.errors import Invalid
from inventory.models import Device, Tenant
from inventory.scoping import TenantModelAdmin
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db

DEVICES = reverse("admin:inventory_device_changelist")


@pytest.fixture
def tenant() -> Tenant:
    """One tenant."""
    return make_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """The browser of its operator."""
    return logged_in(make_user("olga", (tenant, Role.OPERATOR)))


def choose(devices: list[Device], action: str = "disable", **more: str) -> dict[str, Any]:
    """What the list sends when an action is chosen for rows."""
    return {"action": action, "_selected_action": [str(device.pk) for device in devices], **more}


def agreed(response: Any) -> dict[str, list[str]]:
    """What the button of a confirmation page sends."""
    data: dict[str, list[str]] = {}
    for name, value in response.context["hidden"]:
        data.setdefault(name, []).append(value)
    return data


def enabled() -> set[str]:
    """Names of enabled devices."""
    return set(Device.objects.filter(enabled=True).values_list("name", flat=True))


def test_choosing_an_action_changes_nothing_and_shows_what_would_change(tenant: Tenant, client: Client) -> None:
    """A slip of the mouse in a list of a thousand devices must cost nothing."""
    devices = [make_device(tenant, name) for name in ("one", "two")]
    make_device(tenant, "three")
    response = client.post(DEVICES, choose(devices))
    text = page(response)
    assert "Disable 2 devices?" in text
    assert "one (acme, 192.0.2.1)" in text
    assert "three" not in text
    assert enabled() == {"one", "two", "three"}


def test_agreeing_does_it_tells_and_leaves_a_trace(tenant: Tenant, client: Client) -> None:
    """Exactly the rows that were shown, and their history says who."""
    devices = [make_device(tenant, name) for name in ("one", "two")]
    make_device(tenant, "three")
    response = client.post(DEVICES, agreed(client.post(DEVICES, choose(devices))), follow=True)
    assert "2 devices were disabled." in page(response)
    assert enabled() == {"three"}
    assert set(LogEntry.objects.values_list("object_repr", "change_message")) == {
        ("one", "Disable."),
        ("two", "Disable."),
    }


def test_a_plan_that_is_out_of_date_is_shown_again(tenant: Tenant, client: Client) -> None:
    """Nobody agreed to what it would do now."""
    one, two = make_device(tenant, "one"), make_device(tenant, "two")
    data = agreed(client.post(DEVICES, choose([one, two])))
    Device.objects.filter(pk=one.pk).update(enabled=False)
    text = page(client.post(DEVICES, data))
    assert "Something has changed since you looked" in text
    assert "Disable 1 device?" in text
    assert enabled() == {"two"}


def test_more_rows_than_were_shown_are_not_touched(tenant: Tenant, client: Client) -> None:
    """All means all that were there when somebody looked."""
    device = make_device(tenant, "one")
    data = agreed(client.post(DEVICES, choose([device], select_across="1")))
    make_device(tenant, "late")
    assert "Disable 2 devices?" in page(client.post(DEVICES, data))
    assert enabled() == {"one", "late"}


def test_a_selection_of_everything_is_not_spelt_out(tenant: Tenant, client: Client) -> None:
    """A form with a field for each of ten thousand devices would be refused."""
    devices = [make_device(tenant, f"d{number}") for number in range(5)]
    data = agreed(client.post(DEVICES, choose(devices[:1], select_across="1")))
    assert len(data["_selected_action"]) == 1
    client.post(DEVICES, data)
    assert enabled() == set()


def test_confirmation_without_the_fingerprint_of_the_plan_does_nothing(tenant: Tenant, client: Client) -> None:
    """A request that nobody saw a page for is shown the page."""
    device = make_device(tenant)
    page(client.post(DEVICES, choose([device], confirmed="yes")))
    assert enabled() == {"edge1"}


def test_where_there_is_nothing_to_do_there_is_no_button(tenant: Tenant, client: Client) -> None:
    """And the page says why."""
    device = make_device(tenant, enabled=False)
    response = client.post(DEVICES, choose([device]))
    assert "All of them are disabled already." in page(response)
    client.post(DEVICES, agreed(response))
    assert not LogEntry.objects.exists()


def test_a_button_of_one_row_asks_first_too(tenant: Tenant, client: Client) -> None:
    """unfold makes buttons plain links: a GET, which a prefetching browser may follow by itself."""
    client = logged_in(make_user("rita", (tenant, Role.RESTORER)))
    device = make_device(tenant, host_key="ssh-ed25519 AAAA")
    url = reverse("admin:inventory_device_forget_host_key", args=[device.pk])
    response = client.get(url)
    assert "trusts whatever key it meets" in page(response)
    assert Device.objects.get().host_key
    done = client.post(url, agreed(response))
    assert done.url == reverse("admin:inventory_device_change", args=[device.pk])
    assert Device.objects.get().host_key == ""


def test_no_action_of_the_list_of_devices_changes_anything_by_get(tenant: Tenant, client: Client) -> None:
    """All of them, also those that are still to come."""
    device = make_device(tenant, host_key="ssh-ed25519 AAAA")
    before = Device.objects.values().get()
    devices_page = admin.site._registry[Device]
    for name in devices_page._extract_action_names(devices_page.actions_detail):
        client.get(reverse(f"admin:inventory_device_{name}", args=[device.pk]))
    client.get(DEVICES, choose([device], confirmed="yes"))
    assert Device.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_every_action_of_every_page_names_a_permission() -> None:
    """unfold lets any staff user run an action that names none."""
    loose = []
    for model, model_page in admin.site._registry.items():
        if not isinstance(model_page, TenantModelAdmin):
            continue
        methods = [func for func, _, _ in model_page._get_base_actions()]
        for kind in ("actions_list", "actions_detail", "actions_row", "actions_submit_line"):
            methods += [
                getattr(model_page, name) for name in model_page._extract_action_names(getattr(model_page, kind))
            ]
        loose += [
            f"{model.__name__}: {method.__name__}"
            for method in methods
            if not getattr(method, "permission", None) and not getattr(method, "allowed_permissions", None)
        ]
    assert loose == []


class Question(AnswerForm):
    """A question of its own."""


class Page(TenantModelAdmin):
    """A page with actions of every temper."""

    def plan(self: Any, request: HttpRequest, rows: QuerySet) -> Plan:
        """Destroys, so it wants a word."""
        return Plan("Really?", ["everything"], typed="edge1")

    @confirmed_action(description="Wipe", permission="inventory.change_device", plan=plan, form=Question, danger=True)
    def wipe(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> str:
        """Does it."""
        return f"Wiped {rows.update(site='wiped')}."

    @confirmed_action(
        description="Fail", permission="inventory.change_device", plan=lambda _page, _request, _rows: Plan("Fail?")
    )
    def fail(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> str:
        """Cannot."""
        raise Invalid("It cannot be done; do something else.")


class Told(Page):
    """Remembers what it would tell."""

    def message_user(self, request: HttpRequest, message: str, level: int = 20, **_: Any) -> None:
        """Kept for the test."""
        request.told = message  # type: ignore[attr-defined]


def request_of(user: Any, data: dict[str, Any] | None = None) -> HttpRequest:
    """A request that reaches an action directly."""
    factory = RequestFactory()
    request = factory.post("/", data) if data is not None else factory.get("/")
    request.user = user
    return request


def test_what_destroys_wants_a_word_typed(tenant: Tenant) -> None:
    """One click more is a habit after a week; a name is not."""
    device, user = make_device(tenant), make_user("olga", (tenant, Role.OPERATOR))
    devices_page = Told(Device, admin.site)
    shown = devices_page.wipe(request_of(user), object_id=str(device.pk))
    data = dict(shown.context_data["hidden"])
    for typed in ("", "edge2"):
        again = devices_page.wipe(request_of(user, data | {"answer-typed": typed}), object_id=str(device.pk))
        assert "typed" in again.context_data["form"].errors
    assert Device.objects.get().site == ""
    devices_page.wipe(request_of(user, data | {"answer-typed": "edge1"}), object_id=str(device.pk))
    assert Device.objects.get().site == "wiped"


def test_an_expected_error_becomes_a_sentence(tenant: Tenant) -> None:
    """Not a page of a server that fell over."""
    device, user = make_device(tenant), make_user("olga", (tenant, Role.OPERATOR))
    devices_page = Told(Device, admin.site)
    shown = devices_page.fail(request_of(user), object_id=str(device.pk))
    request = request_of(user, dict(shown.context_data["hidden"]))
    assert devices_page.fail(request, object_id=str(device.pk)).status_code == 302
    assert request.told == "It cannot be done; do something else."  # type: ignore[attr-defined]
    assert not LogEntry.objects.exists()


def test_without_the_permission_not_even_the_plan_is_shown(tenant: Tenant) -> None:
    """A plan names rows."""
    device, auditor = make_device(tenant), make_user("ada", (tenant, Role.AUDITOR))
    with pytest.raises(PermissionDenied):
        Told(Device, admin.site).wipe(request_of(auditor), object_id=str(device.pk))
