"""Children that are kept running, tried with small programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import processes
from config.processes import Child, Supervisor
from tests.config.conftest import ROOT, wait_until

FOREVER = "while :; do sleep 60; done"


def shell(name: str, script: str, **options: object) -> Child:
    return Child(name=name, command=["sh", "-c", script], **options)


def stop_now() -> None:
    """What Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often and restart soon."""
    monkeypatch.setattr(processes, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(processes, "LONGEST_PAUSE", 0.05)


def test_a_child_that_ends_is_started_again(tmp_path: Path) -> None:
    """A web server that ran out of memory at night must be back before the morning."""
    starts = tmp_path / "starts"
    child = shell("Short", f"echo >> {starts}")
    child.pause = 0.01
    told: list[str] = []

    def look() -> None:
        if starts.exists() and len(starts.read_text()) >= 3:
            stop_now()

    Supervisor([child], tell=told.append).run(each_look=look)

    assert told[0] == "Short ended (status 0); it is started again in 0 s"


def test_a_child_that_keeps_ending_is_started_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that cannot start must not take the whole machine."""
    monkeypatch.setattr(processes, "LONGEST_PAUSE", 60.0)
    child = shell("Broken", "exit 1")
    child.started_at = time.monotonic()
    supervisor = Supervisor([child], tell=lambda _: None)
    pauses = []

    for _ in range(8):
        pauses.append(child.pause)
        supervisor._plan_restart(child, 1)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_a_dead_child_left_behind_is_killed_before_the_next_one(tmp_path: Path) -> None:
    """The workers of a killed queue would go on without anybody to watch them."""
    note = tmp_path / "orphan"
    child = shell("Parent", f"{FOREVER} & echo $! > {note}; exit 1")
    child.pause = 60
    orphans: list[int] = []

    def look() -> None:
        if child.process is None:
            orphans.append(int(note.read_text()))
            stop_now()

    Supervisor([child], tell=lambda _: None).run(each_look=look)

    wait_until(lambda: not alive(orphans[0]))


def test_a_stuck_child_is_started_again() -> None:
    """Something that only looks alive is worse than something dead."""
    first: list[int] = []
    child = shell("Stuck", FOREVER, stuck=lambda: child.process.pid in first)
    child.pause = 0.01

    def look() -> None:
        if child.process is None:
            return
        if not first:
            first.append(child.process.pid)
        elif child.process.pid not in first:
            stop_now()

    told: list[str] = []
    Supervisor([child], tell=told.append).run(each_look=look)

    assert told[0] == "Stuck does nothing any more and is started again"
    assert not alive(first[0])


def test_a_child_may_finish_when_it_is_asked_to_end(tmp_path: Path) -> None:
    """A backup that is nearly done should be kept."""
    ready, done = tmp_path / "ready", tmp_path / "done"
    child = shell("Polite", f"trap 'echo > {done}; exit' TERM; echo > {ready}; while :; do sleep 0.01; done")

    Supervisor([child], tell=lambda _: None).run(each_look=lambda: stop_now() if ready.exists() else None)

    assert done.exists()


def test_a_child_that_does_not_end_is_killed_after_its_grace(tmp_path: Path) -> None:
    """Stopping must come to an end."""
    ready = tmp_path / "ready"
    child = shell("Deaf", f"trap '' TERM; echo > {ready}; {FOREVER}", grace=0.1)
    pids: list[int] = []

    def look() -> None:
        if ready.exists():
            pids.append(child.process.pid)
            stop_now()

    Supervisor([child], tell=lambda _: None).run(each_look=look)

    assert not alive(pids[0])


def test_a_second_interrupt_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    """Who presses Ctrl-C twice means it."""
    ready = tmp_path / "ready"
    child = shell("Deaf", f"trap '' TERM; echo > {ready}; {FOREVER}", grace=3600)

    def look() -> None:
        if ready.exists():
            stop_now()
            stop_now()

    Supervisor([child], tell=lambda _: None).run(each_look=look)

    assert child.process is None


def test_the_callers_signal_handlers_come_back() -> None:
    """The demo goes on after it has served."""
    before = signal.getsignal(signal.SIGTERM)

    Supervisor([], tell=lambda _: None).run(each_look=stop_now)

    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    """SIGKILL gives no chance to stop anything."""
    note = tmp_path / "pid"
    program = (
        "from config.processes import Child, Supervisor\n"
        f"child = Child(name='x', command=['sh', '-c', 'echo $$ > {note}.new; mv {note}.new {note}; exec sleep 600'])\n"
        "Supervisor([child], tell=print).run()\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)})
    wait_until(note.exists)

    supervisor.kill()
    supervisor.wait()

    wait_until(lambda: not alive(int(note.read_text())))
