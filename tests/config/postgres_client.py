"""A process that uses an embedded PostgreSQL; run by the tests in a process of its own, forked from a clean one."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from typing import Any

import django
from django.conf import settings
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from config.embedded_postgres import (
    base,  # noqa: F401  loaded once, before the fork, which makes a client quick
    server,
)


def use_server(pipe: Connection, entry: dict[str, Any], environment: dict[str, str]) -> None:
    """Say ``ready``, then answer every line of SQL with the first value of its first row until the pipe ends."""
    if not settings.configured:
        settings.configure()
        django.setup()
    os.environ.update(environment)
    server.ORPHAN_SECONDS = float(environment.get("NETCAIRN_TEST_ORPHAN_SECONDS", server.ORPHAN_SECONDS))
    connection = ConnectionHandler({"default": entry})["default"]
    try:
        connection.ensure_connection()
    except OperationalError as exc:
        pipe.send((type(exc).__name__, str(exc)))
        return
    pipe.send("ready")
    try:
        while True:
            pipe.send(answer(connection, pipe.recv()))
    except EOFError:
        return


def answer(connection: Any, line: str) -> object:
    """Obey one line: ``fork``, ``reconnect`` or SQL."""
    if line == "fork":
        child = os.fork()
        if not child:
            signal.pause()  # until it is killed
        return child
    if line == "reconnect":
        connection.close()
        connection.ensure_connection()
        return "ready"
    with connection.cursor() as cursor:
        cursor.execute(line)
        return cursor.fetchone()[0] if cursor.description else None
