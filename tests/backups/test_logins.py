"""Several credentials, and the limit that keeps accounts from being locked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from backups import logins
from backups.errors import LoginPaused, LoginRefused
from backups.logins import PAUSE, REFUSED_IN_A_ROW, LoginGate, collect_by_any
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fleet
from backups.transport import Limits, Target
from inventory.platforms import registry
from tests.checkpoints.conftest import NOON
from tests.clock import Clock

LIMITS = Limits(deadline=20, connect=5, idle=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> LoginGate:
    return LoginGate(clock)


def refuse(gate: LoginGate, times: int, key: str = "a") -> None:
    """So many devices in a row say no."""
    for _ in range(times):
        gate.enter(key)
        gate.refused(key)


def test_an_account_that_is_refused_in_a_row_is_paused(gate: LoginGate, clock: Clock) -> None:
    """Behind all the devices may be one server that counts to five."""
    refuse(gate, REFUSED_IN_A_ROW)

    with pytest.raises(LoginPaused, match="12:10"):
        gate.enter("a")
    gate.enter("b")  # another account

    clock.now = NOON + PAUSE
    refuse(gate, 1)  # one more is tried, and then none again
    with pytest.raises(LoginPaused):
        gate.enter("a")


def test_a_success_begins_the_count_anew(gate: LoginGate) -> None:
    """Odd devices among many must not stop the others."""
    for _ in range(4):
        refuse(gate, REFUSED_IN_A_ROW - 1)
        gate.enter("a")
        gate.accepted("a")
    refuse(gate, REFUSED_IN_A_ROW + 1)  # accepted in this run: more patience
    gate.enter("a")


def test_no_more_logins_are_under_way_than_may_be_refused(gate: LoginGate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty threads with a wrong password would lock the account before the first answer is counted."""
    monkeypatch.setattr(logins, "SLOW", 60.0)
    under_way, most, lock, begun = 0, 0, threading.Lock(), threading.Barrier(3, timeout=20)

    def log_in(number: int) -> bool:
        nonlocal under_way, most
        try:
            gate.enter("a")
        except LoginPaused:
            return False
        with lock:
            under_way += 1
            most = max(most, under_way)
        if number >= 0:
            begun.wait()
        with lock:
            under_way -= 1
        gate.refused("a")
        return True

    with ThreadPoolExecutor(12) as pool:
        tried = list(pool.map(log_in, range(12)))

    assert most == REFUSED_IN_A_ROW
    assert tried.count(True) == REFUSED_IN_A_ROW


def test_what_earlier_runs_have_seen_counts(gate: LoginGate) -> None:
    """A run each minute is no way around the limit."""
    gate.know("a", "lab", refused=2)
    refuse(gate, 1)

    with pytest.raises(LoginPaused, match="lab"):
        gate.enter("a")
    news = gate.news()
    assert (news["a"].refused, news["a"].paused_until) == (3, NOON + PAUSE)
    assert gate.news() == {}


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    specs = [
        DeviceSpec(size=2000, password="right", platform="juniper_junos", keyboard_interactive=n == 1) for n in (0, 1)
    ]
    with Fleet(specs, seed=6) as fleet:
        yield fleet


def targets(device: object, *passwords: str) -> list[Target]:
    """The same device with one password after the other."""
    return [
        Target(device.name, device.address, device.port, device.username, password=text, credential=text)
        for text in passwords
    ]


def ask(gate: LoginGate, ways: list[Target]) -> object:
    """Collect with the first that is let in."""
    platform = registry.platform("juniper_junos")
    return collect_by_any(ways, platform, gate=gate, transport=NetmikoTransport(), limits=LIMITS)


@pytest.mark.parametrize("which", [0, 1])
def test_the_next_credential_is_tried_and_the_one_that_worked_is_told(
    fleet: Fleet, gate: LoginGate, which: int
) -> None:
    """After a change of passwords half of the network has the old one for a while; by dialogue too."""
    collected = ask(gate, targets(fleet[which], "wrong", "right", "never"))

    assert collected.credential == "right"
    assert collected.capture.good
    assert [attempt.accepted for attempt in fleet[which].password_attempts] == [False, True]


def test_a_device_refuses_twice_at_most(fleet: Fleet, gate: LoginGate) -> None:
    """Many lock an account after three."""
    with pytest.raises(LoginRefused, match="1 more was not tried"):
        ask(gate, targets(fleet[0], "one", "two", "right"))

    assert len(fleet[0].password_attempts) == 2


def test_a_paused_credential_is_left_out_for_the_next(fleet: Fleet, gate: LoginGate) -> None:
    """The device itself has not refused it."""
    gate.know("paused", "lab", refused=3, paused_until=NOON + timedelta(minutes=5))

    assert ask(gate, targets(fleet[0], "paused", "right")).credential == "right"

    assert len(fleet[0].password_attempts) == 1
