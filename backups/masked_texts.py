"""The masked texts of current configurations, kept ready on the disk, so that who may not see secrets can search.

A search of the real text, with the secrets taken out of the answer, would tell what they are: by what it finds, by how
long it takes, by where a limit cuts it. So for these eyes the real text is never searched. Masking 10,000
configurations takes a minute or more, hence the texts are kept, each under the id of what it was made from and the
digest of the rules that made it: a text that is there is right, whoever wrote it and whenever. The folder may be
deleted at any time.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from time import monotonic
from uuid import UUID

from django.conf import settings

from backups.errors import StoreError
from backups.store.reader import TenantStore
from inventory.platforms import blanks, masking
from inventory.platforms.sheet import Platform

MASKED = ".masked"  # below the store's root
OLD = 24 * 3600.0  # seconds; what nobody needs any more stays so long, because somebody may still be reading it


@dataclass(frozen=True)
class Veil:
    """How the texts of a platform are masked; the same digest, the same masked text."""

    platform: Platform | None = field(compare=False)  # None: not known any more
    digest: str


@dataclass(frozen=True)
class Source:
    """A text that is wanted masked."""

    blob: str
    veil: Veil

    @property
    def name(self) -> str:
        """Where its masked text is, within the folder."""
        return f"{self.blob[:2]}/{self.blob}-{self.veil.digest}"


def folder_of(tenant_id: UUID) -> Path:
    """Where a tenant's masked texts are kept: beside the repositories, so that all hosts share them."""
    return Path(settings.NETCAIRN_STORE_ROOT) / MASKED / str(tenant_id)


@lru_cache(maxsize=256)
def veil(platform: Platform | None) -> Veil:
    """The platform's rules, with the digest of all that decides how a text is masked."""
    said = inspect.getsource(masking) + inspect.getsource(blanks) + repr(masking.rules(platform))
    return Veil(platform, hashlib.sha256(said.encode()).hexdigest()[:16])


def prepare(store: TenantStore, sources: Iterable[Source], folder: Path, *, until: float) -> set[str]:
    """Have these texts in the folder, as far as time allows (`until`, of the monotonic clock); the names still missing.

    Raises StoreDamaged where a text cannot be read, StoreError where the folder cannot be written.
    """
    wanted = {source.name: source for source in sources}
    try:
        missing = wanted.keys() - names_in(folder)
        for name in sorted(missing):
            if monotonic() >= until:
                break
            write(folder, name, masked(store, wanted[name]))
            missing.discard(name)
    except OSError as exc:
        raise StoreError(f"{folder} cannot be written ({exc.strerror}): make it writable, or make room.") from exc
    return missing


def masked(store: TenantStore, source: Source) -> bytes:
    """A text without its secrets; line n stays line n."""
    return masking.mask(source.veil.platform, store.blob(source.blob).decode("latin-1")).encode("latin-1")


def names_in(folder: Path) -> set[str]:
    """The texts that are there."""
    return {name for name, _ in files_in(folder)}


def files_in(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file by its name within the folder, drafts that a crash has left among them."""
    if folder.is_dir():
        for group in folder.iterdir():
            with os.scandir(group) as entries:
                yield from ((f"{group.name}/{entry.name}", entry) for entry in entries)


def read(folder: Path, name: str) -> bytes:
    """A text that was there a moment ago. Raises StoreError."""
    try:
        return (folder / name).read_bytes()
    except OSError as exc:
        raise StoreError(f"{folder / name} cannot be read ({exc.strerror}): search again.") from exc


def write(folder: Path, name: str, content: bytes) -> None:
    """Under another name first, and on the disk: whoever sees the name sees all of it, after a power cut too."""
    path = folder / name
    for directory in (folder.parent, folder, path.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    with draft.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def sweep(folder: Path, wanted: Collection[str]) -> int:
    """Remove the old ones of those that are not wanted; how many."""
    swept = 0
    for name, entry in list(files_in(folder)):
        if name not in wanted and entry.stat().st_mtime < time.time() - OLD:
            (folder / name).unlink(missing_ok=True)
            swept += 1
    return swept
