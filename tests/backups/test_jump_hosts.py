"""Devices behind jump hosts, over real SSH: simulated devices as both."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from backups import ssh_jump
from backups.collect import collect
from backups.device_files import put_file
from backups.errors import JumpHostFailed, JumpHostRefused, LinkLost, LoginRefused, Unreachable
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fleet
from backups.simulator.device import Device
from backups.ssh_jump import JumpHosts
from backups.transport import Limits, Target
from inventory.platforms import registry

SHORT = Limits(deadline=20, connect=5, idle=5)


@pytest.fixture(autouse=True)
def jump_hosts(monkeypatch: pytest.MonkeyPatch) -> JumpHosts:
    """Connections of the test's own."""
    own = JumpHosts()
    monkeypatch.setattr(ssh_jump, "JUMP_HOSTS", own)
    monkeypatch.setattr(ssh_jump, "LINGER", 0.0)
    return own


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Two jump hosts and three devices."""
    specs = [DeviceSpec(name=f"bastion{n}", password=f"for-bastion{n}", forwards=True) for n in (1, 2)]
    with Fleet([*specs, *[DeviceSpec(size=3000, platform="juniper_junos") for _ in range(3)]], seed=5) as fleet:
        yield fleet


def as_target(device: Device, *hops: Target, **more: str) -> Target:
    """A simulated device, behind these."""
    known = {"password": device.password, "host_key": device.host_key, "key": device.name} | more
    return Target(device.name, device.address, device.port, device.username, hops=hops, **known)  # type: ignore[arg-type]


def said(target: Target, limits: Limits = SHORT) -> bytes:
    """Its configuration."""
    platform = registry.platform("juniper_junos")
    return b"".join(collect(target, platform, transport=NetmikoTransport(), limits=limits).capture.files.values())


def test_a_device_behind_two_jump_hosts_is_collected(fleet: Fleet) -> None:
    """Each hop proves its own key and gets its own password; the device's goes to the device alone."""
    one, two, box, *_ = fleet

    assert box.name.encode() in said(as_target(box, as_target(one), as_target(two)))

    assert [attempt.accepted for device in (one, two, box) for attempt in device.password_attempts] == [True] * 3
    assert (one.forwarded, two.forwarded) == (1, 1)


def test_devices_behind_a_jump_host_share_one_connection(fleet: Fleet) -> None:
    """A jump host with a thousand devices behind it must not see a thousand logins."""
    bastion, _, *boxes = fleet
    targets = [as_target(box, as_target(bastion)) for box in boxes]

    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(said, targets))

    assert (bastion.logins, bastion.forwarded) == (1, 3)


def test_a_jump_host_that_refuses_is_named_and_not_asked_again(fleet: Fleet, jump_hosts: JumpHosts) -> None:
    """Ten thousand devices behind it would lock its account in a second."""
    one, two, *boxes = fleet
    wrong = as_target(two, password="wrong")
    for box in boxes:
        with pytest.raises(JumpHostRefused, match="bastion2") as caught:
            said(as_target(box, as_target(one), wrong))
        assert caught.value.hop == "bastion2"
        assert box.name in str(caught.value)
    assert len(two.password_attempts) == 1

    assert said(as_target(boxes[0], as_target(one), as_target(two)))  # the right password is another way


def test_a_jump_host_with_another_key_gets_no_password(fleet: Fleet) -> None:
    """It would see the passwords of everything behind it."""
    bastion, _, box, *_ = fleet
    stranger = as_target(bastion, host_key=box.host_key)

    with pytest.raises(JumpHostRefused, match="bastion1") as caught:
        said(as_target(box, stranger))

    assert caught.value.presented == bastion.host_key
    assert bastion.attempts == []


def test_a_jump_host_without_a_pin_shows_the_key_to_pin(fleet: Fleet, jump_hosts: JumpHosts) -> None:
    """Trust on first use, as with devices."""
    bastion, _, box, *_ = fleet

    said(as_target(box, as_target(bastion, host_key="")))

    assert jump_hosts.news() == {"bastion1": bastion.host_key}


def test_a_jump_host_that_is_not_there_is_named_and_rests_a_moment(fleet: Fleet) -> None:
    """Else each device behind it waits for the same silence."""
    bastion, _, box, other, _ = fleet
    bastion.set_faults("silent")
    for each in (box, other):
        with pytest.raises(JumpHostFailed, match="bastion1") as caught:
            said(as_target(each, as_target(bastion)), replace(SHORT, connect=0.4))
        assert caught.value.worth_retrying
    assert bastion.connections == 1


def test_a_device_that_the_jump_host_cannot_reach(fleet: Fleet) -> None:
    """The jump host is fine; the address is wrong, or the device is down."""
    bastion, _, box, *_ = fleet
    gone = replace(as_target(box, as_target(bastion)), port=1)

    with pytest.raises(Unreachable, match="through bastion1"):
        said(gone)


def test_a_jump_host_that_does_not_forward_says_so(fleet: Fleet) -> None:
    """A device was named as a jump host, or forwarding is off."""
    _, _, box, other, _ = fleet

    with pytest.raises(JumpHostRefused, match="allow TCP forwarding"):
        said(as_target(box, as_target(other)))


def test_a_refusal_of_the_device_itself_is_the_devices(fleet: Fleet) -> None:
    """Whose credential is wrong must be clear."""
    bastion, _, box, *_ = fleet

    with pytest.raises(LoginRefused, match=box.name):
        said(as_target(box, as_target(bastion), password="wrong"))


def test_a_jump_host_that_dies_in_the_middle_ends_the_sessions(fleet: Fleet) -> None:
    """Noticed at once, and not after every device's own limit."""
    bastion, _, box, *_ = fleet
    opened = NetmikoTransport().open(as_target(box, as_target(bastion)), registry.platform("juniper_junos"), SHORT)
    with opened as session, pytest.raises(LinkLost):
        fleet._hosts[0].close()
        for _ in range(50):
            session.run("show version")


def test_files_go_the_same_way(fleet: Fleet) -> None:
    """A restore puts a file on a device behind a jump host too."""
    bastion, _, box, *_ = fleet

    put_file(as_target(box, as_target(bastion)), "/a.cfg", b"system", by="sftp", limits=SHORT)

    assert box.files["a.cfg"] == b"system"


def test_the_connection_is_closed_when_nobody_needs_it(fleet: Fleet, jump_hosts: JumpHosts) -> None:
    """A worker that has nothing to do behind a jump host leaves no session there."""
    bastion, _, box, *_ = fleet
    said(as_target(box, as_target(bastion)))

    jump_hosts.close_idle()

    assert bastion.wait_for(lambda device: device.sessions == 0)
