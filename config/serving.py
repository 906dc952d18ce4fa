"""Making an installation ready, and serving it: the web server and the queue's workers, kept running."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from backups.hosts import beats, caches, joining
from backups.locks import Lock
from backups.schedules import ensure_tick
from config.processes import Child, Supervisor
from config.queue_watch import QueueWatch, give_back_fetched
from inventory.errors import NetcairnError

WEB_PROCESSES, WEB_THREADS = 2, 8
WEB_GRACE = 10.0
QUEUE_GRACE = 30.0
"""Seconds. A task that takes longer is cut off; what it had not finished is taken up by the reaper."""

WATCH_EVERY_LOOKS = 10
BEAT_EVERY_LOOKS = 10
CLEAN_EVERY_LOOKS = 60


class AddressTaken(NetcairnError):
    """Nothing can be served at that address."""

    cause = "address-taken"


@dataclass(frozen=True)
class Administrator:
    """The first user, whose password nobody can read again."""

    username: str
    password: str


def prepare(*, tell: Callable[[str], None]) -> None:
    """Bring database and static files to this version's state. Two of these at once wait for each other."""
    with alone():
        tell("Preparing the database.")
        call_command("migrate", interactive=False, verbosity=0)
        ensure_tick()
        joining.prepared()
    collect_static()


def ready_database(*, tell: Callable[[str], None]) -> None:
    """Make the tables of the embedded database when they are missing or old; nobody else would.

    A database of the operator's own is only changed by `up` and `migrate`, when the operator says so.
    """
    if settings.DATABASES["default"]["ENGINE"] != "config.embedded_postgres" or not unapplied():
        return
    with alone():
        if unapplied():
            tell("Preparing the database.")
            call_command("migrate", interactive=False, verbosity=0)
            joining.prepared()


def unapplied() -> bool:
    """Whether this version knows migrations that the database has not had."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let nobody else prepare the same database meanwhile.

    On a connection of its own, for the lock belongs to one transaction and migrations make several.
    """
    own = connections.create_connection("default")
    try:
        with own.cursor() as cursor:
            own.set_autocommit(False)
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [int(Lock.PREPARATION)])
            yield
            own.rollback()
    finally:
        own.close()


def first_administrator() -> Administrator | None:
    """Create somebody who can log in, where there is nobody yet; None otherwise."""
    users = get_user_model()._default_manager
    with alone(), transaction.atomic():
        if users.filter(is_superuser=True).exists():
            return None
        username = next(name for name in names() if not users.filter(username=name).exists())
        password = secrets.token_urlsafe(12)
        users.create_superuser(username, "", password)
    return Administrator(username, password)


def names() -> Iterator[str]:
    """``admin``, ``admin2``, …"""
    yield "admin"
    number = 2
    while True:
        yield f"admin{number}"
        number += 1


def collect_static() -> None:
    """Put the static files where the web server looks for them, if they are not there already."""
    stamp = Path(settings.STATIC_ROOT) / ".netcairn"
    found = digest_of_static_files()
    if stamp.exists() and stamp.read_text() == found:
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(found)


def digest_of_static_files() -> str:
    """Changes when a static file of ours or of a package does."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            about = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def listen(host: str, port: int) -> socket.socket:
    """The socket that the web server will answer on; port 0 is any that is free. Raises AddressTaken.

    We hold it ourselves, so that browsers wait instead of being refused while the web server is started again.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=512)
    except OSError as exc:
        # Python adds the address to the system's words; a resolver's errors have numbers of their own.
        reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
        raise AddressTaken(
            f"Cannot listen on {host} port {port} ({reason}): choose others with --host and --port."
        ) from exc


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds the listener."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  every address of this machine, and so this one too  # nosec B104
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(
    listener: socket.socket,
    *,
    tell: Callable[[str], None],
    ready: Callable[[], None],
    workers: int | None = None,
    watch: QueueWatch | None = None,
) -> None:
    """Run web server and queue until SIGINT or SIGTERM; `ready` is called once, when the first page came back."""
    waiting_for_first_page = True

    def each_look() -> None:
        nonlocal waiting_for_first_page
        beat()
        if waiting_for_first_page and answers(listener):
            waiting_for_first_page = False
            ready()

    with as_host(workers) as beat:
        children = [web_server(listener), queue_workers(workers, stuck=now_and_then(watch or QueueWatch()))]
        Supervisor(children, tell=tell).run(each_look=each_look)


