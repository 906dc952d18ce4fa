"""Cisco IOS and IOS-XE: sections, write memory, native replace with a rollback timer, SCP and SFTP into flash."""

from __future__ import annotations

import random
import re

from backups.simulator.cisco_like import CiscoLikeConsole
from backups.simulator.console import Reply, command
from backups.simulator.device import Device
from backups.simulator.flash_name import flash_name
from backups.simulator.indented_persona import IndentedPersona
from backups.simulator.personas._cisco_ios_grammar import GRAMMAR, INTERFACE_NAMES
from backups.simulator.personas._cisco_ios_sample import sample

MINUTE = 60
WARNING = (
    "This will apply all necessary additions and deletions\n"
    "to replace the current running configuration with the\n"
    "contents of the specified configuration file, which is\n"
    "assumed to be a complete configuration, not a partial\n"
    "configuration. Enter Y if you are sure you want to proceed. ? [no]: "
)


class CiscoIosConsole(CiscoLikeConsole):
    """One login on an IOS device."""

    grammar = GRAMMAR
    filters = ("include", "exclude", "begin", "count", "section")

    def greeting(self) -> str:
        """The login banner of the configuration, if there is one."""
        self.privileged = self.privileged or not self.device.enable_secret
        banner = re.search(r"^banner motd \^C\n(.*?)^\^C$", self.device.running, re.M | re.S)
        return f"\n{banner.group(1)}\n" if banner else "\n"

    def grammar_line(self, text: str) -> str:
        """Interface names written out."""
        found = re.match(r"((?:no )?interface )([A-Za-z-]+) ?([\d/.]*)$", text)
        if found is None:
            return text
        start = found.group(2).lower()
        name = next((full for full in INTERFACE_NAMES if full.lower().startswith(start)), None)
        return text if name is None else f"{found.group(1)}{name}{found.group(3)}"

    @command("configure terminal", "configure")
    def do_configure(self) -> str:
        """Enter configuration mode."""
        super().do_configure()
        return "Enter configuration commands, one per line.  End with CNTL/Z.\n"

    @command("show startup-config")
    def show_startup(self) -> Reply:
        """The saved configuration."""
        self.need_privilege("show startup-config")
        text = self.device.startup
        return Reply(f"Using {len(text)} out of 2097152 bytes\n!\n{text}\n", is_configuration=True)

    @command("show version")
    def show_version(self) -> str:
        """Version, uptime, serial number."""
        return (
            "Cisco IOS XE Software, Version 17.09.04a\n"
            "Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_LITE_IOSXE), Version 17.9.4a, "
            "RELEASE SOFTWARE (fc3)\n\n"
            f"{self.device.hostname} uptime is 3 weeks, 2 days, 1 hour, 16 minutes\n"
            'System image file is "flash:cat9k_lite_iosxe.17.09.04a.SPA.bin"\n\n'
            "cisco C9200L-24P-4G (ARM64) processor with 519464K/3071K bytes of memory.\n"
            f"Processor board ID SIM{self.device.index:08d}\n"
            f"System Serial Number               : SIM{self.device.index:08d}\n\n"
            "Configuration register is 0x102\n\n"
        )

    @command("show archive config differences {} {}", "show archive config differences {}")
    def show_differences(self, left: str, right: str = "system:running-config") -> str:
        """Lines that only one of two files has."""
        self.need_privilege("show archive")
        one, other = (self._config_at(each).splitlines() for each in (left, right))
        rows = [f"-{line}" for line in one if line not in other] + [f"+{line}" for line in other if line not in one]
        return "!Contextual Config Diffs:\n" + "".join(f"{row}\n" for row in rows)

    # Saving and copying

    @command("write", "write memory")
    def do_write(self) -> str:
        """Save."""
        self.need_privilege("write")
        self.device.save(self.username)
        return self.saved

    @command("copy {} {}")
    def do_copy(self, source: str, target: str) -> str:
        """Copy between configurations and flash, after asking for the name."""
        self.need_privilege("copy")
        source, target = (_full_name(each) for each in (source, target))
        self._config_at(source)
        self.ask(f"Destination filename [{flash_name(target)}]? ", lambda name: self._copy(source, name or target))
        return ""

    def _copy(self, source: str, target: str) -> str:
        text = self._config_at(source)
        if target == "startup-config":
            self.device.save(self.username, text)
            return self.saved
        if target == "running-config":
            self._merge(text)
        else:
            self.device.files[flash_name(target)] = text.encode("latin-1")
        return f"{len(text)} bytes copied in 0.012 secs ({len(text) * 80} bytes/sec)\n"

    def _merge(self, text: str) -> None:
        self.mode, self.path = "config", ()
        for line in text.splitlines():
            if line.strip() and not line.startswith("!"):
                self.enter(line)
        self.question = None
        self.leave_config()

    def _config_at(self, where: str) -> str:
        name = _full_name(where)
        if name == "running-config":
            return self.device.persona.shown(self.device)
        return self.device.startup if name == "startup-config" else self.read_file(where)

    # Native replace

    @command("configure replace {} force", "configure replace {}")
    def do_replace(self, source: str) -> str:
        """Replace at once (`force`), or after a question."""
        return self._replace(source, minutes=0)

    @command("configure replace {} force time {}", "configure replace {} time {} force")
    def do_replace_timed(self, source: str, minutes: str) -> str:
        """Replace, and go back by itself when nobody confirms within so many minutes."""
        return self._replace(source, minutes=int(minutes))

    def _replace(self, source: str, *, minutes: int) -> str:
        self.need_privilege("configure replace")
        tree, refused = self.load(self._config_at(source))
        before = self.device.running
        if self.faults.get("accept-and-ignore") is None:
            self.device.running = self.grammar.render(tree)
            self.device.changed_by = self.username
        said = ""
        if minutes:
            self.device.start_timer(minutes * MINUTE, lambda: self._go_back(before))
            said = "Rollback Confirmed Change: Backing up current running config to flash:rollback-backup\n\n"
        if refused:
            listed = "".join(f"{line}\n" for line in refused)
            return (
                f"{said}The rollback configlet from the last pass is listed below:\n********\n\n"
                f"!List of Rollback Commands:\n{listed}end\n\n********\n\n\nRollback aborted after 5 passes\n"
                "The following commands are failed to apply to the IOS image.\n********\n\n"
                f"{listed}\n********\n\n"
            )
        return f"{said}Total number of passes: 1\nRollback Done\n\n"

    def _go_back(self, text: str) -> None:
        self.device.running = text

    @command("configure confirm")
    def do_confirm(self) -> str:
        """Keep what was replaced."""
        self.need_privilege("configure confirm")
        return "" if self.device.stop_timer() else "%No Rollback Confirmed Change pending\n"

    @command("configure revert now")
    def do_revert(self) -> str:
        """Go back before the time is up."""
        self.need_privilege("configure revert")
        timer = self.device.timer
        if not self.device.stop_timer() or timer is None:
            return "%No Rollback Confirmed Change pending\n"
        timer.act()
        return "Total number of passes: 1\nRollback Done\n\n"


