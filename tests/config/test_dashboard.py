"""The first page, the sidebar and the palette: the user's tenants only, and few queries."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from backups.models import Attempt, QuarantinedFile, Repository, Run, Schedule, Snapshot, Verification
from backups.verification_models import END
from checkpoints.models import Restore
from config.navigation import STONE, WATER
from inventory.models import Device, Tenant
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page


@pytest.fixture
def tenant(db: None, settings: LazySettings, tmp_path: Path) -> Tenant:
    """A tenant whose repository would be made in a directory of the test's own."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    cache.clear()
    return make_tenant()


def attempt(device: Device, state: str) -> Attempt:
    """An attempt that has just ended."""
    now = timezone.now()
    run = Run.objects.create(tenant=device.tenant, requested_by="anna", requested_at=now, started_at=now, state="done")
    return Attempt.objects.create(
        tenant=device.tenant, run=run, device=device, state=state, cause="unreachable", ended_at=now
    )


def version(device: Device, seq: int, **fields: Any) -> Snapshot:
    """A row of a version taken just now; nothing of it is in a store."""
    told = {"taken_at": timezone.now(), "size": 1, "lines_added": 7, "lines_removed": 3, "author": "anna"}
    return Snapshot.objects.create(tenant=device.tenant, device=device, seq=seq, **(told | fields))


def fill(tenant: Tenant, prefix: str = "") -> None:
    """A small network: one device in sync and changed, one failed, one in quarantine, one never tried."""
    good, bad, odd, _new = (make_device(tenant, f"{prefix}{name}") for name in ("good", "bad", "odd", "new"))
    attempt(good, "changed")
    version(good, 1, taken_at=timezone.now() - timedelta(days=2))
    version(good, 2)
    attempt(bad, "failed")
    QuarantinedFile.objects.create(tenant=tenant, attempt=attempt(odd, "quarantined"), name="x", content=b"x")


def auditor(tenant: Tenant) -> Client:
    """Somebody who may look at one tenant."""
    return logged_in(make_user(f"auditor-{tenant}", (tenant, Role.AUDITOR)))


def test_the_figures_are_those_of_the_users_tenants(tenant: Tenant) -> None:
    """Not even a number of others is anybody's business."""
    fill(tenant)
    other = make_tenant("other")
    for number in range(3):
        fill(other, f"foreign{number}-")

    response = auditor(tenant).get("/admin/")

    figures = {figure.label: figure.value for figure in response.context["figures"]}
    assert figures == {
        "Devices": 4,
        "In sync": 1,
        "Changed": 1,
        "Failed": 1,
        "Quarantined": 1,
        "Stale": 0,
        "Nothing kept": 3,
    }
    assert "foreign" not in page(response)


def test_every_figure_leads_to_a_list_of_as_many(tenant: Tenant) -> None:
    """Who presses 3 wants to see those three."""
    fill(tenant)
    client = auditor(tenant)

    figures = client.get("/admin/").context["figures"]

    listed = {figure.label: client.get(figure.link).context["cl"].result_count for figure in figures}
    assert listed == {figure.label: figure.value for figure in figures}


def test_what_needs_a_person_is_named_with_its_cause(tenant: Tenant) -> None:
    """And what is in order is not."""
    fill(tenant)

    response = auditor(tenant).get("/admin/")

    assert [device.name for device in response.context["troubled"]] == ["odd", "bad"]
    assert "unreachable" in page(response)


def test_the_page_costs_the_same_however_large_the_network(tenant: Tenant, django_assert_max_num_queries: Any) -> None:
    """It is the most opened page: ten thousand devices must not make it slow."""
    for number in range(12):
        fill(tenant, f"n{number}-")
    client = auditor(tenant)
    client.get("/admin/")

    with django_assert_max_num_queries(20):
        page(client.get("/admin/"))


def test_an_empty_installation_says_what_to_do_first(db: None) -> None:
    """Six zeros and an empty chart tell nobody anything."""
    text = page(logged_in(make_user("root", is_superuser=True)).get("/admin/"))

    assert "/admin/inventory/device/begin/" in text and "./netcairn demo" in text


def test_who_belongs_to_no_tenant_is_told_so(tenant: Tenant) -> None:
    """An invitation to begin, with nothing to press, would send them looking for a fault."""
    fill(tenant)

    text = page(logged_in(make_user("nora")).get("/admin/"))

    assert "You belong to no tenant yet" in text and "good" not in text.partition("<main")[2].partition("</main")[0]


def test_the_first_steps_go_on_where_one_left_off(tenant: Tenant) -> None:
    """What is done is ticked off, and an administrator of a tenant is offered only what they may do."""
    make_credential(tenant)

    response = logged_in(make_user("boss", (tenant, Role.ADMINISTRATOR))).get("/admin/")

    assert [(step.done, bool(step.link), step.due) for step in response.context["steps"]] == [
        (True, False, False),
        (True, False, False),
        (False, True, True),
        (False, True, False),
    ]


def test_the_sidebar_shows_only_what_may_be_opened(tenant: Tenant) -> None:
    """A link that answers 403 is a promise that is not kept."""
    client = auditor(tenant)

    links = [
        item["link"]
        for group in client.get("/admin/").context["sidebar_navigation"]
        for item in group["items"]
        if item["has_permission"]
    ]

    assert "/admin/backups/run/" in links and "/admin/auth/user/" not in links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_sidebar_counts_what_waits_in_quarantine(tenant: Tenant) -> None:
    """Nothing else tells somebody who never opens the dashboard."""
    fill(tenant)
    fill(make_tenant("other"), "foreign-")

    navigation = auditor(tenant).get("/admin/backups/run/").context["sidebar_navigation"]

    badges = {item["title"]: item.get("badge") for group in navigation for item in group["items"]}
    assert badges["Quarantine"] == 1


