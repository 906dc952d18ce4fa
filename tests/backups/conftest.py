"""What the tests of backups share: a store root of the test's own, and a tenant."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from inventory.models import Device, Tenant
from tests.factories import make_device, make_tenant


@pytest.fixture
def store_root(settings: LazySettings, tmp_path: Path) -> Path:
    """An empty directory for repositories; nothing below it exists yet."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    return settings.NETCAIRN_STORE_ROOT


@pytest.fixture
def tenant(db: None, store_root: Path) -> Tenant:
    """A tenant whose repository would be made below `store_root`."""
    return make_tenant()


@pytest.fixture
def device(tenant: Tenant) -> Device:
    """One device of the tenant."""
    return make_device(tenant)
