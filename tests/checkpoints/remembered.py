"""What many tests begin with is made once in a process, and copied for every test after the first.

Making it costs a dozen git processes; copying a small repository and inserting its rows, next to nothing. What is made
has to follow from nothing but the tenant's fixed id and the commit that it begins at.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from backups.store import layout
from backups.store.reader import is_repository, open_store, store_path
from inventory.models import Tenant

PLACE = tempfile.TemporaryDirectory(prefix="netcairn-remembered-")
Rows = dict[type[Model], dict[Any, Model]]


@dataclass
class Made:
    """The repository afterwards, and what was done to the tenant's rows."""

    path: Path
    added: list[list[Any]]  # those of one model each
    changed: list[Model]


MADE: dict[tuple[str, str], Made] = {}


def remembered(tenant: Tenant, name: str, make: Callable[[], object]) -> None:
    """Call `make`, or put what it made of the same beginning in its place."""
    refs = open_store(tenant.pk).refs() if is_repository(store_path(tenant.pk)) else {}
    key = name, refs.get(layout.MAIN, "")
    alone = not refs.keys() - {layout.MAIN}  # a checkpoint's id is another one every time
    if alone and key in MADE:
        put(tenant, MADE[key])
        return
    before = rows_of(tenant)
    make()
    if not alone:
        return
    open_store(tenant.pk).close()
    path = Path(PLACE.name, str(len(MADE)))
    shutil.copytree(store_path(tenant.pk), path, symlinks=True)
    MADE[key] = what_became_of(before, rows_of(tenant), path)


@cache
def owned_models() -> list[type[Model]]:
    """Those whose rows belong to a tenant."""
    return [model for model in apps.get_models() if any(field.name == "tenant" for field in model._meta.fields)]


def rows_of(tenant: Tenant) -> Rows:
    """All of the tenant's, as they are."""
    return {model: model._default_manager.filter(tenant=tenant).in_bulk() for model in owned_models()}


def what_became_of(before: Rows, after: Rows, path: Path) -> Made:
    """The difference."""
    added = [[row for pk, row in rows.items() if pk not in before[model]] for model, rows in after.items()]
    changed = [
        row
        for model, rows in after.items()
        for pk, row in rows.items()
        if pk in before[model] and values_of(row) != values_of(before[model][pk])
    ]
    return Made(path, [rows for rows in added if rows], changed)


def values_of(row: Model) -> list[object]:
    """Every column."""
    return [getattr(row, field.attname) for field in row._meta.concrete_fields]


def put(tenant: Tenant, made: Made) -> None:
    """The repository and the rows, in place of those that are there."""
    there = store_path(tenant.pk)
    if there.exists():
        open_store(tenant.pk).close()
        shutil.rmtree(there)
    shutil.copytree(made.path, there, symlinks=True)
    with transaction.atomic():  # rows name others that come later
        for rows in made.added:
            type(rows[0])._default_manager.bulk_create(rows)
        for row in made.changed:
            row.save(force_update=True)
