"""Every page, light, dark and on a phone: readable for everybody, whole at every width, and silent to other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visitor import PHONE, SIZE, Visitor
from tests.config.conftest import ROOT
from tests.config.test_up import Installation

pytestmark = pytest.mark.long

PAGES = {
    "dashboard": "/admin/",
    "first device": "/admin/inventory/device/begin/",
    "devices": "/admin/inventory/device/",
    "add a device": "/admin/inventory/device/add/",
    "import devices": "/admin/inventory/device/import/",
    "export devices": "/admin/inventory/device/export/",
    "platforms": "/admin/inventory/device/platforms/",
    "tenants": "/admin/inventory/tenant/",
    "credentials": "/admin/inventory/credential/",
    "add a credential": "/admin/inventory/credential/add/",
    "jump hosts": "/admin/inventory/jumphost/",
    "runs": "/admin/backups/run/",
    "schedules": "/admin/backups/schedule/",
    "add a schedule": "/admin/backups/schedule/add/",
    "post-processing": "/admin/backups/postprocessing/",
    "versions": "/admin/backups/snapshot/",
    "mirrors": "/admin/backups/mirror/",
    "add a mirror": "/admin/backups/mirror/add/",
    "search": "/admin/backups/snapshot/search/",
    "quarantine": "/admin/backups/quarantinedfile/",
    "notices": "/admin/inventory/notice/",
    "checkpoints": "/admin/checkpoints/checkpoint/",
    "retention": "/admin/checkpoints/retentionpolicy/",
    "add a retention policy": "/admin/checkpoints/retentionpolicy/add/",
    "epochs": "/admin/backups/epoch/",
    "refs": "/admin/checkpoints/ref/",
    "restores": "/admin/checkpoints/restore/",
    "restores of several": "/admin/checkpoints/restoregroup/",
    "users": "/admin/auth/user/",
    "groups": "/admin/auth/group/",
    "audit log": "/admin/inventory/auditentry/",
    "hosts": "/admin/backups/host/",
    "queues of sites": "/admin/backups/sitequeue/",
    "purges": "/admin/checkpoints/purge/",
    "failed logins": "/admin/inventory/lockout/",
    "second factor": "/admin/second-factor/",
}
# One row's page of each list.
ROWS = {
    "tenant": "tenants",
    "credential": "credentials",
    "run": "runs",
    "version": "versions",
    "quarantined text": "quarantine",
    "checkpoint": "checkpoints",
    "ref": "refs",
    "restore": "restores",
    "user": "users",
    "audit entry": "audit log",
}
TABS = ("overview", "versions", "attempts", "checkpoints", "restores", "change")


def test_every_page_can_be_read_by_everybody(browser: Any, installation: Installation, pictures: Path) -> None:
    """WCAG AA by axe in both themes, nothing wider than a phone, and pictures to look at."""
    visitor = Visitor(
        browser, installation.start(str(ROOT / "manage.py"), "demo", "--devices", "8", "--port", "0", "--json")
    )
    visitor.open("/admin/")
    found = looked_at(visitor, "log in", pictures)
    visitor.log_in()
    for name, address in addresses(visitor):
        visitor.open(address)
        found += looked_at(visitor, name, pictures)

    assert not visitor.complaints, "\n".join(visitor.complaints)
    assert not found, "\n".join(found)


def addresses(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """Every page with what it is called."""
    yield from PAGES.items()
    for name, of in ROWS.items():
        visitor.open(PAGES[of])
        yield name, link(visitor, "#result_list tbody th a")
    visitor.open(f"{PAGES['devices']}?q=core-01")
    device = link(visitor, "#result_list tbody th a").partition("overview/")[0]
    yield from ((f"device {tab}", f"{device}{tab}/") for tab in TABS)
    visitor.open(f"{device}versions/")
    compare = link(visitor, "a:has-text('changes')")
    yield from (("compare", compare), ("compare unified", f"{compare}&view=unified&volatile=show&around=10"))
    visitor.open(f"{device}overview/")
    yield "blame", link(visitor, "a:has-text('Who brought each line')")
    visitor.open(f"{device}overview/")
    yield "confirmation", link(visitor, "a:has-text('Back up now')")


def link(visitor: Visitor, selector: str) -> str:
    """Where the first such link leads."""
    return str(visitor.page.locator(selector).first.get_attribute("href"))


def looked_at(visitor: Visitor, name: str, pictures: Path) -> list[str]:
    """What is wrong with the page that is open, in its three shapes, each kept as a picture."""
    page, file = visitor.page, name.replace(" ", "-")
    visitor.hold_still()
    found = [f"{name}: {one}" for one in visitor.violations()]
    page.screenshot(path=pictures / f"{file}-light.png")
    page.evaluate("() => document.documentElement.classList.add('dark')")
    found += [f"{name}, dark: {one}" for one in visitor.violations("color-contrast", "link-in-text-block")]
    page.screenshot(path=pictures / f"{file}-dark.png")
    page.evaluate("() => document.documentElement.classList.remove('dark')")
    page.set_viewport_size(PHONE)
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    found += [f"{name}, phone: {wide} pixels wide"] if wide > PHONE["width"] else []
    page.screenshot(path=pictures / f"{file}-phone.png")
    page.set_viewport_size(SIZE)
    return found
