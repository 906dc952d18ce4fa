"""Pages of versions, runs and quarantine: what they show to whom, and what they never do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from backups.models import Attempt, QuarantinedFile, Run, Snapshot
from inventory.models import Device, Tenant
from tests.backups.store_kit import NOON, back_up, kept
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page, uncoloured

CONFIG = b"hostname edge1\nsnmp-server community s3cr3t RO\nend\n"


@pytest.fixture
def version(device: Device) -> Snapshot:
    """A version with a secret and a hostile line in it."""
    back_up(kept(device, CONFIG, **{"banner.txt": b"<script>alert(1)</script>\x1b[2J\xff\n"}))
    return Snapshot.objects.get(device=device)


@pytest.fixture
def auditor(tenant: Tenant) -> Client:
    """Somebody who may look, but not at secrets."""
    return logged_in(make_user("audra", (tenant, Role.AUDITOR)))


@pytest.fixture
def restorer(tenant: Tenant) -> Client:
    """Somebody who may see secrets."""
    return logged_in(make_user("rita", (tenant, Role.RESTORER)))


@pytest.fixture
def stranger(tenant: Tenant) -> Client:
    """An administrator of another tenant."""
    return logged_in(make_user("sam", (make_tenant("other"), Role.ADMINISTRATOR)))


def url(version: Snapshot, rest: str = "change/") -> str:
    """A page of a version."""
    return f"/admin/backups/snapshot/{version.pk}/{rest}"


def make_attempt(device: Device, state: str, **fields: object) -> Attempt:
    """An attempt in a run of its own that has ended."""
    run = Run.objects.create(
        tenant=device.tenant, requested_by="anna", state="done", requested_at=NOON, started_at=NOON, ended_at=NOON
    )
    return Attempt.objects.create(
        tenant=device.tenant, run=run, device=device, **{"state": state, "ended_at": NOON, **fields}
    )


def test_a_version_shows_its_lines_to_who_may_see_secrets(version: Snapshot, restorer: Client) -> None:
    """What is stored is what is seen."""
    text = uncoloured(page(restorer.get(f"{url(version)}?file=running.cfg")))

    assert "snmp-server community s3cr3t RO" in text


def test_a_version_is_masked_for_everybody_else(version: Snapshot, auditor: Client) -> None:
    """An auditor reads configurations every day, and no community ever."""
    text = uncoloured(page(auditor.get(f"{url(version)}?file=running.cfg")))

    assert "hostname edge1" in text and "s3cr3t" not in text and "secrets masked" in text


def test_hostile_output_stays_text(version: Snapshot, restorer: Client) -> None:
    """A banner must not run in the browser of the one person who may see everything."""
    text = uncoloured(page(restorer.get(url(version))))

    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
    assert '<span class="nc-esc">\\x1b</span>[2J' in text and '<span class="nc-esc">\\xff</span>' in text


def test_a_download_is_exact_with_the_right_to_see_secrets(version: Snapshot, restorer: Client) -> None:
    """A version that was changed on its way cannot be put back."""
    response = restorer.get(url(version, "file/running.cfg"))

    assert response.content == CONFIG


def test_a_download_is_masked_without_that_right(version: Snapshot, auditor: Client) -> None:
    """And its name says so, or somebody would put it back."""
    response = auditor.get(url(version, "file/running.cfg"))

    assert b"s3cr3t" not in response.content and b"hostname edge1" in response.content
    assert "-masked-" in response["Content-Disposition"]


def test_a_download_cannot_run_in_a_browser(version: Snapshot, restorer: Client) -> None:
    """A device may have said HTML."""
    response = restorer.get(url(version, "file/banner.txt"))

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")


def test_what_cannot_be_masked_is_not_given_away(device: Device, auditor: Client) -> None:
    """A binary backup holds every password of its device."""
    back_up(kept(device, CONFIG, **{"box.backup": b"\x00\x01secret"}))
    version = Snapshot.objects.get(device=device)

    assert auditor.get(url(version, "file/box.backup")).status_code == 403
    assert "box.backup" in page(auditor.get(url(version)))


def test_a_file_that_a_version_does_not_have_is_not_found(version: Snapshot, restorer: Client) -> None:
    """The name is looked up in the row, and reaches no path."""
    assert restorer.get(url(version, "file/other.cfg")).status_code == 404


def test_a_damaged_version_says_so_on_its_page(version: Snapshot, restorer: Client) -> None:
    """A page that breaks tells nobody what to do."""
    Snapshot.objects.filter(pk=version.pk).update(files={"running.cfg": {"blob": "0" * 39 + "1", "size": 5}})

    assert "running.cfg" in page(restorer.get(url(version)))


@pytest.mark.parametrize("rest", ["change/", "file/running.cfg"])
def test_a_version_of_others_does_not_exist(version: Snapshot, stranger: Client, rest: str) -> None:
    """404, as for a version that never was."""
    assert stranger.get(url(version, rest)).status_code == 404


def test_records_cannot_be_edited(version: Snapshot, db: None) -> None:
    """Not even by a superuser: what was kept is what was kept."""
    root = logged_in(make_user("root", is_superuser=True))

    assert root.post(url(version), {"commit": "0" * 40}).status_code == 405
    assert root.get("/admin/backups/snapshot/add/").status_code == 403
    assert root.post(url(version, "delete/"), {"post": "yes"}).status_code == 403
    assert Snapshot.objects.get().commit == version.commit


def test_a_run_that_goes_on_is_asked_for_again(device: Device, auditor: Client) -> None:
    """The page follows the run without a person pressing reload."""
    attempt = make_attempt(device, "running")
    Run.objects.update(state="running", ended_at=None)

    text = page(auditor.get(f"/admin/backups/run/{attempt.run_id}/change/"))
    part = auditor.get(f"/admin/backups/run/{attempt.run_id}/progress/")

    assert 'hx-trigger="every 1s"' in text and "0 of 1 device" in text
    assert part.status_code == 200 and b"<html" not in part.content


def test_asking_ends_with_the_run(device: Device, auditor: Client) -> None:
    """286 is htmx's word for: take this, and stop."""
    attempt = make_attempt(device, "failed", cause="unreachable", detail="192.0.2.1 did not answer.")

    part = auditor.get(f"/admin/backups/run/{attempt.run_id}/progress/")

    assert part.status_code == 286
    assert b"hx-trigger" not in part.content and b"192.0.2.1 did not answer." in part.content