def test_the_palette_finds_devices_of_the_users_tenants(tenant: Tenant) -> None:
    """Ctrl-K, some letters, Enter."""
    make_device(tenant, "core-sw1")
    make_device(make_tenant("other"), "core-foreign1")

    text = page(auditor(tenant).get("/admin/search/?s=core&extended=1"))

    assert "core-sw1" in text and "core-foreign1" not in text


@pytest.mark.parametrize(
    ("term", "found", "address"),
    [
        ("acme", "acme", "/admin/inventory/tenant/"),
        ("platf", "Platforms", "/admin/inventory/device/platforms/"),
        ("sear", "Search", "/admin/backups/snapshot/search/"),
        ("check", "Checkpoints", "/admin/checkpoints/checkpoint/"),
        ("quaran", "Quarantine", "/admin/backups/quarantinedfile/"),
    ],
)
def test_the_palette_finds_tenants_and_pages(db: None, term: str, found: str, address: str) -> None:
    """By the name that stands in the sidebar."""
    text = page(auditor(make_tenant("acme")).get(f"/admin/search/?s={term}&extended=1"))

    assert found in text and address in text


def test_the_palette_hides_pages_of_others(tenant: Tenant) -> None:
    """A page that one may not open is not offered."""
    assert "lockout" not in page(auditor(tenant).get("/admin/search/?s=failed&extended=1"))


def test_the_palette_stops_after_a_few(tenant: Tenant) -> None:
    """One letter must not list ten thousand devices."""
    for number in range(30):
        make_device(tenant, f"sw{number}")

    assert page(auditor(tenant).get("/admin/search/?s=sw&extended=1")).count(">Device of") == 8


def test_no_page_asks_another_host_for_anything(tenant: Tenant) -> None:
    """A backup server stands where there is no internet, and tells nobody that it exists."""
    fill(tenant)

    text = page(auditor(tenant).get("/admin/"))

    assert "//" not in text.replace("http://www.w3.org", "").replace("http://testserver", "").partition("<script")[0]
    for kind in ('src="http', "src='http", 'href="http', 'src="//', 'href="//'):
        assert kind not in text


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("#ffffff", WATER["600"]),  # on a button
        (WATER["600"], "#ffffff"),  # a link
        (WATER["600"], STONE["100"]),  # the chosen line of the sidebar
        (WATER["500"], STONE["900"]),  # the same in the dark
        (WATER["400"], STONE["900"]),
        (STONE["500"], STONE["50"]),  # faint text
        (STONE["400"], STONE["800"]),
    ],
)
def test_text_can_be_read_by_tired_eyes(ink: str, paper: str) -> None:
    """WCAG AA: 4.5 to 1."""

    def light(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((light(ink), light(paper)))

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_the_templates_have_no_script_of_their_own() -> None:
    """Handlers in attributes would need a policy that lets a device's markup have them, too."""
    root = Path(settings.BASE_DIR) / "templates"
    found = [
        f"{path.name}: {word}"
        for path in root.rglob("*.html")
        for word in ("onclick=", "onchange=", "onload=", "onsubmit=", "javascript:", "|safe", "autoescape off")
        if word in path.read_text()
    ]

    assert found == []


def test_the_page_says_how_far_the_stores_were_read_again(tenant: Tenant) -> None:
    """A backup that nobody has read since is a hope; and how others' stores are is nobody's business."""
    now = timezone.now()
    make_device(tenant)
    for number, owner in enumerate((tenant, make_tenant("other"))):
        Repository.objects.create(tenant=owner, head="a" * 40, seq=1)
        day = (now - timedelta(days=9 + 20 * number)).date().isoformat()
        Verification.objects.create(
            tenant=owner, marks_before=[[day, END]], objects_seen=10, damaged=["b" * 40] * number
        )

    said = "Verified: oldest 9 days ago, 100 % of objects within 30 days"
    assert said in page(auditor(tenant).get("/admin/"))
    assert "oldest 29 days ago" in page(logged_in(make_user("root", is_superuser=True)).get("/admin/"))


def test_the_page_of_one_tenant_shows_only_that_one(tenant: Tenant) -> None:
    """Whoever serves forty customers is called by one of them."""
    other = make_tenant("other")
    fill(tenant)
    fill(other, "theirs-")
    root = logged_in(make_user("root", is_superuser=True))

    text = page(root.get(f"/admin/?tenant={tenant.pk}"))

    assert "theirs-bad" in page(root.get("/admin/")) and "theirs-bad" not in text and "bad" in text
    assert f"tenant__id__exact={tenant.pk}&amp;standing=failed" in text
    assert page(auditor(tenant).get(f"/admin/?tenant={other.pk}")).count("theirs-") == 0


def test_what_waits_for_a_person_is_told(tenant: Tenant) -> None:
    """A changed host key, a restore of unknown end and a schedule that does not start mend themselves in no night."""
    device = make_device(tenant, "odd-key")
    Device.objects.filter(pk=device.pk).update(presented_key="ssh-ed25519 AAAA", presented_at=timezone.now())
    Restore.objects.create(tenant=tenant, device=make_device(tenant, "lost"), state="unknown", requested_by="rosa")
    Schedule.objects.create(tenant=tenant, name="nightly", cron="0 2 * * *", trouble="No device fits.")

    text = page(auditor(tenant).get("/admin/"))

    assert all(told in text for told in ("another host key", "unknown after a restore", "schedule did not start"))
    assert "odd-key" not in page(auditor(make_tenant("other")).get("/admin/"))
