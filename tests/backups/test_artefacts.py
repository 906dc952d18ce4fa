"""A text and a binary file of the same moment as one version (capability A6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from backups import runs, shard
from backups.capture import stable_digest
from backups.collect import collect
from backups.errors import CommandRefused, OutputTooLarge
from backups.models import Run, Snapshot
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fleet
from backups.simulator.device import Device as Simulated
from backups.simulator.personas.mikrotik_routeros import BACKUP_MAGIC
from backups.store.reader import open_store
from backups.transport import Limits, Target
from inventory.models import Device
from inventory.platforms import registry
from tests.factories import make_credential, make_device, make_tenant

LIMITS = Limits(deadline=20, connect=5, idle=5)
ROUTEROS = registry.platform("mikrotik_routeros")


@pytest.fixture
def router() -> Iterator[Simulated]:
    with Fleet([DeviceSpec("mikrotik_routeros", size=3000)], seed=11) as fleet:
        yield fleet[0]


@pytest.fixture
def device(router: Simulated, db: None, settings, store_root) -> Device:
    settings.NETCAIRN_RUN_ENDED = []
    tenant = make_tenant()
    credential = make_credential(tenant, username=router.username)
    credential.set_password(router.password)
    credential.save()
    place = {"address": router.address, "port": router.port, "platform": router.platform}
    return make_device(tenant, router.name, credential=credential, **place)


def back_up(device: Device, *, days: int = 0) -> Run:
    """A run so many days from now."""
    now = timezone.now() + timedelta(days=days)
    device.refresh_from_db()
    (run,) = runs.start_runs([device], requested_by="ada", trigger="hand", by_queue=False, now=now)
    shard.work_on(run, transport=NetmikoTransport(), limits=LIMITS, threads=1, clock=lambda: now)
    return run


@pytest.mark.django_db(transaction=True)
def test_export_and_backup_are_one_version(device: Device, router: Simulated) -> None:
    """Both or neither: a text and a binary of different moments cannot be put back together."""
    assert back_up(device).counts()["changed"] == 1

    version = Snapshot.objects.get()
    store = open_store(device.tenant_id)
    assert sorted(version.files) == ["export.rsc", "system.backup"]
    assert store.blob(version.files["system.backup"]["blob"]).startswith(BACKUP_MAGIC)
    assert router.files == {}  # it holds every password of the router: it must not stay there
    assert router.logins == 1


@pytest.mark.django_db(transaction=True)
def test_a_binary_that_differs_each_time_makes_no_version(device: Device, router: Simulated) -> None:
    """Else every night would be a change; and a router is not written to for nothing."""
    back_up(device)
    made = len([line for line in router.commands if "backup save" in line])

    assert back_up(device, days=1).counts()["unchanged"] == 1

    assert Snapshot.objects.count() == made == 1
    assert len([line for line in router.commands if "backup save" in line]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_changed_text_brings_its_binary(device: Device, router: Simulated) -> None:
    """The binary of last week does not belong to the text of today."""
    back_up(device)
    router.edit(["/system identity set name=renamed"])

    back_up(device, days=1)

    first, second = Snapshot.objects.order_by("seq")
    assert sorted(second.files) == ["export.rsc", "system.backup"]
    assert first.files["system.backup"]["blob"] != second.files["system.backup"]["blob"]


@pytest.mark.django_db(transaction=True)
def test_after_a_week_the_binary_is_fetched_by_itself(device: Device, router: Simulated) -> None:
    """Certificates and users change without a line in the export."""
    back_up(device)

    assert back_up(device, days=7).counts()["changed"] == 1
    assert back_up(device, days=13).counts()["unchanged"] == 1

    first, second = Snapshot.objects.order_by("seq")
    assert first.digest == second.digest


def target_of(device: Simulated) -> Target:
    return Target(device.name, device.address, device.port, device.username, password=device.password)


def test_whoever_only_looks_makes_nothing_on_the_device(router: Simulated) -> None:
    """A restore reads back several times; none of it is a backup."""
    collected = collect(target_of(router), ROUTEROS, transport=NetmikoTransport(), limits=LIMITS)

    assert list(collected.capture.files) == ["export.rsc"]
    assert not any("backup" in line for line in router.commands)


def test_a_router_that_makes_no_backup_is_backed_up_by_its_text(router: Simulated) -> None:
    """An account without the right is no reason to have nothing."""
    unable = replace(ROUTEROS.files[0], before=("/nonsense save",))
    platform = replace(ROUTEROS, files=(unable,))

    collected = collect(
        target_of(router), platform, transport=NetmikoTransport(), limits=LIMITS, wants_artefact=lambda *_: True
    )

    assert list(collected.capture.files) == ["export.rsc"]
    needed = replace(platform, files=(replace(unable, optional=False),))
    with pytest.raises(CommandRefused, match=r"system\.backup"):
        collect(target_of(router), needed, transport=NetmikoTransport(), limits=LIMITS, wants_artefact=lambda *_: True)


def test_an_artefact_counts_in_no_digest() -> None:
    """The rule itself."""
    text = {"export.rsc": b"/ip\n"}
    assert stable_digest(ROUTEROS, text) == stable_digest(ROUTEROS, text | {"system.backup": b"\0\1"})


def test_a_file_comes_over_scp(router: Simulated) -> None:
    """Some devices know no SFTP."""
    router.files["vlan.dat"] = bytes(range(256)) * 300
    with NetmikoTransport().open(target_of(router), ROUTEROS, LIMITS) as session:
        assert session.fetch_by_scp("vlan.dat") == router.files["vlan.dat"]
        with pytest.raises(CommandRefused, match="not-there"):
            session.fetch_by_scp("not-there")
        assert session.run("/export")  # and the session goes on
    with (
        NetmikoTransport().open(target_of(router), ROUTEROS, replace(LIMITS, max_bytes=20_000)) as session,
        pytest.raises(OutputTooLarge),
    ):
        session.fetch_by_scp("vlan.dat")
