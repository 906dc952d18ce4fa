"""Dumps of the embedded database, with PostgreSQL's own programs."""

from __future__ import annotations

import subprocess
from pathlib import Path


def place() -> list[str]:
    """Where the database listens, as PostgreSQL's programs want it."""
    from django.db import connection

    told = connection.get_connection_params()
    return [f"--host={told['host']}", f"--username={told['user']}", f"--dbname={told['dbname']}"]


def dumped(path: Path) -> Path:
    """A dump of all of it."""
    from config.embedded_postgres.programs import program

    subprocess.run([program("pg_dump"), *place(), "--format=custom", f"--file={path}"], check=True)
    return path


def emptied() -> None:
    """A new database, as far as anybody can tell."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()


def loaded(path: Path) -> None:
    """The database as it was then, brought up to date."""
    from django.core.management import call_command

    from config.embedded_postgres.programs import program

    emptied()
    where = place()
    subprocess.run([program("pg_restore"), *where, "--no-owner", path], check=True)
    call_command("migrate", verbosity=0)
