"""The way to devices, over real SSH: against simulated devices, and bare servers for what those do not do."""

from __future__ import annotations

import asyncio
import socket
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import asyncssh
import pytest
from netmiko.ssh_dispatcher import CLASS_MAPPER

from backups import netmiko_transport, ssh_wire
from backups.errors import (
    AlgorithmRefused,
    CollectError,
    CommandRefused,
    DeadlineExceeded,
    EnableRefused,
    HostKeyChanged,
    LinkLost,
    LoginRefused,
    NoCredential,
    NoPrompt,
    NotSSH,
    OutputTooLarge,
    UnknownPlatform,
    Unreachable,
)
from backups.netmiko_transport import NetmikoTransport, driver_class
from backups.simulator import DeviceSpec, Fault, Fleet
from backups.simulator.device import Device
from backups.simulator.terminal import GARBAGE
from backups.transport import Limits, Target
from inventory.platforms import registry
from inventory.platforms.sheet import Command, Platform, Restore
from tests.backups.ssh_server import PASSWORD, bare_server
from tests.sampling import sampled

SHORT = Limits(deadline=20, connect=5, idle=5)
NEVER = Limits(deadline=600, connect=600, idle=600)  # a test that waited for one of these would never end
IOS = "cisco_ios"


def target_of(device: Device, **more: Any) -> Target:
    """A simulated device as the collector sees it."""
    known = {"password": device.password, "enable_secret": device.enable_secret, "host_key": device.host_key}
    return Target(device.name, device.address, device.port, device.username, **(known | more))


def sheet(netmiko_type: str = IOS, line: str = "show running-config", enable: bool = True, **more: Any) -> Platform:
    """A sheet of one command."""
    return Platform(
        slug="tried", label="Tried", netmiko_type=netmiko_type, commands=(Command(line, "a.cfg"),),
        restore=Restore("none", "for a test"), verified="none", source="a test", enable=enable, **more,
    )  # fmt: skip


def said(target: Target, platform: Platform | None = None, *, limits: Limits = SHORT, line: str = "show run") -> bytes:
    """One answer of a device."""
    with NetmikoTransport().open(target, platform or sheet(), limits) as session:
        return session.run(line)


@pytest.fixture
def ios() -> Iterator[Device]:
    """A simulated IOS device."""
    with Fleet([DeviceSpec(IOS, enable_secret="s3cret")], seed=3) as fleet:
        yield fleet[0]


# Bytes


def test_stored_bytes_are_the_bytes_that_were_sent(ios: Device) -> None:
    """netmiko decodes as UTF-8 and drops what is none: a banner in latin-1 would come back shorter."""
    platform = registry.platform(IOS)
    clean = said(target_of(ios), platform, line="show startup-config")
    ios.set_faults("garbage")

    dirty = said(target_of(ios), platform, line="show startup-config")

    lines = clean.replace(b"\r\n", b"\n").splitlines(keepends=True)
    garbage = GARBAGE.encode("latin-1")
    expected = b"".join(line + (garbage if n % 7 == 0 else b"") for n, line in enumerate(lines))
    assert dirty.replace(b"\r\n", b"\n").strip(b"\n") == expected.strip(b"\n")


def test_a_large_configuration_comes_whole() -> None:
    """Two megabytes in thousands of pieces: a core router with every customer on it."""
    with Fleet([DeviceSpec(IOS, size=2_000_000)], seed=3) as fleet:
        answer = said(target_of(fleet[0]), registry.platform(IOS), line="show startup-config")

        assert answer.replace(b"\r\n", b"\n").strip().endswith(b"end")
        assert len(answer) > 1_900_000


