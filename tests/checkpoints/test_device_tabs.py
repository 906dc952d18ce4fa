"""The tabs of a device that tell of checkpoints and restores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.test import Client

from backups.models import Snapshot
from checkpoints.models import Checkpoint, Restore
from inventory.models import Device
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def version(device: Device, seq: int) -> Snapshot:
    """A row of a version; nothing of it is in a store."""
    told = {"taken_at": NOON + timedelta(hours=seq), "size": 1, "lines_added": 1, "lines_removed": 0}
    return Snapshot.objects.create(tenant=device.tenant, device=device, seq=seq, **told)


def checkpoint(device: Device, seq: int, message: str, **fields: bool) -> Checkpoint:
    """A row of a checkpoint at that place of the record."""
    told = {"commit": "0" * 40, "pin": "0" * 40, "device_count": 1, "file_count": 1, "total_bytes": 1}
    return Checkpoint.objects.create(
        tenant=device.tenant, author="anna", message=message, seq=seq, created_at=NOON, **told, **fields
    )


def reader(device: Device) -> Client:
    """Somebody who may look at the device's tenant."""
    return logged_in(make_user(f"reader-{device.tenant}", (device.tenant, Role.AUDITOR)))


def test_each_checkpoint_says_which_version_it_holds(db: None) -> None:
    """“As it was before the change” is found on the device's own page."""
    device = make_device(make_tenant())
    first, second = version(device, 2), version(device, 5)
    for seq, message in ((1, "too early"), (4, "before"), (5, "after")):
        checkpoint(device, seq, message)
    checkpoint(device, 6, "of some", whole=False)

    response = reader(device).get(f"/admin/inventory/device/{device.pk}/checkpoints/")

    told = {moment.checkpoint.message: moment.version for moment in response.context["moments"]}
    assert told == {"too early": None, "before": first, "after": second, "of some": None}
    assert f"left={first.pk}&amp;right={second.pk}" in page(response)


def test_a_checkpoint_is_compared_with_a_version_of_a_device(db: None) -> None:
    """“What have they changed since the night?” is asked of a moment that has a name."""
    device = make_device(make_tenant())
    first, second = version(device, 2), version(device, 5)
    checkpoint(device, 2, "before the night")
    client = reader(device)

    tab = page(client.get(f"/admin/inventory/device/{device.pk}/checkpoints/"))
    chosen = client.get(f"/admin/backups/snapshot/compare/?right={second.pk}").context

    assert f'name="left" value="{first.pk}"' in tab and f'name="right" value="{second.pk}"' in tab
    moments = [(moment.checkpoint.message, moment.version) for moment in chosen["left_moments"]]
    assert moments == [("before the night", first)]


def test_a_restore_is_told_on_the_devices_page(db: None) -> None:
    """Who asked for it, and what came of it."""
    device = make_device(make_tenant())
    Restore.objects.create(
        tenant=device.tenant, device=device, version=version(device, 1), state="confirmed", requested_by="rosa"
    )

    text = page(reader(device).get(f"/admin/inventory/device/{device.pk}/restores/"))

    assert "rosa" in text and "Confirmed" in text


def test_a_device_of_which_nobody_knows_what_it_runs_says_so(db: None) -> None:
    """Whoever opens it learns that it is blocked, and where to go, before they plan another restore."""
    device = make_device(make_tenant())
    restore = Restore.objects.create(tenant=device.tenant, device=device, requested_by="anna", state="unknown")
    address, client = f"/admin/inventory/device/{device.pk}/overview/", reader(device)

    assert f"{restore.pk}/change/" in page(client.get(address))
    Restore.objects.update(settled_at=datetime.now(UTC))
    assert "Nobody knows what it runs" not in page(client.get(address))


def test_tabs_of_others_are_not_there(db: None) -> None:
    """Not their content, not that they exist."""
    device, foreign = make_device(make_tenant()), make_device(make_tenant("other"))
    client = reader(device)

    for tab in ("checkpoints", "restores"):
        assert client.get(f"/admin/inventory/device/{foreign.pk}/{tab}/").status_code == 404
