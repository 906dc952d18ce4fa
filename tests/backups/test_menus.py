"""Systems that let people in to a menu: the way through it to where questions are answered."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("asyncssh", reason="the simulated devices need asyncssh")

from backups.collect import collect
from backups.netmiko_transport import NetmikoTransport
from backups.transport import Limits
from inventory.platforms import registry
from tests.backups.ssh_server import bare_server
from tests.platforms.cases import CASES

MENU = (
    "\r\nSophos Firmware Version SFOS 19.5.3\r\n\r\nMain Menu\r\n\r\n    4.  Device Console\r\n    0.  Exit\r\n\r\n"
    "    Select Menu Number [0-7]: "
)
ANSWERS = next(case for case in CASES if case.platform.slug == "sophos_sfos").answers


PRESSED: list[str] = []


async def sophos(process: Any) -> None:
    """A Sophos Firewall's menu, and behind its fourth entry the console."""
    commands = {command.line: command.filename for command in registry.platform("sophos_sfos").commands}
    at_menu = True
    process.stdout.write(MENU)
    async for line in process.stdin:
        said = line.strip()
        PRESSED.extend([said] if at_menu else [])
        if at_menu and said == "4":
            at_menu = False
            process.stdout.write("4\r\n\r\nSophos Firmware Version SFOS 19.5.3\r\n\r\nconsole> ")
        elif at_menu:
            process.stdout.write(f"{said}\r\n{MENU}")
        elif said in commands:
            process.stdout.write(f"{said}\r\n{ANSWERS[commands[said]].decode()}console> ")
        else:
            process.stdout.write(f"{said}\r\n% Error: Unknown Parameter\r\nconsole> " if said else "\r\nconsole> ")


def test_a_sophos_firewall_is_asked_behind_its_menu() -> None:
    """A key that is pressed at the menu does something: only the one that leads to the console may be sent."""
    with bare_server(sophos) as server:
        found = collect(
            server.target(), registry.platform("sophos_sfos"), transport=NetmikoTransport(), limits=Limits(deadline=30)
        )

    assert set(PRESSED) <= {"", "4"}
    assert found.capture.doubts == ()
    assert found.capture.files == next(case for case in CASES if case.platform.slug == "sophos_sfos").stored
