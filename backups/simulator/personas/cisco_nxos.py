"""Cisco NX-OS: checkpoints, native replace with a commit time-out, SCP into bootflash."""

from __future__ import annotations

import hashlib
import random

from backups.simulator import samples
from backups.simulator.cisco_like import CiscoLikeConsole
from backups.simulator.console import Refused, Reply, command
from backups.simulator.device import Device
from backups.simulator.indented import Grammar, Section, any_of
from backups.simulator.indented_persona import IndentedPersona

_PORTS = "Ethernet|loopback|mgmt|port-channel|Vlan"

GRAMMAR = Grammar(
    words=any_of(
        "version|hostname|feature|username|banner|ip|ipv6|ntp|snmp-server|logging|clock|spanning-tree|tacacs-server",
        "radius-server|aaa|key|cli|boot|line",
    ),
    sections=(
        Section(
            opener=rf"interface (?:{_PORTS})\d[\d/.]*$",
            mode="if",
            accepts="description|switchport|ip|ipv6|shutdown|mtu|speed|channel-group|vrf member|spanning-tree|hsrp",
            order=("description", "shutdown", "switchport", "mtu", "vrf", "ip"),
            fixed=r"interface (?:Ethernet|mgmt)",
        ),
        Section(opener=r"vlan \d+$", mode="vlan", accepts="name|state"),
        Section(opener=r"vrf context \S+$", mode="vrf", accepts="ip|rd"),
        Section(opener=r"ip access-list \S+$", mode="acl", accepts=r"\d+ (?:permit|deny|remark)", numbered=True),
        Section(opener=r"router bgp \d+$", mode="router", accepts="router-id|log-neighbor-changes"),
        Section(
            within="router bgp",
            opener=r"neighbor \S+$",
            mode="router-neighbor",
            accepts="remote-as|description|password",
        ),
    ),
    order=(
        "version", "hostname", "feature", "username", "banner", "ip domain", "radius-server", "tacacs-server", "aaa",
        "ip access-list", "snmp-server", "ntp", "ip route", "vlan", "vrf", "interface", "clock", "router", "logging",
    ),
    single=any_of(
        r"hostname|version|description|name|username \S+|banner \w+|ip domain-name|switchport (?:mode|access vlan)",
        r"snmp-server (?:location|contact)|ip address|mtu|speed|remote-as|password|router-id|clock timezone",
        r"\d+(?= (?:permit|deny|remark))|shutdown|snmp-server community \S+",
    ),
    shown_when_off=r"switchport$|shutdown$",
    indent=2,
    nested_bang=False,
    banner_end="^",
    between="",
    last=(),
)  # fmt: skip


