"""Many devices in one process: at once, on their own addresses, found and used from any thread."""

from __future__ import annotations

import io
import socket
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backups.simulator import Device, DeviceSpec, Fleet, PortTaken, UnknownPersona
from tests.backups.simulator.sessions import Shell, transport
from tests.sampling import sampled


def read(device: Device) -> str:
    with Shell(device) as shell:
        shell.until("#")
        shell.ask("terminal length 0", "#")
        return shell.ask("show running-config", "\nend\r\n").replace("\r\n", "\n")


@pytest.mark.parametrize("many", sampled((40, 200), (40,)))
def test_many_devices_answer_at_once_each_with_its_own_configuration(many: int) -> None:
    """Benchmarks and the demo stand on this."""
    with Fleet([DeviceSpec("cisco_ios", size=3_000) for _ in range(many)]) as fleet, ThreadPoolExecutor(20) as pool:
        texts = list(pool.map(read, fleet))

        assert len({device.port for device in fleet}) == many
        for device, text in zip(fleet, texts, strict=True):
            assert f"\nhostname {device.name}\n" in text
        assert all(device.logins == 1 for device in fleet)


def test_a_device_can_have_an_address_of_its_own_and_the_usual_port() -> None:
    """Several devices behind one port number need several addresses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    specs = [DeviceSpec("vyos", address=f"127.0.3.{n}", port=port) for n in (1, 2)]
    with Fleet(specs) as fleet:
        for device in fleet:
            with Shell(device) as shell:
                assert device.name in shell.until("$ ")


def test_a_port_that_is_taken_is_named() -> None:
    """And no device of the fleet is left behind listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}"):
            Fleet([DeviceSpec(port=port)]).start()


def test_an_unknown_platform_is_named_with_those_there_are() -> None:
    """Nobody has to look them up."""
    with pytest.raises(UnknownPersona, match=r"'frobnicate'.*cisco_ios"):
        Fleet([DeviceSpec("frobnicate")])


def test_a_stopped_fleet_leaves_no_port_open_and_can_be_started_again() -> None:
    """Tests that follow need the ports."""
    fleet = Fleet([DeviceSpec("cisco_ios")]).start()
    shell = Shell(fleet[0])
    fleet.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((fleet[0].address, fleet[0].port))
    shell.transport.close()
    with fleet, Shell(fleet[0]) as again:
        again.until("#")


def test_a_key_may_log_in_instead_of_a_password() -> None:
    """Credentials of either kind are tested against the simulator."""
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(private.decode()))
    line = f"{key.get_name()} {key.get_base64()}"
    with Fleet([DeviceSpec("cisco_ios", authorized_key=line)]) as fleet:
        opened = transport(fleet[0])
        opened.auth_publickey(fleet[0].username, key)

        assert opened.is_authenticated()
        assert fleet[0].password_attempts == []
        opened.close()


@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
def test_an_old_device_offers_group_14_only() -> None:
    """Benchmarks of old key exchanges need devices that have no other."""
    with Fleet([DeviceSpec("cisco_ios", legacy_kex=True)]) as fleet:
        transport(fleet[0]).close()
        modern = paramiko.Transport((fleet[0].address, fleet[0].port))
        modern.get_security_options().kex = ("curve25519-sha256@libssh.org", "ecdh-sha2-nistp256")
        with pytest.raises(paramiko.IncompatiblePeer):
            modern.start_client(timeout=10)
        modern.close()


def test_a_long_line_changes_when_things_arrive_and_nothing_else() -> None:
    """Benchmarks with far devices must talk to the same devices."""
    with Fleet([DeviceSpec("cisco_ios", size=3_000, round_trip=0.003)]) as fleet:
        text = read(fleet[0])

        assert f"\nhostname {fleet[0].name}\n" in text
        assert fleet[0].logins == 1


def test_edits_and_sessions_of_many_threads_do_not_lose_each_other() -> None:
    """The API is used from tests while the fleet serves."""
    with Fleet([DeviceSpec("cisco_ios", size=3_000)]) as fleet, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: fleet[0].edit([f"vlan {n}", f"name name-{n}"]), range(100, 140)))

        assert all(f"vlan {n}\n name name-{n}\n" in fleet[0].running_config for n in range(100, 140))


def test_a_configuration_may_be_large() -> None:
    """Limits of what is read are tried with it."""
    with Fleet([DeviceSpec("cisco_ios", size=2_000_000)]) as fleet:
        text = read(fleet[0])

    assert len(text) > 2_000_000
    assert fleet[0].running_config.splitlines()[-2000:-20] == text.splitlines()[-2001:-21]


def test_the_log_holds_commands_and_no_secrets() -> None:
    """A test that looks at it must not print a password either."""
    with Fleet([DeviceSpec("cisco_ios", enable_secret="s3cret")]) as fleet, Shell(fleet[0]) as shell:
        shell.until(">")
        shell.ask("enable", "Password: ")
        shell.ask("s3cret", "#")

        assert fleet[0].commands == ["enable"]
        assert fleet[0].sessions == 1
        shell.transport.close()
        assert fleet[0].wait_for(lambda device: device.sessions == 0)
