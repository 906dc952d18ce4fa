"""Hosts on one machine: each is a process tree with a directory of its own that can see no process of the others."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from django.db import OperationalError, connection

from config.embedded_postgres.cluster import Cluster
from tests.faults.watchdog import kill, of_session

if TYPE_CHECKING:
    from backups.models import Run

ROOT = Path(__file__).resolve().parent.parent.parent
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")  # a campaign that is killed leaves nobody behind
APART = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""A PID namespace: the others cannot tell that a process of this host is gone, as it is between machines. Needs root."""


def database_url() -> str:
    """The embedded database of this process, as the others reach it."""
    address = Cluster.from_settings(connection.settings_dict).address
    return f"postgres://{address['user']}@:{address['port']}/netcairn?host={address['host']}"


class ManyHosts:
    """Hosts by name, with what they share; they end with the `with` block."""

    def __init__(self, names: Sequence[str], below: Path, *, workers: int, apart: bool = True, **shared: str) -> None:
        """`shared` are variables of all; each host has a NETCAIRN_VAR of its own below the directory.

        Not `apart`: they see each other's processes, and need neither root nor the silence to find one dead.
        """
        self.hosts = {name: OneHost(name, below / name, workers, shared, apart=apart) for name in names}

    def __enter__(self) -> Self:
        for host in self.hosts.values():
            host.start()
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            host.kill()

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """The others stand still, as if the kernel gave them no time: whoever is quicker decides nothing."""
        others = [host for host in self.hosts.values() if host.name != name]
        for host in others:
            host.tell(signal.SIGSTOP)
        try:
            yield
        finally:
            for host in others:
                host.tell(signal.SIGCONT)


class OneHost:
    """`netcairn queue` on a host of its own."""

    def __init__(self, name: str, var: Path, workers: int, shared: Mapping[str, str], *, apart: bool) -> None:
        self.name, self.var, self.workers, self.apart = name, var, workers, apart
        self.environment = {**os.environ, **shared, "NETCAIRN_VAR": str(var), "NETCAIRN_HOST": name}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Switch it on."""
        self.var.mkdir(exist_ok=True)
        command = [
            *(APART if self.apart else ()),
            sys.executable,
            str(ROOT / "manage.py"),
            "queue",
            "--workers",
            str(self.workers),
        ]
        with (self.var / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """Pull its plug: everything on it is gone at the same moment, without a word."""
        if self.process is not None:
            for process in list(of_session(self.process.pid)):
                kill(process)
            self.process.wait()
            self.process = None

    def tell(self, what: signal.Signals) -> None:
        """A signal to everything on it."""
        for process in of_session(self.process.pid) if self.process else ():
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(process, what)

    def claims(self, run: Run) -> int:
        """How many devices of a run it asks."""
        assert self.process
        running = run.attempts.filter(state="running").values_list("claimed_by", flat=True)
        mine = {self.called(process) for process in of_session(self.process.pid)}
        return sum(claimer.rpartition(" ")[0] in mine for claimer in running)

    def called(self, process: int) -> str:
        """Its namespace and number there, as `claimers` names a process; without the time at which it began."""
        try:
            inside = re.search(r"^NSpid:.*?(\d+)$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
            place = Path(f"/proc/{process}/ns/pid").stat().st_ino
        except OSError:
            return ""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {place} {inside[1]}" if inside else ""

    def works(self) -> bool:
        """Whether its queue has been heard of since it was started."""
        from django.utils import timezone

        from backups.hosts.models import Host

        row = Host.objects.filter(name=self.name).first()
        return row is not None and row.state(timezone.now()) == "working"


def wait_until(condition: Callable[[], bool], *, seconds: float) -> float | None:
    """How long it took to come true; None for longer than that."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        try:
            if condition():
                return round(passed, 1)
        except OperationalError:
            connection.close()
        time.sleep(0.1)  # other processes are waited for, who do not know of us
    return None
