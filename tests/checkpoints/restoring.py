"""What the tests of restores share: simulated devices, their edits, time that passes at once, and broken wires."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from uuid import NAMESPACE_OID, uuid5

from backups.collect import collect
from backups.device_writing import NetmikoWriter, Writer, WritingSession
from backups.errors import CommandRefused, LinkLost, LoginRefused, Unreachable
from backups.simulator import FaultDraw, Fleet
from backups.simulator.device import Device as Simulated
from backups.simulator.flash_name import flash_name
from backups.transport import Limits, Session, Target
from checkpoints.device_restore import push_restore
from checkpoints.models import Checkpoint, Restore
from checkpoints.plan import Plan, make_plan
from checkpoints.push import Outcome
from checkpoints.restore_means import Means
from checkpoints.restore_planning import approve_restore, collected_now, plan_restore, request_restore
from checkpoints.services import create_checkpoint
from inventory.models import Device
from inventory.platforms import registry
from inventory.platforms.sheet import Platform
from tests.checkpoints.remembered import remembered
from tests.factories import make_credential, make_device, make_tenant

LIMITS = Limits(deadline=20, connect=5, idle=5)

# Ten changes each: added, changed and removed lines, at the top and in sections, secrets and names among them.
TEN_CHANGES: dict[str, list[str]] = {
    "cisco_ios": [
        "hostname renamed",
        "username mallory privilege 15 password 7 0822455D0A16",
        "no ntp server 192.0.2.250",
        "ntp server 192.0.2.251",
        "snmp-server location somewhere else",
        "interface Loopback0",
        "description changed by hand",
        "ip address 192.0.2.77 255.255.255.255",
        "interface Vlan999",
        "description new",
        "exit",
        "vlan 999",
        "name new",
        "exit",
        "ip access-list standard SNMP-MANAGERS",
        "30 permit 192.0.2.0 0.0.0.255",
        "exit",
        "no ip domain name example.net",
        "logging host 192.0.2.252",
    ],
    "arista_eos": [
        "hostname renamed",
        "username mallory privilege 15 role network-admin secret sha512 $6$aaaaaaaa$bbbbbbbbbbbbbbbb",
        "ntp server 192.0.2.251",
        "snmp-server location somewhere else",
        "interface Loopback0",
        "description changed by hand",
        "ip address 192.0.2.77/32",
        "exit",
        "vlan 999",
        "name new",
        "exit",
        "interface Vlan999",
        "description new",
        "exit",
        "logging host 192.0.2.252",
        "no snmp-server contact noc@example.net",
        "ip route 198.51.100.0/24 192.0.2.1",
        "no ip routing",
    ],
    "juniper_junos": [
        "set system host-name renamed",
        "set system login user mallory class super-user",
        "set system ntp server 192.0.2.251",
        "delete system domain-name",
        "set snmp location elsewhere",
        "set interfaces lo0 description changed",
        "set vlans new vlan-id 999",
        "delete protocols lldp",
        "set routing-options static route 198.51.100.0/24 next-hop 192.0.2.1",
        "set system syslog host 192.0.2.252 any warning",
    ],
    "mikrotik_routeros": [
        "/system identity set name=renamed",
        "/user add name=mallory group=full password=letmein",
        "/system ntp client servers add address=192.0.2.251",
        "/ip address add address=192.0.2.77/32 interface=lo",
        "/ip route add dst-address=198.51.100.0/24 gateway=192.0.2.1",
        "/snmp set location=elsewhere",
        "/system logging action add name=far remote=192.0.2.252 target=remote",
        "/ip dns set servers=192.0.2.253",
        "/interface vlan add interface=ether1 name=new vlan-id=999",
        "/ip firewall filter add action=drop chain=input comment=changed",
    ],
    "vyos": [
        "set system host-name renamed",
        "set system login user mallory authentication encrypted-password 'x'",
        "set service ntp server 192.0.2.251",
        "set service snmp location elsewhere",
        "set interfaces loopback lo address 192.0.2.77/32",
        "set protocols static route 198.51.100.0/24 next-hop 192.0.2.1",
        "set system name-server 192.0.2.252",
        "delete system time-zone",
        "set interfaces ethernet eth0 description changed",
        "set firewall ipv4 name NEW default-action drop",
    ],
    "cisco_xr": [
        "hostname renamed",
        "username mallory group root-lr secret 10 $6$aaaaaaaa$bbbbbbbbbbbbbbbb",
        "ntp server 192.0.2.251",
        "snmp-server location somewhere else",
        "no snmp-server contact noc@example.net",
        "interface Loopback0",
        "description changed by hand",
        "exit",
        "interface Loopback77",
        "ipv4 address 192.0.2.77 255.255.255.255",
        "exit",
        "ipv4 access-list MANAGEMENT",
        "20 permit tcp host 192.0.2.9 any eq ssh",
        "exit",
        "router static",
        "address-family ipv4 unicast",
        "198.51.100.0/24 192.0.2.1",
        "exit",
        "exit",
        "logging 192.0.2.252",
        "no ssh server v2",
    ],
    "cisco_nxos": [
        "hostname renamed",
        "username mallory password 5 $5$aaaaaaaa$bbbbbbbbbbbbbbbb role network-admin",
        "ntp server 192.0.2.251",
        "snmp-server location somewhere else",
        "no snmp-server contact noc@example.net",
        "interface loopback0",
        "description changed by hand",
        "ip address 192.0.2.77/32",
        "exit",
        "vlan 999",
        "name new",
        "exit",
        "ip access-list MANAGEMENT",
        "20 permit tcp 192.0.2.9/32 any eq 22",
        "exit",
        "ip route 198.51.100.0/24 192.0.2.1",
        "no feature ospf",
    ],
    "aruba_aoscx": [
        "hostname renamed",
        "user mallory group administrators password ciphertext AQBapAAAA",
        "ntp server 192.0.2.251",
        "snmp-server system-location somewhere else",
        "no snmp-server system-contact noc@example.net",
        "interface loopback 0",
        "description changed by hand",
        "ip address 192.0.2.77/32",
        "exit",
        "vlan 999",
        "name new",
        "exit",
        "interface 1/1/1",
        "shutdown",
        "vlan access 1",
        "exit",
        "ip route 198.51.100.0/24 192.0.2.1",
        "logging 192.0.2.252",
        "no https-server vrf mgmt",
    ],
}
COMMITS = {
    "cisco_ios": "configure replace",
    "arista_eos": "commit timer",
    "juniper_junos": "commit confirmed",
    "vyos": "commit-confirm",
    "mikrotik_routeros": "/system reset-configuration",
    "cisco_xr": "commit replace",
    "cisco_nxos": "configure replace bootflash",
    "aruba_aoscx": r"checkpoint auto \d",
}
CONFIRMS = {
    "cisco_ios": "configure confirm",
    "arista_eos": "configure session .* commit",
    "juniper_junos": "commit",
    "vyos": "confirm",
    "mikrotik_routeros": "/file remove .*backup",
    "cisco_xr": "commit",
    "cisco_nxos": "configure replace commit",
    "aruba_aoscx": "checkpoint auto confirm",
}


def target_of(device: Simulated) -> Target:
    """A simulated device as the network sees it."""
    return Target(
        device.name,
        device.address,
        device.port,
        device.username,
        password=device.password,
        enable_secret=device.enable_secret,
        host_key=device.host_key,
    )


def change_ten_things(device: Simulated) -> None:
    """Edit it as an engineer would, and save."""
    device.edit(TEN_CHANGES[device.platform])
    device.save("engineer")


def files_of(device: Simulated) -> dict[str, bytes]:
    """What a collection brings."""
    platform = registry.platform(device.platform)
    capture = collect(target_of(device), platform, transport=NetmikoWriter(), limits=LIMITS).capture
    assert capture.good, capture.doubts
    return dict(capture.files)


def planned(device: Simulated, then: dict[str, bytes], *, minutes: int = 5) -> tuple[Plan, Platform]:
    """The plan back to these files."""
    platform = registry.platform(device.platform)
    return make_plan(
        platform, current=files_of(device), target=then, name="netcairn-0a1b2c3d", minutes=minutes
    ), platform


class SkippedTime:
    """The fleet's clock, on which waiting takes no time."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def now(self) -> float:
        return self.fleet.clock.now().timestamp()

    def pause(self, seconds: float) -> None:
        self.fleet.advance(seconds)


