"""What many tests begin with is made once in a process, and copied for every test after the first.

Making it costs a dozen git processes; copying a small repository and inserting its rows, next to nothing. What is made
has to follow from nothing but the tenant's fixed id and the commit that it begins at.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Model

from backups.models import Epoch, Repository, Snapshot, StoredFile
from backups.store import layout
from backups.store.reader import is_repository, open_store, store_path
from checkpoints.models import Checkpoint, Ref, RefMove
from inventory.models import Device, Tenant

MODELS: tuple[type[Model], ...] = (Device, Repository, StoredFile, Snapshot, Epoch, Checkpoint, Ref, RefMove)
PLACE = tempfile.TemporaryDirectory(prefix="netcairn-remembered-")


@dataclass
class Made:
    """The repository afterwards, and every row of the tenant."""

    path: Path
    rows: dict[type[Model], list[Any]]


MADE: dict[tuple[str, str], Made] = {}


def remembered(tenant: Tenant, name: str, make: Callable[[], object]) -> None:
    """Call `make`, or put what it made of the same beginning in its place."""
    refs = open_store(tenant.pk).refs() if is_repository(store_path(tenant.pk)) else {}
    key = name, refs.get(layout.MAIN, "")
    alone = not refs.keys() - {layout.MAIN}  # a checkpoint's id is another one every time
    if alone and key in MADE:
        put(tenant, MADE[key])
        return
    make()
    if not alone:
        return
    open_store(tenant.pk).close()
    path = Path(PLACE.name, str(len(MADE)))
    shutil.copytree(store_path(tenant.pk), path, symlinks=True)
    MADE[key] = Made(path, {model: rows_of(model, tenant) for model in MODELS})


def rows_of(model: type[Model], tenant: Tenant) -> list[Any]:
    """Those of the tenant, as they are."""
    return list(model._default_manager.filter(tenant=tenant))


def put(tenant: Tenant, made: Made) -> None:
    """The repository and the rows, in place of those that are there."""
    there = store_path(tenant.pk)
    if there.exists():
        open_store(tenant.pk).close()
        shutil.rmtree(there)
    shutil.copytree(made.path, there, symlinks=True)
    for model, rows in made.rows.items():
        known = set(model._default_manager.filter(tenant=tenant).values_list("pk", flat=True))
        model._default_manager.bulk_create([row for row in rows if row.pk not in known])
    for row in made.rows[Repository]:
        row.save(force_update=True)
    for row in made.rows[Ref]:
        row.save(force_update=True)
