"""Looking at a device to find out what it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command

from backups.detection import detect
from backups.errors import LoginRefused
from backups.netmiko_transport import NetmikoTransport
from backups.recognition import recognise_all
from backups.simulator import DeviceSpec, Fleet, slugs
from backups.transport import Target
from inventory.errors import ImportRefused
from inventory.models import Device
from inventory.platforms.catalogue import read_catalogue
from inventory.services import import_devices
from tests.backups.test_replay import FILES, SLUGS, Recording, recordings
from tests.factories import make_credential, make_device, make_tenant

__all__ = ["recordings"]  # the fixture

pytest.importorskip("asyncssh", reason="the simulated devices need asyncssh")

SHEETS = tuple(read_catalogue(None).sheets.values())
SILENT = {"eos", "cumulus", "routeros"}  # recordings that lack what such a system is asked
HEAD = "name,address,port,platform,credential\n"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One of each simulated system."""
    with Fleet([DeviceSpec(slug) for slug in slugs()]) as fleet:
        yield fleet


@pytest.fixture
def devices(db: None, fleet: Fleet) -> list[Device]:
    """All of them, registered as if they were FRR."""
    tenant = make_tenant()
    credential = make_credential(tenant, username=fleet[0].username)
    credential.set_password(fleet[0].password)
    credential.save()
    return [
        make_device(tenant, name=one.name, address=one.address, port=one.port, platform="frr", credential=credential)
        for one in fleet
    ]


def test_every_simulated_system_is_recognised(devices: list[Device]) -> None:
    """Who takes over a network knows addresses and a password, and not what stands there."""
    assert [one.slug for one in recognise_all(devices)] == list(slugs())


def test_nothing_but_questions_is_said_to_a_device(fleet: Fleet) -> None:
    """It is somebody's router, and nobody has agreed to more than a look."""
    device = fleet["sim-ios-0001"] if "sim-ios-0001" in [one.name for one in fleet] else fleet[1]
    before = len(device.commands)

    detect(target(device), SHEETS, transport=NetmikoTransport())

    assert {line for line in device.commands[before:] if line} <= {
        "show version",
        "terminal width 511",
        "terminal length 0",
    }


def test_a_device_that_refuses_the_login_says_so(fleet: Fleet) -> None:
    """'Not recognised' would send people to the wrong place."""
    with pytest.raises(LoginRefused):
        detect(target(fleet[0], password="wrong"), SHEETS, transport=NetmikoTransport())


def test_the_command_sets_what_it_is_sure_of(devices: list[Device]) -> None:
    """The wrong platform is mended where it is noticed."""
    out = StringIO()

    call_command("platforms", "detect", devices[0].name, "--set", "--json", stdout=out, stderr=StringIO())

    devices[0].refresh_from_db()
    assert (json.loads(out.getvalue())["platform"], devices[0].platform) == (slugs()[0], slugs()[0])


def test_an_import_may_leave_the_platform_to_us(devices: list[Device]) -> None:
    """A list from the customer has addresses; what stands there is for us to find out."""
    device = devices[0]
    row = f"{device.name},{device.address},{device.port},detect,{device.credential}\n"

    import_devices(device.tenant, (HEAD + row).encode())

    device.refresh_from_db()
    assert device.platform == slugs()[0]


def test_the_word_may_be_spelled_in_capitals(devices: list[Device]) -> None:
    """Spreadsheets begin cells with a capital as they please."""
    rows = "".join(
        f"{device.name},{device.address},{device.port},{word},{device.credential}\n"
        for device, word in zip(devices, ("detect", "Detect"), strict=False)
    )

    import_devices(devices[0].tenant, (HEAD + rows).encode())

    assert [Device.objects.get(pk=device.pk).platform for device in devices[:2]] == list(slugs())[:2]


def test_a_row_that_cannot_be_recognised_is_named_by_its_line(devices: list[Device]) -> None:
    """Nothing is imported half, and the one row that needs a person is named."""
    row = f"new1,127.0.0.1,1,detect,{devices[0].credential}\n"

    with pytest.raises(ImportRefused) as refused:
        import_devices(devices[0].tenant, (HEAD + row).encode())

    assert refused.value.problems[0].startswith("Line 2: new1 (127.0.0.1 port 1) cannot be reached")


@pytest.mark.replay
@pytest.mark.skipif(not FILES, reason="there are no recorded sessions beside the project")
def test_a_recorded_device_is_recognised_or_left_open_but_never_taken_for_another(
    recordings: dict[str, Recording],
) -> None:
    """Real devices' own words, of which no sign was made up."""
    recognised = {}
    for recording in recordings.values():
        if recording.model not in SILENT:
            found = detect(recording.target, SHEETS, transport=NetmikoTransport())
            recognised[recording.file] = found.sure.slug if found.sure else None

    wrong = {file: slug for file, slug in recognised.items() if slug not in (None, SLUGS[file.split("#")[0]])}
    assert wrong == {}
    assert sum(slug is not None for slug in recognised.values()) >= 14


def target(device, *, password: str | None = None) -> Target:
    """How to reach a simulated device."""
    return Target(device.name, device.address, device.port, device.username, password=password or device.password)