class CiscoNxosConsole(CiscoLikeConsole):
    """One login on an NX-OS device."""

    grammar = GRAMMAR
    filters = ("include", "exclude", "begin", "count", "no-more")
    invalid = "% Invalid command at '^' marker.\n"
    saved = "[#######################] 100%\nCopy complete, now saving to disk (please wait)...\nCopy complete.\n"

    def greeting(self) -> str:
        """Every login is privileged."""
        self.privileged = True
        return "Cisco Nexus Operating System (NX-OS) Software\n"

    @command("show startup-config")
    def show_startup(self) -> Reply:
        """The saved configuration."""
        when = f"{self.device.saved_at:%a %b %d %H:%M:%S %Y}"
        head = f"!Command: show startup-config\n!Startup config saved at: {when}\n\n"
        return Reply(head + self.device.startup, is_configuration=True)

    @command("show version")
    def show_version(self) -> str:
        """Version and uptime."""
        return (
            "Cisco Nexus Operating System (NX-OS) Software\nSoftware\n  BIOS: version 07.69\n NXOS: version 9.3(8)\n"
            "Hardware\n  cisco Nexus9000 C9336C-FX2 Chassis\n\nKernel uptime is 21 day(s), 1 hour(s)\n"
        )

    @command("copy running-config startup-config")
    def do_save(self) -> str:
        """Save."""
        self.device.save(self.username)
        return self.saved

    @command("show file {} md5sum")
    def show_md5(self, where: str) -> str:
        """The checksum of a file."""
        return hashlib.md5(self.read_file(where).encode("latin-1"), usedforsecurity=False).hexdigest() + "\n"

    @command("delete {} no-prompt")
    def do_delete_unasked(self, where: str) -> str:
        """Remove a file without a question."""
        return self.do_delete(where)

    # Checkpoints and native replace

    @command("checkpoint {}")
    def do_checkpoint(self, name: str) -> str:
        """Remember what runs."""
        self._checkpoints()[name] = self.device.running
        return "..Done\n"

    @command("no checkpoint {}")
    def do_no_checkpoint(self, name: str) -> str:
        """Forget it."""
        if self._checkpoints().pop(name, None) is None:
            raise Refused("ERROR: Checkpoint does not exist\n")
        return ".Done\n"

    @command("rollback running-config checkpoint {} atomic")
    def do_rollback(self, name: str) -> str:
        """Go back to a checkpoint."""
        if name not in self._checkpoints():
            raise Refused("ERROR: Checkpoint does not exist\n")
        self.device.running = self._checkpoints()[name]
        return "Collecting Running-Config\nExecuting Rollback Patch\nRollback completed successfully.\n"

    @command("configure replace {} commit-timeout {}")
    def do_replace(self, source: str, seconds: str) -> str:
        """Replace, and go back by itself when nobody commits in time. A refused line takes all of it back at once."""
        if self.device.timer:
            raise Refused("ERROR: Commit timer is running\n")
        tree, refused = self.load(self.read_file(source))
        head = "Collecting Running-Config\nGenerating Rollback patch\nExecuting Rollback Patch\n"
        if refused:
            return f"{head}Configure replace failed. Rolling back to the previous configuration is successful\n"
        before = self.device.running
        if not self.ignoring():
            self.device.running, self.device.changed_by = self.grammar.render(tree), self.username
        self.device.start_timer(int(seconds), lambda: self._go_back(before))
        return f"{head}Configure replace completed successfully. Commit before the timer expires\n"

    def _go_back(self, text: str) -> None:
        self.device.running = text

    @command("configure replace commit")
    def do_commit(self) -> str:
        """Keep what was replaced."""
        if not self.device.stop_timer():
            raise Refused("ERROR: No commit timer is running\n")
        return "Commit Successful\n"

    def _checkpoints(self) -> dict[str, str]:
        kept: dict[str, str] = self.device.memory.setdefault("checkpoints", {})
        return kept


class CiscoNxos(IndentedPersona):
    """Cisco NX-OS."""

    slug = "cisco_nxos"
    short = "sim-nxos"
    console = CiscoNxosConsole
    grammar = GRAMMAR
    nameless = "switch"

    def shown(self, device: Device) -> str:
        """Comments with times, which differ at each look."""
        changed, now = (f"{each:%a %b %d %H:%M:%S %Y}" for each in (device.changed_at, device.clock.now()))
        head = f"\n!Command: show running-config\n!Running configuration last done at: {changed}\n!Time: {now}\n\n"
        return head + device.running

    @staticmethod
    def text(name: str, size: int, rng: random.Random) -> str:
        """A leaf with as many ports as fit into the size."""
        head = f"""version 9.3(8)
hostname {name}
feature ospf
feature scp-server
username admin password 5 {samples.sha512_crypt(rng)} role network-admin
ip domain-name example.net
radius-server key 7 "{samples.token(rng, 10)}"
ip access-list MANAGEMENT
  10 permit tcp {samples.address(rng)}/32 any eq 22
snmp-server location {samples.words(rng, 3)}
snmp-server contact noc@example.net
snmp-server community {samples.token(rng, 12)} group network-operator
ntp server {samples.address(rng)}
ip route 0.0.0.0/0 {samples.address(rng)}
vlan 10
  name {samples.words(rng, 1)}
interface mgmt0
  vrf member management
  ip address {samples.address(rng)}/24
interface loopback0
  description router id
  ip address {samples.address(rng)}/32
router bgp 65010
  router-id {samples.address(rng)}
  neighbor {samples.address(rng)}
    remote-as 65000
    password 3 {samples.token(rng, 16)}
logging server {samples.address(rng)}
"""
        ports = samples.fill(
            size - len(head),
            lambda n: f"interface Ethernet1/{n + 1}\n  description {samples.words(rng)}\n  switchport access vlan 10\n",
        )
        return head + ports


PERSONA = CiscoNxos()
