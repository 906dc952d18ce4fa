"""A checkpoint as plain files: a directory that is there as a whole or not at all, or an archive (zip, tar).

`<device name>/<file>` by today's names, and SHA256SUMS, which `sha256sum -c` accepts.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from backups.store import layout
from backups.store.creation import fsync
from backups.store.reader import TenantStore, open_store
from checkpoints import manifest
from checkpoints.clones import cloned
from checkpoints.compare import sheet
from checkpoints.errors import Deleted, ExportRefused
from checkpoints.models import Checkpoint
from inventory.models import Device
from inventory.platforms.masking import mask

SUMS = "SHA256SUMS"
AT_FDCWD = -100  # both from Linux's fcntl.h and fs.h
RENAME_EXCHANGE = 2


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    devices: int
    files: int
    size: int  # bytes, without SHA256SUMS


@dataclass(frozen=True)
class ExportFile:
    """One file of an export."""

    path: str  # <device name>/<file>
    content: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sum(self) -> str:
        """Its line of SHA256SUMS."""
        return f"{self.digest}  {self.path}\n"


def export_files(
    checkpoint: Checkpoint, *, masked: bool, devices: Collection[Device] | None = None
) -> Iterator[ExportFile]:
    """Every file of a checkpoint, in order of path, one in memory at a time.

    `masked`: secrets are replaced; such a file cannot be put back onto a device. Each file is checked against its id.
    Raises Deleted, StoreDamaged.
    """
    if checkpoint.deleted_at:
        raise Deleted(f"Checkpoint {checkpoint.short_id} is deleted; undelete it before you export it.")
    store = open_store(checkpoint.tenant_id)
    chosen = None if devices is None else {device.pk for device in devices}
    held = manifest.of_commit(store, checkpoint.content, chosen)
    known = Device.objects.filter(tenant=checkpoint.tenant_id).in_bulk(held)
    for device in sorted(known.values(), key=lambda device: device.name):
        folder = layout.checked_device_name(device.name)
        for name, content in sorted(held[device.pk].items()):
            stored = seen(store, content.blob, device, masked=masked)
            yield ExportFile(f"{folder}/{layout.checked_file_name(name)}", stored)


def seen(store: TenantStore, blob: str, device: Device, *, masked: bool) -> bytes:
    """The content as it is exported. Raises StoreDamaged where it is not what it was."""
    content = store.blob(blob)
    if not masked:
        return content
    return mask(sheet(device.platform), content.decode("latin-1")).encode("latin-1")


def export_checkpoint(
    checkpoint: Checkpoint,
    target: Path,
    *,
    replace: bool = False,
    masked: bool = False,
    devices: Collection[Device] | None = None,
) -> Exported:
    """Write a checkpoint's files to a directory that does not exist yet, readable by its owner alone.

    They are written beside it, read back, made durable and renamed, so that the target is never there in part. With
    `replace` an earlier export is swapped for the new one as a whole. Raises ExportRefused, Deleted, StoreDamaged.
    """
    target = target.absolute()
    refuse_target(target, replace=replace)
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            files = export_files(checkpoint, masked=masked, devices=devices)
            exported = write_all(draft, files, earlier=target if replace else None)
            publish(draft, target, replace=replace)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise ExportRefused(f"{target} cannot be written ({error.strerror or error}); nothing is there.") from error
    return Exported(target, *exported)


def refuse_target(target: Path, *, replace: bool) -> None:
    """Raise ExportRefused unless the target is free, or an export that may be replaced."""
    if not target.parent.is_dir():
        raise ExportRefused(f"{target.parent} is no directory; make it first.")
    if not os.path.lexists(target):
        return
    if not replace:
        raise ExportRefused(f"{target} exists; choose another place, or replace it with --replace.")
    # Whatever is replaced is deleted, so it has to be something that an export wrote.
    if target.is_symlink() or not (target / SUMS).is_file():
        raise ExportRefused(f"{target} is not an export (it has no {SUMS}), so it is not replaced.")


def write_all(draft: Path, files: Iterator[ExportFile], *, earlier: Path | None = None) -> tuple[int, int, int]:
    """Write the files and SHA256SUMS durably; how many devices, files and bytes. Raises OSError.

    What the `earlier` export, or this one, has already shares its blocks where the file system can.
    """
    sums = []
    folders: set[Path] = set()
    written: dict[str, Path] = {}  # by content
    size = 0
    for file in files:
        place = draft / file.path
        if place.parent not in folders:
            place.parent.mkdir(mode=0o700)
            folders.add(place.parent)
        likely = [old for old in (written.get(file.digest), earlier and earlier / file.path) if old]
        if not any(shared(old, place, file.content) for old in likely):
            write(place, file.content)
        written[file.digest] = place
        sums.append(file.sum)
        size += len(file.content)
    write(draft / SUMS, "".join(sums).encode())
    for folder in (*folders, draft):
        fsync(folder)
    return len(folders), len(sums), size


def shared(old: Path, place: Path, content: bytes) -> bool:
    """Whether the file could be made of the blocks of an older one that holds the very same, and holds it now."""
    try:
        if old.is_symlink() or old.read_bytes() != content or not cloned(old, place, mode=0o600):
            return False
    except OSError:
        place.unlink(missing_ok=True)
        return False
    if place.read_bytes() == content:
        return True
    place.unlink()
    return False


def write(place: Path, content: bytes) -> None:
    """One new file, on the disk when this returns, and read back. Raises OSError."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if place.read_bytes() != content:
        raise OSError(errno.EIO, "what was written reads differently", str(place))


