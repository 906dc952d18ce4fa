"""The embedded PostgreSQL, killed in every way that was seen to break others."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from config.embedded_postgres import locks
from tests.config.conftest import LINGER, ROOT, EmbeddedServer, wait_until

LONGER_THAN_THE_WATCHDOG_WAITS = f"SELECT 1 FROM (SELECT pg_sleep({5 * LINGER})) AS sleep"  # noqa: S608
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def postmaster_pid_file(embedded: EmbeddedServer, pid: int) -> None:
    """Leave behind what a killed server leaves, naming `pid`."""
    cluster = embedded.cluster
    embedded.client().end()
    embedded.wait_until_stopped()
    (cluster.data / "postmaster.pid").write_text(f"{pid}\n{cluster.data}\n1700000000\n5432\n{cluster.socket_dir}\n\n")
    (cluster.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{pid}\n{cluster.data}\n1700000000\n5432\n\n")


def test_the_server_starts_with_the_first_connection_and_stops_after_the_last(bare_server: EmbeddedServer) -> None:
    """Nobody has to install, start or stop a database."""
    client = bare_server.client()
    assert client.ask("SELECT current_database()") == "netcairn"

    client.end()

    bare_server.wait_until_stopped()


def test_no_port_is_opened_and_the_socket_is_private(embedded: EmbeddedServer) -> None:
    """Whoever reaches the socket is a superuser of the database, so nobody else may."""
    client = embedded.client()

    assert client.ask("SHOW listen_addresses") == ""
    assert stat.S_IMODE(embedded.cluster.socket_dir.stat().st_mode) == 0o700


def test_text_sorts_the_same_on_every_machine(embedded: EmbeddedServer) -> None:
    """An index made under one locale is broken under another."""
    client = embedded.client(LANG="de_DE.UTF-8", LC_ALL="de_DE.UTF-8")

    assert client.ask("SELECT datlocale FROM pg_database WHERE datname = 'netcairn'") == "C.UTF-8"


def test_committed_rows_survive_a_killed_server(embedded: EmbeddedServer) -> None:
    """The promise of every database, and of the lock files that it leaves behind."""
    embedded.durable = True
    client = embedded.client()
    client.ask("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1 AS one")
    embedded.kill()
    client.kill()

    assert embedded.client().ask("SELECT one FROM kept") == 1


def test_a_process_outlives_the_death_of_its_server(embedded: EmbeddedServer) -> None:
    """The web server and the workers need no restart when the kernel has killed PostgreSQL."""
    client = embedded.client()
    embedded.kill()

    assert client.ask("reconnect") == "ready"


def test_a_pid_file_that_names_a_stranger_is_stale(embedded: EmbeddedServer) -> None:
    """After a restart of the machine the same small numbers belong to other programs."""
    postmaster_pid_file(embedded, os.getpid())

    embedded.client()


def test_a_pid_file_that_names_a_zombie_is_stale(embedded: EmbeddedServer) -> None:
    """In a container nobody may ever collect the dead; PostgreSQL takes them for the living."""
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    postmaster_pid_file(embedded, dead.pid)

    embedded.client()

    dead.wait()


def test_a_start_waits_for_the_orphans_of_a_killed_server(embedded: EmbeddedServer) -> None:
    """Two servers at work in one data directory destroy it."""
    client = embedded.client()
    orphan = client.ask("SELECT pg_backend_pid()")
    os.kill(orphan, signal.SIGSTOP)
    embedded.kill(but=frozenset({orphan}))
    client.kill()
    newcomer = embedded.launch(NETCAIRN_TEST_ORPHAN_SECONDS="60")
    wait_until(lambda: start_lock_is_held(embedded))
    assert embedded.living() == [orphan]

    os.kill(orphan, signal.SIGCONT)

    assert newcomer.hear() == "ready"
    assert orphan not in embedded.living()


def start_lock_is_held(embedded: EmbeddedServer) -> bool:
    held = locks.take_if_free(embedded.cluster.start_lock)
    if held is not None:
        os.close(held)
    return held is None


def test_a_server_whose_socket_was_deleted_is_replaced(embedded: EmbeddedServer) -> None:
    """Programs that tidy /tmp delete sockets; the server behind one must not block the next for ever."""
    embedded.client(NETCAIRN_PG_KEEP="1").end()
    lost = embedded.postmaster()
    (embedded.cluster.socket_dir / ".s.PGSQL.5432").unlink()

    newcomer = embedded.launch(NETCAIRN_TEST_ORPHAN_SECONDS="0.2")

    assert newcomer.hear() == "ready"
    assert lost not in embedded.living()


@pytest.mark.long
def test_a_killed_first_start_leaves_nothing_in_the_way(bare_server: EmbeddedServer) -> None:
    """Half a data directory looks like a whole one to PostgreSQL."""
    first = bare_server.launch()
    wait_until(lambda: list(bare_server.cluster.home.glob("data.new-*/*")))
    first.kill()

    bare_server.client()

    assert [path.name for path in bare_server.cluster.home.glob("data*")] == ["data"]


def test_the_server_stops_when_every_client_was_killed(embedded: EmbeddedServer) -> None:
    """A killed process says no goodbye; its server must not stay for ever."""
    clients = [embedded.client(), embedded.client()]

    for client in clients:
        client.kill()

    embedded.wait_until_stopped()


def test_a_killed_client_does_not_take_the_server_from_the_others(embedded: EmbeddedServer) -> None:
    """One dead worker is no reason to stop the web server's database."""
    killed, other = embedded.client(), embedded.client()
    before = embedded.postmaster()

    killed.kill()

    assert other.ask(LONGER_THAN_THE_WATCHDOG_WAITS) == 1
    assert embedded.postmaster() == before


