"""netmiko drives the simulated IOS as it drives a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from netmiko import BaseConnection, ConnectHandler

from backups.simulator import Device, DeviceSpec, Fleet


def connect(device: Device, **options: object) -> BaseConnection:
    """Log in as the inventory would."""
    return ConnectHandler(
        device_type=device.platform,
        host=device.address,
        port=device.port,
        username=device.username,
        password=device.password,
        secret=device.enable_secret,
        **options,
    )


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """One switch with an enable secret."""
    with Fleet([DeviceSpec("cisco_ios", name="edge1", enable_secret="s3cret")], seed=1) as fleet:
        yield fleet


def test_what_is_shown_is_what_the_device_holds(fleet: Fleet) -> None:
    """Every test of a backup compares with running_config."""
    with connect(fleet[0]) as session:
        session.enable()
        shown = session.send_command("show running-config")

    kept = [line for line in shown.splitlines() if not line.startswith("ntp clock-period")]
    assert "\n".join(kept[kept.index("version 17.9") :]) + "\n" == fleet[0].running_config


def test_a_replace_that_nobody_confirms_is_taken_back(fleet: Fleet) -> None:
    """The safety net of a restore has to be real to be tested against."""
    device = fleet[0]
    before = device.running_config
    device.files["new.cfg"] = before.replace("hostname edge1", "hostname edge2").encode()
    with connect(device) as session:
        session.enable()
        session.send_command("configure replace flash:new.cfg force time 5", expect_string="edge2#")

    assert "hostname edge2" in device.running_config
    fleet.advance(5 * 60)
    assert device.running_config == before
