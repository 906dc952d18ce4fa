"""Files that somebody brings: a directory, a tar or a zip archive, laid out as an export is.

`<device name>/<file>`, and nothing else: no link, no other depth, no path that leads anywhere. What is brought is not
to be trusted, so it is counted while it is read and never written to a disk under a name of its own.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from backups.errors import NameRefused
from backups.store import layout
from checkpoints.errors import BadUpload
from checkpoints.export import SUMS

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024  # of all files, unpacked
MAX_FILE = 32 * 1024 * 1024  # of one

Brought = dict[str, dict[str, bytes]]  # device name -> file name -> content
Member = tuple[str, Callable[[int], bytes]]  # its path, and what reads so many bytes of it at most


def read_upload(source: Path) -> Brought:
    """The files of a directory, or of an archive by the end of its name. Raises BadUpload."""
    try:
        if source.is_dir():
            return gathered(of_directory(source))
        if source.suffix not in ARCHIVES:
            raise BadUpload(f"{source} is neither a directory nor a file whose name ends with .zip or .tar.")
        with source.open("rb") as file:
            return read_archive(file, source.name)
    except OSError as error:
        raise BadUpload(f"{source} cannot be read ({error.strerror or error}).") from error


def read_archive(file: BinaryIO, name: str) -> Brought:
    """The files of an archive; `name` says which kind. Raises BadUpload."""
    members = ARCHIVES.get(Path(name).suffix)
    if members is None:
        raise BadUpload(f"{name!r} does not end with .zip or .tar.")
    try:
        return gathered(members(file))
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadUpload(f"{name!r} cannot be read as an archive ({error}).") from error


def of_directory(top: Path) -> Iterator[Member]:
    """The files below a directory. A link is refused: it may lead to anything that we may read."""
    for place in sorted(top.rglob("*")):
        path = place.relative_to(top).as_posix()
        if place.is_symlink():
            raise BadUpload(f"{path!r} is a link; bring the file itself.")
        if place.is_file():
            yield path, lambda most, place=place: start_of(place, most)  # type: ignore[misc]


def start_of(place: Path, most: int) -> bytes:
    """At most so many bytes of a file."""
    with place.open("rb") as file:
        return file.read(most)


def of_tar(file: BinaryIO) -> Iterator[Member]:
    """The files of a tar archive, packed or not."""
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        for member in archive:
            if member.isdir():
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise BadUpload(f"{member.name!r} is no plain file.")
            yield member.name, stream.read


def of_zip(file: BinaryIO) -> Iterator[Member]:
    """The files of a zip archive. What its directory says of sizes is not believed."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield member.filename, stream.read


ARCHIVES: dict[str, Callable[[BinaryIO], Iterator[Member]]] = {".tar": of_tar, ".zip": of_zip}


def gathered(members: Iterator[Member]) -> Brought:
    """All files, as long as they are few and small enough. Raises BadUpload."""
    found: Brought = {}
    files = size = 0
    for path, read in members:
        place = place_of(path)
        if place is None:
            continue
        content = read(MAX_FILE + 1)
        files, size = files + 1, size + len(content)
        if len(content) > MAX_FILE or size > MAX_BYTES or files > MAX_FILES:
            raise BadUpload(
                f"That is too much at {path!r}: at most {MAX_FILES:,} files, {MAX_FILE >> 20} MB each and "
                f"{MAX_BYTES >> 20} MB together."
            )
        device, name = place
        if name in found.setdefault(device, {}):
            raise BadUpload(f"{path!r} is there twice.")
        found[device][name] = content
    if not found:
        raise BadUpload("There is no file in it; bring them as DEVICE/FILE, as an export writes them.")
    return found


def place_of(path: str) -> tuple[str, str] | None:
    """The device and the file that a path names; None for the sums of an export. Raises BadUpload."""
    parts = path.removeprefix("./").split("/")
    if parts == [SUMS]:
        return None
    if len(parts) != 2:
        raise BadUpload(f"{path!r} is not DEVICE/FILE.")
    try:
        return layout.checked_device_name(parts[0]), layout.checked_file_name(parts[1])
    except NameRefused as error:
        raise BadUpload(f"{path!r} cannot be taken: {error}") from error
