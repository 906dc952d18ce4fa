"""What every test shares: what is slow and always the same is done once, and the database server ends with the suite."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

from backups.store import creation, git

NEVER_CHANGES = {"django_content_type", "auth_permission"}
"""Tables that migrations fill and no test touches: filling them anew was two thirds of what a flush cost."""


def empty_the_tables(test: TransactionTestCase) -> None:
    """What a test that commits leaves behind goes."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), sorted(tables - NEVER_CHANGES)))


@pytest.fixture(scope="session", autouse=True)
def cheap_flush() -> Iterator[None]:
    """Django would empty all tables, and then ask for every model and permission whether it is there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_the_tables)
        yield


@pytest.fixture(scope="session", autouse=True)
def copied_repositories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """git makes one empty repository, and the tests get copies of it, but for those of creation itself."""
    template = tmp_path_factory.mktemp("template") / "empty.git"
    template.mkdir(mode=creation.PRIVATE)
    creation.initialise(template)

    def copy(path: Path) -> None:
        shutil.copytree(template, path, dirs_exist_ok=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(creation, "initialise", copy)
        yield


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


@pytest.fixture(scope="session", autouse=True)
def git_without_a_death_signal() -> Iterator[None]:
    """The suite's own process is not killed, so its 12,000 gits are spared a program more each.

    The tests and campaigns that do kill start a Python of their own, where none of this is in force.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git, "death_signal", lambda: ())
        yield
