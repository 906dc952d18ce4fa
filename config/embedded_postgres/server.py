"""Bring the embedded PostgreSQL up, whatever state it was left in."""

import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from config.embedded_postgres import locks, processes, programs
from config.embedded_postgres.cluster import DATABASE, PORT, USER, Cluster
from config.embedded_postgres.errors import NotOurs, ServerDoesNotStart, WrongMajorVersion

START_SECONDS = 600
"""Long, because after a power cut the server first replays its log."""

STOP_SECONDS = 60
CONNECT_SECONDS = 10
ORPHAN_SECONDS = 10
"""How long processes of a server that does not answer get to answer or to end; orphans notice at once, if not busy."""

_used: dict[Path, int] = {}
"""Clusters in use by this process, with the descriptor of the shared lock. Forked children inherit both."""


def in_use(cluster: Cluster) -> bool:
    """Whether this process (or the one it was forked from) has brought the server up and keeps it up."""
    return cluster.home in _used


def ensure_running(cluster: Cluster) -> None:
    """Return when the server of `cluster` answers; start, repair or create it if need be.

    From then on it runs as long as this process does. Raises an EmbeddedPostgresError.
    """
    cluster.make_directories()
    with locks.exclusive(cluster.start_lock):
        if cluster.home not in _used:
            # Before looking whether it runs: from here on the watchdog cannot stop it any more.
            _used[cluster.home] = locks.share(cluster.users_lock)
        _refuse_other_major(cluster)
        _watch(cluster)
        if not _answers(cluster) and not _answers_after_all(cluster):
            _start(cluster)
        _check_and_create_database(cluster)


def stop(cluster: Cluster) -> None:
    """Stop the server of `cluster` now, cleanly, even when somebody uses it; raises ServerDoesNotStart."""
    result = programs.run(_stop_command(cluster))
    if result.returncode and processes.living(cluster.mark):
        raise ServerDoesNotStart(f"PostgreSQL in {cluster.home} does not stop: {_last_line(result.stderr)}")


def _conninfo(cluster: Cluster) -> str:
    return make_conninfo("", **cluster.address, dbname="postgres", connect_timeout=CONNECT_SECONDS)


def _answers(cluster: Cluster) -> bool:
    """Whether a server accepts connections; one that is starting up or shutting down is waited for."""
    where = _conninfo(cluster)
    deadline = time.monotonic() + START_SECONDS
    while (answer := pq.PGconn.ping(where.encode())) == pq.Ping.REJECT:
        if time.monotonic() > deadline:
            raise ServerDoesNotStart(f"PostgreSQL in {cluster.home} takes no connections; {_see(cluster)}")
        time.sleep(0.05)
    return answer == pq.Ping.OK


def _check_and_create_database(cluster: Cluster) -> None:
    """Make sure that the server that answers is ours, and that the one database exists in it."""
    where = _conninfo(cluster)
    try:
        with psycopg.connect(where, autocommit=True) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
            if row is None or Path(row[0]).resolve() != cluster.data:
                raise NotOurs(f"The PostgreSQL server in {cluster.socket_dir} serves {row and row[0]}: stop it.")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError as exc:
        raise ServerDoesNotStart(f"PostgreSQL in {cluster.home} does not answer: {_last_line(str(exc))}") from exc


def _start(cluster: Cluster) -> None:
    if not cluster.data.exists():
        _initialise(cluster)
    _clear_remains(cluster)
    if cluster.log.exists():
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    options = " ".join(shlex.quote(word) for word in _server_options(cluster))
    command = programs.command(
        "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s", "-o", options,
        # Relative, because pg_ctl hands them to a shell without quoting a dollar sign or a quotation mark.
        "-D", cluster.data.name, "-l", cluster.log.name,
        home=cluster.home,
    )  # fmt: skip
    result = programs.run(command, directory=cluster.home)
    if result.returncode:
        raise ServerDoesNotStart(f"PostgreSQL in {cluster.home} does not start; {_see(cluster, result.stderr)}")


