"""A policy on a real store: planned, marked, undone, swept."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from backups.models import Epoch, Snapshot
from backups.store.reader import open_store
from checkpoints import retention_jobs
from checkpoints.errors import OnHold
from checkpoints.gc import REFUSED, collect_garbage
from checkpoints.keeping import apply_retention, plan_retention, undelete_epoch
from checkpoints.models import HEAD, Checkpoint, Ref, RetentionPolicy
from checkpoints.services import create_checkpoint, delete_checkpoint, summary_of, undelete_checkpoint
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.checkpoints.conftest import back_up
from tests.checkpoints.remembered import remembered
from tests.checkpoints.test_gc import lose

NOW = timezone.now().replace(microsecond=0)


def days_ago(days: float) -> datetime:
    """A moment of the past."""
    return NOW - timedelta(days=days)


@pytest.fixture
def line(tenant: Tenant, edge: Device) -> list[Checkpoint]:
    """Six days, with a version and a checkpoint each, oldest first."""
    remembered(tenant, "line", lambda: make_line(tenant, edge))
    return list(Checkpoint.objects.order_by("seq"))


def make_line(tenant: Tenant, edge: Device) -> None:
    """See `line`."""
    for day in range(6, 0, -1):
        back_up(edge, now=days_ago(day), running_cfg=f"hostname edge1\n! {day}\n" + f"! only of {day}\n" * 200)
        create_checkpoint(tenant, message=f"day {day}", author="anna", now=days_ago(day))


def policy(tenant: Tenant, **fields: Any) -> RetentionPolicy:
    """The tenant has it from now on."""
    return RetentionPolicy.objects.create(tenant=tenant, everything=False, **fields)


def marked() -> list[str]:
    """What is marked, oldest first."""
    return [str(row) for row in Checkpoint.objects.deleted().order_by("seq")]


def test_without_a_policy_everything_is_kept(tenant: Tenant, line: list[Checkpoint]) -> None:
    """And nothing is cut, marked or swept."""
    apply_retention(tenant, by="anna", now=NOW)

    assert (marked(), Epoch.objects.count()) == ([], 0)


def test_what_no_rule_keeps_is_marked_and_goes_a_day_later(tenant: Tenant, line: list[Checkpoint]) -> None:
    """E15, D16: with the versions of its epoch; the record of today and what is kept stay to the byte."""
    policy(tenant, last=2)
    first = apply_retention(tenant, by="anna", now=NOW)
    assert (len(first.marked), first.began) == (4, 2)
    assert collect_garbage(tenant, now=NOW + timedelta(hours=23), grace=timedelta(0)).checkpoints_removed == 0

    create_checkpoint(tenant, message="new", author="anna", now=NOW)
    create_checkpoint(tenant, message="newer", author="anna", now=NOW)
    second = apply_retention(tenant, by="anna", now=NOW + timedelta(hours=1))
    assert second.epochs_marked == [1]
    done = collect_garbage(tenant, now=NOW + timedelta(hours=26))

    assert (done.checkpoints_removed, done.epochs_removed, done.refused) == (6, 1, ())
    assert done.versions_pruned == Snapshot.objects.exclude(pruned_at=None).count() == 6
    assert done.bytes_freed > 0


def test_a_plan_says_what_it_would_free(tenant: Tenant, line: list[Checkpoint], core: Device) -> None:
    """And does nothing."""
    row = policy(tenant, last=1)
    apply_retention(tenant, by="anna", now=NOW)
    before = plan_retention(tenant, now=NOW)
    assert before.bytes_going == 0 or before.judgement.dropped_eras == ()

    back_up(core, now=NOW, running_cfg="hostname core1\n! x\n")
    create_checkpoint(tenant, message="new", author="anna", now=NOW)
    plan = plan_retention(tenant, policy=row.policy(), now=NOW)

    assert plan.judgement.dropped_eras == (1,) and plan.bytes_going > 0
    assert Epoch.objects.get().marked_at is None


def test_marks_follow_the_policy_both_ways(tenant: Tenant, line: list[Checkpoint]) -> None:
    """Who widens a policy within the day gets back what the narrow one had marked."""
    row = policy(tenant, last=1)
    apply_retention(tenant, by="anna", now=NOW)
    assert len(marked()) == 5
    RetentionPolicy.objects.filter(pk=row.pk).update(last=3)

    apply_retention(tenant, by="anna", now=NOW)

    assert marked() == ["day 6", "day 5", "day 4"]


def test_what_a_person_undeletes_stays(tenant: Tenant, line: list[Checkpoint]) -> None:
    """Capability D12: or the next application would mark it again, night after night."""
    policy(tenant, last=1)
    apply_retention(tenant, by="anna", now=NOW)
    undelete_checkpoint(line[0], by="anna", now=NOW)

    apply_retention(tenant, by="anna", now=NOW)

    assert "day 6" not in marked()


def test_what_a_ref_names_or_somebody_protects_is_not_marked(tenant: Tenant, line: list[Checkpoint]) -> None:
    """E15: locked tags exempt."""
    Ref.objects.create(tenant=tenant, name="golden", checkpoint=line[0], moved_by="anna")
    call_command("retention", "protect", str(line[1].pk))
    policy(tenant, last=1)

    apply_retention(tenant, by="anna", now=NOW)

    assert marked() == ["day 4", "day 3", "day 2"]
    assert Ref.objects.get(name=HEAD).checkpoint == line[-1]


def test_an_undeleted_epoch_is_kept(tenant: Tenant, line: list[Checkpoint]) -> None:
    """Capability D16: until the sweep, by hand and for good."""
    policy(tenant, last=1)
    for _ in range(2):
        create_checkpoint(tenant, message="new", author="anna", now=NOW)
        apply_retention(tenant, by="anna", now=NOW)
    assert Epoch.objects.get(number=1).marked_at

    undelete_epoch(tenant, 1, by="anna")
    apply_retention(tenant, by="anna", now=NOW)
    collect_garbage(tenant, now=NOW + timedelta(days=3))

    assert Epoch.objects.get(number=1).swept_at is None
    assert not Snapshot.objects.exclude(pruned_at=None).exists()


def test_a_legal_hold_stops_deleting_marking_and_sweeping(tenant: Tenant, line: list[Checkpoint]) -> None:
    """What a court asked for must not depend on who is on duty."""
    row = policy(tenant, last=1)
    apply_retention(tenant, by="anna", now=NOW)
    RetentionPolicy.objects.filter(pk=row.pk).update(hold="case 12")

    assert collect_garbage(tenant, now=NOW + timedelta(days=9)).checkpoints_removed == 0
    with pytest.raises(OnHold, match="case 12"):
        delete_checkpoint(line[0], by="anna", now=NOW)
    apply_retention(tenant, by="anna", now=NOW)
    assert marked() == []


def test_a_sweep_over_a_damaged_store_deletes_nothing_and_raises_an_alarm(
    tenant: Tenant, edge: Device, line: list[Checkpoint]
) -> None:
    """Capability D16: somebody has to know, and the alarm ends when the store is whole again."""
    policy(tenant, last=1)
    apply_retention(tenant, by="anna", now=NOW)
    store = open_store(tenant.pk)
    newest = edge.snapshots.order_by("-seq")[0].files["running.cfg"]["blob"]
    content = store.blob(newest)
    lose(store, newest)

    done = collect_garbage(tenant, now=NOW + timedelta(days=2))

    assert done.refused and done.objects_removed == 0 and len(marked()) == 5
    assert Notice.objects.open_alarms().get(code=REFUSED).tenant == tenant
    store.close()
    (store.path / "objects" / newest[:2]).mkdir(exist_ok=True)
    from tests.checkpoints.test_gc import git

    git(store, "hash-object", "-w", "--stdin", stdin=content)
    assert collect_garbage(tenant, now=NOW + timedelta(days=2)).refused == ()
    assert not Notice.objects.open_alarms().filter(code=REFUSED).exists()


def test_the_tick_applies_a_policy_once_a_day(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ticks there are, and however many hosts tick."""
    asked: list[str] = []
    monkeypatch.setattr(retention_jobs.jobs, "enqueue", lambda call, *_, **__: asked.append(call))
    policy(tenant, last=1)

    retention_jobs.tick()
    retention_jobs.tick()

    assert asked == [retention_jobs.APPLY]


