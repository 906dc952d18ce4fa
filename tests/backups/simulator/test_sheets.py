"""The platform sheets and the simulated devices agree: every command of a sheet is answered as the sheet expects."""

from __future__ import annotations

import pytest

from backups.capture import read_capture
from backups.simulator import Device, DeviceSpec, slugs
from inventory.platforms.registry import platform as sheet_of
from inventory.platforms.sheet import Platform
from tests.backups.simulator.sessions import console


def answers(sheet: Platform, device: Device) -> dict[str, bytes]:
    """What the device says to each command of the sheet, with the line ends of a terminal."""
    shell = console(device)
    said = {command.filename: shell.enter(command.line).text for command in sheet.commands}
    return {name: text.replace("\n", "\r\n").encode("latin-1") for name, text in said.items()}


@pytest.mark.parametrize("slug", slugs())
def test_a_healthy_device_gives_a_good_capture(slug: str) -> None:
    """With every file that the sheet names and nothing to doubt."""
    sheet, device = sheet_of(slug), Device(DeviceSpec(slug))
    capture = read_capture(sheet, answers(sheet, device), last_good={})

    assert capture.doubts == ()
    assert set(capture.files) == {command.filename for command in sheet.commands}
    assert device.running_config.splitlines()[-1].encode() in capture.files[sheet.commands[0].filename]


@pytest.mark.parametrize("slug", slugs())
def test_time_alone_is_no_change_and_an_edit_is_one(slug: str) -> None:
    """The volatile lines of the sheet cover those of the device, and no more."""
    sheet, device = sheet_of(slug), Device(DeviceSpec(slug))
    first = read_capture(sheet, answers(sheet, device), last_good={})
    device.clock.advance(86_400)
    later = read_capture(sheet, answers(sheet, device), last_good={})
    device.set_faults("lookalike")
    edited = read_capture(sheet, answers(sheet, device), last_good={})

    assert first.digest == later.digest != edited.digest
