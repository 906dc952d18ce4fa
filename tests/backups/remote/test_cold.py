"""A host that has nothing reads one old file without bringing the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backups.models import Snapshot
from backups.remote.cold import read_file
from backups.remote.directory import Directory
from backups.remote.errors import RemoteMissing
from backups.remote.objects import Objects
from backups.remote.publishing import publish
from backups.store.reader import open_store, read_blob, store_path
from inventory.models import Device
from tests.backups.store_kit import back_up, keep_house, kept


def test_one_old_file_is_read_by_parts_of_one_pack(
    device: Device, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C7, C8: to look at one text must not cost the whole repository."""
    for at in range(4):
        back_up(kept(device, b"hostname edge1\n" + b"line\n" * 200 + b"number %d\n" % at))
    keep_house(open_store(device.tenant_id).git)
    back_up(kept(device, b"another\n" * 9000))
    publish(device.tenant_id)
    read: list[str] = []
    part = Directory.read_part

    def noted(self: Directory, name: str, start: int, length: int) -> bytes:
        read.append(name)
        return part(self, name, start, length)

    monkeypatch.setattr(Directory, "read_part", noted)

    for version in Snapshot.objects.order_by("seq"):
        blob = version.files["running.cfg"]["blob"]
        read.clear()
        assert read_file(device.tenant_id, blob) == open_store(device.tenant_id).blob(blob)
        assert len(set(read)) == 3  # both indexes, and one pack

    with pytest.raises(RemoteMissing):
        read_file(device.tenant_id, "0" * 40)


def test_a_host_without_a_cache_makes_none_for_one_file(
    device: Device, objects: Objects, settings: Any, tmp_path: Path
) -> None:
    """A web server that shows one version now and then keeps nothing."""
    settings.NETCAIRN_OBJECT_STORE_MODE, settings.NETCAIRN_STORE_READY = "home", "backups.remote.home.ready"
    back_up(kept(device))
    blob = Snapshot.objects.get().files["running.cfg"]["blob"]
    settings.NETCAIRN_STORE_ROOT = tmp_path / "cold"

    assert read_blob(device.tenant_id, blob) == b"hostname edge1\nend\n"

    assert not store_path(device.tenant_id).exists()
