"""The SSH side of the simulator: who may log in, and what a login gets. With flash.py the only user of asyncssh."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections import deque
from contextlib import suppress
from typing import Any

import asyncssh

from backups.simulator.device import Device, LoginAttempt
from backups.simulator.flash import FlashServer
from backups.simulator.hostkeys import private_pem
from backups.simulator.terminal import Terminal

# A fleet under faults would otherwise log every broken connection.
logging.getLogger("asyncssh").setLevel(logging.CRITICAL)


def _quicken() -> None:
    """Leave out what no device needs: a tenth of the CPU went into sentences for a log, and into one name's letters.

    The less a simulated device takes of a machine, the more a benchmark on it says about who collects.
    """
    nothing = functools.partial(lambda *_, **__: None)
    asyncssh.logging.SSHLogger.log = nothing
    asyncssh.packet.SSHPacketLogger._log_packet = nothing
    asyncssh.connection.saslprep = functools.lru_cache(asyncssh.connection.saslprep)


_quicken()

LOGIN_SECONDS = 60


class Door(asyncssh.SSHServer):
    """Lets users of one device in, and counts who tried."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.faults = device.draw_faults()
        self._inside = False

    def begin_auth(self, _username: str) -> bool:
        """Everybody has to prove who they are."""
        return True

    def auth_completed(self) -> None:
        """Count a login."""
        self._inside = True
        self._device.note_session(1)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Count a session less."""
        if self._inside:
            self._inside = False
            self._device.note_session(-1)

    def connection_requested(self, *_where: Any) -> bool:
        """Only a jump host goes on to somewhere else."""
        if not self._device.spec.forwards:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "forwarding is off")
        self._device.note_forward()
        return True

    def password_auth_supported(self) -> bool:
        """Unless it asks in a dialogue."""
        return not self._device.spec.keyboard_interactive

    def kbdint_auth_supported(self) -> bool:
        """Where it does."""
        return self._device.spec.keyboard_interactive

    def get_kbdint_challenge(self, *_about: str) -> Any:
        """One question, without echo."""
        return "", "", "en", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: list[str]) -> bool:
        """As a password."""
        return len(responses) == 1 and self.validate_password(username, responses[0])

    def validate_password(self, username: str, password: str) -> bool:
        """Right user, right password, and no fault that says otherwise."""
        return self._judged(username, "password", self._is_known(username) and password == self._device.password)

    def public_key_auth_supported(self) -> bool:
        """Only when the device knows a key."""
        return bool(self._device.spec.authorized_key)

    def validate_public_key(self, username: str, key: Any) -> bool:
        """The one key that the device knows."""
        known = self._device.spec.authorized_key
        right = bool(known) and key == asyncssh.import_public_key(known)
        return self._judged(username, "publickey", right and self._is_known(username))

    def _is_known(self, username: str) -> bool:
        return self._device.persona.login_name(username) == self._device.username

    def _judged(self, username: str, method: str, right: bool) -> bool:
        accepted = right and self.faults.get("refuse-login") is None
        self._device.note_attempt(LoginAttempt(username, method, accepted))
        return accepted


class FarConnection(asyncssh.SSHServerConnection):
    """On a long line: whatever the client says arrives later."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: Any, *, seconds: float) -> None:
        super().__init__(loop, options)
        self._seconds = seconds
        self._under_way: deque[bytes] = deque()

    def data_received(self, data: bytes, datatype: Any = None) -> None:  # noqa: ARG002  (asyncssh's signature)
        """Under way, in order."""
        self._under_way.append(data)
        self._loop.call_later(self._seconds, self._arrive)

    def _arrive(self) -> None:
        data = self._under_way.popleft()
        if not self.is_closed():
            super().data_received(data)


class Host:
    """One device on the network: takes connections that were accepted for it."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._options: dict[int, Any] = {}
        self._mute: list[socket.socket] = []
        self._open: set[Any] = set()

    async def take(self, sock: socket.socket) -> None:
        """Speak SSH on a TCP connection, or misbehave on it."""
        faults = self.device.draw_faults()
        self.device.note_connection()
        if self.device.unreachable:
            sock.close()
        elif faults.get("silent") is not None:
            self._mute.append(sock)
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._serve(sock, int(faults.get("hostkey") is not None))

    async def _serve(self, sock: socket.socket, generation: int) -> None:
        loop = asyncio.get_running_loop()
        options = self._options_for(generation)
        with suppress(OSError):  # the client left again at once
            _, connection = await loop.connect_accepted_socket(lambda: self._connection(loop, options), sock)
            self._open = {each for each in self._open if not each.is_closed()} | {connection}

    def _connection(self, loop: asyncio.AbstractEventLoop, options: Any) -> Any:
        if seconds := self.device.spec.round_trip:
            return FarConnection(loop, options, seconds=seconds)
        return asyncssh.SSHServerConnection(loop, options)

    def close(self) -> None:
        """Break every connection."""
        for sock in self._mute:
            sock.close()
        for connection in self._open:
            connection.abort()

    def _options_for(self, generation: int) -> Any:
        # Made at the first connection: a thousand sets of options at the start would cost seconds.
        if generation not in self._options:
            self._options[generation] = _options(self.device, generation)
        return self._options[generation]


def _options(device: Device, generation: int) -> Any:
    key = asyncssh.import_private_key(private_pem(device.seed, device.index, generation))
    old = (
        {"kex_algs": ["diffie-hellman-group14-sha256", "diffie-hellman-group14-sha1"]} if device.spec.legacy_kex else {}
    )
    return asyncssh.SSHServerConnectionOptions(
        server_factory=functools.partial(Door, device),
        server_host_keys=[key],
        process_factory=functools.partial(_shell, device),
        sftp_factory=functools.partial(FlashServer, device=device),
        sftp_version=6,
        allow_scp=True,
        # Devices echo for themselves, and say bytes that are no UTF-8.
        line_editor=False,
        encoding="latin-1",
        agent_forwarding=False,
        gss_host=None,
        login_timeout=LOGIN_SECONDS,
        **old,
    )


async def _shell(device: Device, process: Any) -> None:
    """Serve one shell channel; commands given instead of a shell get one answer."""
    connection = process.get_extra_info("connection")
    faults = connection.get_owner().faults
    username = device.persona.login_name(process.get_extra_info("username"))
    console = device.persona.console(device, username, faults)
    # Breaking a connection is the client's right and, under some faults, the device's.
    with suppress(asyncssh.Error, OSError, asyncssh.BreakReceived, asyncssh.SignalReceived):
        if process.command:
            process.stdout.write(console.enter(process.command).text)
        else:
            await Terminal(device, console, process.stdin, process.stdout, abort=connection.abort).run()
    # A client that logs out is often gone already; one round of the loop lets asyncio notice before more is sent.
    await asyncio.sleep(0)
    if not connection.is_closed():
        process.exit(0)
        connection.close()