def work(*, tell: Callable[[str], None], workers: int | None = None, watch: QueueWatch | None = None) -> None:
    """Run the queue alone until SIGINT or SIGTERM, where something else serves the pages."""
    with as_host(workers) as beat:
        Supervisor([queue_workers(workers, stuck=now_and_then(watch or QueueWatch()))], tell=tell).run(each_look=beat)


@contextlib.contextmanager
def as_host(workers: int | None) -> Iterator[Callable[[], None]]:
    """Be one of the hosts; what is given back is to be called at every look. Raises HostRefused, there and here."""
    joining.join(workers=workers or settings.NETCAIRN_WORKERS, now=timezone.now())
    connection.close()
    looks = itertools.count(1)

    def beat() -> None:
        look = next(looks)
        if look % BEAT_EVERY_LOOKS == 0:
            while_reachable(lambda: joining.stay(timezone.now()))
        if look % CLEAN_EVERY_LOOKS == BEAT_EVERY_LOOKS:
            while_reachable(caches.clean)

    yield beat
    while_reachable(lambda: beats.leave(timezone.now()))


def while_reachable(call: Callable[[], None]) -> None:
    """Tell the database, if it answers: one that is away is no reason to stop."""
    try:
        call()
    except OperationalError:
        return
    finally:
        connection.close()


def now_and_then(watch: QueueWatch) -> Callable[[], bool]:
    """Ask the watch at every so many looks: it asks the database."""
    looks = itertools.count(1)
    return lambda: next(looks) % WATCH_EVERY_LOOKS == 0 and watch.stuck()


def web_server(listener: socket.socket) -> Child:
    """gunicorn with threads: a page that waits for git or for a large diff must not block the others."""
    options = {
        "--bind": f"fd://{listener.fileno()}",
        "--pythonpath": str(settings.BASE_DIR),
        "--worker-class": "gthread",
        "--workers": str(WEB_PROCESSES),
        "--threads": str(WEB_THREADS),
        "--graceful-timeout": f"{WEB_GRACE - 2:.0f}",
        "--log-level": "warning",
    }
    arguments = [word for option in options.items() for word in option]
    return Child(
        name="The web server",
        # Its control socket would lie in the home directory, which may not exist.
        command=[sys.executable, "-m", "gunicorn", *arguments, "--no-control-socket", "config.wsgi:application"],
        pass_fds=[listener.fileno()],
        grace=WEB_GRACE,
    )


def queue_workers(workers: int | None, *, stuck: Callable[[], bool]) -> Child:
    """django-q2's cluster: fetches tasks from the database and runs them.

    Who starts it has made the checks; they would load every page into each worker.
    """
    return Child(
        name="The queue",
        command=[sys.executable, os.fspath(Path(settings.BASE_DIR) / "manage.py"), "qcluster", "--skip-checks"],
        environment={} if workers is None else {"NETCAIRN_WORKERS": str(workers)},
        grace=QUEUE_GRACE,
        stuck=stuck,
        before=give_back_fetched,
    )


def answers(listener: socket.socket) -> bool:
    """Whether the web server gives any answer, a refusal included."""
    host, port = listener.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # nosec B104
    client = http.client.HTTPConnection(local, port, timeout=2)
    try:
        client.request("GET", "/admin/login/", headers={"Host": "localhost"})
        client.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
    return True
