"""The command `backup`, from the operator's words to rows and exit status, over real SSH."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from backups.capture import stable
from backups.models import Attempt, Snapshot
from backups.simulator import DeviceSpec, Fleet
from backups.store.reader import open_store
from inventory.models import Credential, Device, Tenant
from inventory.platforms import registry
from tests.factories import make_credential, make_device, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_store(store_root: Path) -> None:
    """Every test has a store of its own."""


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Fleet([DeviceSpec("cisco_ios", size=5000), DeviceSpec("mikrotik_routeros", size=3000)], seed=11) as fleet:
        yield fleet


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def credential(tenant: Tenant, fleet: Fleet) -> Credential:
    credential = make_credential(tenant, username=fleet[0].username)
    credential.set_password(fleet[0].password)
    credential.save()
    return credential


@pytest.fixture
def devices(tenant: Tenant, credential: Credential, fleet: Fleet) -> list[Device]:
    return [
        make_device(
            tenant,
            name=simulated.name,
            address=simulated.address,
            port=simulated.port,
            platform=simulated.platform,
            credential=credential,
        )
        for simulated in fleet
    ]


def backup(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict, str]:
    """Exit status, document and messages of `backup --json`."""
    status = 0
    try:
        call_command("backup", "--json", *arguments)
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    said = capsys.readouterr()
    return status, json.loads(said.out)["runs"][0], said.err


def only_attempt(document: dict) -> dict:
    (attempt,) = document["attempts"]
    return attempt


def test_a_backup_ends_in_versions_and_a_checkpoint(devices, fleet, tenant, capsys) -> None:
    """What the operator asked for has to be there, and to have a name."""
    status, run, _ = backup(capsys=capsys)

    assert (status, run["state"], run["counts"]["changed"]) == (0, "done", 2)
    assert (len(run["commit"]), bool(run["checkpoint"])) == (40, True)
    snapshot = Snapshot.objects.get(device=devices[0])
    stored = open_store(tenant.pk).blob(snapshot.files["running.cfg"]["blob"])
    assert stable(registry.platform("cisco_ios"), stored).endswith(fleet[0].running_config.encode("latin-1"))


def test_a_second_backup_of_a_quiet_network_changes_nothing(devices, capsys) -> None:
    """Versions without a difference bury those with one."""
    backup(capsys=capsys)

    status, run, _ = backup(capsys=capsys)

    assert (status, run["counts"]["unchanged"], run["checkpoint"]) == (0, 2, None)


def test_a_wrong_password_is_said_in_one_sentence(devices, fleet, credential, capsys) -> None:
    """The first mistake that everybody makes."""
    credential.set_password("wrong-canary")
    credential.save()

    status, run, told = backup("--device", devices[0].name, capsys=capsys)

    attempt = only_attempt(run)
    assert (status, attempt["state"], attempt["cause"]) == (1, "failed", "login-refused")
    assert attempt["detail"].count(".") >= 1
    assert "wrong-canary" not in told + json.dumps(run)


def test_an_unreachable_address_is_said_in_one_sentence(devices, capsys) -> None:
    """Nobody should have to read a traceback to learn that a cable is out."""
    Device.objects.filter(pk=devices[0].pk).update(port=1)

    status, run, _ = backup("--device", devices[0].name, capsys=capsys)

    assert (status, only_attempt(run)["cause"]) == (1, "unreachable")


def test_a_device_that_refuses_every_command_is_told_so(devices, fleet, capsys) -> None:
    """An error message stored as a configuration is the oldest bug of this field."""
    fleet[0].set_faults("invalid")

    status, run, _ = backup("--device", devices[0].name, capsys=capsys)

    assert (status, only_attempt(run)["state"], only_attempt(run)["cause"]) == (1, "failed", "command-refused")
    assert Snapshot.objects.count() == 0


def test_a_device_that_never_ends_is_cut_off(devices, fleet, settings, capsys) -> None:
    """One broken device must not fill memory and disk."""
    settings.NETCAIRN_DEVICE_MAX_BYTES = 200_000
    fleet[0].set_faults("endless")

    status, run, _ = backup("--device", devices[0].name, capsys=capsys)

    assert (status, only_attempt(run)["cause"]) == (1, "too-large")
    assert Snapshot.objects.count() == 0


def test_a_changed_host_key_is_refused_before_the_password(devices, fleet, capsys) -> None:
    """Whoever answers with another key may be reading passwords."""
    backup("--device", devices[0].name, capsys=capsys)
    tried = len(fleet[0].password_attempts)
    fleet[0].set_faults("hostkey")

    status, run, _ = backup("--device", devices[0].name, capsys=capsys)

    assert (status, only_attempt(run)["cause"]) == (1, "host-key-changed")
    assert len(fleet[0].password_attempts) == tried


def test_a_truncated_answer_leaves_the_last_good_version_the_newest(devices, fleet, capsys) -> None:
    """Half a configuration put back is worse than none."""
    backup("--device", devices[0].name, capsys=capsys)
    fleet[0].set_faults("truncate")

    status, run, _ = backup("--device", devices[0].name, capsys=capsys)

    assert (status, only_attempt(run)["state"]) == (1, "quarantined")
    assert Snapshot.objects.count() == 1


def test_one_failing_device_does_not_hide_the_others(devices, fleet, capsys) -> None:
    """The exit status says 'in part', and the document says which."""
    fleet[0].set_faults("refuse-login")

    status, run, _ = backup(capsys=capsys)

    assert status == 1
    assert {one["device"]: one["state"] for one in run["attempts"]} == {
        fleet[0].name: "failed",
        fleet[1].name: "changed",
    }


def test_a_disabled_device_is_left_alone(devices, fleet, capsys) -> None:
    """Disabled means that nobody logs in to it."""
    Device.objects.filter(pk=devices[0].pk).update(enabled=False)

    backup(capsys=capsys)

    assert fleet[0].connections == 0
    assert list(Attempt.objects.values_list("device__name", flat=True)) == [fleet[1].name]
