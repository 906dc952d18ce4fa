"""Bringing back from a copy of the repository what this one has lost. Nothing that can be read is replaced."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from backups.errors import StoreError
from backups.locks import lock_tenant
from backups.models import Repository
from backups.store.creation import create, fsync
from backups.store.git import Git
from backups.store.packs import flaws, flaws_of_pack
from backups.store.reader import is_repository, open_store, store_path
from backups.store.rereading import reread
from inventory.models import Tenant

WAIT = 30.0  # seconds for the tenant's lock
IDS_AT = 8 + 256 * 4  # where the ids begin in an index (gitformat-pack, version 2)


def fetch(tenant: Tenant, copy: Path) -> int:
    """Take from a copy of the store root, or of the one repository, what is missing or damaged here; how many files.

    The copy is only read, and what is damaged in it is left. Raises StoreBusy, and StoreError where it cannot be read.
    """
    source = copy if is_repository(copy) else copy / f"{tenant.pk}.git"
    if not is_repository(source):
        return 0
    with transaction.atomic(durable=True):
        lock_tenant(tenant.pk, wait=WAIT)
        path = store_path(tenant.pk)
        if not is_repository(path) and Repository.objects.filter(tenant=tenant, head__isnull=False).exists():
            create(path)
        store = open_store(tenant.pk)
        try:
            damaged = {flaw.path.with_suffix("") for flaw in flaws(path, full=True) if flaw.kind != "cache"}
            taken = sum(take(file, path / file.relative_to(source)) for file in wanted(source, path, damaged))
            for pack in damaged:
                drop_if_replaced(store.git, pack)
        except OSError as exc:
            raise StoreError(
                f"{exc.filename or source} cannot be copied ({exc.strerror}): look at both disks."
            ) from exc
        finally:
            store.close()
    return taken


def wanted(source: Path, target: Path, damaged: set[Path]) -> Iterator[Path]:
    """Sound files of the copy that this repository has not, or not whole: packs, each before its index, and objects."""
    for pack in sorted((source / "objects" / "pack").glob("pack-*.pack")):
        index = pack.with_suffix(".idx")
        here = target / pack.relative_to(source)
        there = here.exists() and here.with_suffix(".idx").exists() and here.with_suffix("") not in damaged
        if not there and not list(flaws_of_pack(pack, index, full=True)):
            yield from (pack, index)
    for loose in sorted((source / "objects").glob("[0-9a-f][0-9a-f]/*")):
        if not is_whole_object(target / loose.relative_to(source)) and is_whole_object(loose):
            yield loose


def is_whole_object(file: Path) -> bool:
    """Whether a file holds the object that its name says."""
    try:
        content = zlib.decompress(file.read_bytes())
    except (OSError, zlib.error):
        return False  # not there, or a disk that does not give it back
    return hashlib.sha1(content, usedforsecurity=False).hexdigest() == file.parent.name + file.name


def take(file: Path, target: Path) -> int:
    """Copy one file, whole and durable, or not at all."""
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f"tmp_{target.name}")
    shutil.copyfile(file, draft)
    draft.chmod(0o444)
    fsync(draft)
    draft.replace(target)
    fsync(target.parent)
    return 1


def drop_if_replaced(git: Git, stem: Path) -> None:
    """Remove a damaged pack, if all that it held can be read without it."""
    pack, index = stem.with_suffix(".pack"), stem.with_suffix(".idx")
    if not index.exists() or not list(flaws_of_pack(pack, index, full=True)):
        return
    # git looks at neither under these names.
    aside = [(file, file.with_name(f"{file.name}.aside")) for file in (index, pack) if file.exists()]
    for file, name in aside:
        file.rename(name)
    ids = ids_in(index.with_name(f"{index.name}.aside"))
    replaced = bool(ids) and all(sound for _, sound in reread(git, ids))
    for file, name in aside:
        if replaced:
            name.unlink()
        else:
            name.rename(file)
    fsync(pack.parent)


def ids_in(index: Path) -> list[str]:
    """The ids of the objects in a pack, as its index has them; none where the index itself is damaged."""
    content = index.read_bytes()
    if hashlib.sha1(content[:-20], usedforsecurity=False).digest() != content[-20:]:
        return []
    number = int.from_bytes(content[IDS_AT - 4 : IDS_AT], "big")
    return [content[at : at + 20].hex() for at in range(IDS_AT, IDS_AT + 20 * number, 20)]
