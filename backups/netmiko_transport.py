"""Devices by netmiko: its drivers know how to get into some 175 systems, and this makes them quick and exact.

A driver logs in, sets the terminal and enables as netmiko wrote it, but reads through our `Wire`: waiting for bytes
with a limit instead of looking every 10 ms, learning the prompt once, and losing no byte. The commands of a sheet are
asked on the `Wire` directly. This is the one module that imports netmiko, and the place where its errors become ours.
"""

# ruff: noqa: ARG002 - the methods have netmiko's signatures, and most of what they offer has no use here.

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from time import monotonic
from typing import Any

import paramiko
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoBaseException, ReadException, ReadTimeout
from netmiko.fortinet.fortinet_ssh import FortinetSSH
from netmiko.ssh_dispatcher import CLASS_MAPPER

from backups import telnet
from backups.device_session import DeviceSession
from backups.drivers_asleep import let_others_reckon
from backups.errors import CollectError, EnableRefused, UnknownPlatform
from backups.ssh_errors import Stage, translated
from backups.ssh_handshake import PinnedKey, login_key, transport_factory
from backups.ssh_jump import reach
from backups.ssh_link import STRANGERS_BYTES, DeviceSocket, place_of
from backups.ssh_reading import like_a_prompt, waits_for_us
from backups.ssh_unthreaded import Unthreaded
from backups.ssh_wire import Bounds, Manner, Wire
from backups.telnet import TelnetChannel
from backups.transcript import Transcript
from backups.transport import Limits, Target
from inventory.platforms.sheet import Platform

logging.getLogger("netmiko").setLevel(logging.CRITICAL + 1)  # it would log what devices say

GIVE_UP_AFTER = (
    3.0  # seconds of silence at a prompt or question after which a text that a driver waits for will not come
)
BUILD = 0.3  # seconds of silence that end a driver's reading without a pattern


