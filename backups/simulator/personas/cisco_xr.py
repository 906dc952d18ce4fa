"""Cisco IOS-XR: a target configuration, `commit replace`, and trial commits that only their own session can confirm."""

from __future__ import annotations

import random

from backups.simulator import samples
from backups.simulator.cisco_like import CiscoLikeConsole
from backups.simulator.console import Refused, Said, command
from backups.simulator.device import Device
from backups.simulator.indented import Grammar, Line, Section, any_of
from backups.simulator.indented_persona import IndentedPersona

MINUTE = 60
NODE = "RP/0/RP0/CPU0"
WARNING = (
    "This commit will replace or remove the entire running configuration. This\n"
    "operation can be service affecting.\nDo you wish to proceed? [no]: "
)

GRAMMAR = Grammar(
    words="hostname|username|domain|logging|ntp|snmp-server|ssh|telnet|banner|clock|tacacs-server|radius-server|aaa|cdp|service",
    sections=(
        Section(
            opener=r"interface (?:GigabitEthernet|TenGigE|MgmtEth|Loopback|Bundle-Ether)\S+$",
            mode="if",
            accepts="description|ipv4|ipv6|shutdown|mtu|vrf|bundle|encapsulation",
            order=("description", "mtu", "vrf", "ipv4", "shutdown"),
            closing="!",
            fixed=r"interface (?:GigabitEthernet|TenGigE|MgmtEth)",
        ),
        Section(
            opener=r"ipv4 access-list \S+$",
            mode="ipv4-acl",
            accepts=r"\d+ (?:permit|deny|remark)",
            numbered=True,
            closing="!",
        ),
        Section(opener=r"router static$", mode="static", accepts="maximum", closing="!"),
        Section(
            within="router static",
            opener=r"address-family ipv[46] unicast$",
            mode="static-afi",
            accepts=r"\d\S*",
            closing="!",
        ),
        Section(opener=r"router bgp \d+$", mode="bgp", accepts="bgp", closing="!"),
        Section(
            within="router bgp",
            opener=r"neighbor \S+$",
            mode="bgp-nbr",
            accepts="remote-as|description|password",
            closing="!",
        ),
        Section(opener=r"line (?:default|console)$", mode="line", accepts="exec-timeout|access-class", closing="!"),
    ),
    order=(
        "hostname", "clock", "banner", "logging", "service", "telnet", "domain", "username", "tacacs", "radius", "aaa",
        "cdp", "line", "snmp-server", "ntp", "ipv4 access-list", "interface", "router static", "router", "ssh",
    ),
    single=any_of(
        r"hostname|description|username \S+|banner \w+|domain name|mtu|ipv4 address|remote-as|password encrypted",
        r"snmp-server (?:location|contact)|bgp router-id|\d+(?= (?:permit|deny|remark))|shutdown|clock timezone",
    ),
    shown_when_off="$^",
    nested_bang=False,
    banner_end="^",
    between=None,
    last=("end",),
)  # fmt: skip


