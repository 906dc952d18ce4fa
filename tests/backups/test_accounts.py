"""The limits of logins over several workers: processes, here as two gates on one database."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from backups.accounts import TURN, Accounts
from backups.errors import LoginPaused
from backups.logins import PAUSE, REFUSED_IN_A_ROW, REFUSED_THOUGH_KNOWN
from inventory.models import Credential
from tests.checkpoints.conftest import NOON
from tests.clock import Clock
from tests.factories import make_credential, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credential() -> Credential:
    return make_credential(make_tenant())


@pytest.fixture
def workers(clock: Clock, credential: Credential) -> list[Accounts]:
    """Two of them; the first one finds out."""
    both = [Accounts(clock), Accounts(clock)]
    for one in both:
        one.know(credential)
    return both


def refuse(worker: Accounts, key: str, times: int = 1) -> None:
    """So many devices say no to a worker, who tells the others."""
    for _ in range(times):
        worker.gate.enter(key)
        worker.gate.refused(key)
    worker.confer()


def until_waiting(worker: Accounts, key: str, entering: Future[Any]) -> None:
    """Return when a thread stands at the gate."""
    while not worker.gate.unresolved()[key].waiting:
        assert not entering.done()


def test_a_wrong_password_is_refused_no_oftener_by_many_workers(
    workers: list[Accounts], credential: Credential
) -> None:
    """Each worker counting for itself would lock the account: twice three refusals are more than five."""
    first, second = workers
    key = str(credential.pk)
    with ThreadPoolExecutor(1) as pool:
        entering = pool.submit(second.gate.enter, key)
        until_waiting(second, key, entering)
        second.confer()
        refuse(first, key, REFUSED_IN_A_ROW)
        second.confer()

        with pytest.raises(LoginPaused):
            entering.result(timeout=20)
    credential.refresh_from_db()
    assert (credential.refused_in_a_row, credential.paused_until) == (REFUSED_IN_A_ROW, NOON + PAUSE)


def test_what_one_worker_has_found_out_lets_the_others_go(workers: list[Accounts], credential: Credential) -> None:
    """They wait for one login, not for the end of the other worker's share."""
    first, second = workers
    key = str(credential.pk)
    with ThreadPoolExecutor(1) as pool:
        entering = pool.submit(second.gate.enter, key)
        until_waiting(second, key, entering)
        first.gate.enter(key)
        first.gate.accepted(key)
        first.confer()
        second.confer()

        entering.result(timeout=20)


def test_a_worker_that_died_while_it_found_out_is_followed_by_another(
    workers: list[Accounts], credential: Credential, clock: Clock
) -> None:
    """What it was refused before it died still counts."""
    first, second = workers
    key = str(credential.pk)
    refuse(first, key)
    clock.now += TURN * 2
    with ThreadPoolExecutor(1) as pool:
        entering = pool.submit(second.gate.enter, key)
        until_waiting(second, key, entering)
        second.confer()
        entering.result(timeout=20)
    second.gate.gone(key)

    refuse(second, key, REFUSED_IN_A_ROW - 1)
    with pytest.raises(LoginPaused):
        second.gate.enter(key)


def test_refusals_of_a_known_account_are_added_up(workers: list[Accounts], credential: Credential) -> None:
    """A password that is changed on all devices in the middle of a run must not be tried ten times by each worker."""
    first, second = workers
    key = str(credential.pk)
    first.gate.accepted(key)
    first.confer()
    second.know(credential)
    second.gate.accepted(key)
    second.confer()
    refuse(first, key, REFUSED_THOUGH_KNOWN - 1)

    refuse(second, key)
    first.confer()

    with pytest.raises(LoginPaused):
        second.gate.enter(key)
    credential.refresh_from_db()
    assert credential.paused_until == NOON + PAUSE


def test_a_corrected_password_begins_anew(workers: list[Accounts], credential: Credential, clock: Clock) -> None:
    """Whoever has mended it wants to see that at once."""
    refuse(workers[0], str(credential.pk), REFUSED_IN_A_ROW)
    credential.refresh_from_db()
    credential.set_password("right")
    credential.save()

    anew = Accounts(clock)
    anew.know(credential)

    anew.gate.enter(str(credential.pk))
