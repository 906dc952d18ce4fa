"""What every test shares: what is slow and always the same is done once, and the database server ends with the suite."""

from __future__ import annotations

import fcntl
import gc
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management.base import BaseCommand
from django.db import connection
from django.test import TransactionTestCase
from pytest_django.plugin import blocking_manager_key

from backups.store import creation, git
from config import serving

# How long an example takes says how busy the machine is, and nothing of the rule that it is an example of.
hypothesis.settings.register_profile("netcairn", deadline=None)
hypothesis.settings.load_profile("netcairn")

admin.autodiscover()  # as who serves the pages does

if "PYTEST_XDIST_WORKER" in os.environ:
    # Until all tests are known nothing is garbage, and looking for some takes a seventh of the time: see below.
    gc.disable()

TEMPLATE = "test_netcairn_template"
NEVER_CHANGES = {"django_content_type", "auth_permission"}
"""Tables that migrations fill and no test touches: filling them anew was two thirds of what a flush cost."""

GUARDED = {"inventory_auditentry"}
"""Tables of which no row may be deleted, and which nothing refers to."""


@cache
def emptied_tables() -> list[str]:
    """Every table that a test may have written to, as SQL names it."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    return [connection.ops.quote_name(table) for table in sorted(tables - NEVER_CHANGES)]


def empty_the_tables(test: TransactionTestCase) -> None:
    """What a test that commits leaves behind goes.

    Rows are deleted where there are any. To truncate all tables, as Django does, makes PostgreSQL begin three hundred
    files anew, and every connection forget what it knew of them: 0.15 s of its time instead of 0.01, for a few rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (TABLE {name})" for name in emptied_tables()))
        filled = {name for (name,) in cursor}
        guarded = filled & {connection.ops.quote_name(table) for table in GUARDED}
        for name in guarded:
            # Nor is it truncated: on a server that writes to its disk, that alone took 45 ms of each test, this takes 4.
            off, on = (f"ALTER TABLE {name} {word} TRIGGER USER" for word in ("DISABLE", "ENABLE"))
            cursor.execute(f"{off}; DELETE FROM {name}; {on}")  # noqa: S608
        # In one statement, at whose end references are looked at: they may go around in circles.
        gone = [f"gone_{at} AS (DELETE FROM {name})" for at, name in enumerate(sorted(filled - guarded))]  # noqa: S608
        if gone:
            cursor.execute(f"WITH {', '.join(gone)} SELECT")


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


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, request: pytest.FixtureRequest
) -> None:
    """The processes of pytest-xdist copy the database that the first of them has migrated: a second instead of five."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    request.getfixturevalue("django_test_environment")
    blocker = request.getfixturevalue("django_db_blocker")
    ready = settings.NETCAIRN_VAR / "template.ready"
    with (settings.NETCAIRN_VAR / "template.lock").open("w") as lock, blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            migrate_the_template()
            ready.touch()
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def migrate_the_template() -> None:
    """Make the database that the others are copies of."""
    test, name = connection.settings_dict["TEST"], connection.settings_dict["NAME"]
    own, test["NAME"] = test["NAME"], TEMPLATE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    test["NAME"] = own
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def drop_the_template() -> None:
    """A server of one's own is left as it was."""
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(TEMPLATE)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those without a database come first: while one process migrates it, the others have something to do."""
    items.sort(key=uses_a_database)


def uses_a_database(item: pytest.Item) -> bool:
    """Whether it asks for one, by a mark or by a fixture."""
    asked = getattr(item, "fixturenames", ())
    return bool(item.get_closest_marker("django_db")) or "db" in asked or "transactional_db" in asked


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays, so no collection of garbage needs to go through it again: a tenth of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the embedded PostgreSQL of this run before its directory is removed; tidy one that is not ours."""
    entry = settings.DATABASES["default"]
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if entry["ENGINE"] != "config.embedded_postgres":
        if (settings.NETCAIRN_VAR / "template.ready").exists():
            with config.stash[blocking_manager_key].unblock():
                drop_the_template()
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


@pytest.fixture(scope="session", autouse=True)
def commands_look_once() -> Iterator[None]:
    """Each command looks whether the program is sound and its tables are there: a third of what a short one does.

    Within one process it is the same program and the same tables.
    """
    look, sound = BaseCommand.check, set()

    def check(self: BaseCommand, *what: Any, **how: Any) -> None:
        asked = repr((what, how))
        if asked not in sound:
            look(self, *what, **how)
            sound.add(asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseCommand, "check", check)
        patch.setattr(serving, "unapplied", cache(serving.unapplied))
        yield


@pytest.fixture(scope="session", autouse=True)
def git_without_env() -> Iterator[None]:
    """Git is given its clean environment by us, and not by the program `env`: a third of what a small git costs.

    The tests of git's own environment take the way of the product, and so does every Python that the suite starts.
    """

    def started(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        assert command[:2] == ["env", "-i"]
        variables = list(itertools.takewhile(lambda word: "=" in word, command[2:]))
        how["env"] = dict(variable.split("=", 1) for variable in variables)
        return subprocess.Popen(command[2 + len(variables) :], **how)

    def started_or_missed(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        try:
            return started(command, **how)
        except FileNotFoundError:  # `env` says so in its own way, from which we make a sentence
            return subprocess.Popen(command, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("git.cmd.safer_popen", started_or_missed)
        yield
