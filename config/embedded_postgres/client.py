"""``manage.py dbshell`` for the embedded server."""

import os
from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql.client import DatabaseClient as PostgresqlClient

from config.embedded_postgres import programs, server
from config.embedded_postgres.cluster import Cluster


class DatabaseClient(PostgresqlClient):
    """Starts the server if need be, and runs the psql that belongs to it."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """The command line of psql, and its environment."""
        cluster = Cluster.from_settings(settings_dict)
        server.ensure_running(cluster)
        reachable = settings_dict | {key.upper(): value for key, value in cluster.address.items()}
        arguments, environment = super().settings_to_cmd_args_env(reachable, list(parameters))
        arguments[0] = os.fspath(programs.program("psql"))
        return arguments, environment
