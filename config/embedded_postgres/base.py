"""The backend that Django loads; everything but the first connection is Django's own."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base as postgresql
from django.utils.asyncio import async_unsafe

from config.embedded_postgres import server
from config.embedded_postgres.client import DatabaseClient
from config.embedded_postgres.cluster import Cluster


class DatabaseWrapper(postgresql.DatabaseWrapper):
    """PostgreSQL, started when the first connection is asked for."""

    client_class = DatabaseClient

    @property
    def cluster(self) -> Cluster:
        """The server that this connection's settings describe."""
        return Cluster.from_settings(self.settings_dict)

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters, with the address of our socket."""
        return super().get_connection_params() | self.cluster.address

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection; the server is started first, and once more if it has been killed since."""
        if not server.in_use(self.cluster):
            server.ensure_running(self.cluster)
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            server.ensure_running(self.cluster)
            return super().get_new_connection(conn_params)
