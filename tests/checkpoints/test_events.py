"""Who hears of what becomes of checkpoints, of failures above all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backups.errors import GitFailed, StoreBusy
from checkpoints.errors import BadName
from checkpoints.gc import collect_garbage
from checkpoints.lineage import delete_checkpoint, undelete_checkpoint
from checkpoints.services import create_checkpoint, restore_record
from checkpoints.uploading import upload_checkpoint
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.checkpoints.conftest import NOON, back_up, later


def busy(*_: object, **__: object) -> None:
    """A store that somebody else holds."""
    raise StoreBusy("The store is in use.")


def test_each_failure_raises_one_alarm_that_the_next_success_settles(
    tenant: Tenant, edge: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Capability D19: on create, delete, undelete, restore and gc, somebody hears of it who did not ask."""
    kept = create_checkpoint(tenant, message="x", author="anna", now=NOON)
    back_up(edge, later(1), running_cfg="hostname other\n")
    acts: dict[str, Callable[[], object]] = {
        "checkpoint.not_restored": lambda: restore_record(kept, author="anna", now=later(2)),
        "checkpoint.not_created": lambda: create_checkpoint(tenant, message="y", author="anna", now=later(3)),
        "checkpoint.not_deleted": lambda: delete_checkpoint(kept, by="anna", now=later(4)),
        "checkpoint.not_undeleted": lambda: undelete_checkpoint(kept, by="anna", now=later(5)),
    }
    brought = {"edge1": {"running.cfg": b"hostname x\n"}}
    with monkeypatch.context() as held:
        held.setattr("backups.batch.lock_tenant", busy)
        held.setattr("checkpoints.lineage.lock_tenant", busy)
        for act in (*acts.values(), lambda: upload_checkpoint(tenant, brought, message="z", author="anna", now=NOON)):
            with pytest.raises(StoreBusy):
                act()
    raised = {notice.code: notice.times for notice in Notice.objects.open_alarms()}
    for act in acts.values():
        act()

    assert raised == dict.fromkeys(acts, 1) | {"checkpoint.not_created": 2}
    assert not Notice.objects.open_alarms().exists()
    told = set(Notice.objects.filter(level="info").values_list("code", flat=True))
    assert {f"checkpoint.{what}" for what in ("created", "restored", "deleted", "undeleted")} <= told


def test_a_collection_that_breaks_off_is_told_and_one_that_removes_too(
    tenant: Tenant, edge: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Capability D19: nobody watches a collection at night."""
    made = upload_checkpoint(tenant, {"edge1": {"running.cfg": b"x\n"}}, message="z", author="anna", now=NOON)
    delete_checkpoint(made, by="anna", now=NOON)
    with monkeypatch.context() as broken:
        broken.setattr("checkpoints.gc.Collection.execute", lambda _: (_ for _ in ()).throw(GitFailed("git died")))
        with pytest.raises(GitFailed):
            collect_garbage(tenant, now=later(49))
    (alarm,) = Notice.objects.open_alarms()
    collect_garbage(tenant, now=later(49))

    assert (alarm.code, "git died" in alarm.text) == ("collection.failed", True)
    assert not Notice.objects.open_alarms().exists()
    assert "1 checkpoints" in Notice.objects.get(code="collection.done").text


def test_what_somebody_asked_for_wrongly_is_told_to_nobody_else(tenant: Tenant, edge: Device) -> None:
    """An alarm for a typing mistake teaches people to overlook alarms."""
    with pytest.raises(BadName):
        create_checkpoint(tenant, message="", author="anna", now=NOON)

    assert not Notice.objects.filter(level="alarm").exists()
