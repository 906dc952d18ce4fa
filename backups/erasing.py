"""A tenant is deleted for good: its repository, its objects in the object store with their key, and every row.

All under the tenant's lock, in one transaction: first what is no row, then the rows, then the audit entry. Whoever is
interrupted leaves a tenant that is still due, and the next one finishes; nothing is ever half deleted and forgotten.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Model
from django.utils.module_loading import import_string

from backups import jobs
from backups.errors import StoreBusy
from backups.locks import lock_tenant
from backups.masked_texts import folder_of
from backups.models import DayTally, Run
from backups.remote import manifest as documents
from backups.remote.opening import is_set, open_objects
from backups.store.creation import fsync
from backups.store.reader import is_repository, open_path, store_path
from inventory import audit
from inventory.errors import Invalid
from inventory.models import Tenant

WAIT = 30.0  # seconds for the tenant's lock
DELETED = "tenant.deleted"  # in the audit log
HIDDEN = ".erased-"  # before the name of what is being removed
LOOKS = 3  # at the object store: a publisher that was about to write may be faster once


def erase(tenant: Tenant, *, by: str, now: datetime) -> dict[str, int]:
    """Delete a tenant whose waiting time is over; how many rows, objects and repositories went.

    Raises Invalid while it can be undone, StoreBusy while something of it is at work, RemoteError; then it is still
    there, and due.
    """
    with transaction.atomic(durable=True):
        row = Tenant.objects.select_for_update().filter(pk=tenant.pk, ends_at__lte=now).first()
        if row is None:
            raise Invalid(f"{tenant} is not to be deleted now: ask for it first, and wait until it cannot be undone.")
        lock_tenant(row.pk, wait=WAIT)
        refuse_at_work(row)
        gone = {"repositories": remove_repository(row.pk), "objects": remove_objects(row.pk)}
        for name in settings.NETCAIRN_TENANT_ENDS:
            import_string(name)(row)
        forget_tasks(row)
        gone["rows"] = remove_rows(row.pk)
        detail: dict[str, object] = {"id": str(row.pk), **gone}
        audit.record(row, by=by, action=DELETED, about=row.name, detail=detail)
        audit.record(None, by=by, action=DELETED, about=row.name, detail=detail)
    return gone


def refuse_at_work(tenant: Tenant) -> None:
    """Raise StoreBusy while a run of the tenant has not ended."""
    if Run.objects.filter(tenant=tenant).unended().exists():
        raise StoreBusy(f"A run of {tenant} has not ended; cancel it (`run cancel`), and it is deleted after that.")


def remove_repository(tenant_id: UUID) -> int:
    """The repository, what was moved aside or left half-made of it, and texts that were made of it; how many."""
    path = store_path(tenant_id)
    if is_repository(path):
        open_path(path).close()
    places = [*path.parent.glob(f"*{tenant_id}*"), folder_of(tenant_id)] if path.parent.is_dir() else []
    there = [place for place in places if place.exists()]
    for place in there:
        discard(place)
    return sum(".git" in place.name for place in there)


def discard(place: Path) -> None:
    """Remove a directory or a file of the store, under another name first: at once, for whoever may still read."""
    hidden = place if place.name.startswith(HIDDEN) else place.with_name(f"{HIDDEN}{place.name}")
    if hidden != place:
        place.rename(hidden)
    shutil.rmtree(hidden) if hidden.is_dir() else hidden.unlink()
    fsync(place.parent)


def remove_objects(tenant_id: UUID) -> int:
    """All that the object store has of the tenant, the key that opens it first; how many."""
    if not is_set():
        return 0
    objects, gone = open_objects(), 0
    objects.delete([documents.key_object(tenant_id), documents.pointer_object(tenant_id)])
    for _ in range(LOOKS):
        names = [one.name for one in objects.listed(documents.folder(tenant_id))]
        if not names:
            break
        objects.delete(names)
        gone += len(names)
    return gone


def owned() -> Iterator[type[Model]]:
    """Every table of which rows belong to a tenant; but the audit log, whose chains outlive their tenants."""
    for model in apps.get_models(include_auto_created=True):
        columns = {field.name: field for field in model._meta.concrete_fields}
        field = columns.get("tenant")
        if field is not None and field.related_model is Tenant and model is not audit.AuditEntry:
            yield model


def remove_rows(tenant_id: UUID) -> int:
    """Every row of the tenant, and the tenant; how many. The order is free: PostgreSQL looks at the end."""
    gone = 0
    with connection.cursor() as cursor:
        # Names of tables and columns are Django's own, here and below; only values come from outside.
        models: list[type[Model]] = [*owned(), Tenant]
        for model in models:
            table = connection.ops.quote_name(model._meta.db_table)
            column = "id" if model is Tenant else "tenant_id"
            if model._meta.pk.name != "pk":
                forget_log(model, table, column, tenant_id)
            cursor.execute(f"DELETE FROM {table} WHERE {column} = %s", [tenant_id])  # noqa: S608  # nosec B608
            gone += cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            f"UPDATE {DayTally._meta.db_table} SET counts = counts - %s WHERE counts ? %s",  # noqa: S608  # nosec B608
            [str(tenant_id), str(tenant_id)],
        )
    return gone


def forget_log(model: type[Model], table: str, column: str, tenant_id: UUID) -> None:
    """What Django's own log of the admin says of the rows: it has their names."""
    kind = ContentType.objects.get_for_model(model)
    key = connection.ops.quote_name(str(model._meta.pk.column))
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {LogEntry._meta.db_table} WHERE content_type_id = %s AND object_id IN "  # noqa: S608  # nosec B608
            f"(SELECT {key}::text FROM {table} WHERE {column} = %s)",
            [kind.pk, tenant_id],
        )


def forget_tasks(tenant: Tenant) -> None:
    """What the queue remembers of the tenant's work."""
    runs = Run.objects.filter(tenant=tenant)
    jobs.forget([*(jobs.task_name(run) for run in runs.iterator())], str(tenant.pk))