def test_a_collection_that_somebody_stops_has_deleted_nothing(tenant: Tenant, line: list[Checkpoint]) -> None:
    """Interruptible, and the row says so."""
    row = policy(tenant, last=1)
    apply_retention(tenant, by="anna", now=NOW)
    RetentionPolicy.objects.filter(pk=row.pk).update(stop_asked=True)

    retention_jobs.collect_watched(tenant, now=NOW + timedelta(days=2))

    row.refresh_from_db()
    assert "Stopped by hand" in row.outcome and row.step == "" and len(marked()) == 5
    retention_jobs.collect_watched(tenant, now=NOW + timedelta(days=2))
    assert marked() == []
    assert not list(open_store(tenant.pk).path.glob("collecting-*"))


def test_the_command_shows_the_plan_and_asks_again_before_it_drops_much(
    tenant: Tenant, line: list[Checkpoint], capsys: pytest.CaptureFixture[str]
) -> None:
    """One document for programs; nothing is set before it was agreed to."""
    call_command("retention", "set", tenant="acme", last=1, json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["drops_more_than_a_fifth"], shown["set"]) == (True, False)
    with pytest.raises(CommandError, match="more than a fifth"):
        call_command("retention", "set", tenant="acme", last=1, yes=True)
    assert not RetentionPolicy.objects.exists()
    capsys.readouterr()

    call_command("retention", "set", tenant="acme", last=1, yes=True, drop_many=True)
    call_command("retention", "apply", tenant="acme")
    capsys.readouterr()
    call_command("retention", "plan", json=True)

    (plan,) = json.loads(capsys.readouterr().out)["tenants"]
    assert [one["rules"] for one in plan["checkpoints"]][:2] == [["named: HEAD", "last: 1 of 1"], []]
    assert [one["kept"] for one in plan["epochs"]] == [True, True]
    assert AuditEntry.objects.filter(action="retention.policy_set").count() == 1


