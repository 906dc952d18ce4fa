"""The page that lists the network systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from inventory.models import Tenant
from inventory.platforms.listing import DOCUMENT
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

PLATFORMS = "/admin/inventory/device/platforms/"


@pytest.mark.django_db
def test_the_systems_in_use_come_first_and_only_ones_own_devices_count(tenant: Tenant) -> None:
    """How many boxes of a kind another customer has is nobody's business."""
    make_device(tenant, "r1", platform="zyxel_os")
    make_device(make_tenant("other"), "r2", platform="a10")

    text = page(logged_in(make_user("audra", (tenant, Role.AUDITOR))).get(PLATFORMS))

    assert text.index('id="zyxel_os"') < text.index('id="a10"')
    assert "not restorable" in text and "<span class=nc-mono>copy tftp config 1 HOST FILE</span>" in text
    assert "?platform=zyxel_os" in text and "?platform=a10" not in text


@pytest.mark.django_db
def test_a_sheet_that_cannot_be_used_is_shown_with_its_reason(
    tenant: Tenant, tmp_path: Path, settings: LazySettings
) -> None:
    """Whoever wrote it looks here first."""
    (tmp_path / "acme_os.py").write_text("1/0")
    sheet = DOCUMENT.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    (tmp_path / "other_os.py").write_text(sheet.replace("acme_os", "other_os").replace('"generic"', '"acme_os_9"'))
    settings.NETCAIRN_PLATFORMS_DIR = str(tmp_path)

    text = page(logged_in(make_user("audra", (tenant, Role.AUDITOR))).get(PLATFORMS))

    assert "acme_os.py, line 1, is not used: it raises ZeroDivisionError" in text
    assert "other_os.py, line 7, cannot log in: netmiko_type is wrong." in text