def test_a_prompt_in_a_banner_with_a_pause_behind_it_ends_nothing() -> None:
    """The text that makes a plain collector store half a configuration and call it good."""

    async def shell(process: Any) -> None:
        process.stdout.write("edge1#")
        async for line in process.stdin:
            process.stdout.write(f"{line.rstrip()}\r\n")
            if line.startswith("show run"):
                process.stdout.write("banner motd ^C\r\nedge1#")
                await asyncio.sleep(0.02)
                process.stdout.write("\r\n^C\r\nend\r\n")
            process.stdout.write("edge1#")

    with bare_server(shell) as server:
        assert said(server.target()) == b"banner motd ^C\r\nedge1#\r\n^C\r\nend\r\n"


def test_a_pager_that_cannot_be_turned_off_is_read_through(ios: Device) -> None:
    """Some accounts may not say `terminal length 0`; their configurations are wanted as well."""
    platform = registry.platform(IOS)
    whole = said(target_of(ios), platform, line="show startup-config")
    ios.set_faults("sticky-pager")

    assert said(target_of(ios), platform, line="show startup-config") == whole


def test_a_device_without_echo_is_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some terminals do not echo; nothing of the answer may be mistaken for it."""
    monkeypatch.setattr(ssh_wire, "STRANGE_QUIET", 0.25)

    async def shell(process: Any) -> None:
        process.stdout.write("edge1#")
        async for line in process.stdin:
            process.stdout.write("\r\nhostname edge1\r\nend\r\nedge1#" if "show" in line else "\r\nedge1#")

    with bare_server(shell) as server:
        assert said(server.target()).strip() == b"hostname edge1\r\nend"


# Who is there


def test_a_changed_host_key_gets_no_password(ios: Device) -> None:
    """Whoever took the device's place must not be handed its password."""
    target = target_of(ios)
    ios.set_faults("hostkey")

    with pytest.raises(HostKeyChanged) as caught:
        said(target)

    assert list(ios.password_attempts) == []
    assert ios.logins == 0
    assert "pinned" in str(caught.value)


def test_a_device_that_is_not_pinned_shows_the_key_to_pin(ios: Device) -> None:
    """Trust on first use: the caller pins what the device proved to hold."""
    with NetmikoTransport().open(target_of(ios, host_key=""), sheet(), SHORT) as session:
        assert session.host_key == ios.host_key


