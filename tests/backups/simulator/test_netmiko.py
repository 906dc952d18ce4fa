"""netmiko drives the simulated devices as it drives real ones: log in, look, change, save, go back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from netmiko import BaseConnection, NetmikoAuthenticationException, file_transfer

from backups.simulator import Device, DeviceSpec, Fleet, slugs
from tests.backups.simulator.sessions import connect

# netmiko waits two seconds at each of several steps on VyOS; test_consoles covers what it does.
QUICK = [slug for slug in slugs() if slug != "vyos"]
SMALL = 4_000
SHOW = {
    "cisco_ios": "show running-config",
    "arista_eos": "show running-config",
    "juniper_junos": "show configuration | no-more",
    "mikrotik_routeros": "/export show-sensitive",
    "cisco_xr": "show running-config",
    "cisco_nxos": "show running-config",
    "aruba_aoscx": "show running-config",
}
CHANGE = {
    "cisco_ios": ["interface Vlan10", "description changed", "frobnicate"],
    "arista_eos": ["interface Vlan10", "description changed", "frobnicate"],
    "juniper_junos": ["set interfaces lo0 description changed", "frobnicate"],
    "mikrotik_routeros": ["/ip address add address=192.0.2.1/24 comment=changed interface=ether1", "/frobnicate"],
    "cisco_xr": ["interface Loopback0", "description changed", "frobnicate"],
    "cisco_nxos": ["interface Vlan10", "description changed", "frobnicate"],
    # With its exit: netmiko knows only the outermost configuration mode of AOS-CX as one.
    "aruba_aoscx": ["interface vlan 10", "description changed", "frobnicate", "exit"],
}
COMMITS = ("juniper_junos", "cisco_xr")
REFUSAL = re.compile(r"% ?Invalid (?:input|command)|Invalid input|syntax error|bad command name")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One device of each platform, those with an enable mode with a secret."""
    secret = {"cisco_ios": "s3cret", "arista_eos": "s3cret"}
    specs = [DeviceSpec(slug, name=slug, enable_secret=secret.get(slug, ""), size=SMALL) for slug in QUICK]
    with Fleet(specs, seed=1) as fleet:
        yield fleet


@pytest.fixture
def ios() -> Iterator[Fleet]:
    """One IOS device for tests that change much."""
    with Fleet([DeviceSpec("cisco_ios", size=SMALL)], seed=1) as fleet:
        yield fleet


def without_volatile(text: str) -> str:
    """What is left of IOS's output without the line that differs each time."""
    return re.sub(r"ntp clock-period \d+\n", "", text)


@pytest.mark.parametrize("platform", QUICK)
def test_what_netmiko_reads_is_what_the_device_holds(fleet: Fleet, platform: str) -> None:
    """Every test of a backup compares with running_config."""
    device = fleet[platform]
    with connect(device) as session:
        shown = session.send_command(SHOW[platform])

    assert device.running_config.strip() in without_volatile(shown)


@pytest.mark.parametrize("platform", QUICK)
def test_what_netmiko_configures_is_what_the_device_holds_then(fleet: Fleet, platform: str) -> None:
    """And what the device does not understand, it refuses in its own words."""
    device = fleet[platform]
    with connect(device) as session:
        said = session.send_config_set(CHANGE[platform], exit_config_mode=platform not in COMMITS)
        save(session, device)

    assert len(REFUSAL.findall(said)) == 1
    assert "changed" in device.running_config
    assert device.startup_config == device.running_config


def save(session: BaseConnection, device: Device) -> None:
    if device.platform in COMMITS:
        session.commit()
    elif device.platform != "mikrotik_routeros":
        session.save_config()


def test_a_wrong_password_is_refused_and_counted(fleet: Fleet) -> None:
    """Netcairn must not try a second time; the count is how a test knows."""
    device = fleet["cisco_ios"]
    before = len(device.password_attempts)
    with pytest.raises(NetmikoAuthenticationException):
        connect(device, password="wrong")

    tried = device.password_attempts[before:]
    assert [(attempt.username, attempt.accepted) for attempt in tried] == [("admin", False)]


def test_a_file_sent_by_scp_replaces_the_configuration_until_the_timer_ends(ios: Fleet, tmp_path: Path) -> None:
    """The native restore on IOS from its first step to its safety net."""
    device = ios[0]
    before = device.running_config
    (tmp_path / "target.cfg").write_bytes(before.replace("hostname sim-ios-0001", "hostname other").encode())
    with connect(device) as session:
        sent = file_transfer(session, source_file=str(tmp_path / "target.cfg"), dest_file="target.cfg")
        session.send_command("configure replace flash:target.cfg force time 5", expect_string="other#")

    assert sent["file_verified"]
    assert device.hostname == "other"
    ios.advance(5 * 60)
    assert device.running_config == before


def test_a_commit_on_junos_is_rolled_back_by_itself() -> None:
    """netmiko has a method for it, with words that it waits for."""
    with Fleet([DeviceSpec("juniper_junos", size=SMALL)]) as fleet:
        device = fleet[0]
        before = device.running_config
        with connect(device) as session:
            session.send_config_set(["set snmp contact other"], exit_config_mode=False)
            session.commit(confirm=True, confirm_delay=5)
        assert "contact other" in device.running_config
        fleet.advance(5 * 60)
        assert device.running_config == before


def test_a_backup_file_of_routeros_comes_over_the_connection_of_the_session(fleet: Fleet) -> None:
    """One TCP connection and one login for text and binary."""
    device = fleet["mikrotik_routeros"]
    logins = device.logins
    with connect(device) as session:
        session.send_command("/system backup save name=netcairn dont-encrypt=yes")
        listed = session.send_command("/file print")
        files = paramiko.SFTPClient.from_transport(session.remote_conn_pre.get_transport())
        with files.open("netcairn.backup") as file:
            content = file.read()
        kept = device.files.copy()
        files.remove("netcairn.backup")

    assert "netcairn.backup" in listed
    assert kept == {"netcairn.backup": content}
    assert device.files == {}
    assert device.logins == logins + 1


def test_a_file_put_by_sftp_is_on_flash(fleet: Fleet) -> None:
    """The other way to bring a configuration to a device."""
    device = fleet["arista_eos"]
    with connect(device) as session:
        files = paramiko.SFTPClient.from_transport(session.remote_conn_pre.get_transport())
        with files.open("/mnt/flash/new.cfg", "w") as file:
            file.write("hostname other\n")
        shown = session.send_command("more flash:new.cfg")

    assert device.files == {"new.cfg": b"hostname other\n"}
    assert shown.strip() == "hostname other"
