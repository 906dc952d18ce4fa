"""Restores in the admin: the plan on a page, agreed to with the device's name, and how it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backups.simulator import DeviceSpec, Fleet
from checkpoints import restore_jobs
from checkpoints.models import Restore, RestoreGroup
from checkpoints.restore_planning import request_restore
from checkpoints.restore_rules import set_rules
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import back_up, later
from tests.checkpoints.restoring import World
from tests.checkpoints.test_admin import agree
from tests.factories import make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page


@pytest.fixture
def world(db: None, store_root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A changed IOS device, and a queue whose worker comes when it is called."""
    made = World(Fleet([DeviceSpec("cisco_ios", size=2000)], seed=3))
    monkeypatch.setattr(restore_jobs, "live_means", lambda: made.means)
    monkeypatch.setattr("backups.jobs.async_task", lambda call, *ids, **_: QUEUE.append((call, *ids)))
    QUEUE.clear()
    return made


QUEUE: list[tuple[str, ...]] = []


def work() -> None:
    """A worker takes what lies in the queue."""
    doors = {
        restore_jobs.PLAN: restore_jobs.plan,
        restore_jobs.PUSH: restore_jobs.push,
        restore_jobs.PLAN_SEVERAL: restore_jobs.plan_several,
        restore_jobs.PUSH_SEVERAL: restore_jobs.push_several,
    }
    while QUEUE:
        call, *ids = QUEUE.pop(0)
        doors[call](*ids)


def member(world: World, role: str, name: str = "") -> Client:
    """A browser of somebody with that role."""
    return logged_in(make_user(name or f"m-{role}", (world.tenant, role)))


def url(restore: Restore, verb: str = "change") -> str:
    """A page of a restore."""
    return f"/admin/checkpoints/restore/{restore.pk}/{verb}/"


def asked_for(client: Client, world: World) -> Restore:
    """From the page of a version to the plan."""
    first = world.device.snapshots.earliest("seq")
    answer = agree(client, f"/admin/backups/snapshot/{first.pk}/put_back/", minutes="5")
    work()
    restore = Restore.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, url(restore))
    return restore


def typed(client: Client, restore: Restore, verb: str, **answers: str) -> Any:
    """Agree with the device's name."""
    shown = client.get(url(restore, verb))
    sent = dict(shown.context["hidden"]) | {"answer-typed": restore.device.name}
    if verb == "approve":
        sent["answer-agreed"] = restore.fingerprint
    return client.post(url(restore, verb), sent | answers)


def test_a_version_is_put_back_by_clicking(world: World) -> None:
    """Plan, look, approve, change: and the page says how it went."""
    client = member(world, Role.RESTORER)
    restore = asked_for(client, world)
    text = page(client.get(url(restore)))
    assert "configure replace" in text and "Look at this first" in text and "<mark>elsewhere</mark>" in text
    assert world.said("configure replace") == 0

    typed(client, restore, "approve")
    typed(client, restore, "push")
    work()

    restore.refresh_from_db()
    assert (restore.state, restore.approved_by, world.runs()) == ("confirmed", "m-restorer", "the version")
    text = page(client.get(url(restore)))
    assert "Confirmed" in text and "Verifying" in text and "every 1s" not in text


def test_nothing_happens_without_the_device_s_name(world: World) -> None:
    """A click is made too quickly."""
    client = member(world, Role.RESTORER)
    restore = asked_for(client, world)

    typed(client, restore, "approve", **{"answer-typed": "yes"})
    restore.refresh_from_db()
    assert restore.state == "planned"

    typed(client, restore, "approve")
    typed(client, restore, "push", **{"answer-typed": "yes"})
    restore.refresh_from_db()
    assert (restore.state, world.said("configure replace")) == ("approved", 0)


def test_an_old_page_approves_nothing(world: World) -> None:
    """Somebody planned again while the page was open."""
    client = member(world, Role.RESTORER)
    restore = asked_for(client, world)
    shown = client.get(url(restore, "approve"))
    old = dict(shown.context["hidden"]) | {"answer-typed": world.device.name, "answer-agreed": restore.fingerprint}
    world.simulated.edit(["snmp-server location third"])
    agree(client, url(restore, "plan_again"))
    work()

    client.post(url(restore, "approve"), old)

    restore.refresh_from_db()
    assert restore.state == "planned"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_who_may_not_restore_may_look(world: World, role: str) -> None:
    """Secrets stay masked, and no button works."""
    restore = world.planned()
    client = member(world, role)

    text = page(client.get(url(restore)))
    assert "configure replace" in text and "0822455D0A16" not in text
    assert {client.get(url(restore, verb)).status_code for verb in ("approve", "push", "settle", "cancel")} == {403}
    assert client.get(f"/admin/checkpoints/checkpoint/{world.checkpoint.pk}/put_back/").status_code == 403


def test_secrets_are_shown_to_who_may_see_them(world: World) -> None:
    """A changed password is part of what is agreed to."""
    restore = world.planned()

    assert "0822455D0A16" in page(member(world, Role.RESTORER).get(url(restore)))


def test_a_running_restore_moves_by_itself(world: World) -> None:
    """The part of the page that is asked for each second, until there is nothing more to see."""
    restore = world.planned()
    client = member(world, Role.RESTORER)
    Restore.objects.filter(pk=restore.pk).update(state="verifying")

    assert "every 1s" in page(client.get(url(restore)))
    assert client.get(url(restore, "progress")).status_code == 200
    Restore.objects.filter(pk=restore.pk).update(state="confirmed")
    assert client.get(url(restore, "progress")).status_code == 286


