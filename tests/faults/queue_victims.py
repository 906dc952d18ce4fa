"""A watched queue with two workers, and how to find each of its processes to kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from django.db import OperationalError, connection

from backups import jobs
from backups.models import Attempt, Run
from backups.schedules import ensure_tick

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS = 2
VICTIMS = ("worker", "monitor", "pusher", "sentinel", "main", "postgresql")
LONGEST = 240.0  # seconds until a run that lost a process counts as never ending


class Queue:
    """`netcairn queue`, alive within the `with` block."""

    def __enter__(self) -> Self:
        ensure_tick()
        command = [sys.executable, str(ROOT / "manage.py"), "queue", "--workers", str(WORKERS)]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def processes(self) -> dict[str, int]:
        """Kind -> number of the process. The sentinel starts its workers first, then monitor and pusher."""
        (main,) = children(self.process.pid) or (0,)
        (sentinel, *_) = children(main) or (0,)
        started = children(sentinel)
        if len(started) < WORKERS + 2:
            return {}
        return {"main": main, "sentinel": sentinel, "monitor": started[-2], "pusher": started[-1]}

    def find(self, victim: str) -> list[int]:
        """The processes to kill; for a worker the one that holds claims."""
        if victim == "postgresql":
            return postgresql()
        if victim == "worker":
            running = Attempt.objects.filter(state=Attempt.State.RUNNING).values_list("claimed_by", flat=True)
            return [int(claimer.split()[-2]) for claimer in set(running) if claimer][:1]
        found = self.processes().get(victim)
        return [found] if found else []


def children(process: int) -> list[int]:
    """The processes that one has started, the oldest first."""
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def postgresql() -> list[int]:
    """The embedded server, all of it, as when memory runs out."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        data = Path(cursor.fetchone()[0])
    connection.close()
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    return [postmaster, *children(postmaster)]


def kill_in_the_middle(queue: Queue, victim: str, devices: Sequence[Any], *, after: float) -> tuple[Run, float | None]:
    """Have the queue collect; kill when that part of it is done; the seconds from then to the end of the run."""
    (run,) = jobs.enqueue_run(devices, requested_by="faults")
    wanted = after * len(devices)
    wait_until(lambda: run.attempts.exclude(state=Attempt.State.QUEUED).count() > wanted and bool(queue.find(victim)))
    killed_at = time.monotonic()
    for process in queue.find(victim):
        with suppress(ProcessLookupError):  # a session of PostgreSQL may end by itself meanwhile
            os.kill(process, signal.SIGKILL)
    ended = wait_until(lambda: Run.objects.get(pk=run.pk).state == Run.State.DONE)
    return run, round(time.monotonic() - killed_at, 1) if ended else None


def wait_until(condition: Any) -> bool:
    """Whether it came to hold; a database that is just away answers later."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        try:
            if condition():
                return True
        except OperationalError:
            connection.close()
        time.sleep(0.1)
    return False
