"""What every test needs: nothing but that the suite's own database server is gone when the suite has ended."""

from __future__ import annotations

import os

import pytest
from django.conf import settings


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the embedded PostgreSQL of this run before its directory is removed."""
    entry = settings.DATABASES["default"]
    if "PYTEST_XDIST_WORKER" in os.environ or entry["ENGINE"] != "config.embedded_postgres":
        return
    from config.embedded_postgres import server
    from config.embedded_postgres.cluster import Cluster

    cluster = Cluster.from_settings(entry)
    if cluster.data.exists():
        server.stop(cluster)
