"""A checkpoint as plain files: whole or not at all."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from backups.errors import StoreDamaged
from backups.store.reader import open_store
from checkpoints import export
from checkpoints.errors import Deleted, ExportRefused
from checkpoints.export import export_archive, export_checkpoint, zip_checkpoint
from checkpoints.models import Checkpoint
from checkpoints.services import create_checkpoint, delete_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up, later
from tests.checkpoints.test_gc import lose


@pytest.fixture
def checkpoint(tenant: Tenant, edge: Device, core: Device) -> Checkpoint:
    """Two devices, three files."""
    return create_checkpoint(tenant, message="x", author="anna", now=NOON)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an export may go; nothing else is beside it."""
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports" / "acme"


def tree(place: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def verified(place: Path) -> bool:
    """Whether `sha256sum -c` is content."""
    return (
        subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=place, check=False).returncode == 0
    )


def test_every_file_is_there_under_its_devices_name(checkpoint: Checkpoint, place: Path) -> None:
    """Capability B10: readable without Netcairn, and checked by a tool that everybody has."""
    done = export_checkpoint(checkpoint, place)

    files = tree(place)
    assert files.pop("SHA256SUMS")
    assert files == {
        "core1/running.cfg": b"hostname core1\n",
        "core1/startup.cfg": b"hostname core\n",
        "edge1/running.cfg": b"hostname edge1\n",
    }
    assert verified(place)
    assert (done.devices, done.files, done.size) == (2, 3, 44)
    assert place.stat().st_mode & 0o777 == 0o700


def test_what_is_there_already_is_not_touched(checkpoint: Checkpoint, place: Path) -> None:
    """Capability B10: never mixed with what somebody else keeps there."""
    place.mkdir()
    (place / "mine").write_text("mine")

    for replace in (False, True):
        with pytest.raises(ExportRefused):
            export_checkpoint(checkpoint, place, replace=replace)
    assert tree(place) == {"mine": b"mine"}
    assert list(place.parent.iterdir()) == [place]


def test_an_earlier_export_is_replaced_as_a_whole(checkpoint: Checkpoint, place: Path, edge: Device) -> None:
    """Capability E11: no file of the old one stays, and at no moment is either missing."""
    export_checkpoint(checkpoint, place)
    back_up(edge, running_cfg="hostname edge2\n")
    newer = create_checkpoint(edge.tenant, message="x", author="anna", devices=[edge], now=NOON)
    export_checkpoint(newer, place, replace=True)

    assert set(tree(place)) == {"edge1/running.cfg", "SHA256SUMS"} and verified(place)
    assert list(place.parent.iterdir()) == [place]


def test_a_link_is_not_followed(checkpoint: Checkpoint, place: Path, tmp_path: Path) -> None:
    """Who can put a link there must not make us delete or fill another directory."""
    export_checkpoint(checkpoint, tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    before = tree(tmp_path / "elsewhere")

    with pytest.raises(ExportRefused):
        export_checkpoint(checkpoint, place, replace=True)
    assert place.is_symlink() and tree(tmp_path / "elsewhere") == before


def test_where_a_file_is_missing_nothing_is_exported(checkpoint: Checkpoint, place: Path, core: Device) -> None:
    """Capabilities D8, B10, E11: an export with a hole looks like a whole one."""
    lose(open_store(core.tenant_id), core.snapshots.get().files["startup.cfg"]["blob"])

    with pytest.raises(StoreDamaged):
        export_checkpoint(checkpoint, place)
    assert list(place.parent.iterdir()) == []


def test_a_disk_that_returns_something_else_is_noticed(
    checkpoint: Checkpoint, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file is read back before the export gets its name."""
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"rotten")

    with pytest.raises(ExportRefused):
        export_checkpoint(checkpoint, place)
    assert list(place.parent.iterdir()) == []


def test_a_file_system_that_cannot_swap_keeps_the_old_export(
    checkpoint: Checkpoint, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused with a sentence, not half done."""
    export_checkpoint(checkpoint, place)
    before = tree(place)
    monkeypatch.setattr(export, "RENAME_EXCHANGE", 1 << 20)

    with pytest.raises(ExportRefused, match="cannot swap"):
        export_checkpoint(checkpoint, place, replace=True)
    assert tree(place) == before


def test_secrets_stay_behind_where_they_are_masked(tenant: Tenant, edge: Device, place: Path) -> None:
    """For somebody who needs the structure and not the keys."""
    back_up(edge, running_cfg="snmp-server community hunter2 RO\n")
    checkpoint = create_checkpoint(tenant, message="x", author="anna", now=NOON)
    export_checkpoint(checkpoint, place, masked=True)

    assert tree(place)["edge1/running.cfg"] == b"snmp-server community (masked) RO\n"
    assert verified(place)


def test_a_deleted_checkpoint_is_not_exported(checkpoint: Checkpoint, place: Path) -> None:
    """It may be collected in the middle."""
    with pytest.raises(Deleted):
        export_checkpoint(delete_checkpoint(checkpoint, by="anna", now=NOON), place)


def test_an_export_has_todays_names(checkpoint: Checkpoint, place: Path, edge: Device) -> None:
    """Nobody finds a device by the name of last year."""
    Device.objects.filter(pk=edge.pk).update(name="paris1")
    export_checkpoint(checkpoint, place)

    assert "paris1/running.cfg" in tree(place)


def test_a_zip_archive_holds_the_same(checkpoint: Checkpoint, place: Path) -> None:
    """Capability B10: in pieces, so that a browser begins to receive it at once."""
    export_checkpoint(checkpoint, place)
    pieces = list(zip_checkpoint(checkpoint, masked=False))
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == tree(place)
    assert len(pieces) == 4


@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_an_archive_is_there_as_a_whole(checkpoint: Checkpoint, tmp_path: Path, suffix: str) -> None:
    """Capability B10. Unpacked, its sums hold; an existing one is refused, or replaced in one step."""
    target = tmp_path / f"golden.{suffix}"
    export_archive(checkpoint, target)
    shutil.unpack_archive(target, tmp_path / "out")

    assert verified(tmp_path / "out")
    with pytest.raises(ExportRefused):
        export_archive(checkpoint, target)
    export_archive(checkpoint, target, replace=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_there_already_shares_its_blocks(
    tenant: Tenant, edge: Device, core: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Capability B4, B10: a second export of a large network costs what changed, on file systems that can."""
    back_up(core, later(1), running_cfg="hostname edge1\n")  # as edge1 has it
    checkpoint = create_checkpoint(tenant, message="x", author="anna", now=later(1))
    sharing: list[str] = []

    def clone(copy: int, _request: int, source: int) -> None:
        sharing.append(Path(f"/proc/self/fd/{copy}").readlink().parent.name)
        os.write(copy, os.pread(source, 1 << 20, 0))

    monkeypatch.setattr("checkpoints.clones.fcntl.ioctl", clone)
    export_checkpoint(checkpoint, tmp_path / "out")
    assert sharing == ["edge1"]  # core1 came first
    (tmp_path / "out" / "core1" / "running.cfg").write_text("touched since\n")
    export_checkpoint(checkpoint, tmp_path / "out", replace=True)

    assert sharing == ["edge1", "edge1"]  # what was touched is written anew
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", check=True)