class WireReading(BaseConnection):
    """netmiko's base class with its reading replaced. It stands between a driver and netmiko's own base class.

    So a driver's own peculiarities stay in force, and only what they all inherit changes.
    """

    wire_options: dict[str, Any]
    policy: PinnedKey
    factory: Any
    by_telnet: TelnetChannel
    _wire: Wire | None = None
    _read_buffer: str

    @property
    def wire(self) -> Wire:
        """The terminal; there is one as soon as netmiko has opened it."""
        if self._wire is None:
            self._wire = Wire(self.remote_conn, enter=self.RETURN.encode("latin-1"), **self.wire_options)
        return self._wire

    # Connecting

    def _build_ssh_client(self) -> paramiko.SSHClient:
        client = super()._build_ssh_client()
        client.set_missing_host_key_policy(self.policy)
        # It knows no keys but the policy's; paramiko would define a new class each time that it looks for one.
        client._system_host_keys = client._host_keys = {}
        return client

    def _connect_params_dict(self) -> dict[str, Any]:
        return super()._connect_params_dict() | {"transport_factory": self.factory}

    def establish_by_telnet(self, width: int = 511, height: int = 1000) -> None:
        """What netmiko does with its own telnet client and seconds of sleep."""
        self.remote_conn: Any = self.by_telnet
        telnet.log_in(self.wire, self.policy.target)

    def _try_session_preparation(self, force_data: bool = True) -> None:
        if force_data and self.wire.heard:  # a login dialogue has read the prompt that the preparation waits for
            self.wire.say(b"")
        self.session_preparation()

    def cleanup(self, command: str = "exit") -> None:
        """Nothing: closing the connection logs out, and waiting for a goodbye costs a round trip."""

    # Writing and reading, as drivers do it

    def write_channel(self, out_data: str) -> None:
        """Send keys."""
        self.wire.send(out_data.encode())

    def read_channel(self) -> str:
        """What has come, for a driver: as text with plain line ends."""
        wire = self.wire
        wire.pull_ready()
        said = wire.take()
        if said.endswith(b"\r") and b"\n" in said:  # the other half of a line end is still to come
            wire.give_back(b"\r")
            said = said[:-1]
        text = self.normalize_linefeeds(said.decode("latin-1"))
        if self.ansi_escape_codes:
            text = self.strip_ansi_escape_codes(text)
        text, self._read_buffer = self._read_buffer + text, ""
        return text

    def read_until_pattern(
        self, pattern: str = "", read_timeout: float = 10.0, re_flags: int = 0, max_loops: int | None = None
    ) -> str:
        """Wait for a text. Raises netmiko's ReadTimeout."""
        text, until = "", monotonic() + (read_timeout or self.conn_timeout)
        while True:
            text += self.read_channel()
            found = re.search(pattern, text, re_flags)
            if found:
                self._read_buffer = text[found.end() :]
                return text[: found.end()]
            left = until - monotonic()
            waits = self.wire.answered and waits_for_us(self.wire.last_line)
            if left <= 0 or not self.wire.pull(min(left, GIVE_UP_AFTER) if waits else left):
                raise (
                    ReadTimeout("what the driver waits for did not come")
                    if self.wire.heard
                    else self.wire.said_nothing()
                )

    def read_channel_timing(
        self, last_read: float = 2.0, read_timeout: float = 120.0, delay_factor: Any = None, max_loops: Any = None
    ) -> str:
        """What comes until silence."""
        text, until = self.read_channel(), monotonic() + (read_timeout or self.conn_timeout)
        while monotonic() < until:
            quiet = min(last_read, BUILD) if like_a_prompt(self.wire.last_line) else last_read
            if not self.wire.pull(quiet) and text:
                break
            text += self.read_channel()
        return text

    def clear_buffer(self, backoff: bool = True, backoff_max: float = 3.0, delay_factor: Any = None) -> str:
        """Forget what has come."""
        return self.read_channel()

    def _test_channel_read(self, count: int = 40, pattern: str = "") -> str:
        if pattern:
            return self.read_until_pattern(pattern, read_timeout=20)
        self.wire.settle()
        return self.read_channel()

    def find_prompt(self, delay_factor: float = 1.0, pattern: str | None = None) -> str:
        """The prompt; asked for only when it is not known yet."""
        self.clear_buffer()
        return self.wire.learn_prompt().decode("latin-1")

    def set_base_prompt(self, *args: Any, **kwargs: Any) -> str:
        """What netmiko's own methods look for; an unusual prompt is no reason to give up on a device."""
        try:
            prompt: str = super().set_base_prompt(*args, **kwargs)
        except ValueError:
            prompt = self.base_prompt = self.wire.prompt.decode("latin-1")
        return prompt

    # Preparing: whether the device understood is no matter, its pager is read in any case

    def disable_paging(
        self,
        command: str = "terminal length 0",
        delay_factor: Any = None,
        cmd_verify: bool = True,
        pattern: str | None = None,
    ) -> str:
        """Ask the device not to page."""
        return self._prepared(command, leaving=cmd_verify or bool(pattern))

    def set_terminal_width(
        self, command: str = "", delay_factor: Any = None, cmd_verify: bool = False, pattern: str | None = None
    ) -> str:
        """Ask the device for long lines."""
        return self._prepared(command, leaving=cmd_verify or bool(pattern)) if command else ""

    def _prepared(self, command: str, *, leaving: bool) -> str:
        """Say it. `leaving`: netmiko stops reading at an echo or pattern, and some drivers go on from there."""
        said: str = self.normalize_linefeeds(self.wire.prepare(command.strip()).decode("latin-1"))
        if leaving:
            self._read_buffer = f"{said}{self.wire.last_line.decode('latin-1')}"
        return said


class FortinetByPager(FortinetSSH):
    """netmiko writes `set output standard` into the configuration to stop the paging. A backup changes nothing."""

    def session_preparation(self) -> None:
        """Accept a banner that wants to be accepted, and learn the prompt."""
        data = self._test_channel_read(pattern=f"to accept|{self.prompt_pattern}")
        if "to accept" in data:
            self.write_channel("a\r")
            self._test_channel_read(pattern=self.prompt_pattern)
        self.set_base_prompt()


# What comes out of netmiko and paramiko when a device does not do as they expect; anything else is a bug.
EXPECTED = (
    paramiko.SSHException,
    NetmikoBaseException,
    ReadException,
    OSError,
    EOFError,
    ValueError,
    IndexError,
    CollectError,
)

TELNET = "_telnet"  # ends netmiko's device types that are reached so
REPLACED: dict[type, type] = {FortinetSSH: FortinetByPager}


