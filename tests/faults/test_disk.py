"""A disk that is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from backups.errors import DiskFull
from backups.models import Repository
from inventory.models import Device
from tests.backups.store_kit import assert_sound, back_up, kept
from tests.factories import make_device, make_tenant

pytestmark = [pytest.mark.root, pytest.mark.django_db]


@pytest.fixture
def small_disk(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """A disk of one megabyte for the store."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a disk needs root and a kernel that lets it")
    settings.NETCAIRN_STORE_ROOT = path / "store"
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def device(small_disk: Path) -> Device:
    """A device whose tenant is on the small disk."""
    return make_device(make_tenant())


def test_a_full_disk_loses_nothing_and_is_left_behind_when_there_is_room(device: Device, small_disk: Path) -> None:
    """A23: the night that the disk is full must cost that night, and not the year before it."""
    back_up(kept(device, b"1\n"))

    with pytest.raises(DiskFull, match="make room"):
        back_up(kept(device, os.urandom(2 * 1024 * 1024)))

    assert Repository.objects.get().seq == 1
    assert_sound(device.tenant)
    back_up(kept(device, b"2\n"))
    assert_sound(device.tenant)
    assert not list(small_disk.rglob("tmp_pack_*"))
