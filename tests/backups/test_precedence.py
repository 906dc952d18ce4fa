"""Who goes first while the tenant's lock is held."""

from __future__ import annotations

import socket
import sys
import threading
from time import monotonic

import pytest

from backups import precedence
from backups.precedence import PRECEDENCE, Precedence
from backups.ssh_link import DeviceSocket


def test_a_thread_that_talks_to_a_device_waits_until_the_lock_is_given_back() -> None:
    """Thirty threads took the interpreter from the one that held the lock: 800 ms instead of 100."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    link, said = DeviceSocket(ours, monotonic() + 30), threading.Event()
    reader = threading.Thread(target=lambda: (link.recv(9), said.set()))
    with PRECEDENCE.taken():
        reader.start()
        theirs.send(b"# ")
        waited = not said.wait(0.05)
    reader.join(30)
    theirs.close()
    link.release()

    assert (waited, said.is_set()) == (True, True)


def test_a_disk_that_hangs_does_not_cost_every_device_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device hangs up on somebody who says nothing for too long."""
    monkeypatch.setattr(precedence, "LONGEST", 0.01)
    first = Precedence()

    with first.taken():
        first.give()  # a wait without an end would be this test's
        first.give()


def test_the_last_one_to_go_first_gives_all_back() -> None:
    """Two tenants' stores are written to by one process; the first to end is not the end."""
    first, usual = Precedence(), sys.getswitchinterval()
    with first.taken():
        with first.taken():
            pass
        still = first._free.is_set()

    assert (still, first._free.is_set(), sys.getswitchinterval()) == (False, True, usual)
