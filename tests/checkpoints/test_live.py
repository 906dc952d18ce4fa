"""The running device beside a version: what differs this moment, and why it could not be told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from backups import runs
from backups.errors import LoginRefused
from backups.models import Run, Snapshot
from backups.transport import Limits
from checkpoints.compare import compare
from checkpoints.errors import NotComparable, NotSeen
from checkpoints.live import as_it_was, collect_now, device_of
from checkpoints.models import Checkpoint
from checkpoints.services import create_checkpoint
from checkpoints.startup import compare_startup, startup_file
from inventory.commands import WrongUse
from inventory.models import Device, Tenant
from tests.backups.test_shard import FakeTransport, config
from tests.checkpoints.conftest import back_up
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def switch(tenant: Tenant, settings: Any) -> Device:
    """A device that can be logged in to, and of which a version is kept."""
    settings.NETCAIRN_RUN_ENDED = []
    credential = make_credential(tenant)
    credential.set_password("canary-password")
    credential.save()
    device = make_device(tenant, "switch", credential=credential)
    back_up(device, running_cfg=config("switch"), startup_cfg=config("switch"))
    return device


def look(device: Device, answer: object) -> Snapshot:
    """What the device runs now."""
    transport = FakeTransport({device.name: answer})  # type: ignore[dict-item]
    return collect_now(device, by="ada", transport=transport, limits=Limits())


def test_a_version_is_compared_with_what_the_device_runs_now(switch: Device) -> None:
    """The question before every change: is what we have still what there is?"""
    then = as_it_was(switch)

    now = look(switch, config("switch", 7))

    assert [change.path for change in compare(then, now).changes] == ["switch/running.cfg", "switch/startup.cfg"]
    assert Snapshot.objects.filter(device=switch).latest("seq") == now  # kept, so it can be shown again


def test_an_unchanged_device_brings_no_new_version(switch: Device) -> None:
    """Looking leaves no trace but the run."""
    assert look(switch, config("switch")) == as_it_was(switch)


def test_a_device_that_cannot_be_looked_at_says_why(switch: Device) -> None:
    """An old version shown as the running one would be a lie."""
    with pytest.raises(NotSeen, match="switch could not be looked at: no"):
        look(switch, LoginRefused("no"))


def test_live_beside_a_checkpoint_wants_a_device(switch: Device, tenant: Tenant) -> None:
    """A tenant does not run; its devices do."""
    checkpoint = create_checkpoint(tenant, message="x", author="anna", now=timezone.now())

    with pytest.raises(NotComparable, match="--device NAME"):
        device_of(checkpoint, [])
    assert device_of(checkpoint, [switch]) == switch
    assert isinstance(as_it_was(checkpoint), Checkpoint)


@pytest.fixture
def operator(tenant: Tenant) -> Client:
    """Somebody who may back devices up."""
    return logged_in(make_user("olga", (tenant, Role.OPERATOR)))


@pytest.fixture
def ask(switch: Device, operator: Client) -> Callable[[], str]:
    """Press the button and agree; the page that waits."""

    def pressed() -> str:
        address = f"/admin/inventory/device/{switch.pk}/compare_live/"
        return str(operator.post(address, dict(operator.get(address).context["hidden"])).url)

    return pressed


def test_the_page_waits_for_the_device_and_leads_to_the_difference(
    switch: Device, operator: Client, ask: Callable[[], str]
) -> None:
    """One button; nobody has to find the two versions by hand."""
    waiting = operator.get(ask())
    assert waiting["Refresh"] == "3"
    assert "is being asked" in page(waiting)

    new = back_up(switch, running_cfg=config("switch", 7))
    run = Run.objects.get()
    run.attempts.update(state="changed")
    runs.end_run(run, timezone.now())

    old = Snapshot.objects.filter(device=switch).earliest("seq")
    assert operator.get(f"{waiting.request['PATH_INFO']}?left={old.pk}&run={run.pk}").url.endswith(
        f"left={old.pk}&right={new.pk}"
    )


def test_the_page_says_why_there_is_no_difference(switch: Device, operator: Client, ask: Callable[[], str]) -> None:
    """A failure, and a device that runs what is kept, each in a sentence above the device's page."""
    address, run = ask(), Run.objects.get()
    run.attempts.update(state="failed", detail="It does not answer.")
    runs.end_run(run, timezone.now())
    assert "It does not answer." in page(operator.get(address, follow=True))

    run.attempts.update(state="unchanged")
    assert "nothing differs" in page(operator.get(address, follow=True))


def test_others_cannot_look(switch: Device, db: None, ask: Callable[[], str]) -> None:
    """Neither at the device nor at the page that waits."""
    stranger = logged_in(make_user("sam", (make_tenant("other"), Role.ADMINISTRATOR)))

    assert stranger.get(ask()).status_code == 404
    assert stranger.get(f"/admin/inventory/device/{switch.pk}/compare_live/").status_code == 404


def test_a_version_is_compared_with_what_the_device_starts_with(switch: Device) -> None:
    """Somebody forgot to save: the next restart takes the change back, and nothing else shows that."""
    then = as_it_was(switch)
    same = compare_startup(then, look(switch, config("switch")))
    forgot = back_up(switch, timezone.now(), running_cfg=config("switch", 7), startup_cfg=config("switch"))
    assert forgot

    assert same.changes == ()
    (change,) = compare_startup(forgot, forgot).changes
    assert (change.path, compare_startup(then, forgot).changes) == ("switch/startup.cfg", ())
    assert compare_startup(forgot, forgot).new.label == "what switch starts with"


def test_a_system_without_a_startup_configuration_says_so(tenant: Tenant) -> None:
    """Junos has one configuration, which is what it starts with."""
    router = make_device(tenant, "router", "juniper_junos")

    with pytest.raises(NotComparable, match="no startup configuration"):
        startup_file(router)


def test_startup_is_compared_by_command_and_on_a_page(
    switch: Device, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same difference for those who type and for those who click; the other order is a mistake in use."""
    seen = back_up(switch, timezone.now(), running_cfg=config("switch", 7), startup_cfg=config("switch"))
    assert seen
    monkeypatch.setattr("checkpoints.management.commands.diff.collect_now", lambda *_, **__: seen)
    call_command("diff", "switch", "startup", json=True)
    (file,) = json.loads(capsys.readouterr().out)["files"]
    boss = logged_in(make_user("boss", (switch.tenant, Role.ADMINISTRATOR)))
    asked = f"/admin/backups/snapshot/compare/?left={seen.pk}&right={seen.pk}&of=startup"

    assert (file["path"], file["lines_added"], file["lines_removed"]) == ("switch/startup.cfg", 1, 1)
    assert "starts with" in page(boss.get(asked)) and "startup.cfg" in page(boss.get(asked))
    with pytest.raises(WrongUse, match="second"):
        call_command("diff", "startup", "switch")
