"""What the tests of the ground share: waiting for something to become true, and clients of an embedded PostgreSQL."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.embedded_postgres import locks, processes, server
from config.embedded_postgres.cluster import Cluster
from tests.config import postgres_client

# Clients are forked from a process that has loaded everything and holds nothing.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "tests.config.postgres_client"])
ROOT = Path(__file__).parents[2]
LINGER = 0.1


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return as soon as `condition` holds; the deadline is only there to end a test that has failed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.01)


def processes_of(var: Path) -> list[int]:
    """The processes that were started for the installation in `var`, its watchdog included."""
    wanted = f"NETCAIRN_VAR={var}\0".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in environment.read_bytes():
                found.append(int(environment.parent.name))
    return found


class Client:
    """A process that uses the server; independent of this one and of other clients."""

    def __init__(self, entry: dict[str, object], environment: dict[str, str]) -> None:
        self.pipe, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=postgres_client.use_server, args=(theirs, entry, environment))
        self.process.start()
        theirs.close()

    def hear(self) -> object:
        """The next thing that the client says."""
        return self.pipe.recv()

    def ask(self, line: str) -> object:
        """The answer to one line of SQL."""
        self.pipe.send(line)
        return self.hear()

    def end(self) -> None:
        """Let the client end by itself."""
        self.pipe.close()
        self.process.join(timeout=30)
        assert not self.process.is_alive()

    def kill(self) -> None:
        """SIGKILL, the end that no program can prepare for."""
        self.process.kill()
        self.end()


class EmbeddedServer:
    """One embedded PostgreSQL below `var`, seen from outside."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.clients: list[Client] = []
        self.durable = False

    @property
    def entry(self) -> dict[str, object]:
        """The entry in DATABASES."""
        return {
            "ENGINE": "config.embedded_postgres",
            "NAME": "netcairn",
            "VAR": str(self.var),
            "LINGER": LINGER,
            "DURABLE": self.durable,
        }

    @property
    def cluster(self) -> Cluster:
        return Cluster.from_settings(self.entry)

    def launch(self, **environment: str) -> Client:
        """A client that may not be connected yet."""
        client = Client(self.entry, environment)
        self.clients.append(client)
        return client

    def client(self, **environment: str) -> Client:
        """A client that is connected."""
        client = self.launch(**environment)
        assert client.hear() == "ready"
        return client

    def living(self) -> list[int]:
        """The living processes of the server."""
        return processes.living(self.cluster.mark)

    def postmaster(self) -> int:
        """The process id of the server."""
        return int((self.cluster.data / "postmaster.pid").read_text().split()[0])

    def kill(self, *, but: frozenset[int] = frozenset()) -> None:
        """SIGKILL for every process of the server, as the kernel does when memory runs out."""
        for pid in set(self.living()) - but:
            with contextlib.suppress(ProcessLookupError):  # it saw the others die
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: set(self.living()) == but)

    def wait_until_stopped(self) -> None:
        """Return when no process of the server and no watchdog is left."""
        wait_until(lambda: not self.living())
        wait_until(self.unwatched)

    def unwatched(self) -> bool:
        """Whether no watchdog is there to stop the server."""
        if not self.cluster.home.exists():
            return True
        held = locks.take_if_free(self.cluster.watchdog_lock)
        if held is not None:
            os.close(held)
        return held is not None

    def close(self) -> None:
        """End everything that the test has started."""
        for client in self.clients:
            client.kill()
        if self.living():
            server.stop(self.cluster)
        wait_until(self.unwatched)


@pytest.fixture
def var() -> Iterator[Path]:
    """A short path, because of the socket; pytest's own are too long on some machines."""
    path = Path(tempfile.mkdtemp(prefix="netcairn-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def bare_server(var: Path) -> Iterator[EmbeddedServer]:
    """A server that has never been started."""
    embedded = EmbeddedServer(var)
    yield embedded
    embedded.close()


@pytest.fixture(scope="session")
def used_var() -> Iterator[Path]:
    """Where a server has run before; making a new one takes longer than most tests."""
    path = Path(tempfile.mkdtemp(prefix="netcairn-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def embedded(used_var: Path) -> Iterator[EmbeddedServer]:
    """A server that is stopped now, and has usually run before."""
    embedded = EmbeddedServer(used_var)
    yield embedded
    embedded.close()
