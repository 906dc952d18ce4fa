"""A bare SSH server on loopback, for what the simulated devices do not do: odd algorithms, keys, logins and shells."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from backups.transport import Target

Shell = Callable[[Any], Awaitable[None]]
PASSWORD = "only-for-this-server"


@dataclass
class BareServer:
    """Where it listens and what it has seen."""

    port: int = 0
    host_keys: list[str] = field(default_factory=list)  # "type base64"
    passwords: list[str] = field(default_factory=list)

    def target(self, **more: Any) -> Target:
        """The server as a device."""
        return Target("edge1", "127.0.0.1", self.port, "admin", **({"password": PASSWORD} | more))


async def prompt_only(process: Any) -> None:
    """A shell that echoes each line and knows one command."""
    process.stdout.write("\r\nedge1#")
    async for line in process.stdin:
        said = line.rstrip("\r\n")
        answer = "hostname edge1\r\nend\r\n" if said.startswith("show run") else ""
        process.stdout.write(f"{said}\r\n{answer}edge1#")


@contextmanager
def bare_server(
    shell: Shell = prompt_only, *, keyboard: bool = False, door: type[asyncssh.SSHServer] | None = None, **options: Any
) -> Iterator[BareServer]:
    """Serve a shell until the block ends.

    `keyboard`: asks for the password in a dialogue only; `door` lets users in by itself.
    """
    keys = options.pop("server_host_keys", None) or [asyncssh.generate_private_key("ssh-ed25519")]
    seen = BareServer(host_keys=[" ".join(key.export_public_key().decode().split()[:2]) for key in keys])

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return not keyboard

        def validate_password(self, _username: str, password: str) -> bool:
            seen.passwords.append(password)
            return password == PASSWORD

        def kbdint_auth_supported(self) -> bool:
            return keyboard

        def get_kbdint_challenge(self, *_about: str) -> Any:
            return "Login", "", "en", [("Password: ", False)]

        def validate_kbdint_response(self, _username: str, responses: list[str]) -> bool:
            seen.passwords += responses
            return responses == [PASSWORD]

    async def serve(process: Any) -> None:
        try:
            await shell(process)
        except (asyncssh.Error, OSError):
            return

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncssh.listen(
        "127.0.0.1", 0, server_factory=door or Door, server_host_keys=keys, process_factory=None if door and "session_requested" in vars(door) else serve,
        line_editor=False, encoding="latin-1", **options,
    )  # fmt: skip
    server = asyncio.run_coroutine_threadsafe(_opened(listening), loop).result(10)
    seen.port = server.get_port()
    try:
        yield seen
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _opened(listening: Any) -> Any:
    return await listening


async def _closed(server: Any) -> None:
    server.close()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
