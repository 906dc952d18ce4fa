"""Further processes for a run: what they do counts, and they end with the one that made them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from backups import helpers, jobs
from backups.management.commands import backup
from backups.models import Snapshot
from inventory.models import Tenant
from tests.backups.test_shard import CONFIG, FakeTransport
from tests.factories import make_credential, make_device

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(helpers.cores() == 1, reason="on this machine `backup` makes no helpers"),
]


def test_helpers_of_a_backup_take_their_share_and_nothing_is_stored_twice(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One interpreter uses one core; a night's backup has them all."""
    credential = make_credential(tenant)
    credential.set_password("canary-password")
    credential.save()
    names = [f"edge{n}" for n in range(40)]
    for name in names:
        make_device(tenant, name=name, credential=credential)
    answers = FakeTransport({name: CONFIG.format(name=name, n=1) for name in names})
    monkeypatch.setattr(backup, "NetmikoTransport", lambda: answers)
    monkeypatch.setattr(jobs, "DEVICES_A_SHARD", 20)

    (run,) = backup.Command().collect(backup.chosen(None, []))

    run.refresh_from_db()
    assert (run.state, run.counts()["changed"], Snapshot.objects.count()) == ("done", 40, 40)
    assert run.checkpoints.count() == 1


def test_a_helper_that_dies_costs_only_what_it_held(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel picks one of two processes when memory runs out; the backup must still come to an end."""
    ours = os.getpid()

    def die_if_helper(*_: object, **__: object) -> bool:
        if os.getpid() != ours:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    credential = make_credential(tenant)
    credential.set_password("canary-password")
    credential.save()
    for number in range(4):
        make_device(tenant, name=f"edge{number}", credential=credential)
    answers = FakeTransport({f"edge{n}": CONFIG.format(name=f"edge{n}", n=1) for n in range(4)})
    monkeypatch.setattr(backup, "NetmikoTransport", lambda: answers)
    monkeypatch.setattr(jobs, "DEVICES_A_SHARD", 2)
    monkeypatch.setattr("backups.stay.Stay.ends", die_if_helper)

    (run,) = backup.Command().collect(backup.chosen(None, []))

    run.refresh_from_db()
    assert (run.state, run.counts()["changed"]) == ("done", 4)


def test_a_helper_is_ended_when_its_maker_is_interrupted(tmp_path: Path) -> None:
    """Ctrl-C has to stop all of a backup."""
    mark = tmp_path / "pid"

    def linger() -> None:
        mark.write_text(str(os.getpid()))
        signal.pause()

    with pytest.raises(KeyboardInterrupt), helpers.helped(1, linger):
        while not mark.exists() or not mark.read_text():
            os.sched_yield()
        raise KeyboardInterrupt

    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
