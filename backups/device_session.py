"""A device that we are logged in to: questions and answers, and files, on one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backups import telnet
from backups.sftp import RemoteFiles
from backups.ssh_link import place_of
from backups.ssh_wire import Wire
from backups.transport import Target
from inventory.platforms.sheet import Platform, compiled

if TYPE_CHECKING:
    from backups.netmiko_transport import WireReading


class DeviceSession:
    """A logged-in device."""

    def __init__(self, driver: WireReading, target: Target, platform: Platform) -> None:
        self._driver = driver
        place = place_of(target)
        self._files: RemoteFiles | telnet.NoFiles = telnet.NoFiles(place)
        if not target.telnet:
            self._files = RemoteFiles(driver.remote_conn.transport, wire=driver.wire, place=place)
        self._marks = {line: command.complete_when for command in platform.commands for line in command.lines}

    @property
    def host_key(self) -> str:
        """The key that the device proved to hold: "type base64"."""
        return self._driver.policy.shown

    @property
    def wire(self) -> Wire:
        """The terminal itself, for what is more than asking (`device_writing.py`)."""
        return self._driver.wire

    @property
    def identification(self) -> str:
        """What the SSH server says that it is: "Cisco-1.25", "OpenSSH_9.2"."""
        version = self._driver.policy.server
        return version.removeprefix("SSH-2.0-").removeprefix("SSH-1.99-")

    @property
    def greeting(self) -> str:
        """What the device said before it waited for the first command, its banner and prompt included."""
        transport = self._driver.remote_conn.transport
        banner: bytes = (transport.get_banner() if transport else None) or b""
        return (banner + b"\n" + self.wire.greeting).decode("latin-1").replace("\r", "")

    def run(self, line: str) -> bytes:
        """Say one line, and give back what the device answered: without echo and prompt, otherwise untouched.

        Raises LinkLost, DeadlineExceeded, OutputTooLarge, NoPrompt.
        """
        mark = self._marks.get(line)
        return self._driver.wire.ask(line, whole=compiled(mark) if mark else None)

    def fetch(self, path: str) -> bytes:
        """The bytes of a file of the device, over SFTP on the same connection.

        Raises CommandRefused when there is no such file or no SFTP, LinkLost, DeadlineExceeded, OutputTooLarge.
        """
        return self._files.fetch(path)

    def fetch_by_scp(self, path: str) -> bytes:
        """The same over SCP."""
        return self._files.fetch_by_scp(path)
