"""Faults really happen on the wire, and can be switched while the fleet runs."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import paramiko
import pytest

from backups.simulator import FAULTS, Device, DeviceSpec, Fault, Fleet, UnknownFault
from backups.simulator.faults import FaultBox
from tests.backups.simulator.sessions import PATIENCE, Shell, transport

PROMPT = "\r\nsw#"


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """One IOS device without an enable secret."""
    with Fleet([DeviceSpec("cisco_ios", name="sw", size=6_000)], seed=1) as fleet:
        yield fleet


@pytest.fixture
def device(fleet: Fleet) -> Device:
    """The device of the fleet."""
    return fleet[0]


def paging_off(shell: Shell) -> None:
    shell.until("sw#")
    shell.ask("terminal length 0", "sw#")


def test_paging_stops_at_each_page_until_a_key_is_pressed(device: Device) -> None:
    """And netmiko's way of turning it off is therefore proven by the other tests."""
    with Shell(device) as shell:
        shell.until("sw#")
        first = shell.ask("show running-config", " --More-- ")
        shell.say(" ")
        second = shell.until(" --More-- ")
        shell.say("q")
        rest = shell.until("sw#")

    assert first.count("\n") == 24
    assert second.count("\n") == 23
    assert "\nend" not in first + second + rest


def test_sticky_pager_keeps_paging(device: Device) -> None:
    """A reader that believes `terminal length 0` waits for ever."""
    device.set_faults("sticky-pager")
    with Shell(device) as shell:
        paging_off(shell)
        assert "end" not in shell.ask("show running-config", " --More-- ")


def test_truncate_ends_half_way_with_a_normal_prompt(device: Device) -> None:
    """The configuration without its end is the one that must never be stored."""
    device.set_faults("truncate")
    with Shell(device) as shell:
        paging_off(shell)
        shown = shell.ask("show running-config", "sw#")

    assert "hostname sw" in shown
    assert "\nend\r\n" not in shown
    assert 2_000 < len(shown) < 4_000


def test_drop_breaks_the_connection_in_the_middle_of_the_configuration(device: Device) -> None:
    """There is no prompt after it, only the end."""
    device.set_faults("drop")
    with Shell(device) as shell:
        paging_off(shell)
        with pytest.raises((EOFError, OSError)):
            shell.ask("show running-config", "\nend\r\n")


def test_endless_goes_on_after_the_end(device: Device) -> None:
    """Only a limit of the reader ends it; the other devices must not suffer."""
    device.set_faults("endless")
    with Shell(device) as shell:
        paging_off(shell)
        shown = shell.ask("show running-config", "\nend\r\n")
        for _ in range(5):
            shown += shell.until("\nend\r\n")

    assert "sw#" not in shown


def test_garbage_stands_inside_the_configuration(device: Device) -> None:
    """Stored bytes have to survive what is no text at all."""
    device.set_faults("garbage")
    with Shell(device) as shell:
        paging_off(shell)
        shown = shell.ask("show running-config", "\nend\r\n")

    assert all(piece in shown for piece in ("\xff\xfe", "\x00", "\x1b[2J", "\r\r"))


def test_lookalike_is_a_line_of_the_configuration_that_equals_the_prompt(device: Device) -> None:
    """A reader that stops there keeps half."""
    device.set_faults("lookalike")
    with Shell(device) as shell:
        paging_off(shell)
        first = shell.ask("show running-config", PROMPT)
        rest = shell.until(PROMPT)

    assert "\nend\r\n" not in first
    assert "\nend\r\n" in rest
    assert "\nsw#\n" in device.running_config


def test_invalid_refuses_every_command(device: Device) -> None:
    """The answer is short and ends with a prompt, like a good one."""
    device.set_faults("invalid")
    with Shell(device) as shell:
        shell.until("sw#")
        assert "% Invalid input" in shell.ask("show running-config", "marker.")


def test_hang_says_nothing_after_the_login_and_goes_on_when_it_is_over(device: Device) -> None:
    """A deadline of the reader's own is all that helps."""
    device.set_faults("hang")
    with Shell(device) as shell:
        shell.channel.settimeout(0.2)
        with pytest.raises(TimeoutError):
            shell.until("sw#")
    device.set_faults()
    with Shell(device) as shell:
        shell.until("sw#")


def test_silent_accepts_tcp_and_sends_no_banner(device: Device) -> None:
    """As a device whose SSH process is stuck."""
    device.set_faults("silent")
    with socket.create_connection((device.address, device.port), timeout=PATIENCE) as sock:
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_refuse_login_refuses_the_right_password(device: Device) -> None:
    """And counts that it came."""
    device.set_faults("refuse-login")
    with pytest.raises(paramiko.AuthenticationException):
        Shell(device)

    assert [attempt.accepted for attempt in device.password_attempts] == [False]


def test_hostkey_presents_another_key_than_before(device: Device) -> None:
    """Who notices sends no password; the device would know."""
    pinned = device.host_key
    device.set_faults("hostkey")
    opened = transport(device)
    shown = opened.get_remote_server_key()
    opened.close()

    assert f"{shown.get_name()} {shown.get_base64()}" == device.host_key != pinned
    assert device.password_attempts == []


def test_slow_sends_a_configuration_in_pieces(device: Device) -> None:
    """The delay comes before an answer and between pieces of it."""
    device.set_faults(Fault("slow", seconds=0.01))
    with Shell(device) as shell:
        paging_off(shell)
        assert "hostname sw" in shell.ask("show running-config", "\nend\r\n")


def test_lockout_ends_when_the_change_is_taken_back(fleet: Fleet, device: Device) -> None:
    """A restore that cuts off its own way in is saved by the timer only."""
    device.files["new.cfg"] = device.running_config.replace("hostname sw", "hostname other").encode()
    device.set_faults("lockout")
    with Shell(device) as shell:
        paging_off(shell)
        with pytest.raises((EOFError, OSError)):
            shell.ask("configure replace flash:new.cfg force time 5", "other#")
    with pytest.raises((paramiko.SSHException, OSError, EOFError)):
        transport(device)
    fleet.advance(5 * 60)
    with Shell(device) as shell:
        shell.until("sw#")


def test_a_fault_can_be_switched_in_the_middle_of_a_session(device: Device) -> None:
    """So that the login is not what fails."""
    with Shell(device) as shell:
        paging_off(shell)
        device.set_faults("invalid")
        assert "% Invalid" in shell.ask("show running-config", "marker.")


def test_a_rate_strikes_that_share_of_connections() -> None:
    """And the same share at each start, for a run that can be repeated."""
    box = FaultBox(random.Random(1))
    box.set((Fault("drop", 0.25),))
    struck = sum("drop" in box.draw() for _ in range(1_000))

    assert 200 < struck < 300


@pytest.mark.parametrize("text", ["frobnicate", "drop=2", "drop=often", "drop=-1"])
def test_a_fault_that_makes_no_sense_is_named(text: str) -> None:
    """The sentence goes to whoever typed it."""
    with pytest.raises(UnknownFault, match=text.partition("=")[0]):
        Fault.parse(text)


def test_each_fault_is_described() -> None:
    """`simulate --help` and the documents list them."""
    assert all(FAULTS.values())