class Notes:
    """A journal that only remembers; `at` may do something when a stage begins or a note is made."""

    def __init__(self, at: dict[str, Callable[[], None]] | None = None) -> None:
        self.stages: list[str] = []
        self.notes: list[str] = []
        self.at = at or {}

    def enter(self, stage: str, *, seconds: float) -> None:
        self.stages.append(stage)
        self.at.get(stage, lambda: None)()

    def note(self, what: str) -> None:
        self.notes.append(what)
        next((act for words, act in self.at.items() if what.startswith(words)), lambda: None)()


class CutWriter(NetmikoWriter):
    """A writer whose link breaks right after a line was sent, before its answer; `line` is a regular expression."""

    def __init__(self, line: str) -> None:
        self.line = line

    @contextmanager
    def open_for_writing(self, target: Target, platform: Platform, limits: Limits) -> Iterator[WritingSession]:
        with super().open_for_writing(target, platform, limits) as session:
            yield CutSession(session, self.line)


class CutSession:
    """See CutWriter."""

    def __init__(self, session: WritingSession, line: str) -> None:
        self.session, self.line = session, line

    def say(self, line: str, **how: object) -> bytes:
        answer = self.session.say(line, **how)  # type: ignore[arg-type]
        if re.fullmatch(self.line, line):
            raise LinkLost("the link broke")
        return answer


