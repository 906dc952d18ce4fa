"""Hosts on one machine: each is a process tree with a directory of its own that can see no process of the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from django.db import OperationalError, connection

from config.embedded_postgres.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent.parent
APART = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""A PID namespace: the others cannot tell that a process of this host is gone, as it is between machines. Needs root."""


def database_url() -> str:
    """The embedded database of this process, as the others reach it."""
    address = Cluster.from_settings(connection.settings_dict).address
    return f"postgres://{address['user']}@:{address['port']}/netcairn?host={address['host']}"


class ManyHosts:
    """Hosts by name, with what they share; they end with the `with` block."""

    def __init__(self, names: tuple[str, ...], below: Path, *, workers: int, **shared: str) -> None:
        """`shared` are variables of all; each host has a NETCAIRN_VAR of its own below the directory."""
        self.hosts = {name: OneHost(name, below / name, workers=workers, shared=shared) for name in names}

    def __enter__(self) -> Self:
        for host in self.hosts.values():
            host.start()
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            host.kill()


class OneHost:
    """`netcairn queue` on a host of its own."""

    def __init__(self, name: str, var: Path, *, workers: int, shared: Mapping[str, str]) -> None:
        self.name, self.var, self.workers = name, var, workers
        self.environment = {**os.environ, **shared, "NETCAIRN_VAR": str(var), "NETCAIRN_HOST": name}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Switch it on."""
        self.var.mkdir(exist_ok=True)
        command = [*APART, sys.executable, str(ROOT / "manage.py"), "queue", "--workers", str(self.workers)]
        with (self.var / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """Pull its plug: everything on it is gone at the same moment, without a word."""
        if self.process is not None:
            for child in children(self.process.pid):  # the first process of its namespace, with which all others end
                os.kill(child, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            self.process = None

    def place(self) -> str:
        """What its claims are called by, but for the process."""
        from backups.claimers import this_process

        assert self.process
        boot = this_process().split()[0]
        (first,) = children(self.process.pid)
        return f"{boot} {Path(f'/proc/{first}/ns/pid').stat().st_ino} "

    def works(self) -> bool:
        """Whether its queue has been heard of since it was started."""
        from django.utils import timezone

        from backups.hosts.models import Host

        row = Host.objects.filter(name=self.name).first()
        return row is not None and row.state(timezone.now()) == "working"


def children(process: int) -> list[int]:
    """The processes that one has started."""
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def wait_until(condition: Callable[[], bool], *, seconds: float) -> float | None:
    """How long it took to come true; None for longer than that."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        try:
            if condition():
                return round(passed, 1)
        except OperationalError:
            connection.close()
        time.sleep(0.1)
    return None
