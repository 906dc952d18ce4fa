"""Disks that are full, that have no room for another file, or that may not be written to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from backups.errors import DiskFull, DiskReadOnly
from inventory.models import Device
from tests.backups.store_kit import assert_it_goes_on, back_up, kept
from tests.factories import make_device, make_tenant

pytestmark = [pytest.mark.root, pytest.mark.django_db]


@pytest.fixture
def small_disk(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """A disk of one megabyte and a few files for the store."""
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=150", "tmpfs", path]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a disk needs root and a kernel that lets it")
    settings.NETCAIRN_STORE_ROOT = path / "store"
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def device(small_disk: Path) -> Device:
    """A device whose tenant is on the small disk, with one version."""
    device = make_device(make_tenant())
    back_up(kept(device, b"1\n"))
    return device


def test_a_full_disk_loses_nothing_and_is_left_behind_when_there_is_room(device: Device, small_disk: Path) -> None:
    """A23: the night that the disk is full must cost that night, and not the year before it."""
    with pytest.raises(DiskFull, match="make room"):
        back_up(kept(device, os.urandom(2 * 1024 * 1024)))

    assert_it_goes_on(device)
    assert not list(small_disk.rglob("tmp_pack_*"))


def test_a_disk_without_inodes_is_full(device: Device, small_disk: Path) -> None:
    """A23: `df` shows room, and still no file can be made; the error must say which of the two it may be."""
    fillers = fill(small_disk)

    with pytest.raises(DiskFull, match="inodes"):
        back_up(kept(device, b"2\n"))

    for filler in fillers:
        filler.unlink()
    assert_it_goes_on(device)


def fill(disk: Path) -> list[Path]:
    """Empty files, until there can be no more."""
    made = []
    try:
        for number in range(1000):
            (disk / f"filler{number}").touch()
            made.append(disk / f"filler{number}")
    except OSError:
        return made
    raise AssertionError("the disk takes every file")


def test_a_disk_that_may_not_be_written_to_is_named_as_that(device: Device, small_disk: Path) -> None:
    """A23: ext4 makes itself read-only when its disk fails; trying again every five minutes would not mend that."""
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(DiskReadOnly, match="read-only"):
        back_up(kept(device, b"2\n"))

    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert_it_goes_on(device)


def test_a_leftover_on_a_disk_that_may_not_be_written_to_is_no_bug(device: Device, small_disk: Path) -> None:
    """The next writer has something to remove, and cannot: that, too, is the disk's fault and has to say so."""
    path = small_disk / "store" / f"{device.tenant_id}.git"
    (path / "refs" / "heads" / "main.lock").touch()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(DiskReadOnly, match="read-only"):
        back_up(kept(device, b"2\n"))

    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert_it_goes_on(device)