def test_the_page_shows_the_plan_before_it_saves(tenant: Tenant, line: list[Checkpoint]) -> None:
    """And wants the tenant's name where much goes."""
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    address = "/admin/checkpoints/retentionpolicy/add/"
    counts = dict.fromkeys(["within_days", "hourly", "daily", "weekly", "monthly", "yearly"], 0)
    sent = {"tenant": str(tenant.pk), "last": 1, "zone": "UTC", "tags": "", "automatic": "on", **counts}

    first = boss.post(address, sent)
    form = first.context["adminform"].form
    assert form.plan.counts[0] == ("Checkpoints", 1, 6) and not RetentionPolicy.objects.exists()
    assert [line.rules for line in form.plan.lines if line.pk] == [[]] * 5 + [["named: HEAD", "last: 1 of 1"]]
    told = first.content.decode()
    assert "Nothing is saved yet" in told and "Please correct" not in told
    shown = form.data["shown"]
    second = boss.post(address, {**sent, "shown": shown})
    assert "type the tenant" in second.content.decode() and not RetentionPolicy.objects.exists()
    boss.post(address, {**sent, "shown": shown, "typed": "acme"})

    row = RetentionPolicy.objects.get()
    assert row.last == 1 and "last: 1 of 1" in boss.get(f"{address[:-4]}{row.pk}/change/").content.decode()
    empty = boss.post(address, {**sent, "last": 0}).content.decode()
    assert "already exists" in empty or "would keep nothing" in empty
    page = boss.get(f"/admin/inventory/tenant/{tenant.pk}/change/").content.decode()
    assert "As captured" in page and "Unique" in page and "On the disk" in page


def test_deduplication_is_shown(tenant: Tenant, edge: Device, core: Device) -> None:
    """Capability D17: a byte that three versions share is kept once."""
    for text in ("a", "b", "a"):
        back_up(edge, running_cfg=f"hostname edge1\n! {text}\n" * 500)

    found = summary_of(tenant)

    assert found.snapshot_bytes > found.unique_bytes > found.stored_bytes > 0
