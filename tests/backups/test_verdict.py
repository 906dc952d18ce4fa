"""What a person may make of a text in quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.urls import reverse

from backups.models import Attempt, QuarantinedFile, Run, Snapshot
from backups.store.reader import open_store
from backups.verdict import NotToBeJudged, accept, drop, second_reading
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = b"! Last configuration change at %s\nhostname edge1\ninterface Loopback0\n"


@pytest.fixture(autouse=True)
def _store(store_root: object) -> Iterator[None]:
    yield


def reading(device: Device, minutes: int = 0, content: bytes = TEXT % b"12:00") -> Attempt:
    """A quarantined attempt."""
    run = Run.objects.create(tenant=device.tenant, requested_by="ada", state="done")
    told = {"cause": "no-end-marker", "detail": "It breaks off.", "ended_at": NOON + timedelta(minutes=minutes)}
    attempt = Attempt.objects.create(tenant=device.tenant, run=run, device=device, state="quarantined", **told)
    QuarantinedFile.objects.create(tenant=device.tenant, attempt=attempt, name="running.cfg", content=content)
    return attempt


def test_one_reading_is_not_enough(device: Device) -> None:
    """What broke off once breaks off elsewhere the next time; what is whole is the same again."""
    first = reading(device)
    reading(device, 1, TEXT[:40])
    last = reading(device, 2, TEXT % b"12:02" + b" description cut off el")

    with pytest.raises(NotToBeJudged, match="read only once"):
        accept(last, by="ada", now=NOON)
    with pytest.raises(NotToBeJudged, match="later attempt"):
        accept(first, by="ada", now=NOON)
    assert not Snapshot.objects.exists()


def test_a_second_reading_makes_it_a_version(device: Device) -> None:
    """A device whose configuration really was halved must not stay in quarantine for ever."""
    reading(device)
    last = reading(device, 10, TEXT % b"12:10")  # the time never counts as a change
    assert second_reading(last) is not None

    version = accept(last, by="rita", now=NOON + timedelta(minutes=20))

    assert version == Snapshot.objects.get()
    assert (version.author, version.taken_at) == ("rita", NOON + timedelta(minutes=10))
    assert open_store(device.tenant_id).blob(version.blob("running.cfg") or "") == TEXT % b"12:10"
    last.refresh_from_db()
    assert (last.state, last.cause, last.files.count()) == ("changed", "", 0)
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.action, entry.detail["cause"]) == ("rita", "quarantine.accepted", "no-end-marker")
    with pytest.raises(NotToBeJudged):
        accept(last, by="ada", now=NOON)


def test_a_text_from_before_the_tenants_new_policy_is_stored_masked(device: Device) -> None:
    """The quarantine is no way around it."""
    secret = TEXT % b"12:00" + b"enable secret 5 $1$abcd$canary-hash\n"
    reading(device, content=secret)
    last = reading(device, 10, secret)
    Tenant.objects.update(secrets_policy="mask")
    last = Attempt.objects.select_related("device__tenant").get(pk=last.pk)

    version = accept(last, by="rita", now=NOON)

    assert version
    assert b"canary" not in open_store(device.tenant_id).blob(version.blob("running.cfg") or "")


def test_what_is_dropped_is_gone_and_the_device_not_backed_up(device: Device) -> None:
    """Dropping is no success: the device has still to be read."""
    attempt = reading(device)

    drop(attempt, by="rita")

    attempt.refresh_from_db()
    assert (attempt.state, attempt.cause) == ("failed", "dropped")
    assert not QuarantinedFile.objects.exists()
    assert AuditEntry.objects.get().action == "quarantine.dropped"
    with pytest.raises(NotToBeJudged):
        drop(attempt, by="ada")


def test_only_who_may_judge_is_offered_to(device: Device) -> None:
    """Saying that half a text is whole ends in it being put back."""
    reading(device)
    file = reading(device, 1).files.get()
    url = reverse("admin:backups_quarantinedfile_accept", args=[file.pk])
    operator = logged_in(make_user("olga", (device.tenant, Role.OPERATOR)))
    assert operator.get(url).status_code == 403
    assert "accepted, if it is whole" not in page(
        operator.get(reverse("admin:backups_quarantinedfile_change", args=[file.pk]))
    )

    client = logged_in(make_user("rita", (device.tenant, Role.RESTORER)))
    response = client.get(url)
    assert "A second reading of" in page(response)
    assert client.post(url, dict(response.context["hidden"])).status_code == 302

    assert Snapshot.objects.get().author == "rita"