def test_the_slowest_devices_of_a_run_come_first_when_asked_for(tenant: Tenant, auditor: Client) -> None:
    """Who waits for a night's run wants to know for whom."""
    first = make_attempt(make_device(tenant, name="quick"), "unchanged", seconds=0.2)
    slow = make_device(tenant, name="slow")
    Attempt.objects.create(tenant=tenant, run=first.run, device=slow, state="unchanged", seconds=99.0)

    text = page(auditor.get(f"/admin/backups/run/{first.run_id}/change/?state=slowest"))

    assert 0 < text.index(">slow<") < text.index(">quick<")


def test_a_run_can_be_looked_at_state_by_state(tenant: Tenant, auditor: Client) -> None:
    """Of 10,000 devices the three that failed."""
    good, bad = make_device(tenant, "good1"), make_device(tenant, "bad1")
    attempt = make_attempt(good, "unchanged")
    Attempt.objects.create(tenant=tenant, run=attempt.run, device=bad, state="failed", ended_at=NOON)

    text = page(auditor.get(f"/admin/backups/run/{attempt.run_id}/change/?state=failed"))

    assert "bad1" in text and "good1" not in text


def test_a_run_of_others_does_not_exist(device: Device, stranger: Client) -> None:
    """Neither its page nor the part that is asked for again."""
    run = make_attempt(device, "changed").run

    assert stranger.get(f"/admin/backups/run/{run.pk}/change/").status_code == 404
    assert stranger.get(f"/admin/backups/run/{run.pk}/progress/").status_code == 404


def test_a_quarantined_text_stands_beside_the_last_good_one(device: Device, version: Snapshot, auditor: Client) -> None:
    """Whether something is missing is seen at once, or never."""
    attempt = make_attempt(device, "quarantined", cause="no-end", detail="It does not end with “end”.")
    file = QuarantinedFile.objects.create(
        tenant=device.tenant, attempt=attempt, name="running.cfg", content=b"hostname odd\nsnmp-server community s3cr3t"
    )

    text = uncoloured(page(auditor.get(f"/admin/backups/quarantinedfile/{file.pk}/change/")))

    assert "hostname odd" in text and "hostname edge1" in text and "It does not end with" in text
    assert "s3cr3t" not in text


def test_only_what_no_later_attempt_has_settled_waits(device: Device, auditor: Client) -> None:
    """A list that keeps what is settled is soon not read."""
    old, new = (make_attempt(device, "quarantined") for _ in range(2))
    for attempt in (old, new):
        QuarantinedFile.objects.create(tenant=device.tenant, attempt=attempt, name=f"file{attempt.pk}", content=b"x")

    waiting = page(auditor.get("/admin/backups/quarantinedfile/?waiting=yes"))
    settled = page(auditor.get("/admin/backups/quarantinedfile/?waiting=no"))

    assert f"file{new.pk}" in waiting and f"file{old.pk}" not in waiting
    assert f"file{old.pk}" in settled and f"file{new.pk}" not in settled


def test_the_list_of_runs_costs_the_same_however_many(
    device: Device, auditor: Client, django_assert_max_num_queries: object
) -> None:
    """A query per row is a page that nobody opens."""
    for hours in range(20):
        attempt = make_attempt(device, "changed")
        Run.objects.filter(pk=attempt.run_id).update(requested_at=NOON + timedelta(hours=hours))

    with django_assert_max_num_queries(13):  # type: ignore[operator]
        page(auditor.get("/admin/backups/run/"))


def test_a_run_leads_to_what_each_device_has_changed(device: Device, auditor: Client) -> None:
    """The next question after `changed` is: what?"""
    attempt = make_attempt(device, "changed")
    back_up(kept(device))
    Snapshot.objects.update(run=attempt.run)

    text = page(auditor.get(f"/admin/backups/run/{attempt.run_id}/change/"))

    assert f"/admin/backups/snapshot/compare/?right={Snapshot.objects.get().pk}" in text
