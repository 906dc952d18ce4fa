"""Many new rows at once by COPY: a third of the time of `bulk_create`, which counts while a lock is held."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import JSONField, Model
from psycopg import sql
from psycopg.types.json import Jsonb


def copy_in(rows: Sequence[Model]) -> None:
    """Insert rows of one model as they are, with their keys; every constraint holds as ever."""
    if not rows:
        return
    fields = rows[0]._meta.concrete_fields
    columns = sql.SQL(", ").join(sql.Identifier(field.column) for field in fields)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(rows[0]._meta.db_table), columns)
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            values = ((field, getattr(row, field.attname)) for field in fields)
            copy.write_row([Jsonb(value) if isinstance(field, JSONField) else value for field, value in values])
    for row in rows:
        row._state.adding = False