class CiscoIos(IndentedPersona):
    """Cisco IOS."""

    slug = "cisco_ios"
    short = "sim-ios"
    console = CiscoIosConsole
    grammar = GRAMMAR
    nameless = "Switch"

    def shown(self, device: Device) -> str:
        """Headers with size and times, and the drift of the clock, which differs at each look."""
        device.memory["looks"] = looks = device.memory.get("looks", 0) + 1
        text = re.sub(
            r"^ntp server ",
            f"ntp clock-period {17179850 + looks % 40}\nntp server ",
            device.running,
            count=1,
            flags=re.M,
        )
        changed, saved = (
            f"{each:%H:%M:%S} UTC {each:%a %b} {each.day} {each.year}" for each in (device.changed_at, device.saved_at)
        )
        return (
            f"Building configuration...\n\nCurrent configuration : {len(text)} bytes\n!\n"
            f"! Last configuration change at {changed} by {device.changed_by}\n"
            f"! NVRAM config last updated at {saved} by {device.saved_by}\n!\n{text}\n"
        )

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """A banner with the prompt as a line of its own."""
        return ["banner exec %", prompt, "%"], ["no banner exec"]

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """See the sample."""
        return sample(name, size, rng)


def _full_name(where: str) -> str:
    bare = where.removeprefix("system:").removeprefix("nvram:")
    for full in ("running-config", "startup-config"):
        if full.startswith(bare) and bare:
            return full
    return where


PERSONA = CiscoIos()