class CiscoXrConsole(CiscoLikeConsole):
    """One login on an IOS-XR router."""

    grammar = GRAMMAR
    filters = ("include", "exclude", "begin", "count")

    target: Line | None = None  # what a commit would add up to
    loaded: Line | None = None  # what a replacement would put in its place
    refused: tuple[str, ...] = ()
    trial = False  # whether the commit that waits for its confirmation was said here

    def greeting(self) -> str:
        """Every login is privileged."""
        self.privileged = True
        return "\n"

    def refusal(self, _line: str) -> str:
        """A marker and a sentence."""
        return f"{' ' * len(self.command_prompt)}^\n{self.invalid.strip()}\n"

    @property
    def command_prompt(self) -> str:
        """With the processor in front."""
        return f"{NODE}:{super().command_prompt}"

    @command("show version")
    def show_version(self) -> str:
        """Version."""
        return "Cisco IOS XR Software, Version 7.3.2\n\ncisco IOS-XRv 9000 () processor\n"

    @command("delete /noprompt {}")
    def do_delete_unasked(self, where: str) -> str:
        """Remove a file without a question."""
        return self.do_delete(where)

    # The target configuration

    @command("configure", "configure terminal", "configure exclusive")
    def do_configure(self) -> str:
        """Begin with what runs."""
        if self.device.timer and not self.trial:
            raise Refused("Cannot enter exclusive mode. A trial commit is underway in another configuration session.\n")
        self.mode, self.path = "config", ()
        self.target, self.loaded, self.refused = self.grammar.parse(self.device.running), None, ()
        return ""

    def tree_to_change(self) -> Line:
        """The target: a commit is what takes effect, and what may do nothing."""
        return self.target if self.target is not None else Line("")

    @command("load {}", mode="config")
    def do_load(self, source: str) -> str:
        """Take the lines of a file into the target."""
        text = self.read_file(source)
        self.loaded, refused = self.load(text)
        said = f"Loading.\n{len(text)} bytes parsed in 1 sec ({len(text)})bytes/sec\n"
        return said + ("% Syntax/Authorization errors in one or more commands.\n" if refused else "")

    @command("commit replace confirmed minutes {}", mode="config")
    def do_replace(self, minutes: str) -> Said:
        """Put the target in the place of everything, on trial."""
        self._refuse_beside_a_trial()
        self.ask(WARNING, lambda answer: self._replace(int(minutes)) if answer.startswith("y") else "")
        return ""

    def _replace(self, minutes: int) -> str:
        before = self.device.running
        self._run(self.loaded or Line(""))
        self.device.start_timer(minutes * MINUTE, lambda: self._go_back(before))
        self.trial = True
        return ""

    @command("commit", mode="config")
    def do_commit(self) -> str:
        """Make the target run; or confirm what this session has on trial."""
        if self.trial and self.device.timer:
            self.device.stop_timer()
            self.trial = False
            return "% Confirming commit for trial session.\n"
        self._refuse_beside_a_trial()
        if self.trial or self.target is None:
            return "No configuration changes to commit.\n"
        self._run(self.target)
        return ""

    def _refuse_beside_a_trial(self) -> None:
        if self.device.timer:
            raise Refused("% Cannot commit because there is an unexpired trial/rollback session '00001000'.\n")

    def _run(self, tree: Line) -> None:
        if not self.ignoring():
            self.device.running, self.device.changed_by = self.grammar.render(tree), self.username

    def _go_back(self, text: str) -> None:
        self.device.running = text

    @command("abort", mode="config")
    def do_abort(self) -> str:
        """Throw the target away."""
        self.leave_config()
        return ""


class CiscoXr(IndentedPersona):
    """Cisco IOS-XR."""

    slug = "cisco_xr"
    short = "sim-xr"
    console = CiscoXrConsole
    grammar = GRAMMAR
    nameless = "ios"
    saves_itself = True

    def edit_script(self, lines: list[str]) -> list[str]:
        """Lines between `configure` and `commit`."""
        return ["configure", *lines, "commit", "end"]

    def shown(self, device: Device) -> str:
        """The time of asking, and when it was changed."""
        now, changed = (f"{each:%a %b %d %H:%M:%S}" for each in (device.clock.now(), device.changed_at))
        return (
            f"{now}.123 UTC\nBuilding configuration...\n!! IOS XR Configuration 7.3.2\n"
            f"!! Last configuration change at {changed} 2026 by {device.changed_by}\n!\n{device.running}\n"
        )

    @staticmethod
    def text(name: str, size: int, rng: random.Random) -> str:
        """A router with as many ports as fit into the size."""
        head = f"""hostname {name}
logging {samples.address(rng)}
domain name example.net
username admin group root-lr secret 10 {samples.sha512_crypt(rng)}
tacacs-server key 7 {samples.type7(rng)}
snmp-server community {samples.token(rng, 12)} RO
snmp-server location {samples.words(rng, 3)}
snmp-server contact noc@example.net
ntp server {samples.address(rng)}
ipv4 access-list MANAGEMENT
 10 permit tcp host {samples.address(rng)} any eq ssh
interface Loopback0
 description router id
 ipv4 address {samples.address(rng)} 255.255.255.255
interface MgmtEth0/RP0/CPU0/0
 ipv4 address {samples.address(rng)} 255.255.255.0
router static
 address-family ipv4 unicast
  0.0.0.0/0 {samples.address(rng)}
router bgp 65010
 bgp router-id {samples.address(rng)}
 neighbor {samples.address(rng)}
  remote-as 65000
  password encrypted {samples.type7(rng)}
ssh server v2
"""
        ports = samples.fill(
            size - len(head),
            lambda n: (
                f"interface GigabitEthernet0/0/0/{n}\n description {samples.words(rng)}\n"
                f" ipv4 address {samples.address(rng)} 255.255.255.252\n"
            ),
        )
        return head + ports


PERSONA = CiscoXr()