class ConsoleWriter:
    """A way to a simulated device without SSH: its console itself. For tests of rows, where the network is no matter."""

    def __init__(self, device: Simulated) -> None:
        self.device = device

    def console(self) -> ConsoleSession:
        """Log in, or be refused as the network would. Raises a CollectError."""
        faults = self.device.draw_faults()
        if self.device.unreachable:
            raise Unreachable(f"{self.device.name} cannot be reached; check the way to it.")
        if faults.get("refuse-login"):
            raise LoginRefused(f"{self.device.name} refused user {self.device.username}; correct its credential.")
        return ConsoleSession(self.device, faults)

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        yield self.console()

    @contextmanager
    def open_for_writing(self, target: Target, platform: Platform, limits: Limits) -> Iterator[WritingSession]:
        yield self.console()

    def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
        self.console()
        self.device.files[flash_name(path)] = content

    def remove(self, target: Target, path: str, *, limits: Limits) -> None:
        self.device.files.pop(flash_name(path))


class ConsoleSession:
    """One login of a ConsoleWriter."""

    def __init__(self, device: Simulated, faults: FaultDraw) -> None:
        self.device, self.host_key = device, device.host_key
        self._console = device.persona.console(device, device.username, faults)
        self._console.at_console()

    def run(self, line: str) -> bytes:
        self.device.note_command(line)
        answer = self._console.enter(line).text
        if self.device.unreachable:
            raise LinkLost(f"{self.device.name} broke the connection in the middle; try again.")
        return answer.encode("latin-1")

    def say(self, line: str, **_: object) -> bytes:
        return line.encode("latin-1") + b"\n" + self.run(line) + b"prompt#"

    def fetch(self, path: str) -> bytes:
        raise CommandRefused("no file is asked for")


EDITS = {
    "cisco_ios": ["snmp-server location elsewhere", "username mallory password 7 0822455D0A16"],
    "mikrotik_routeros": ["/system identity set name=elsewhere"],
}


class World:
    """A registered device that was backed up, named by a checkpoint, and then changed behind everybody's back.

    Reached over SSH where the fleet has been started, else at its console.
    """

    def __init__(self, fleet: Fleet, *, over_ssh: bool = False) -> None:
        self.fleet = fleet
        self.simulated: Simulated = fleet[0]
        self.golden = self.simulated.running_config
        writer: Writer = NetmikoWriter() if over_ssh else ConsoleWriter(self.simulated)
        self.means = Means(writer, LIMITS, SkippedTime(fleet), clock=fleet.clock.now)
        if over_ssh:  # the address is another one every time
            self.tenant = make_tenant(self.simulated.platform)
            self.back_up()
        else:
            self.tenant = make_tenant(self.simulated.platform, pk=uuid5(NAMESPACE_OID, self.golden))
            remembered(self.tenant, f"{self.tenant.pk} backed up", self.back_up)
        self.device = Device.objects.get(tenant=self.tenant)
        self.checkpoint = Checkpoint.objects.get(tenant=self.tenant, message="golden")
        self.simulated.edit(EDITS.get(self.simulated.platform, TEN_CHANGES[self.simulated.platform]))
        self.changed = self.simulated.running_config

    def back_up(self) -> None:
        """Register the device, collect it, and name what came."""
        credential = make_credential(self.tenant, username=self.simulated.username)
        credential.set_password(self.simulated.password)
        credential.set_enable_secret(self.simulated.enable_secret)
        credential.save()
        device = make_device(
            self.tenant,
            self.simulated.name,
            self.simulated.platform,
            address=self.simulated.address,
            port=self.simulated.port or 22,
            credential=credential,
        )
        collected_now(device, by="ada", means=self.means)
        create_checkpoint(self.tenant, message="golden", author="ada", now=self.fleet.clock.now())

    def requested(self, by: str = "ada") -> Restore:
        """A restore that somebody asked for."""
        return request_restore(self.device, self.checkpoint, by=by, now=self.fleet.clock.now())

    def planned(self, by: str = "ada") -> Restore:
        """One with a plan."""
        restore = self.requested(by)
        plan_restore(restore, by=by, means=self.means)
        return restore

    def approve(self, restore: Restore, by: str = "eve") -> Restore:
        """Agree to its plan as it is."""
        approve_restore(restore, fingerprint=restore.fingerprint, by=by, now=self.fleet.clock.now())
        return restore

    def approved(self) -> Restore:
        """One that may be pushed."""
        return self.approve(self.planned())

    def push(self, restore: Restore, writer: Writer | None = None) -> Outcome:
        """Carry it out."""
        means = replace(self.means, writer=writer) if writer else self.means
        return push_restore(restore, by="bob", means=means)

    def runs(self) -> str:
        """What the device runs once every timer has run out."""
        self.fleet.advance(3600)
        known = {self.golden: "the version", self.changed: "as before"}
        return known.get(self.simulated.running_config, "something else")

    def said(self, line: str) -> int:
        """How often a line was said to the device."""
        return sum(each.startswith(line) for each in self.simulated.commands)


def passed(restore: Restore) -> list[str]:
    """The states that it went through, in order."""
    return [state for state, _ in groupby(restore.events.values_list("state", flat=True))]
