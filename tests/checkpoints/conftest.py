"""What the tests of checkpoints share: a store of the test's own, and one way to fill it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings

from backups.capture import stable_digest
from backups.commit import Kept, keep
from backups.models import Attempt, Run, Snapshot
from inventory.models import Device, Tenant
from inventory.platforms.registry import platform
from tests.checkpoints.remembered import remembered
from tests.factories import make_device, make_tenant

TENANT, EDGE, CORE = (UUID(int=0x6E63 << 112 | at) for at in (1, 2, 3))
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def later(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


def back_up(device: Device, now: datetime = NOON, run: Run | None = None, **files: str | bytes) -> Snapshot | None:
    """Keep these files of a device, as a backup would; `running_cfg="…"` is the file running.cfg."""
    content = {
        name.replace("_", "."): text if isinstance(text, bytes) else text.encode() for name, text in files.items()
    }
    return back_up_all({device: content}, now, run).get(device.pk)


def back_up_all(
    contents: Mapping[Device, Mapping[str, bytes]], now: datetime = NOON, run: Run | None = None
) -> dict[UUID, Snapshot]:
    """Keep the files of several devices of one tenant."""
    kept = [
        Kept(device, files, stable_digest(platform(device.platform), files), now) for device, files in contents.items()
    ]
    (tenant_id,) = {device.tenant_id for device in contents}
    result = keep(
        tenant_id,
        kept,
        author="tester",
        message="Backup",
        run_id=run.pk if run else None,
        now=now,
        also=lambda _: None,
    )
    return result.snapshots


def make_run(devices: list[Device], now: datetime = NOON) -> Run:
    """A run over these devices, begun now."""
    run = Run.objects.create(tenant=devices[0].tenant, requested_by="anna", requested_at=now, started_at=now)
    Attempt.objects.bulk_create(Attempt(tenant=run.tenant, run=run, device=device) for device in devices)
    return run


@pytest.fixture
def store_root(settings: LazySettings, tmp_path: Path) -> Path:
    """An empty directory for repositories."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    return settings.NETCAIRN_STORE_ROOT


@pytest.fixture
def tenant(db: None, store_root: Path) -> Tenant:
    """A tenant whose repository would be made below `store_root`."""
    return make_tenant(pk=TENANT)


@pytest.fixture
def edge(tenant: Tenant) -> Device:
    """One device of the tenant, with two versions behind it."""
    remembered(tenant, "edge", lambda: back_up(make_device(tenant, "edge1", pk=EDGE), running_cfg="hostname edge1\n"))
    return Device.objects.get(pk=EDGE)


@pytest.fixture
def core(tenant: Tenant) -> Device:
    """Another device of the tenant."""
    remembered(
        tenant,
        "core",
        lambda: back_up(
            make_device(tenant, "core1", pk=CORE), running_cfg="hostname core1\n", startup_cfg="hostname core\n"
        ),
    )
    return Device.objects.get(pk=CORE)
