"""Two ways into a simulated device: netmiko, as Netcairn itself goes, and a bare shell that sees every byte."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

import paramiko
from netmiko import BaseConnection, ConnectHandler

from backups.simulator import Device, FaultDraw
from backups.simulator.console import Console

PATIENCE = 10


def connect(device: Device, **options: object) -> BaseConnection:
    """Log in with netmiko, privileged where the platform knows that."""
    usual = {
        "device_type": device.platform,
        "host": device.address,
        "port": device.port,
        "username": device.username,
        "password": device.password,
        "secret": device.enable_secret,
    }
    session = ConnectHandler(**usual | options)
    session.enable()
    return session


def console(device: Device) -> Console:
    """A privileged login without any network."""
    opened = device.persona.console(device, device.username, FaultDraw(None))
    opened.at_console()
    return opened


def transport(device: Device) -> paramiko.Transport:
    """An SSH connection before the login."""
    opened = paramiko.Transport(socket.create_connection((device.address, device.port), timeout=PATIENCE))
    opened.banner_timeout = PATIENCE
    opened.start_client(timeout=PATIENCE)
    return opened


class Shell:
    """A shell whose bytes are read up to a text, never for a time."""

    def __init__(self, device: Device) -> None:
        self.transport = transport(device)
        self.transport.auth_password(device.username, device.password)
        self.channel = self.transport.open_session(timeout=PATIENCE)
        self.channel.settimeout(PATIENCE)
        self.channel.get_pty(width=511, height=24)
        self.channel.invoke_shell()
        self._came = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transport.close()

    def until(self, text: str) -> str:
        """Everything that comes up to and with the text. Raises EOFError when the device hangs up before."""
        while text not in self._came:
            piece = self.channel.recv(65_536)
            if not piece:
                raise EOFError(self._came)
            self._came += piece.decode("latin-1")
        before, found, self._came = self._came.partition(text)
        return before + found

    def say(self, keys: str) -> None:
        """Type."""
        self.channel.sendall(keys.encode("latin-1"))

    def ask(self, line: str, until: str) -> str:
        """Type a line and read the answer."""
        self.say(line + "\n")
        return self.until(until)
