"""The page that searches: what it shows to whom, and what it can be made to do."""

from __future__ import annotations

import pytest
from django.test import Client

from backups.search_page import marked
from backups.store.grep import Pattern
from inventory.models import Device, Tenant
from tests.backups.store_kit import back_up, kept
from tests.backups.test_search import SECRET, back_up_days
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

SEARCH = "/admin/backups/snapshot/search/"


@pytest.fixture
def auditor(tenant: Tenant) -> Client:
    """Somebody who may only look, and not at secrets."""
    return logged_in(make_user("audra", (tenant, Role.AUDITOR)))


def test_a_line_is_shown_with_its_device_and_its_number(device: Device, auditor: Client) -> None:
    """And what was looked for is marked."""
    back_up(kept(device, SECRET))

    text = page(auditor.post(SEARCH, {"text": "NTP server", "ignore_case": "on", "around": "3"}))

    assert f"/admin/inventory/device/{device.pk}/overview/" in text
    assert 'data-n="3"></td><td class="nc-t nc-r"><mark>ntp server</mark> 192.0.2.7</td>' in text
    assert 'data-n="4"></td><td class="nc-t nc-l">end</td>' in text


def test_who_may_not_see_secrets_neither_sees_nor_finds_them(device: Device, auditor: Client) -> None:
    """E-security: the page asks with the eyes of its user."""
    back_up(kept(device, SECRET))
    restorer = logged_in(make_user("rob", (device.tenant, Role.RESTORER)))

    hidden = page(auditor.post(SEARCH, {"text": "hunter2"}))
    around = page(auditor.post(SEARCH, {"text": "hostname", "around": "3"}))
    found = page(restorer.post(SEARCH, {"text": "hunter2"}))

    assert "Nothing was found" in hidden
    assert "hunter2" not in around and "(masked)" in around
    assert "<mark>hunter2</mark>" in found


def test_other_tenants_are_neither_searched_nor_offered(device: Device, auditor: Client) -> None:
    """E-security: not even by naming their tenant or their device."""
    other = make_device(make_tenant("beta"), "theirs")
    back_up(kept(other, b"vlan 7\n"))
    back_up(kept(device, b"vlan 8\n"))

    everywhere = page(auditor.post(SEARCH, {"text": "vlan"}))
    by_tenant = page(auditor.post(SEARCH, {"text": "vlan", "tenant": str(other.tenant_id)}))
    by_device = page(auditor.post(SEARCH, {"text": "vlan", "device": "theirs"}))

    assert "vlan</mark> 8" in everywhere and "vlan</mark> 7" not in everywhere and "beta" not in everywhere
    assert "vlan</mark>" not in by_tenant
    assert "There is no device" in by_device and "vlan</mark>" not in by_device


def test_the_page_is_closed_to_who_may_see_no_version(device: Device) -> None:
    """E-security: a login alone opens nothing."""
    assert logged_in(make_user("stranger")).post(SEARCH, {"text": "x"}).status_code == 403
    assert Client().get(SEARCH).status_code == 302


def test_a_search_is_never_part_of_an_address(device: Device, auditor: Client) -> None:
    """E-security: logs of web servers keep addresses, and people search for passwords."""
    back_up(kept(device, b"vlan 7\n"))

    text = page(auditor.get(SEARCH, {"text": "vlan"}))

    assert "<mark>" not in text and 'method="post"' in text
    assert Client(enforce_csrf_checks=True).post(SEARCH, {"text": "x"}).status_code in (302, 403)


def test_the_past_is_shown_with_links_to_its_versions(device: Device, auditor: Client) -> None:
    """Since when, until when."""
    versions = back_up_days(device, b"vlan 7\n", b"a\nvlan 7\n", b"vlan 8\n")

    text = page(auditor.post(SEARCH, {"text": "vlan 7", "when": "ever", "device": device.name}))

    assert f"{versions[0].pk}/change/?file=running.cfg&amp;line=1#L1" in text
    assert f"{versions[1].pk}/change/?file=running.cfg&amp;line=2#L2" in text
    assert "2026-03-03 12:00" in text  # gone since


def test_what_a_device_says_stays_text(device: Device, auditor: Client) -> None:
    """E-security: a banner must not run in the browser of who searches."""
    back_up(kept(device, b"<script>alert(1)</script>\x1b[2J\xff\n" + b"z" * 9_000 + b"<i>\n"))

    text = page(auditor.post(SEARCH, {"text": "<script>"}))
    every = page(auditor.post(SEARCH, {"text": "z|script", "regex": "on"}))

    for shown in (text, every):
        assert "<script>alert" not in shown and "&lt;script&gt;" in shown
        assert "\x1b" not in shown and "\\x1b" in shown and "\\xff" in shown
    assert len(every) < 100_000


def test_a_wrong_expression_is_named_on_the_page(device: Device, auditor: Client) -> None:
    """No page of errors for a slip of the pen."""
    back_up(kept(device))

    assert "is no regular expression" in page(auditor.post(SEARCH, {"text": "a(", "regex": "on"}))
    assert "This field is required" in page(auditor.post(SEARCH, {"text": ""}))


def test_what_is_left_out_is_said(device: Device, auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """By lines, by size of the page."""
    back_up(*(kept(make_device(device.tenant, f"d{number}"), b"x\n" * 30) for number in range(3)))

    monkeypatch.setattr("backups.search_page.LINES", 15)
    by_lines = page(auditor.post(SEARCH, {"text": "x"}))
    monkeypatch.setattr("backups.search_page.MAX_HTML", 900)
    by_size = page(auditor.post(SEARCH, {"text": "x"}))

    assert "This is not everything" in by_lines and "more lines match" in by_lines
    assert "Only 1 of 2 files fit on a page." in by_size


def test_a_mark_is_exactly_what_was_looked_for() -> None:
    """Nothing in a pattern means anything but itself."""
    assert marked("a.c abc A.C", Pattern("a.c")) == "<mark>a.c</mark> abc A.C"
    assert marked("a.c A.C", Pattern("a.c", ignore_case=True)) == "<mark>a.c</mark> <mark>A.C</mark>"
    assert marked("<b>", Pattern("b")) == "&lt;<mark>b</mark>&gt;"