def _server_options(cluster: Cluster) -> list[str]:
    options = {
        "max_connections": "200",
        "cluster_name": cluster.mark,
        "listen_addresses": "",
        "unix_socket_directories": '"' + str(cluster.socket_dir).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
    }
    if not cluster.durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return ["-p", str(PORT), *(word for name, value in options.items() for word in ("-c", f"{name}={value}"))]


def _initialise(cluster: Cluster) -> None:
    """Create the data directory, whole or not at all."""
    for remains in cluster.home.glob("data.new-*"):
        # What a killed attempt left; its initdb may still be writing there, and fails by itself when it is gone.
        shutil.rmtree(remains, ignore_errors=True)
    fresh = cluster.home / f"data.new-{secrets.token_hex(4)}"
    result = programs.run(
        programs.command(
            "initdb", "-D", fresh, "--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            *([] if cluster.durable else ["--no-sync"]),
            home=cluster.home,
        )
    )  # fmt: skip
    if result.returncode:
        raise ServerDoesNotStart(f"PostgreSQL cannot be set up in {cluster.home}: {_last_line(result.stderr)}")
    fresh.rename(cluster.data)
    _sync_directory(cluster.home)


def _clear_remains(cluster: Cluster) -> None:
    """Remove what a killed server left behind and what would keep the next one from starting.

    PostgreSQL believes its lock files as long as their process id exists, be it a zombie or, after a restart of the
    machine, a stranger. They are removed only when no process of this server lives: the orphans of a killed server
    may still write to the data directory.
    """
    for left in ("postmaster.pid", "postmaster.opts"):
        (cluster.data / left).unlink(missing_ok=True)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (cluster.socket_dir / name).unlink(missing_ok=True)


def _answers_after_all(cluster: Cluster) -> bool:
    """Wait for processes that live but do not answer: True when they do at last, False when there are none any more.

    They are a server whose starter was killed, the orphans of a killed server, or a server whose socket was deleted.
    Only the last has to be stopped.
    """
    deadline = time.monotonic() + ORPHAN_SECONDS
    while found := processes.living(cluster.mark):
        if _answers(cluster):
            return True
        if time.monotonic() > deadline:
            if _postmaster_pid(cluster) not in found:
                raise ServerDoesNotStart(f"What is left of a killed PostgreSQL works in {cluster.home}: end {found}.")
            stop(cluster)
        time.sleep(0.05)
    return False


def _postmaster_pid(cluster: Cluster) -> int | None:
    try:
        return int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _refuse_other_major(cluster: Cluster) -> None:
    try:
        found = (cluster.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    if found != str(programs.MAJOR):
        raise WrongMajorVersion(
            f"{cluster.data} was written by PostgreSQL {found} and this release runs {programs.MAJOR}: dump it with "
            "the release that wrote it, move the directory away, and load the dump."
        )


def _watch(cluster: Cluster) -> None:
    """Make sure that a watchdog will stop the server, before there is one to stop."""
    if os.environ.get("NETCAIRN_PG_KEEP") == "1":
        return
    held = locks.take_if_free(cluster.watchdog_lock)
    if held is None:
        return
    try:
        # It inherits the lock itself, so there is no moment in which two could think that they are alone.
        script = Path(__file__).with_name("watchdog.py")
        arguments = [str(cluster.users_lock), str(held), str(cluster.linger), *_stop_command(cluster)]
        with cluster.log.with_name("watchdog.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-I", "-S", str(script), *arguments],
                pass_fds=[held], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True,
            )  # fmt: skip
    finally:
        os.close(held)


def _stop_command(cluster: Cluster) -> list[str]:
    return programs.command(
        "pg_ctl", "stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS), "-s", "-D", cluster.data, home=cluster.home
    )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _see(cluster: Cluster, otherwise: str = "") -> str:
    """The last words of the server's log, and where to read the rest."""
    try:
        said = cluster.log.read_text(errors="replace")
    except OSError:
        said = ""
    return f"{_last_line(said) or _last_line(otherwise) or 'it said nothing'} (more in {cluster.log})."


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()