@cache
def driver_class(netmiko_type: str) -> type[WireReading]:
    """netmiko's class for a device type, reading through a Wire. Raises UnknownPlatform."""
    by_telnet = netmiko_type.endswith(TELNET)
    driver = CLASS_MAPPER.get(netmiko_type)
    if driver is None or "_serial" in netmiko_type:
        way = "telnet" if by_telnet else "SSH"
        known = netmiko_type.removesuffix(TELNET)
        raise UnknownPlatform(f"netmiko has no {way} device type '{known}'; correct the platform or its sheet.")
    driver = REPLACED.get(driver, driver)
    let_others_reckon(driver)
    # After the driver in the order of methods, before netmiko's base class. These alone must come first.
    members: dict[str, Any] = {"cleanup": WireReading.cleanup}
    if by_telnet:
        members["establish_connection"] = WireReading.establish_by_telnet
    return type(f"Wired{driver.__name__}", (driver, WireReading), members)


class NetmikoTransport:
    """The way to real devices."""

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[DeviceSession]:
        """Connect, check the host key, log in, enable and turn paging off. Raises a CollectError."""
        told = Transcript(target, platform)
        with told.of_failure():
            deadline = monotonic() + limits.deadline
            link = reach(target, until=min(deadline, monotonic() + limits.connect))
            driver: WireReading | None = None
            try:
                driver = _driver(target, platform, limits, link, deadline)
                driver.wire_options["transcript"] = told
                try:
                    _get_in(driver, target, platform)
                except EXPECTED as exc:
                    raise translated(exc, target, deadline=deadline, stage=_stage(driver)) from None
                yield DeviceSession(driver, target, platform)
            finally:
                if driver is not None:
                    told.note_server(driver.policy.shown, driver.policy.server)
                _close(driver, link)


def _driver(target: Target, platform: Platform, limits: Limits, link: DeviceSocket, deadline: float) -> WireReading:
    """netmiko's driver for the device, not yet connected. Raises UnknownPlatform, NoCredential."""
    far = limits.deadline + 1  # the link ends everything before
    kind = platform.netmiko_type + TELNET * target.telnet
    driver = driver_class(kind)(
        device_type=kind,
        host=target.address,
        port=target.port,
        username=target.username,
        password=target.password or None,
        # One AAA server behind both is common; the device has seen this password a moment ago.
        secret=target.enable_secret or target.password,
        pkey=login_key(target),
        use_keys=False,
        allow_agent=False,
        sock=link,
        conn_timeout=far,
        auth_timeout=far,
        banner_timeout=far,
        encoding="latin-1",
        allow_auto_change=False,
        auto_connect=False,
    )
    # Twice what its answers may have: for their packets, and for what it says around them.
    idle, most = limits.idle or platform.patience, 2 * limits.max_bytes + STRANGERS_BYTES
    driver.policy = PinnedKey(target, lambda: link.allow(until=deadline, size=most, silence=idle))
    driver.factory = transport_factory(target, Unthreaded)
    if target.telnet:
        link.allow(until=deadline, size=most)
        driver.by_telnet = TelnetChannel(link)
    driver.wire_options = {
        "place": place_of(target),
        "bounds": Bounds(deadline, idle, limits.max_bytes),
        "manner": Manner(platform.pager_pattern, decorated=platform.ansi),
    }
    return driver


def _stage(driver: WireReading) -> Stage:
    if driver.remote_conn is not None:
        return Stage.INSIDE
    return Stage.LOGGING_IN if driver.policy.shown else Stage.CONNECTING


def _get_in(driver: WireReading, target: Target, platform: Platform) -> None:
    driver._open()
    if target.doorman is not None:
        target.doorman.after_login()
    prompt = driver.wire.learn_prompt()
    if platform.enable and not prompt.endswith(b"#"):
        _enable(driver, target)
    for line in platform.setup:
        driver.wire.prepare(line)


def _enable(driver: WireReading, target: Target) -> None:
    """Raises EnableRefused."""
    given = bool(target.enable_secret)
    mend = "correct the enable secret of its credential" if given else "give its credential an enable secret"
    refused = EnableRefused(f"{place_of(target)} let us in, but not into its privileged mode; {mend}.")
    try:
        driver.enable()
    except (ValueError, ReadTimeout):  # netmiko says both, depending on the driver
        raise refused from None
    if driver.wire.learn_prompt().endswith(b">"):
        raise refused


def _close(driver: WireReading | None, link: DeviceSocket) -> None:
    """Hang up. Nothing here waits for the device."""
    link.close()
    if driver is not None:
        client = getattr(driver, "remote_conn_pre", None)
        transport = client.get_transport() if client else None
        driver.remote_conn = None  # a closed link needs no goodbye on its channel
        driver.disconnect()
        if transport is not None:
            transport.forget()
    link.release()
