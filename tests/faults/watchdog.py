"""Whether an installation recovers by itself, within a minute, from the death of any one of its processes.

    python -m tests.faults.watchdog [--unit netcairn netcairn-web] [--victims ...] [--rounds 1]

Runs what the systemd units in `deploy/` run, and does for them what systemd does: starts the main process again when
it has ended, after the unit's own pause. Then each process gets SIGKILL in its turn while nothing is to be done (an idle
worker takes the lock of its queue along: the worst moment). Recovered is when the page answers and a backup asked for
right after the death is done. The last line is JSON with the seconds; exit 1 when one took longer than a minute.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from tests.faults.place import own_place

ROOT = Path(__file__).resolve().parent.parent.parent
WITHIN = 60.0  # seconds
LONGEST = 180.0  # seconds after which it is said that it never recovers
PYTHON = "/opt/netcairn/.venv/bin/python"  # as the units name it
UNITS = {
    "netcairn": ("supervisor", "gunicorn", "gunicorn worker", "queue", "sentinel", "monitor", "pusher"),
    "netcairn-web": ("supervisor", "gunicorn worker"),
}
IDLE = ("idle worker", "other idle worker")
UNITS["netcairn"] += (*IDLE, "postgresql")


class Unit:
    """One unit of `deploy/`, kept running as systemd would, alive within the `with` block."""

    def __init__(self, name: str, port: int) -> None:
        text = (ROOT / "deploy" / f"{name}.service").read_text().replace("\\\n", " ")
        settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        if settings["Restart"] != "always":
            raise SystemExit(f"{name} is not started again by systemd")
        self.pause = float(settings["RestartSec"])
        words = shlex.split(settings["ExecStart"].replace(PYTHON, sys.executable).replace("8000", str(port)))
        self.command, self.port, self.main = words, port, 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._keep_running)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        os.kill(self.main, signal.SIGTERM)
        self._thread.join()

    def _keep_running(self) -> None:
        while not self._ends.is_set():
            process = subprocess.Popen(
                self.command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
            self.main = process.pid
            process.wait()
            for left in of_session(process.pid):  # the rest of the control group
                kill(left)
            self._ends.wait(self.pause)

    def find(self, victim: str) -> int:
        """The process of that kind; 0 while there is none."""
        if victim == "supervisor":
            return self.main
        if victim == "postgresql":
            from tests.faults.queue_victims import postgresql

            return postgresql()[0]
        queue, web = (
            child(self.main, "qcluster"),
            self.main if is_called(self.main, "gunicorn") else child(self.main, "gunicorn"),
        )
        sentinel = first(children(queue))
        started = children(sentinel)
        found = {"gunicorn": web, "gunicorn worker": first(children(web)), "queue": queue}
        if len(started) >= 4:  # the sentinel starts its workers first
            found |= {"sentinel": sentinel, "monitor": started[-2], "pusher": started[-1]}
            found |= dict(zip(IDLE, started, strict=False))
        return found.get(victim, 0)

    def answers(self) -> bool:
        """Whether a page comes back."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            client.request("GET", "/admin/login/", headers={"Host": "localhost"})
            return client.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()


def main() -> int:
    """Kill each, and see."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unit", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--victims", nargs="+", default=None)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    seen: dict[str, list[float | None]] = {}
    with own_place():
        for name in options.unit:
            victims = [one for one in UNITS[name] if one in (options.victims or UNITS[name])]
            for victim, seconds in recoveries(name, victims * options.rounds):
                print(f"{name}, {victim}: {seconds} s", flush=True)  # noqa: T201
                seen.setdefault(f"{name}, {victim}", []).append(seconds)
    holds = all(one is not None and one <= WITHIN for many in seen.values() for one in many)
    print(json.dumps({"seconds until it worked again after the death of": seen, "holds": holds}))  # noqa: T201
    return 0 if holds else 1


def recoveries(name: str, victims: list[str]) -> Iterator[tuple[str, float | None]]:
    """Each victim, and the seconds until all worked again; None for never."""
    from backups.simulator import DeviceSpec, Fleet
    from tests.benchmarks.whole_runs import register
    from tests.faults.collector import change

    with Fleet([DeviceSpec("cisco_ios", size=2000)]) as fleet, Unit(name, free_port()) as unit:
        register(fleet, tenant=name)
        works = unit.answers if name == "netcairn-web" else lambda: unit.answers() and backed_up(name)
        if seconds_until(works) is None:
            raise SystemExit(f"{name} did not start")
        for number, victim in enumerate(victims):
            change(fleet, f"{victim} {number}")
            seconds_until(lambda victim=victim: bool(unit.find(victim)))
            kill(unit.find(victim))
            yield victim, seconds_until(works)


def backed_up(tenant: str) -> bool:
    """Whether the queue has collected the tenant's device; asks for it where nobody has yet."""
    from backups import jobs
    from backups.models import Run
    from tests.faults.collector import devices_of

    run = Run.objects.filter(tenant__name=tenant).first()
    if run is None or (run.state == Run.State.DONE and run.pk in SEEN):
        (run,) = jobs.enqueue_run(devices_of(tenant), requested_by="faults")
    if run.state != Run.State.DONE:
        return False
    SEEN.add(run.pk)
    return not run.attempts.exclude(state="changed").exclude(state="unchanged").exists()


SEEN: set[Any] = set()  # runs that have counted already


def seconds_until(works: Callable[[], bool]) -> float | None:
    """How long it takes."""
    from django.db import OperationalError, connection

    began = time.monotonic()
    while time.monotonic() - began < LONGEST:
        try:
            if works():
                return round(time.monotonic() - began, 1)
        except OperationalError:
            connection.close()
        time.sleep(0.2)
    return None


# Processes


def children(process: int) -> list[int]:
    """Those that one has started, the oldest first."""
    from tests.faults import queue_victims

    return queue_victims.children(process) if process else []


def first(found: list[int]) -> int:
    """The first, or 0."""
    return found[0] if found else 0


def child(process: int, word: str) -> int:
    """The one whose command line holds a word."""
    return next((one for one in children(process) if is_called(one, word)), 0)


def is_called(process: int, word: str) -> bool:
    """Whether its command line holds a word."""
    try:
        return word in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return False


def of_session(session: int) -> Iterator[int]:
    """Every process of a session."""
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(place.read_text().rpartition(")")[2].split()[3]) == session:
                yield int(place.parent.name)
        except (OSError, IndexError):
            continue


def kill(process: int) -> None:
    """SIGKILL, where it is still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
