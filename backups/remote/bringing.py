"""A tenant's repository out of the object store: made, or rolled forward by the packs that are missing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from backups.remote import manifest as documents
from backups.remote.errors import RemoteDamaged, RemoteMissing
from backups.remote.keys import key_to_open
from backups.remote.manifest import Manifest, Pack
from backups.remote.objects import Objects
from backups.remote.opening import open_objects
from backups.remote.publishing import AT_ONCE, KINDS, latest
from backups.remote.sealing import open_all
from backups.store import layout
from backups.store.creation import create, fsync
from backups.store.housekeeping import indexes, remove_pack
from backups.store.packs import SUM, ends_of, is_whole
from backups.store.reader import TenantStore, is_repository, open_path
from backups.store.writer import RefMove, make_ref_durable, move_refs

WORKSHOP = "bringing-"


@dataclass(frozen=True)
class Brought:
    """What it took."""

    manifest: Manifest
    packs: int
    size: int  # bytes that came over the network


@dataclass(frozen=True)
class Draft:
    """A file that waits to be put among the packs."""

    path: Path
    size: int  # bytes that came over the network for it


def bring(tenant_id: UUID, path: Path, *, unsigned: bool = False) -> Brought:
    """Have at `path` what the newest manifest names, and nothing else: a whole repository, main at the head.

    Whoever calls sees to it that nobody writes there meanwhile. One that is there is rolled forward. `unsigned`: the
    keys are lost, and what is there has to do. Raises RemoteMissing where nothing was published, RemoteDamaged,
    RemoteFailed, StoreError.
    """
    objects = open_objects()
    last = latest(objects, tenant_id, unsigned=unsigned)
    if last is None:
        raise RemoteMissing(f"There is nothing of tenant {tenant_id} in the object store.")
    if not is_repository(path):
        create(path)
    added = add_packs(objects, last.manifest, path)
    settle(last.manifest, path, main=last.manifest.head)
    return added


def add_packs(objects: Objects, manifest: Manifest, path: Path) -> Brought:
    """Bring the packs that are missing. Beside readers, writers and others who bring: nothing is taken away."""
    with draft_packs(objects, manifest, path) as drafts:
        install(drafts, path)
        return Brought(manifest, len(drafts) // 2, sum(draft.size for draft in drafts))


@contextmanager
def draft_packs(objects: Objects, manifest: Manifest, path: Path) -> Iterator[list[Draft]]:
    """The packs that are missing in a repository, on its disk and whole, but where no reader looks."""
    missing = [pack for pack in manifest.packs if not is_there(path, pack)]
    if not missing:
        yield []
        return
    key = key_to_open(objects, manifest)
    with workshop(path) as place:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda pack: fetch(objects, manifest, pack, place, key), missing)
            drafts = [draft for both in found for draft in both]
        yield drafts


def is_there(path: Path, pack: Pack) -> bool:
    """Whether a repository has a pack with its index."""
    folder = path / "objects" / "pack"
    return (folder / f"{pack.name}.idx").exists() and (folder / f"{pack.name}.pack").exists()


@contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """A directory on the same disk where no reader looks; gone at the end."""
    place = Path(tempfile.mkdtemp(prefix=f"{WORKSHOP}{os.getpid()}-", dir=path))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def fetch(objects: Objects, manifest: Manifest, pack: Pack, place: Path, key: bytes | None) -> list[Draft]:
    """A pack and its index in the workshop, on the disk, and held to their hashes. Raises RemoteDamaged."""
    drafts = [place / f"{pack.name}{suffix}" for suffix in (".pack", ".idx")]
    for draft, sha256, named in zip(drafts, (pack.sha256, pack.index), pack.objects(), strict=True):
        name = documents.pack_object(manifest.tenant, named)
        with draft.open("w+b") as file:
            objects.download(name, file)
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise RemoteDamaged(f"{name} in the object store is not what it was when it was written.")
        if key:
            unseal(draft, key)
        refuse_cut(draft, name)
        fsync(draft)
    if ends_of(drafts[0])[1] != checksum_in(drafts[1]):
        raise RemoteDamaged(f"The index of {pack.name} of tenant {manifest.tenant} is not of that pack.")
    return [Draft(draft, size) for draft, size in zip(drafts, (pack.size, pack.index_size), strict=True)]


def unseal(draft: Path, key: bytes) -> None:
    """Let a file be what was sealed in it. Raises RemoteDamaged."""
    sealed = draft.with_name(f"{draft.name}.sealed")
    draft.rename(sealed)
    with sealed.open("rb") as there, draft.open("wb") as here:
        for piece in open_all(key, there, sealed.stat().st_size):
            here.write(piece)
    sealed.unlink()


def refuse_cut(draft: Path, name: str) -> None:
    """Raise RemoteDamaged unless the file ends with the checksum of all before it."""
    if draft.stat().st_size <= SUM or not is_whole(draft):
        raise RemoteDamaged(f"{name} in the object store is no whole pack, or index of one.")


def checksum_in(index: Path) -> bytes:
    """The checksum of the pack that an index is of."""
    with index.open("rb") as file:
        file.seek(-2 * SUM, 2)
        return file.read(SUM)


def install(drafts: list[Draft], path: Path) -> None:
    """Give packs their names among the others, durably; each becomes visible with its index, which goes last."""
    for draft in drafts:
        draft.path.chmod(0o444)
        draft.path.replace(path / "objects" / "pack" / draft.path.name)
    if drafts:
        fsync(path / "objects" / "pack")


def settle(manifest: Manifest, path: Path, *, main: str | None) -> None:
    """Let refs and packs be those of the manifest, with main at that commit. Nobody writes there meanwhile.

    Refs first: a pack that only they needed is not missed any more.
    """
    store = open_path(path)
    move_refs(store.git, ref_moves(store, manifest, main))
    for ref in {Path(ref).parent: ref for ref in (*manifest.refs, layout.MAIN)}.values():  # one of each folder
        make_ref_durable(store.git, ref)
    named = {pack.name for pack in manifest.packs}
    for index in indexes(path):
        if index.stem not in named:
            remove_pack(index)
    fsync(path / "objects" / "pack")
    store.close()  # it may still read from packs that are gone


def ref_moves(store: TenantStore, manifest: Manifest, main: str | None) -> list[RefMove]:
    """What makes the refs those of the manifest."""
    there = store.refs(*KINDS, layout.MAIN)
    wanted = dict(manifest.refs) | ({layout.MAIN: main} if main else {})
    new = {ref: commit for ref, commit in wanted.items() if there.get(ref) != commit}
    moves = [RefMove(ref, commit, there.get(ref, layout.NO_ID)) for ref, commit in new.items()]
    return moves + [RefMove(ref, None, commit) for ref, commit in there.items() if ref not in wanted]