def test_a_forked_child_keeps_the_server_of_its_dead_parent(embedded: EmbeddedServer) -> None:
    """The workers of a queue are forked, and may outlive the process that started the server."""
    parent, witness = embedded.client(), embedded.client()
    child = parent.ask("fork")
    parent.kill()
    witness.kill()
    assert not embedded.unwatched()
    assert embedded.living()

    os.kill(child, signal.SIGKILL)

    embedded.wait_until_stopped()


def test_a_killed_watchdog_is_replaced_by_the_next_client(embedded: EmbeddedServer) -> None:
    """Otherwise one kill would leave a server for ever."""
    first = embedded.client()
    watchdogs = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(embedded.cluster.users_lock).encode() in path.read_bytes() and b"watchdog.py" in path.read_bytes()
    ]
    for pid in watchdogs:
        os.kill(pid, signal.SIGKILL)
    wait_until(embedded.unwatched)

    embedded.client().end()
    first.end()

    assert len(watchdogs) == 1
    embedded.wait_until_stopped()


def test_keep_leaves_the_server_running(embedded: EmbeddedServer) -> None:
    """Somebody who runs many commands in a row may want to pay for one start."""
    embedded.client(NETCAIRN_PG_KEEP="1").end()

    assert embedded.unwatched()
    assert embedded.living()


@pytest.mark.long
def test_six_first_starts_at_once_make_one_server(bare_server: EmbeddedServer) -> None:
    """The web server, the queue and a command may all come first."""
    clients = [bare_server.launch() for _ in range(6)]

    assert [client.hear() for client in clients] == ["ready"] * 6
    servers = {client.ask("SELECT pg_postmaster_start_time()::text") for client in clients}
    assert len(servers) == 1


@pytest.mark.long
@pytest.mark.parametrize("name", ["long" * 30, "a $HOME,with 'odd\" `signs\\"], ids=["long", "odd"])
def test_a_path_that_no_socket_may_have_gets_another_private_socket(bare_server: EmbeddedServer, name: str) -> None:
    """The kernel allows 107 bytes for the path of a socket, and a comma separates two hosts."""
    bare_server.var = bare_server.var / name

    bare_server.client()

    socket_dir = bare_server.cluster.socket_dir
    assert (socket_dir / ".s.PGSQL.5432").is_socket()
    assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    bare_server.close()
    shutil.rmtree(socket_dir)


def test_a_socket_directory_that_is_a_link_is_refused(bare_server: EmbeddedServer, tmp_path: Path) -> None:
    """A link could lead to a directory that others may enter."""
    bare_server.cluster.home.mkdir()
    bare_server.cluster.socket_dir.symlink_to(tmp_path)

    error, sentence = bare_server.launch().hear()

    assert error == "NotOurs"
    assert str(bare_server.cluster.socket_dir) in sentence


