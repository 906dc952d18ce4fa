"""The pages of schedules: what they accept, and whose rows."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from backups.models import Schedule
from inventory.models import Membership, Tenant
from tests.factories import make_device, make_tenant

pytestmark = pytest.mark.django_db
ADD = "admin:backups_schedule_add"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def operator(client: Client, django_user_model, tenant: Tenant) -> Client:
    user = django_user_model.objects.create_user("olga", is_staff=True)
    Membership.objects.create(tenant=tenant, user=user, role=Membership.Role.OPERATOR)
    client.force_login(user)
    return client


def form(tenant: Tenant, **changes: str) -> dict[str, str]:
    given = {"tenant": str(tenant.pk), "name": "nightly", "enabled": "on", "cron": "0 2 * * *", "zone": "Europe/Zurich"}
    return given | {"jitter": "0", "blackouts": "", "sites": "", "tags": "", "devices": ""} | changes


def test_a_schedule_is_made_and_shows_its_next_starts(operator: Client, tenant: Tenant) -> None:
    """Somebody who mistakes the fields of cron sees it before the night, not after."""
    make_device(tenant, name="edge1")

    operator.post(reverse(ADD), form(tenant, devices="edge1", blackouts="Mon-Fri 08:00-18:00\n22:00-23:00"))

    schedule = Schedule.objects.get()
    page = operator.get(reverse("admin:backups_schedule_change", args=[schedule.pk])).content.decode()
    assert [row.device.name for row in schedule.chosen.all()] == ["edge1"]
    assert (schedule.by_name, schedule.blackouts) == (True, ["Mon-Fri 08:00-18:00", "22:00-23:00"])
    assert page.count("02:00:00 Europe/Zurich") == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"cron": "at night"},
        {"zone": "Mars/Olympus"},
        {"blackouts": "office hours"},
        {"blackouts": "00:00-24:00"},
        {"devices": "nobody"},
        {"jitter": "10000"},
        {"tags": "no good: <b>"},
    ],
)
def test_what_means_nothing_is_not_saved(operator: Client, tenant: Tenant, changes: dict[str, str]) -> None:
    """A schedule that never starts is found out on the day that the backup is needed."""
    answer = operator.post(reverse(ADD), form(tenant, **changes))

    assert answer.status_code == 200
    assert not Schedule.objects.exists()


def test_no_device_of_another_tenant_can_be_named(operator: Client, tenant: Tenant) -> None:
    """Not collected, and not even confirmed to exist."""
    make_device(make_tenant("globex"), name="secret-core")

    answer = operator.post(reverse(ADD), form(tenant, devices="secret-core"))

    assert "has no device secret-core" in answer.content.decode()
    assert not Schedule.objects.exists()


def test_another_tenants_schedules_are_not_shown(operator: Client, tenant: Tenant) -> None:
    """When a customer is collected is that customer's business."""
    other = Schedule.objects.create(tenant=make_tenant("globex"), name="theirs", cron="0 2 * * *")

    listed = operator.get(reverse("admin:backups_schedule_changelist")).content.decode()
    page = operator.get(reverse("admin:backups_schedule_change", args=[other.pk]))

    assert "theirs" not in listed
    assert page.status_code != 200


def test_a_change_of_the_name_leaves_the_next_start(operator: Client, tenant: Tenant) -> None:
    """A start that jitter has put off to a few minutes from now must not be lost by an edit."""
    operator.post(reverse(ADD), form(tenant))
    schedule = Schedule.objects.get()
    Schedule.objects.update(next_at=schedule.created_at)

    operator.post(reverse("admin:backups_schedule_change", args=[schedule.pk]), form(tenant, name="every-night"))

    schedule.refresh_from_db()
    assert (schedule.name, schedule.next_at) == ("every-night", schedule.created_at)
