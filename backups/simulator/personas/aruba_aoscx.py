"""Aruba AOS-CX: lines take effect one by one; the automatic checkpoint takes them all back unless it is confirmed."""

from __future__ import annotations

import random

from backups.simulator import samples
from backups.simulator.cisco_like import CiscoLikeConsole
from backups.simulator.console import Refused, Reply, command
from backups.simulator.device import Device
from backups.simulator.indented import Grammar, Section, any_of
from backups.simulator.indented_persona import IndentedPersona

MINUTE = 60
VERSION = "!\n!Version ArubaOS-CX FL.10.13.1000\n!export-password: default\n"

GRAMMAR = Grammar(
    words="hostname|user|banner|ntp|logging|snmp-server|snmpv3|ssh|ip|ipv6|radius-server|tacacs-server|aaa|clock|https-server",
    sections=(
        Section(
            opener=r"interface (?:\d+/\d+/\d+|mgmt|(?:vlan|loopback|lag) \d+)$",
            mode="if",
            accepts="description|shutdown|no shutdown|vlan|ip|ipv6|mtu|routing|lag|vrf|nameserver|default-gateway",
            order=("description", "shutdown", "mtu", "vrf", "vlan", "ip"),
            fixed=r"interface (?:\d|mgmt)",
        ),
        Section(opener=r"vlan \d+$", mode="vlan", accepts="name|description"),
        Section(opener=r"snmp-server community \S+$", mode="snmp", accepts="access-level|view"),
        Section(opener=r"access-list ip \S+$", mode="acl", accepts=r"\d+ (?:permit|deny|comment)", numbered=True),
        Section(opener=r"router ospf \d+$", mode="ospf", accepts="router-id|area|passive-interface|redistribute"),
    ),
    order=(
        "hostname", "banner", "user", "radius", "tacacs", "aaa", "logging", "ntp", "snmp", "ssh", "access-list", "vlan",
        "interface", "ip", "router", "https",
    ),
    single=any_of(
        r"hostname|description|name|user \S+|banner \w+|vlan (?:access|trunk native)|ip address|mtu|access-level",
        r"snmp-server system-(?:location|contact)|router-id|shutdown|vrf attach|ip dns domain-name|clock timezone",
        r"\d+(?= (?:permit|deny|comment))",
    ),
    shown_when_off=r"shutdown$",
    indent=4,
    nested_bang=False,
    banner_end="^",
    between=None,
    last=(),
)  # fmt: skip


class ArubaAoscxConsole(CiscoLikeConsole):
    """One login on an AOS-CX switch."""

    grammar = GRAMMAR
    filters = ("include", "exclude", "begin", "count")
    invalid = "Invalid input: not a command\n"
    saved = "Configuration changes will take time to process, please be patient.\n"

    def greeting(self) -> str:
        """Every login is privileged."""
        self.privileged = True
        return "Last login: 2026-11-19 08:12:01 from 192.0.2.7\n"

    def refusal(self, line: str) -> str:
        """It names the word."""
        return f"Invalid input: {line.split(maxsplit=1)[0] if line.split() else ''}\n"

    @command("no page")
    def do_no_page(self) -> str:
        """Paging."""
        self.set_page_length(0)
        return ""

    @command("show startup-config")
    def show_startup(self) -> Reply:
        """The saved configuration."""
        return Reply(f"Startup configuration:\n{VERSION}{self.device.startup}", is_configuration=True)

    @command("show version")
    def show_version(self) -> str:
        """Version."""
        return (
            "-----------------------------------------------------------------------------\nArubaOS-CX\n"
            "(c) Copyright Hewlett Packard Enterprise Development LP\n"
            "Version      : FL.10.13.1000\nActive Image : primary\n"
        )

    @command("write memory", "copy running-config startup-config")
    def do_write(self) -> str:
        """Save."""
        self.device.save(self.username)
        return self.saved

    @command("checkpoint auto confirm")
    def do_confirm(self) -> str:
        """Keep what was changed."""
        if not self.device.stop_timer():
            raise Refused("Auto checkpoint mode is not active.\n")
        return f"checkpoint AUTO{self.device.clock.now():%Y%m%d%H%M%S} created\n"

    @command("checkpoint auto {}")
    def do_auto(self, minutes: str) -> str:
        """From now on every change is taken back after so many minutes."""
        if self.device.timer:
            raise Refused("Auto checkpoint mode is active already.\n")
        before = self.device.running
        self.device.start_timer(int(minutes) * MINUTE, lambda: self._go_back(before))
        return f"Auto checkpoint mode expires in {minutes} minute(s)\n"

    def _go_back(self, text: str) -> None:
        self.device.running = text


class ArubaAoscx(IndentedPersona):
    """Aruba AOS-CX."""

    slug = "aruba_aoscx"
    short = "sim-cx"
    console = ArubaAoscxConsole
    grammar = GRAMMAR
    nameless = "switch"

    def shown(self, device: Device) -> str:
        """A heading and the version."""
        return f"Current configuration:\n{VERSION}{device.running}"

    @staticmethod
    def text(name: str, size: int, rng: random.Random) -> str:
        """An access switch with as many ports as fit into the size."""
        head = f"""hostname {name}
user admin group administrators password ciphertext {samples.token(rng, 40)}
radius-server host {samples.address(rng)} key ciphertext {samples.token(rng, 20)}
logging {samples.address(rng)}
ntp server {samples.address(rng)} iburst
snmp-server system-location {samples.words(rng, 3)}
snmp-server system-contact noc@example.net
snmp-server community {samples.token(rng, 12)}
    access-level ro
ssh server vrf mgmt
vlan 1
vlan 20
    name {samples.words(rng, 1)}
interface mgmt
    no shutdown
    ip static {samples.address(rng)}/24
interface loopback 0
    description router id
    ip address {samples.address(rng)}/32
ip route 0.0.0.0/0 {samples.address(rng)}
router ospf 1
    router-id {samples.address(rng)}
https-server vrf mgmt
"""
        ports = samples.fill(
            size - len(head),
            lambda n: (
                f"interface 1/1/{n + 1}\n    description {samples.words(rng)}\n    no shutdown\n    vlan access 20\n"
            ),
        )
        return head + ports


PERSONA = ArubaAoscx()