def publish(draft: Path, target: Path, *, replace: bool) -> None:
    """Give the draft the target's name; what had it before is then the draft. Raises OSError."""
    if replace and target.is_dir():
        exchange(draft, target)
    else:
        draft.rename(target)  # onto something that is not empty it fails
    fsync(target.parent)


def exchange(one: Path, other: Path) -> None:
    """Swap two directories in one step, so that at no moment either is missing (renameat2 of Linux). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"this file system cannot swap directories: {os.strerror(code)}", str(other))


class _Sink:
    """A file that cannot be sought in, and only remembers what was written since it was last asked."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Remember."""
        self.chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing behind it."""

    def taken(self) -> bytes:
        """All that is new."""
        data = b"".join(self.chunks)
        self.chunks.clear()
        return data


def zip_checkpoint(
    checkpoint: Checkpoint, *, masked: bool, devices: Collection[Device] | None = None
) -> Iterator[bytes]:
    """The same files as a zip archive, in pieces that can be sent while the next file is read.

    Raises Deleted, StoreDamaged; an archive that ends in the middle has no directory, so nobody takes it for whole.
    """
    moment = checkpoint.created_at.utctimetuple()[:6]
    sink = _Sink()
    sums = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in export_files(checkpoint, masked=masked, devices=devices):
            archive.writestr(member(file.path, moment), file.content)
            sums.append(file.sum)
            yield sink.taken()
        archive.writestr(member(SUMS, moment), "".join(sums))
    yield sink.taken()


def tar_checkpoint(
    checkpoint: Checkpoint, *, masked: bool, devices: Collection[Device] | None = None
) -> Iterator[bytes]:
    """The same as a tar archive. Raises Deleted, StoreDamaged; one that ends in the middle has no SHA256SUMS."""
    sink = _Sink()
    sums = []
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for file in export_files(checkpoint, masked=masked, devices=devices):
            archive.addfile(tar_member(file.path, len(file.content), checkpoint), io.BytesIO(file.content))
            sums.append(file.sum)
            yield sink.taken()
        told = "".join(sums).encode()
        archive.addfile(tar_member(SUMS, len(told), checkpoint), io.BytesIO(told))
    yield sink.taken()


def tar_member(path: str, size: int, checkpoint: Checkpoint) -> tarfile.TarInfo:
    """An entry: the checkpoint's time, readable by its owner alone, and nobody's name."""
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = size, int(checkpoint.created_at.timestamp()), 0o600
    return info


ARCHIVES = {".zip": zip_checkpoint, ".tar": tar_checkpoint}  # by the end of the target's name


def export_archive(
    checkpoint: Checkpoint,
    target: Path,
    *,
    replace: bool = False,
    masked: bool = False,
    devices: Collection[Device] | None = None,
) -> Path:
    """Write a checkpoint's files to one archive, which is there as a whole or not at all.

    Raises ExportRefused, Deleted, StoreDamaged.
    """
    target = target.absolute()
    if os.path.lexists(target) and not (replace and target.is_file() and not target.is_symlink()):
        raise ExportRefused(f"{target} exists; choose another place, or replace an archive with --replace.")
    pieces = ARCHIVES[target.suffix](checkpoint, masked=masked, devices=devices)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            write_pieces(draft, pieces)
            draft.replace(target)
            fsync(target.parent)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ExportRefused(f"{target} cannot be written ({error.strerror or error}); nothing is there.") from error
    return target


def write_pieces(place: Path, pieces: Iterator[bytes]) -> None:
    """A new file, on the disk when this returns. Raises OSError."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def member(path: str, moment: tuple[int, ...]) -> zipfile.ZipInfo:
    """An entry of the archive: the checkpoint's time, readable by its owner alone."""
    year, month, day, hour, minute, second = moment
    info = zipfile.ZipInfo(path, (year, month, day, hour, minute, second))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100600 << 16
    return info
