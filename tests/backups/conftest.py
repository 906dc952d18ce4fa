"""What the tests of backups share: a store root of the test's own, a tenant, and a connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from django.conf import LazySettings

from backups.ssh_link import DeviceSocket
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


@pytest.fixture
def pair() -> Iterator[tuple[DeviceSocket, socket.socket]]:
    """A connection: our side, and the device's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    link = DeviceSocket(ours, monotonic() + 30)
    yield link, theirs
    theirs.close()
    link.release()