def test_four_eyes_are_wanted_by_who_runs_the_tenant(world: World) -> None:
    """A restorer finds the button missing, and their own wish not theirs to approve."""
    address = f"/admin/inventory/tenant/{world.tenant.pk}/four_eyes/"
    restorer, boss = member(world, Role.RESTORER), member(world, Role.ADMINISTRATOR)
    assert restorer.get(address).status_code == 403
    agree(boss, address)

    restore = asked_for(restorer, world)
    approve = url(restore, "approve")
    seen = page(restorer.get(url(restore)))
    assert "somebody else has to approve" in seen and approve not in seen
    assert "somebody else has to approve" in page(restorer.get(approve))
    assert approve in page(boss.get(url(restore)))
    typed(boss, restore, "approve")
    restore.refresh_from_db()
    assert (restore.state, restore.approved_by) == ("approved", "m-administrator")


@pytest.mark.long
def test_four_eyes_hold_for_several_devices_and_name_them(world: World) -> None:
    """Who asked is not offered to approve, and reads at night whom to call."""
    set_rules(world.tenant, by="boss", four_eyes=True)
    restorer, other = member(world, Role.RESTORER), member(world, Role.RESTORER, "rosa")
    ask = f"/admin/checkpoints/checkpoint/{world.checkpoint.pk}/put_several_back/"
    agree(restorer, ask, at_a_time="1", minutes="5")
    work()
    address = f"/admin/checkpoints/restoregroup/{RestoreGroup.objects.get().pk}"
    link = f'href="{address}/approve/"'

    seen = {one: page(one.get(f"{address}/change/")) for one in (restorer, other, member(world, Role.OPERATOR))}

    told = [(link in text, " rosa may do that" in text) for text in seen.values()]
    assert told == [(False, True), (True, False), (False, True)]
    assert "rosa may do that" in page(restorer.get(f"{address}/approve/"))


def test_an_unknown_device_is_settled_by_who_looked(world: World) -> None:
    """With a note; the number in the sidebar goes away."""
    restore = world.planned()
    Restore.objects.filter(pk=restore.pk).update(state="unknown", detail="Nobody knows.")
    client = member(world, Role.RESTORER)
    assert "Nothing can be put back" in page(client.get(url(restore)))

    agree(client, url(restore, "settle"), note="on the console: fine")

    restore.refresh_from_db()
    assert (restore.settled_by, restore.settled_note) == ("m-restorer", "on the console: fine")


def test_a_checkpoint_is_put_back_onto_a_named_device(world: World) -> None:
    """And onto none of another name."""
    client = member(world, Role.RESTORER)
    address = f"/admin/checkpoints/checkpoint/{world.checkpoint.pk}/put_back/"

    assert agree(client, address, device="nothing", minutes="5").status_code == 200
    assert not Restore.objects.exists()
    agree(client, address, device=world.device.name, minutes="7")
    work()
    restore = Restore.objects.get()
    assert (restore.checkpoint, restore.minutes, restore.state) == (world.checkpoint, 7, "planned")


@pytest.mark.long
def test_several_devices_are_put_back_by_clicking(world: World) -> None:
    """One page shows all the plans, asks once, and tells where each device stands."""
    client = member(world, Role.RESTORER)
    agree(client, f"/admin/checkpoints/checkpoint/{world.checkpoint.pk}/put_several_back/", at_a_time="1", minutes="5")
    work()
    group = RestoreGroup.objects.get()
    address = f"/admin/checkpoints/restoregroup/{group.pk}"
    assert world.device.name in page(client.get(f"{address}/change/")) and group.state == "planned"

    for verb in ("approve", "push"):
        agreed = {"agreed": group.fingerprint} if verb == "approve" else {}
        agree(client, f"{address}/{verb}/", typed="1", **agreed)
    assert "hx-get" in page(client.get(f"{address}/change/"))  # it goes on by itself
    work()

    assert (RestoreGroup.objects.get().state, world.runs()) == ("done", "the version")
    assert client.get(f"{address}/progress/").status_code == 286
    assert member(world, Role.OPERATOR).get(f"{address}/push/").status_code == 403
    assert logged_in(make_user("stranger")).get(f"{address}/change/").status_code in (302, 403, 404)


def test_a_file_for_a_person_is_downloaded_by_right(tenant: Tenant, edge: Device) -> None:
    """What nothing is sent to is put back by hand: whole for those who may see secrets, masked and named so for others."""
    version = back_up(edge, later(1), running_cfg="hostname edge1\nsnmp-server community alpha7 RO\n")
    assert version
    restore = request_restore(edge, version, by="ada", now=later(2))
    address = f"/admin/checkpoints/restore/{restore.pk}/file/running.cfg"
    restorer, auditor = (logged_in(make_user(role, (tenant, role))) for role in (Role.RESTORER, Role.AUDITOR))
    stranger = logged_in(make_user("sam", (make_tenant("other"), Role.ADMINISTRATOR)))

    whole, masked = restorer.get(address), auditor.get(address)

    assert b"alpha7" in whole.content and b"alpha7" not in masked.content
    assert "-masked-running.cfg" in masked["Content-Disposition"]
    assert stranger.get(address).status_code == 404
    assert restorer.get(address.replace("running", "other")).status_code == 404
    assert AuditEntry.objects.filter(action="version.downloaded", about="edge1").count() == 2
