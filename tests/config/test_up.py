"""`up`, as somebody types it: real web server, real queue, real database."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from django.contrib.auth import authenticate, get_user_model

from config.embedded_postgres import processes, server
from config.embedded_postgres.cluster import Cluster
from config.serving import AddressTaken, first_administrator, listen
from tests.config.conftest import ROOT, processes_of, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left processes in /proc"),
]
IMPATIENT = """
import django, json; django.setup()
from datetime import timedelta
from config import processes, serving
from config.queue_watch import QueueWatch
serving.WATCH_EVERY_LOOKS = 1
processes.LOOK_SECONDS = 0.1
class Impatient(QueueWatch):
    def stuck(self):
        if not super().stuck():
            return False
        self.patience = timedelta(hours=1)  # for the next cluster, which needs a while to begin on a busy machine
        return True
listener = serving.listen("127.0.0.1", 0)
serving.prepare(tell=lambda text: None)
serving.serve(
    listener,
    workers=1,
    watch=Impatient(waited_too_long=timedelta(seconds=0.5), patience=timedelta(seconds=1)),
    tell=lambda text: None,
    ready=lambda: print(json.dumps({"address": serving.address_of(listener)}), flush=True),
)
"""


class Installation:
    """What lies in one `var`, and the program that serves it."""

    def __init__(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="netcairn-test-"))
        self.cluster = Cluster.from_settings({"VAR": self.var})
        self.process: subprocess.Popen[str] | None = None

    def start(self, *command: str) -> dict[str, Any]:
        """Start the program; what it says when it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, *(command or (str(ROOT / "manage.py"), "up", "--port", "0", "--workers", "1", "--json"))],
            env={
                **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "NETCAIRN_VAR": str(self.var),
                "PYTHONPATH": str(ROOT),
            },
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = ""
        for line in self.process.stdout:
            said += line
            if line.rstrip().endswith("}"):
                return json.loads(said)
        raise AssertionError(f"it ended: {said}")

    def children(self) -> dict[str, int]:
        """The web server and the queue."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in map(int, listed)}
        return {("web" if b"gunicorn" in command else "queue"): pid for pid, command in commands.items() if command}

    def everything_is_gone(self) -> bool:
        """Whether no process is left, the database's included."""
        return not processes_of(self.var) and not processes.living(self.cluster.mark)

    def end(self) -> int:
        """SIGTERM, as systemd does it; the exit status."""
        self.process.terminate()
        self.process.communicate(timeout=60)
        return self.process.returncode

    def close(self) -> None:
        """End whatever a failed test has left."""
        if self.process and self.process.poll() is None:
            self.end()
        if processes.living(self.cluster.mark):
            server.stop(self.cluster)
        shutil.rmtree(self.var)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    found = Installation()
    yield found
    found.close()


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  an address of our own
        return answer.read().decode()


def log_in(address: str, username: str, password: str) -> str:
    """Log in through the form; the page that comes back."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(f"{address}admin/login/") as answer:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode()).group(1)
    form = urlencode({"csrfmiddlewaretoken": token, "username": username, "password": password, "next": "/admin/"})
    with browser.open(f"{address}admin/login/", form.encode()) as answer:
        return answer.read().decode()


def test_one_command_serves_and_leaves_nothing_behind(installation: Installation) -> None:
    """A1: from nothing to a page that can be logged in to; and no process stays after it was stopped."""
    said = installation.start()
    home = log_in(said["address"], said["username"], said["password"])
    styles = re.search(r'href="(/static/\S+\.css)"', home).group(1)
    assert page(said["address"] + styles[1:])
    assert set(installation.children()) == {"web", "queue"}

    assert installation.end() == 0

    wait_until(installation.everything_is_gone)


@pytest.fixture
def served(installation: Installation) -> Iterator[str]:
    """The address of an installation whose watch is impatient."""
    yield installation.start("-c", IMPATIENT)["address"]
    installation.end()


def frozen_while_idle(queue: int, installation: Installation) -> bool:
    """Stop all processes of the queue, unless one of them is at work."""
    os.killpg(queue, signal.SIGSTOP)
    with (installation.var / "queue-busy.lock").open("a") as busy:
        try:
            fcntl.flock(busy, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.killpg(queue, signal.SIGCONT)
            return False
    return True


def test_what_is_killed_or_frozen_is_started_again(installation: Installation, served: str) -> None:
    """Seen with django-q2: a worker killed while idle froze all others for ever, and no task ran any more."""
    first = installation.children()
    os.kill(first["web"], signal.SIGKILL)
    wait_until(lambda: frozen_while_idle(first["queue"], installation))
    with psycopg.connect(**installation.cluster.address, dbname="netcairn", autocommit=True) as database:
        # Nobody can read this task: a living cluster throws it away.
        database.execute("INSERT INTO django_q_ormq (key, payload, lock) VALUES ('netcairn', 'x', now())")

        wait_until(lambda: not database.execute("SELECT 1 FROM django_q_ormq WHERE payload = 'x'").fetchone(), 60)

    assert "password" in page(f"{served}admin/login/")
    assert installation.children().items().isdisjoint(first.items())

    installation.process.kill()

    wait_until(installation.everything_is_gone)


@pytest.mark.django_db
def test_the_first_administrator_is_made_once() -> None:
    """A second one with a known password would be a back door."""
    get_user_model().objects.create_user("admin")

    first, second = first_administrator(), first_administrator()

    assert first is not None
    assert first.username == "admin2"
    assert authenticate(username=first.username, password=first.password).is_superuser
    assert second is None


def test_a_taken_port_is_said_in_one_sentence() -> None:
    """The commonest mishap on a machine with other programs."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(AddressTaken) as refusal:
            listen("127.0.0.1", port)

    assert str(refusal.value) == (
        f"Cannot listen on 127.0.0.1 port {port} (Address already in use): choose others with --host and --port."
    )
