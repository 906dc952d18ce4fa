"""Devices that only speak telnet: the same reader, on a wire that everybody can listen to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from backups import ssh_wire
from backups.collect import collect
from backups.errors import CommandRefused, LinkLost, LoginRefused, UnknownPlatform
from backups.netmiko_transport import NetmikoTransport
from backups.transport import Limits, Target
from inventory.platforms import registry

LIMITS = Limits(deadline=20, connect=5, idle=5)
CONFIG = (
    b"version 12.2\r\nhostname edge1\r\nbanner motd ^C\r\nedge1#\r\n^C\r\ndescription caf\xe9 \xff\xff\r\n"
    + b" no ip redirects\r\n" * 40
    + b"end\r\n"
)
OPTIONS = bytes([255, 253, 24, 255, 251, 1, 255, 251, 3, 255, 253, 31, 255, 250, 24, 1, 255, 240])


class Box:
    """A switch of 2004."""

    def __init__(self, *, dies: bool = False) -> None:
        self.dies = dies
        self.heard: list[bytes] = []

    def serve(self, sock: socket.socket) -> None:
        """One connection."""
        with sock, suppress(OSError), sock.makefile("rb") as said:
            sock.sendall(OPTIONS + b"\r\nUser Access Verification\r\n\r\nUsername: ")
            self.heard.append(line_of(said))
            while True:
                sock.sendall(b"\r\nPassword: ")
                self.heard.append(line_of(said))
                if self.heard[-1] == b"right":
                    break
                sock.sendall(b"\r\n% Login invalid\r\n\r\nUsername: ")
                line_of(said)
            sock.sendall(b"\r\nedge1#")
            while line := line_of(said):
                self.heard.append(line)
                sock.sendall(line + b"\r\n")
                if self.dies and line.startswith(b"show run"):
                    sock.sendall(CONFIG[:40])
                    return
                sock.sendall((CONFIG.replace(b"\xff", b"\xff\xff") if line.startswith(b"show") else b"") + b"edge1#")


def line_of(said: object) -> bytes:
    """The next line that was typed, without telnet's own bytes; blank ones count as one blank."""
    line: bytes = said.readline()  # type: ignore[attr-defined]
    while b"\xff" in line:
        at = line.index(b"\xff")
        line = line[:at] + line[at + 3 :]
    return line.strip(b"\r\n\x00") or (b" " if line else b"")


@contextmanager
def telnet(box: Box) -> Iterator[Target]:
    """The box on a port, as a target."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    box.serve(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        port = listener.getsockname()[1]
        yield Target("edge1", "127.0.0.1", port, "netcairn", password="right", telnet=True)
        listener.shutdown(socket.SHUT_RDWR)


def test_a_device_is_collected_over_telnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte, with a prompt in its banner and telnet's own escape byte in a description."""
    monkeypatch.setattr(ssh_wire, "STRANGE_QUIET", 0.25)
    box = Box()
    with telnet(box) as target:
        collected = collect(target, registry.platform("cisco_ios"), transport=NetmikoTransport(), limits=LIMITS)

    assert collected.capture.doubts == ()
    assert collected.capture.files["running.cfg"] == CONFIG.replace(b"\r\n", b"\n")
    assert collected.host_key == ""
    assert box.heard[:2] == [b"netcairn", b"right"]


def test_a_refused_password_is_tried_once_over_telnet() -> None:
    """The same rule as with SSH; and the transcript does not hold it."""
    box = Box()
    with telnet(box) as target, pytest.raises(LoginRefused) as caught:
        wrong = replace(target, password="canary-wrong")
        collect(wrong, registry.platform("cisco_ios"), transport=NetmikoTransport(), limits=LIMITS)

    assert [text for text in box.heard if text.strip()] == [b"netcairn", b"canary-wrong"]
    assert "Login invalid" in caught.value.transcript
    assert "canary-wrong" not in caught.value.transcript


def test_a_telnet_link_that_dies_is_noticed() -> None:
    """Half a configuration is no configuration."""
    with telnet(Box(dies=True)) as target, pytest.raises(LinkLost):
        collect(target, registry.platform("cisco_ios"), transport=NetmikoTransport(), limits=LIMITS)


def test_there_are_no_files_over_telnet() -> None:
    """Said, and not crashed on."""
    ios = registry.platform("cisco_ios")
    with (
        telnet(Box()) as target,
        NetmikoTransport().open(target, ios, LIMITS) as session,
        pytest.raises(CommandRefused, match="telnet"),
    ):
        session.fetch("vlan.dat")


def test_a_system_without_telnet_says_so() -> None:
    """Not every system has it in netmiko, and nothing is tried then."""
    with telnet(Box()) as target, pytest.raises(UnknownPlatform, match="telnet"):
        collect(target, registry.platform("mikrotik_routeros"), transport=NetmikoTransport(), limits=LIMITS)
