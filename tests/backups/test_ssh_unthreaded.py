"""One thread for each device: messages are taken in by whoever waits for them."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import paramiko
import pytest

from backups.errors import CollectError, LinkLost
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fleet
from backups.simulator.device import Device
from backups.ssh_unthreaded import DeviceChannel
from backups.transport import Limits, Target
from inventory.platforms import registry
from tests.backups.ssh_server import bare_server

NEVER = Limits(deadline=600, connect=600, idle=600)  # a test that waited for one of these would never end
IOS = registry.platform("cisco_ios")


@pytest.fixture
def ios() -> Iterator[Device]:
    """A simulated IOS device."""
    with Fleet([DeviceSpec("cisco_ios", size=200_000)], seed=3) as fleet:
        yield fleet[0]


def said(target: Target, limits: Limits = NEVER) -> bytes:
    """What a device answers when it is asked for its configuration."""
    with NetmikoTransport().open(target, IOS, limits) as session:
        return session.run("show running-config")


def target_of(device: Device, port: int = 0) -> Target:
    """A simulated device, perhaps by another port."""
    return Target(device.name, device.address, port or device.port, device.username, password=device.password)


def message(kind: int, body: bytes = b"") -> bytes:
    """A message as it is sent before there are keys (RFC 4253, section 6)."""
    padding = 8 - (len(body) + 6) % 8 + 8
    return struct.pack(">IBB", len(body) + 2 + padding, padding, kind) + body + bytes(padding)


STRANGE = {
    "a choice of algorithms that breaks off": message(20, b"x" * 17),
    "a choice of algorithms that is none": message(20, b"x" * 16 + struct.pack(">I", 10**9)),
    "new keys before there are any": message(21),
    "half of an exchange": message(31, b"\xff" * 40),
    "a login that nobody asked for": message(52),
    "data for a channel that nobody opened": message(94, struct.pack(">II", 7, 7)),
    "an end with a reason": message(1, struct.pack(">I", 2) + b"\xff\xff\xff\xff"),
    "a kind that does not exist": message(255, b"?"),
    "an empty message": struct.pack(">IB", 12, 11) + bytes(11),
    "a length beyond all limits": struct.pack(">I", 2**32 - 1) + bytes(400_000),
    "nothing that SSH knows": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("sent", STRANGE.values(), ids=STRANGE)
def test_a_message_out_of_turn_or_out_of_shape_ends_as_an_error_of_ours(sent: bytes) -> None:
    """paramiko's parsing raises nearly anything then, and it runs in the thread that collects."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken, suppress(OSError):
                taken.sendall(b"SSH-2.0-strange\r\n" + sent)
                taken.shutdown(socket.SHUT_WR)
                while taken.recv(65_536):
                    pass

        served = pool.submit(serve)
        with pytest.raises(CollectError):
            said(Target("edge1", "127.0.0.1", listener.getsockname()[1], "admin", password="x"))
        served.result()


@contextmanager
def cut_after(device: Device, size: int) -> Iterator[int]:
    """A port by which the device is reached, and which gives no more than so many of its bytes. It never hangs up."""

    def relay(source: socket.socket, to: socket.socket, most: int) -> None:
        with suppress(OSError):
            while most > 0 and (piece := source.recv(min(65_536, most))):
                to.sendall(piece)
                most -= len(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(2) as pool:
        here = listener.getsockname()[1]
        far = socket.create_connection((device.address, device.port))
        opened: list[socket.socket] = [far]

        def serve() -> None:
            near, _ = listener.accept()
            opened.append(near)
            pool.submit(relay, far, near, size)
            relay(near, far, 1 << 30)

        pool.submit(serve)
        yield here
        for one in opened:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def test_silence_in_the_middle_of_a_message_ends_the_session(ios: Device) -> None:
    """The rest of a message is waited for without looking at the clock of the answer, so the link has to."""
    with cut_after(ios, 50_000) as port, pytest.raises(LinkLost):
        said(target_of(ios, port), replace(NEVER, idle=0.3))


@pytest.mark.parametrize("moment", ["_check_add_window", "sendall"])
def test_a_link_that_ends_while_something_is_sent_has_lost_the_device(
    ios: Device, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it what we say, or that we have read: paramiko ends as EOFError then, which is no error of ours."""
    really = getattr(DeviceChannel, moment)

    def ended(self: DeviceChannel, what: Any) -> Any:
        self.transport.sock.close()
        return really(self, what) or 1

    with NetmikoTransport().open(target_of(ios), IOS, NEVER) as session:
        monkeypatch.setattr(DeviceChannel, moment, ended)
        with pytest.raises(LinkLost):
            session.run("show running-config")


@pytest.mark.parametrize("by", ["us", "the device"])
def test_keys_may_be_exchanged_anew_in_the_middle_of_an_answer(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides may ask for it, and the answer goes on behind it."""
    config = "".join(f"ip route 10.0.{n >> 8}.{n & 255} 255.255.255.255 Null0\r\n" for n in range(3000)) + "end\r\n"
    exchanges: list[str] = []
    really = paramiko.Transport._activate_inbound
    monkeypatch.setattr(paramiko.Transport, "_activate_inbound", lambda self: (exchanges.append(by), really(self)))
    if by == "us":
        monkeypatch.setattr(paramiko.packet.Packetizer, "REKEY_BYTES", 60_000)

    async def shell(process: Any) -> None:
        process.stdout.write("\r\nedge1#")
        async for line in process.stdin:
            process.stdout.write(f"{line.rstrip()}\r\n{config if line.startswith('show run') else ''}edge1#")

    options = {} if by == "us" else {"rekey_bytes": 60_000}
    with bare_server(shell, **options) as server, NetmikoTransport().open(server.target(), IOS, NEVER) as session:
        answers = [session.run("show running-config") for _ in range(3)]
    assert answers == [config.encode()] * 3
    assert len(exchanges) > 1


def test_no_thread_is_started_for_a_device(ios: Device) -> None:
    """Two threads for each of a hundred devices take the interpreter from each other all the time."""
    with NetmikoTransport().open(target_of(ios), IOS, NEVER) as session:
        session.run("show version")
        assert not [one for one in threading.enumerate() if isinstance(one, paramiko.Transport)]
