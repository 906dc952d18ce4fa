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


def loaded(path: Path) -> None:
    """The database as it was then."""
    from django.db import connection

    from config.embedded_postgres.programs import program

    connection.ensure_connection()
    where = place()
    connection.close()
    subprocess.run([program("pg_restore"), *where, "--clean", "--if-exists", path], check=True)
