"""A device's pages: how it stands, what was kept, and backing it up."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backups.models import Attempt, Run, Snapshot
from inventory.models import Device, Tenant
from tests.backups.store_kit import NOON, back_up, kept
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page, uncoloured

LIST = "/admin/inventory/device/"


@pytest.fixture
def operator(tenant: Tenant) -> Client:
    """Somebody who may back up."""
    return logged_in(make_user("otto", (tenant, Role.OPERATOR)))


@pytest.fixture
def auditor(tenant: Tenant) -> Client:
    """Somebody who may only look."""
    return logged_in(make_user("audra", (tenant, Role.AUDITOR)))


def agree(client: Client, address: str, **chosen: object) -> object:
    """Look at the plan, then agree to exactly that."""
    shown = client.post(address, chosen) if chosen else client.get(address)
    sent: dict[str, list[str]] = {}
    for name, value in shown.context["hidden"]:
        sent.setdefault(name, []).append(value)
    return client.post(address, sent)


def test_the_overview_shows_the_configuration_and_how_it_came(device: Device, auditor: Client) -> None:
    """One page answers: is it backed up, and what does it say?"""
    back_up(kept(device))
    run = Run.objects.create(tenant=device.tenant, requested_by="anna")
    Attempt.objects.create(tenant=device.tenant, run=run, device=device, state="changed", ended_at=NOON)

    text = uncoloured(page(auditor.get(f"{LIST}{device.pk}/overview/")))

    assert "hostname edge1" in text and "in sync" in text and "changed" in text


def test_a_device_that_failed_says_why_on_every_tab(device: Device, auditor: Client) -> None:
    """The sentence with the mend is what a person comes for."""
    run = Run.objects.create(tenant=device.tenant, requested_by="anna")
    detail = "192.0.2.1 refused user netcairn; check the credential."
    Attempt.objects.create(
        tenant=device.tenant,
        run=run,
        device=device,
        state="failed",
        cause="login-refused",
        detail=detail,
        ended_at=NOON,
    )

    for tab in ("overview", "versions", "attempts", "change"):
        text = page(auditor.get(f"{LIST}{device.pk}/{tab}/"))
        assert "login refused" in text and detail in text


def test_a_device_on_telnet_says_that_nothing_protects_it(device: Device, auditor: Client) -> None:
    """Nobody shall believe that a key will be pinned there."""
    Device.objects.update(transport="telnet", host_key="")

    text = page(auditor.get(f"{LIST}{device.pk}/overview/"))

    assert "go over the network in clear" in text and "Pinned host key" not in text


def test_versions_are_listed_page_by_page(device: Device, auditor: Client) -> None:
    """A device of ten years has more versions than a page can bear."""
    told = {
        "tenant": device.tenant,
        "device": device,
        "taken_at": NOON,
        "size": 1,
        "lines_added": 1,
        "lines_removed": 0,
    }
    Snapshot.objects.bulk_create(Snapshot(seq=seq, **told) for seq in range(51))

    first = page(auditor.get(f"{LIST}{device.pk}/versions/"))
    second = page(auditor.get(f"{LIST}{device.pk}/versions/?page=2"))

    assert first.count('name="left"') == 50 and "Page 1 of 2" in first
    assert second.count('name="left"') == 1


@pytest.mark.parametrize("tab", ["overview", "versions", "attempts"])
def test_a_device_of_others_does_not_exist(device: Device, tab: str) -> None:
    """404, as for a device that never was."""
    stranger = logged_in(make_user("sam", (make_tenant("other"), Role.ADMINISTRATOR)))

    assert stranger.get(f"{LIST}{device.pk}/{tab}/").status_code == 404


def test_looking_at_the_plan_backs_nothing_up(device: Device, operator: Client) -> None:
    """A link that is followed by a crawler must not start a run."""
    text = page(operator.get(f"{LIST}{device.pk}/back_up_now/"))

    assert "Back up edge1 now?" in text
    assert not Run.objects.exists()


def test_agreeing_asks_for_a_run_and_leads_to_it(device: Device, operator: Client) -> None:
    """Who presses the button wants to see what becomes of it."""
    response = agree(operator, f"{LIST}{device.pk}/back_up_now/")

    run = Run.objects.get()
    assert (run.requested_by, run.trigger, run.by_queue) == ("otto", "hand", True)
    assert [attempt.device for attempt in run.attempts.all()] == [device]
    assert response.url == f"/admin/backups/run/{run.pk}/change/"  # type: ignore[attr-defined]


def test_chosen_devices_are_backed_up_without_those_that_are_off(
    tenant: Tenant, device: Device, operator: Client
) -> None:
    """Disabled means: leave it alone; the plan says that it will."""
    off = make_device(tenant, "off1", enabled=False)
    chosen = {"action": "back_up_now", "_selected_action": [str(device.pk), str(off.pk)]}

    shown = page(operator.post(LIST, chosen))
    agree(operator, LIST, **chosen)

    assert "1 device left out" in shown
    assert [attempt.device for attempt in Attempt.objects.all()] == [device]


def test_who_may_only_look_cannot_back_up(device: Device, auditor: Client) -> None:
    """Neither by the page nor by its form, and no button says otherwise."""
    address = f"{LIST}{device.pk}/back_up_now/"

    assert auditor.get(address).status_code == auditor.post(address, {"confirmed": "yes"}).status_code == 403
    assert "back_up_now" not in page(auditor.get(f"{LIST}{device.pk}/overview/"))
    assert not Run.objects.exists()


def test_the_list_filters_by_how_devices_stand(tenant: Tenant, device: Device, auditor: Client) -> None:
    """The figures of the dashboard lead here."""
    bad = make_device(tenant, "bad1")
    run = Run.objects.create(tenant=tenant, requested_by="anna")
    Attempt.objects.create(tenant=tenant, run=run, device=bad, state="failed", ended_at=NOON)

    text = page(auditor.get(f"{LIST}?standing=failed"))

    assert "bad1" in text and "edge1" not in text


def test_a_list_by_state_looks_once_at_each_device(tenant: Tenant, device: Device, auditor: Client) -> None:
    """With ten thousand devices each look is a tenth of a second, for the number of rows and for the page alike."""
    run = Run.objects.create(tenant=tenant, requested_by="anna")
    for number in range(60):
        bad = make_device(tenant, f"bad{number:02}")
        Attempt.objects.create(tenant=tenant, run=run, device=bad, state="failed", ended_at=NOON)

    with CaptureQueriesContext(connection) as asked:
        second = auditor.get(f"{LIST}?standing=troubled&p=2").context["cl"]
        few = auditor.get(f"{LIST}?standing=troubled&q=bad5").context["cl"]

    assert [row.name for row in second.result_list] == [f"bad{number}" for number in range(50, 60)]
    assert ([row.name for row in few.result_list], second.result_count) == (
        [f"bad5{number}" for number in range(10)],
        60,
    )
    chosen = [one["sql"] for one in asked if "'quarantined'" in one["sql"] and '"last_state"' in one["sql"]]
    assert [len(chosen), all('"inventory_device"."id" IN (' in one for one in chosen)] == [2, True]


def test_the_list_costs_the_same_however_many(
    tenant: Tenant, auditor: Client, django_assert_max_num_queries: object
) -> None:
    """A query per row is a page that nobody opens."""
    for number in range(30):
        make_device(tenant, f"box{number}")

    with django_assert_max_num_queries(14):  # type: ignore[operator]
        page(auditor.get(LIST))
