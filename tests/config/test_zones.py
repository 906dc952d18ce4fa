"""Times in the zone of who looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils.formats import localize

from backups.models import Snapshot
from config.zones import COOKIE, zone_named
from tests.factories import make_device, make_tenant
from tests.inventory.kit import logged_in, make_user, page


def test_a_page_tells_times_in_the_browsers_zone(db: None) -> None:
    """At three in the morning nobody counts hours from UTC."""
    device = make_device(make_tenant())
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    version = Snapshot.objects.create(
        tenant=device.tenant, device=device, seq=1, taken_at=at, size=1, lines_added=1, lines_removed=0
    )
    client = logged_in(make_user("root", is_superuser=True))
    address = f"/admin/backups/snapshot/{version.pk}/change/"

    assert "2026-07-01 12:00:00 UTC" in page(client.get(address))
    client.cookies[COOKIE] = "Europe/Zurich"
    assert "2026-07-01 14:00:00 CEST" in page(client.get(address))


def test_lists_say_times_as_pages_do() -> None:
    """“Nov. 21, 2026, 5:11 a.m.” beside “2026-11-21 05:11” is two ways to read one thing."""
    assert localize(datetime(2026, 11, 21, 5, 11, tzinfo=UTC)) == "2026-11-21 05:11"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "/etc/localtime", "No/Where", "x" * 500, "Europe", "a\0b"])
def test_a_cookie_that_names_no_zone_is_as_none(name: str) -> None:
    """Anybody can send any cookie."""
    assert zone_named(name) is None
