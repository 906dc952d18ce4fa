"""Who reckons: one of the threads that talk to devices at a time, and none while somebody goes first."""

from __future__ import annotations

import socket
import sys
import threading

import pytest
from netmiko.checkpoint.checkpoint_gaia_ssh import CheckPointGaiaSSH

from backups import drivers_asleep, floor
from backups.drivers_asleep import let_others_reckon
from backups.floor import FLOOR, Floor
from backups.ssh_link import DeviceSocket

SHORT, LONG = 0.05, 30.0  # seconds in which nothing may happen, and in which it has to


class Turn(threading.Thread):
    """A thread that takes its turn on a floor."""

    def __init__(self, on: Floor) -> None:
        super().__init__(daemon=True)
        self.on, self.has, self.ends = on, threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        """Until it is told to end."""
        with self.on.in_turn():
            self.has.set()
            self.ends.wait(LONG)


def test_a_thread_that_talks_to_a_device_waits_until_the_lock_is_given_back(
    pair: tuple[DeviceSocket, socket.socket],
) -> None:
    """Thirty threads took the interpreter from the one that held the lock: 800 ms instead of 100."""
    link, theirs = pair
    said = threading.Event()

    def read() -> None:
        link.recv(9)
        said.set()

    reader = threading.Thread(target=read)
    with FLOOR.first():
        reader.start()
        theirs.send(b"# ")
        waited = not said.wait(SHORT)
    reader.join(LONG)

    assert (waited, said.is_set()) == (True, True)


def test_a_disk_that_hangs_does_not_cost_every_device_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device hangs up on somebody who says nothing for too long."""
    monkeypatch.setattr(floor, "LONGEST", 0.01)
    ours = Floor()

    with ours.first(), ours.left:  # a wait without an end would be this test's
        pass


def test_the_last_one_to_go_first_gives_all_back() -> None:
    """Two tenants' stores are written to by one process; the first to end is not the end."""
    ours, usual = Floor(), sys.getswitchinterval()
    with ours.first():
        with ours.first():
            pass
        still = ours._free.is_set()

    assert (still, ours._free.is_set(), sys.getswitchinterval()) == (False, True, usual)


def test_two_threads_do_not_reckon_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of thirty that ask for the interpreter at once takes CPU from the others: a quarter more for a device."""
    monkeypatch.setattr(floor, "PATIENCE", LONG)
    ours = Floor()
    first = Turn(ours)
    first.has.wait(LONG)
    second = Turn(ours)
    waited = not second.has.wait(SHORT)
    first.ends.set()

    assert (waited, second.has.wait(LONG)) == (True, True)
    second.ends.set()


def test_another_device_is_read_while_one_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[DeviceSocket, socket.socket]
) -> None:
    """A turn that is kept through a wait would make thirty threads one."""
    monkeypatch.setattr(floor, "PATIENCE", LONG)
    link, theirs = pair
    said: list[bytes] = []

    def visit() -> None:
        with FLOOR.in_turn():
            said.append(link.recv(9))

    reader = threading.Thread(target=visit)
    reader.start()
    other = Turn(FLOOR)
    got = other.has.wait(LONG)
    other.ends.set()
    theirs.send(b"# ")
    reader.join(LONG)

    assert (got, said) == (True, [b"# "])


def test_a_turn_is_not_taken_up_again_within_a_longer_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to a jump host is waited for as a whole, with several waits in it."""
    monkeypatch.setattr(floor, "PATIENCE", LONG)
    ours = Floor()

    with ours.in_turn(), ours.left:
        with ours.left:
            pass
        other = Turn(ours)
        got = other.has.wait(LONG)
        other.ends.set()
        other.join(LONG)

    assert got


def test_who_keeps_the_floor_for_long_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of 16 MB, or a wait that does not say that it is one, must not stop all other devices."""
    monkeypatch.setattr(floor, "PATIENCE", 0.01)
    ours = Floor()
    long = Turn(ours)
    long.has.wait(LONG)

    others = [Turn(ours), Turn(ours)]

    assert others[0].has.wait(LONG)
    for turn in (*others, long):
        turn.ends.set()
        turn.join(LONG)
    assert others[1].has.is_set()


def test_a_driver_that_sleeps_lets_others_reckon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some fifty of netmiko's drivers sleep in their preparation; with the floor in hand that made a fleet wait."""
    held: list[bool] = []
    let_others_reckon(CheckPointGaiaSSH)
    monkeypatch.setattr(drivers_asleep.time, "sleep", lambda _: held.append(FLOOR._mine.turn is not None))

    with FLOOR.in_turn():
        vars(sys.modules[CheckPointGaiaSSH.__module__])["time"].sleep(0.3)

    assert held == [False]