@as_root
def test_a_socket_directory_of_somebody_else_is_refused_even_by_root(bare_server: EmbeddedServer) -> None:
    """Who has put it there could connect as the database's superuser."""
    bare_server.cluster.home.mkdir()
    bare_server.cluster.socket_dir.mkdir(mode=0o700)
    os.chown(bare_server.cluster.socket_dir, 65534, 65534)

    error, sentence = bare_server.launch().hear()

    assert error == "NotOurs"
    assert "belongs to another user" in sentence


def test_data_of_another_major_version_is_refused_in_one_sentence(bare_server: EmbeddedServer) -> None:
    """PostgreSQL's own words would come from a log file and say nothing about what to do."""
    bare_server.cluster.data.mkdir(parents=True)
    (bare_server.cluster.data / "PG_VERSION").write_text("16\n")

    error, sentence = bare_server.launch().hear()

    assert error == "WrongMajorVersion"
    assert "written by PostgreSQL 16" in sentence
    assert "dump" in sentence


def test_a_server_that_does_not_start_says_why(embedded: EmbeddedServer) -> None:
    """The reason is in a log that nobody knows of."""
    embedded.client().end()
    embedded.wait_until_stopped()
    configuration = embedded.cluster.data / "postgresql.auto.conf"
    configuration.write_text("shared_buffers = nonsense\n")

    error, sentence = embedded.launch().hear()

    configuration.write_text("")

    assert error == "ServerDoesNotStart"
    assert str(embedded.cluster.log) in sentence


@as_root
def test_root_runs_the_server_as_somebody_else_and_opens_no_directory(embedded: EmbeddedServer) -> None:
    """PostgreSQL refuses root; opening root's directories for another user would be worse."""
    embedded.var.chmod(0o700)

    embedded.client()

    assert {Path(f"/proc/{pid}").stat().st_uid for pid in embedded.living()}.isdisjoint({0})
    assert stat.S_IMODE(embedded.var.stat().st_mode) == 0o700


@pytest.fixture
def as_nobody() -> list[str]:
    """How to run this Python as a user without rights."""
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env"]
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        line = [*drop, f"PYTHONPATH={sysconfig.get_path('purelib')}", "PYTHONDONTWRITEBYTECODE=1", python]
        # The second python is started without a trace of root, as the watchdog will be.
        probe = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import psycopg, django'], check=True)"
        if not subprocess.run([*line, "-c", probe], cwd="/", capture_output=True, check=False).returncode:
            return line
    pytest.skip("user nobody may not read this environment")


@pytest.mark.long
@as_root
def test_a_normal_user_needs_nothing_special(var: Path, as_nobody: list[str]) -> None:
    """Most people are not root; and one `sudo` by mistake must not lock the owner out."""
    os.chown(var, 65534, 65534)

    for python in (as_nobody, [sys.executable], as_nobody):
        done = manage("dbshell", "--", "-tAc", "SHOW data_directory", python=python, NETCAIRN_VAR=str(var))
        assert done.stdout.strip() == str(var / "postgres/data"), done.stderr

    EmbeddedServer(var).close()


def manage(
    *arguments: str, python: Sequence[str] = (sys.executable,), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run manage.py as a user would."""
    inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    # The test stops the server itself, at once.
    inherited["NETCAIRN_PG_KEEP"] = "1"
    return subprocess.run(
        [*python, str(ROOT / "manage.py"), *arguments],
        env={**inherited, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_commands_that_need_no_database_start_none(var: Path) -> None:
    """Asking for help must not create a database."""
    program = "import sys, manage\nfor sys.argv[1:] in (['help'], ['check']): manage.main()"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "NETCAIRN_VAR": str(var), "DATABASE_URL": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
    assert not (var / "postgres").exists()


@pytest.mark.long
def test_dbshell_starts_the_server_and_brings_its_own_psql(embedded: EmbeddedServer) -> None:
    """The machine may have no psql, or an older one."""
    done = manage("dbshell", "--", "-tAc", "SELECT 41 + 1", NETCAIRN_VAR=str(embedded.var))

    assert done.stdout.strip() == "42", done.stderr


def test_a_database_of_ones_own_brings_in_nothing_embedded(tmp_path: Path) -> None:
    """Who has a PostgreSQL server runs on Django's own backend and on nothing of ours."""
    program = (
        "import django, sys; django.setup(); from django.db import connection; connection.vendor;"
        "print([name for name in sys.modules if name.startswith(('config.embedded', 'pixeltable'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": "postgres://nobody@db.example/netcairn",
            "NETCAIRN_VAR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"