def test_a_device_with_several_host_keys_is_known_by_the_pinned_one() -> None:
    """Else every device with an RSA and an Ed25519 key would look replaced after an update of ours."""
    keys = [asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256")]
    with bare_server(server_host_keys=keys) as server:
        for pinned in server.host_keys:
            with NetmikoTransport().open(server.target(host_key=pinned), sheet(), SHORT) as session:
                assert session.host_key == pinned


def test_a_refused_password_is_tried_once(ios: Device) -> None:
    """Each further try brings the account nearer to being locked."""
    with pytest.raises(LoginRefused) as caught:
        said(target_of(ios, password="not-the-password"))

    assert len(ios.password_attempts) == 1
    assert caught.value.worth_retrying is False


def test_a_password_dialogue_is_answered() -> None:
    """Many devices offer keyboard-interactive only."""
    with bare_server(keyboard=True) as server:
        assert said(server.target()).endswith(b"end\r\n")
        assert server.passwords == [PASSWORD]


@pytest.mark.parametrize("kind", sampled(["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"], ("ssh-ed25519",)))
def test_a_private_key_opens_the_device(kind: str) -> None:
    """Keys are kept as text, with a passphrase, and never become files."""
    key = asyncssh.generate_private_key(kind)
    spec = DeviceSpec(IOS, authorized_key=key.export_public_key().decode())
    text = key.export_private_key(passphrase="over the bridge", rounds=16).decode()
    with Fleet([spec], seed=3) as fleet:
        target = target_of(fleet[0], password="", private_key=text, passphrase="over the bridge")

        assert b"hostname" in said(target, limits=NEVER)
        assert next(one.method for one in fleet[0].attempts if one.accepted) == "publickey"


def test_a_key_that_cannot_be_read_is_said_before_anything_is_sent(ios: Device) -> None:
    """A wrong passphrase is the credential's fault, not the device's."""
    text = asyncssh.generate_private_key("ssh-ed25519").export_private_key(passphrase="right", rounds=16).decode()

    with pytest.raises(NoCredential):
        said(target_of(ios, private_key=text, passphrase="wrong"))

    assert ios.logins == 0


def test_old_algorithms_only_for_a_device_that_is_marked() -> None:
    """SHA-1 may be needed for a switch of 2009, and must never be agreed on with any other."""
    with bare_server(kex_algs=["diffie-hellman-group14-sha1"]) as server:
        with pytest.raises(AlgorithmRefused):
            said(server.target())
        assert server.passwords == []

        assert said(server.target(legacy_algorithms=True)).endswith(b"end\r\n")


@pytest.mark.parametrize(
    "kex", ["diffie-hellman-group14-sha256", "diffie-hellman-group16-sha512", "curve25519-sha256", "ecdh-sha2-nistp384"]
)
def test_each_key_exchange_works(kex: str) -> None:
    """Diffie-Hellman is reckoned by OpenSSL here: the same numbers must come out."""
    with bare_server(kex_algs=[kex]) as server:
        assert said(server.target()).endswith(b"end\r\n")


def test_the_enable_secret_opens_privileged_mode(ios: Device) -> None:
    """Without it the device shows nothing."""
    assert b"hostname" in said(target_of(ios), sheet())
    assert "enable" in ios.commands


def test_a_wrong_enable_secret_is_no_refused_login(ios: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has to mend it wants to know which of the two secrets is wrong."""
    monkeypatch.setattr(netmiko_transport, "GIVE_UP_AFTER", 0.25)
    with pytest.raises(EnableRefused):
        said(target_of(ios, enable_secret="wrong"), sheet())


def test_enable_is_not_said_unless_asked_for(ios: Device) -> None:
    """A sheet that does without it leaves the device as it logs in."""
    said(target_of(ios), sheet(enable=False))

    assert "enable" not in ios.commands


def test_the_login_password_stands_in_for_a_missing_enable_secret() -> None:
    """One AAA server behind both is common; nobody should have to type the same password twice."""
    with Fleet([DeviceSpec("cisco_ios", password="one-for-both", enable_secret="one-for-both")]) as fleet:
        answer = said(target_of(fleet[0], enable_secret=""), sheet())

    assert answer.rstrip().endswith(b"end")


def test_a_missing_enable_secret_is_asked_for(ios: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence must say what to do, not only what went wrong."""
    monkeypatch.setattr(netmiko_transport, "GIVE_UP_AFTER", 0.25)
    with pytest.raises(EnableRefused, match="give its credential an enable secret"):
        said(target_of(ios, enable_secret=""), sheet())


# What goes wrong


def test_nobody_listening() -> None:
    """The first thing to find out about a device that does not answer."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        target = Target("edge1", "127.0.0.1", nobody.getsockname()[1], "admin", password="x")

        with pytest.raises(Unreachable, match="edge1"):
            said(target)


def test_a_name_that_does_not_resolve() -> None:
    """The resolver's own patience is not ours."""
    with pytest.raises(Unreachable):
        said(Target("edge1", "no-such-device.invalid", 22, "admin", password="x"), limits=replace(SHORT, connect=1))


def test_something_that_says_nothing_is_no_ssh_server(ios: Device) -> None:
    """A wrong port, or a device too busy to say hello."""
    ios.set_faults("silent")

    with pytest.raises(NotSSH):
        said(target_of(ios), limits=replace(SHORT, connect=0.5))


def test_something_that_is_not_ssh() -> None:
    """A web server on the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n" * 200)

        served = pool.submit(serve)
        with pytest.raises(NotSSH):
            said(Target("edge1", "127.0.0.1", listener.getsockname()[1], "admin", password="x"))
        served.result()


def test_a_flood_instead_of_a_greeting_is_cut_off() -> None:
    """paramiko collects a greeting without a line end for ever: gigabytes, from whoever answers on the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve() -> int:
            taken, _ = listener.accept()
            sent = 0
            with taken, suppress(OSError):
                while sent < 500_000_000:
                    sent += taken.send(bytes(65_536))
            return sent

        served = pool.submit(serve)
        with pytest.raises(NotSSH):
            said(Target("edge1", "127.0.0.1", listener.getsockname()[1], "admin", password="x"), limits=NEVER)
        assert served.result() < 50_000_000


def test_a_dead_link_is_noticed_at_once(ios: Device) -> None:
    """netmiko notices it only after its read timeout; here a limit of ten minutes is never waited for."""
    ios.set_faults("drop")

    with pytest.raises(LinkLost):
        said(target_of(ios), limits=NEVER)


def test_a_device_that_hangs_up_while_we_log_in_refused_nobody() -> None:
    """Taking it for a refused password would make people change passwords that are right."""

    class HangsUp(asyncssh.SSHServer):
        def connection_made(self, connection: Any) -> None:
            self.connection = connection

        def begin_auth(self, _username: str) -> bool:
            self.connection.abort()
            return True

    with bare_server(door=HangsUp) as server, pytest.raises(LinkLost):
        said(server.target(), limits=NEVER)


def test_the_deadline_holds_for_a_device_that_says_nothing(ios: Device) -> None:
    """One stuck device must not hold a thread for ever."""
    ios.set_faults("hang")

    with pytest.raises(DeadlineExceeded):
        said(target_of(ios), limits=replace(NEVER, deadline=0.5))


def test_the_deadline_holds_for_a_device_that_never_stops(ios: Device) -> None:
    """It says something all the time, so only the total shows it."""
    ios.set_faults("endless")

    with pytest.raises(DeadlineExceeded):
        said(target_of(ios), limits=replace(NEVER, deadline=0.5, max_bytes=10**9))


def test_the_deadline_holds_while_a_terminal_is_asked_for() -> None:
    """paramiko waits for that answer without any limit; the socket ends it."""
    done = threading.Event()

    class NoTerminal(asyncssh.SSHServer):
        def begin_auth(self, _username: str) -> bool:
            return False

        def session_requested(self) -> bool:
            return done.wait(60)

    with bare_server(door=NoTerminal) as server:
        with pytest.raises(DeadlineExceeded):
            said(server.target(), limits=replace(NEVER, deadline=0.8))
        done.set()


def test_silence_in_the_middle_of_an_answer_ends_it(ios: Device) -> None:
    """Half an answer and then nothing is not an answer, however much time is left."""

    async def shell(process: Any) -> None:
        process.stdout.write("edge1#")
        async for line in process.stdin:
            process.stdout.write(f"{line.rstrip()}\r\n")
            if line.startswith("show run"):
                process.stdout.write("hostname ed")
                await asyncio.sleep(3600)
            process.stdout.write("edge1#")

    with bare_server(shell) as server, pytest.raises(DeadlineExceeded, match="silent"):
        said(server.target(), limits=replace(NEVER, idle=0.4))


def test_endless_output_is_cut_at_the_limit(ios: Device) -> None:
    """Memory is for all the other devices too."""
    ios.set_faults("endless")

    with pytest.raises(OutputTooLarge):
        said(target_of(ios), limits=replace(NEVER, max_bytes=100_000))


def test_a_session_that_comes_to_no_prompt() -> None:
    """A menu, or a question that waits for somebody."""

    async def shell(process: Any) -> None:
        turn = 0
        process.stdout.write("Choose a language:")
        async for _ in process.stdin:
            turn += 1
            process.stdout.write(f"\r\nno {'x' * turn}:")

    with bare_server(shell) as server, pytest.raises(NoPrompt):
        said(server.target(), limits=replace(NEVER, idle=0.2))


def test_an_unknown_netmiko_type() -> None:
    """A sheet that somebody wrote by hand."""
    with pytest.raises(UnknownPlatform), socket.create_server(("127.0.0.1", 0)) as listener:
        said(Target("edge1", "127.0.0.1", listener.getsockname()[1], "a", password="x"), sheet("no_such_type"))


@pytest.mark.parametrize(
    "fault", ["drop", "refuse-login", "endless", "hostkey", "hang", "silent", Fault("invalid"), "lookalike"]
)
def test_no_secret_is_in_an_error(ios: Device, fault: Fault | str) -> None:
    """Errors are shown, logged and stored; what led to them is cut off."""
    target = target_of(ios)
    ios.set_faults(fault)

    try:
        said(target, sheet(), limits=Limits(deadline=1, connect=0.5, idle=1, max_bytes=100_000))
    except CollectError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(target)
        assert ios.password not in shown
        assert "s3cret" not in shown
        assert ios.name in str(error)


def test_nothing_is_logged(ios: Device, caplog: pytest.LogCaptureFixture) -> None:
    """Both libraries log what devices say, and their own tracebacks, to whoever listens."""
    caplog.set_level(0)
    said(target_of(ios))
    ios.set_faults("drop")
    with pytest.raises(LinkLost):
        said(target_of(ios))

    assert [record for record in caplog.records if record.name.split(".")[0] in ("paramiko", "netmiko")] == []


# Files


def test_a_file_comes_over_the_same_connection(ios: Device) -> None:
    """A binary backup is fetched where the commands were said: one login, one deadline."""
    ios.files["backup.bin"] = bytes(range(256)) * 400
    with NetmikoTransport().open(target_of(ios), sheet(), SHORT) as session:
        session.run("show run")

        assert session.fetch("/backup.bin") == ios.files["backup.bin"]
    assert ios.connections == 1


def test_a_file_that_is_not_there(ios: Device) -> None:
    """An optional file that a model has not is no trouble, but it must be told from a broken link."""
    with NetmikoTransport().open(target_of(ios), sheet(), SHORT) as session:
        with pytest.raises(CommandRefused, match="none"):
            session.fetch("/not-there")
        assert session.run("show run")  # and the session goes on


def test_a_file_counts_against_the_limit(ios: Device) -> None:
    """A file is as good a way to fill our memory as an answer."""
    ios.files["backup.bin"] = bytes(200_000)
    opened = NetmikoTransport().open(target_of(ios), sheet(), replace(SHORT, max_bytes=100_000))
    with opened as session, pytest.raises(OutputTooLarge):
        session.fetch("/backup.bin")


# All of netmiko


def test_every_ssh_driver_of_netmiko_reads_through_the_wire() -> None:
    """A system that nobody has tried must not fall back on reading that loses bytes."""
    kinds = [kind for kind in CLASS_MAPPER if not any(way in kind for way in ("_telnet", "_serial"))]

    for kind in kinds:
        wired = driver_class(kind)
        assert wired.read_until_pattern.__qualname__ == "WireReading.read_until_pattern", kind
        assert wired.cleanup.__qualname__ == "WireReading.cleanup", kind


def test_fifty_devices_at_once() -> None:
    """A worker talks to many devices in threads; none may get another's answer."""
    with Fleet([DeviceSpec(IOS, size=4000)] * 50, seed=3) as fleet:

        def one(device: Device) -> bool:
            return f"hostname {device.name}".encode() in said(target_of(device), limits=NEVER)

        with ThreadPoolExecutor(50) as pool:
            assert all(pool.map(one, fleet))
        assert [device.logins for device in fleet] == [1] * 50


def test_hanging_up_leaves_nothing_behind(ios: Device) -> None:
    """Virtual terminals are few, and so are our file descriptors and threads."""
    said(target_of(ios))
    before = threading.active_count()
    for _ in range(5):
        said(target_of(ios))

    assert threading.active_count() == before
