"""Whether the process behind a claim is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from backups import claimers, runs
from backups.models import Attempt
from inventory.models import Tenant
from tests.factories import make_device

pytestmark = pytest.mark.skipif(not claimers.this_process(), reason="this system does not tell enough of a process")


def of_a_process_that_has_ended() -> str:
    """What such a process said of itself."""
    say = "from backups import claimers; print(claimers.this_process())"
    return subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True).stdout.strip()


def test_a_process_that_runs_is_not_gone() -> None:
    """Taking its devices away would talk to them twice at a time."""
    assert not claimers.is_gone(claimers.this_process())


def test_a_process_that_has_ended_is_gone() -> None:
    """Whoever starts a backup after a kill must not wait for a minute and a half."""
    assert claimers.is_gone(of_a_process_that_has_ended())


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    """Numbers come round again."""
    place, pid, started = claimers.this_process().rsplit(" ", 2)

    assert claimers.is_gone(f"{place} {pid} {int(started) - 1}")


def test_a_killed_child_that_nobody_has_waited_for_is_gone() -> None:
    """A supervisor that is slow to notice must not keep devices from being collected."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    claimer = f"{claimers._place()} {child.pid} {claimers._started(child.pid)}"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert claimers.is_gone(claimer)
    child.communicate()


@pytest.mark.parametrize("claimer", ["", "nonsense", "another-boot 4026531836 1 5", "a b c d e"])
def test_of_another_machine_nothing_is_known(claimer: str) -> None:
    """There the heartbeat decides."""
    assert not claimers.is_gone(claimer)


@pytest.mark.django_db
@pytest.mark.parametrize("by_queue", [True, False])
def test_devices_of_a_killed_process_are_free_at_once(tenant: Tenant, by_queue: bool) -> None:
    """A heartbeat of a second ago proves nothing when its process is gone."""
    now = timezone.now()
    (run,) = runs.start_runs(
        [make_device(tenant)], requested_by="ada", trigger="hand", by_queue=by_queue, now=now - timedelta(seconds=5)
    )
    run.attempts.claim(token=uuid4(), limit=1, now=now)
    Attempt.objects.update(claimed_by=of_a_process_that_has_ended())

    lost = runs.release_lost(now)

    attempt = run.attempts.get()
    assert attempt.state == ("queued" if by_queue else "failed")
    assert lost == ([run] if by_queue else [])
