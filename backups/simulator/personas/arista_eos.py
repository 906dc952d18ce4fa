"""Arista EOS: configuration sessions with a commit timer, and IOS-like configuration mode."""

from __future__ import annotations

import difflib
import random
import re

from backups.simulator.cisco_like import CiscoLikeConsole
from backups.simulator.console import Refused, Reply, Said, command
from backups.simulator.device import Device
from backups.simulator.flash_name import flash_name
from backups.simulator.indented import Line
from backups.simulator.indented_persona import IndentedPersona
from backups.simulator.personas._arista_eos_grammar import GRAMMAR, INTERFACE_NAMES
from backups.simulator.personas._arista_eos_sample import sample

MODEL, VERSION = "DCS-7050SX3-48YC8", "EOS-4.29.2F"


class AristaEosConsole(CiscoLikeConsole):
    """One login on an EOS device."""

    grammar = GRAMMAR
    filters = ("include", "exclude", "begin", "count", "section", "no-more")
    invalid = "% Invalid input\n"
    not_privileged = "% Invalid input (privileged mode required)\n"
    saved = "Copy completed successfully.\n"

    session = ""

    def greeting(self) -> str:
        """When the last login was."""
        self.privileged = self.privileged or not self.device.enable_secret
        return "Last login: Thu Nov 19 08:12:01 2026 from 192.0.2.7\n"

    def refusal(self, _line: str) -> str:
        """No marker."""
        return self.invalid

    def config_name(self) -> str:
        """Sessions show the start of their name."""
        return f"config-s-{self.session[:6]}" if self.session else "config"

    def grammar_line(self, text: str) -> str:
        """Interface names written out."""
        found = re.match(r"((?:no )?interface )([A-Za-z-]+) ?([\d/.]*)$", text)
        if found is None:
            return text
        start = found.group(2).lower()
        name = next((full for full in INTERFACE_NAMES if full.lower().startswith(start)), None)
        return text if name is None else f"{found.group(1)}{name}{found.group(3)}"

    @command("terminal length {}")
    def do_length(self, lines: str) -> str:
        """Paging."""
        self.set_page_length(int(lines))
        return "Pagination disabled.\n" if lines == "0" else f"Pagination set to {lines} lines.\n"

    @command("terminal width {}")
    def do_width(self, columns: str) -> str:
        """The width of the terminal."""
        self.width = int(columns)
        return f"Width set to {columns} columns.\n"

    @command("show startup-config")
    def show_startup(self) -> Reply:
        """The saved configuration."""
        self.need_privilege("show startup-config")
        device = self.device
        when = f"{device.saved_at:%a %b} {device.saved_at.day:2} {device.saved_at:%H:%M:%S %Y}"
        head = f"! Command: show startup-config\n! Startup-config last modified at {when} by {device.saved_by}\n"
        return Reply(head + _device_line(device) + device.startup, is_configuration=True)

    @command("show version")
    def show_version(self) -> str:
        """Version, uptime, serial number."""
        return (
            f"Arista {MODEL}-F\nHardware version: 11.03\nSerial number: SIM{self.device.index:08d}\n"
            f"Hardware MAC address: 001c.73{self.device.index % 256:02x}.0001\n\n"
            f"Software image version: {VERSION.removeprefix('EOS-')}\nArchitecture: i686\n\n"
            "Uptime: 3 weeks, 2 days, 1 hour and 16 minutes\nTotal memory: 8099732 kB\nFree memory: 5716556 kB\n\n"
        )

    # Saving and copying

    @command("write", "write memory")
    def do_write(self) -> str:
        """Save."""
        self.need_privilege("write")
        self.device.save(self.username)
        return self.saved

    @command("copy {} {}")
    def do_copy(self, source: str, target: str) -> str:
        """Copy between configurations and flash, without a question."""
        self.need_privilege("copy")
        text = self._config_at(source)
        if target == "startup-config":
            self.device.save(self.username, text)
        elif target == "running-config":
            self._put_running(self._merged(self.device.running, text))
        else:
            self.device.files[flash_name(target)] = text.encode("latin-1")
        return self.saved

    def _config_at(self, where: str) -> str:
        if where in ("running-config", "system:running-config"):
            return self.device.running
        return self.device.startup if where == "startup-config" else self.read_file(where)

    def _merged(self, text: str, added: str) -> str:
        root, refused = self.grammar.load(self.grammar.parse(text), added, self.refused_by_fault)
        if refused:
            raise Refused("".join(f"> {line}\n{self.invalid}" for line in refused))
        return self.grammar.render(root)

    def _put_running(self, text: str) -> None:
        if not self.ignoring():
            self.device.running = text
            self.device.changed_by = self.username

    @command("configure replace {}", "configure replace {} ignore-errors")
    def do_replace(self, source: str) -> str:
        """Replace the running configuration by a file."""
        self.need_privilege("configure replace")
        root, refused = self.load(self._config_at(source))
        if refused:
            raise Refused("".join(f"> {line}\n{self.invalid}" for line in refused))
        self._put_running(self.grammar.render(root))
        return ""

    # Sessions

    @command("configure session", "configure session {}")
    def do_session(self, name: str = "sess-1") -> str:
        """Begin a session with a copy of the running configuration, or go on with one."""
        self.need_privilege("configure session")
        self._sessions().setdefault(name, self.grammar.parse(self.device.running))
        self.mode, self.path, self.session = "config", (), name
        return ""

    @command("configure session {} commit")
    def do_confirm(self, name: str) -> str:
        """Keep what a commit with a timer has done, or commit a session from outside."""
        self.need_privilege("configure session")
        if self.device.stop_timer():
            return ""
        self.do_session(name)
        return self.do_commit()

    @command("configure session {} abort", "no configure session {}")
    def do_abort_named(self, name: str) -> str:
        """Throw a session away, or take back a commit that waits for its confirmation."""
        self.need_privilege("configure session")
        timer = self.device.timer
        if self.device.stop_timer() and timer is not None:
            timer.act()
        self._sessions().pop(name, None)
        return ""

    @command("show configuration sessions")
    def show_sessions(self) -> str:
        """What is pending."""
        state = "pendingCommitTimer" if self.device.timer else "pending"
        rows = "".join(f"   {name:10} {state:20} {self.username}\n" for name in self._sessions())
        return f"Maximum number of completed sessions: 1\n  Name       State                User\n{rows}"

    @command("commit", mode="config")
    def do_commit(self) -> str:
        """Make the session the running configuration."""
        return self._commit(0)

    @command("commit timer {}", mode="config")
    def do_commit_timer(self, time: str) -> str:
        """The same, taken back by itself unless confirmed in time (hh:mm:ss)."""
        hours, minutes, seconds = (int(part) for part in time.split(":"))
        return self._commit(hours * 3600 + minutes * 60 + seconds)

    def _commit(self, seconds: int) -> str:
        name, before = self._need_session("commit"), self.device.running
        self._put_running(self.grammar.render(self._sessions()[name]))
        if seconds:
            self.device.start_timer(seconds, lambda: self._go_back(before))
        else:
            self._sessions().pop(name)
            self.device.stop_timer()
        self.leave_config()
        return ""

    def _go_back(self, text: str) -> None:
        self.device.running = text

    @command("abort", mode="config")
    def do_abort(self) -> str:
        """Throw the session away."""
        self._sessions().pop(self._need_session("abort"))
        self.leave_config()
        return ""

    @command("rollback clean-config", mode="config")
    def do_clean(self) -> str:
        """Empty the session."""
        name = self._need_session("rollback clean-config")
        self._sessions()[name] = self.grammar.bare(self._sessions()[name])
        return ""

    @command("copy {} session-config", mode="config")
    def do_load(self, source: str) -> str:
        """Merge a file into the session."""
        name = self._need_session("copy")
        text = self._merged(self.grammar.render(self._sessions()[name]), self.read_file(source))
        self._sessions()[name] = self.grammar.parse(text)
        return self.saved

    @command("show session-config diffs", mode="any")
    def show_diffs(self) -> str:
        """What the commit would change."""
        name = self._need_session("show session-config diffs")
        new = self.grammar.render(self._sessions()[name]).splitlines()
        files = ("system:/running-config", f"session:/{name}-session-config")
        return "".join(
            f"{row}\n" for row in difflib.unified_diff(self.device.running.splitlines(), new, *files, lineterm="")
        )

    @command("show session-config", mode="any")
    def show_session(self) -> Reply:
        """The session as a whole."""
        name = self._need_session("show session-config")
        return Reply(self.grammar.render(self._sessions()[name]), is_configuration=True)

    def other(self, line: str) -> Said:
        """EOS carries out commands of the other mode without `do`."""
        if self.mode == "config" and line.split(maxsplit=1)[0] in ("show", "dir", "copy", "write"):
            return self.do_do(line)
        return super().other(line)

    def leave_config(self) -> None:
        """A session stays until it is committed or thrown away."""
        super().leave_config()
        self.session = ""

    def tree_to_change(self) -> Line:
        """The session's, inside of one: it takes every line, and its commit is what may do nothing."""
        return self._sessions()[self.session] if self.session else super().tree_to_change()

    def _need_session(self, line: str) -> str:
        if self.session not in self._sessions():
            raise Refused(self.refusal(line))
        return self.session

    def _sessions(self) -> dict[str, Line]:
        sessions: dict[str, Line] = self.device.memory.setdefault("sessions", {})
        return sessions

    # Banners end with a line of their own

    def banner_head(self, words: list[str]) -> tuple[str, str, str | None]:
        """`banner login`, text up to `EOF`."""
        return f"banner {words[1]}", "EOF", None

    def banner_text(self, head: str, lines: list[str]) -> str:
        """The banner as one line of the tree."""
        return "\n".join([head, *lines, "EOF"])

    def banner_hint(self, _sign: str) -> str:
        """What the device says while it waits for the text."""
        return "Enter TEXT message. Type 'EOF' on its own line to end.\n"


class AristaEos(IndentedPersona):
    """Arista EOS."""

    slug = "arista_eos"
    short = "sim-eos"
    console = AristaEosConsole
    grammar = GRAMMAR
    nameless = "localhost"

    def shown(self, device: Device) -> str:
        """Two comment lines before the configuration."""
        return "! Command: show running-config\n" + _device_line(device) + device.running

    def edit_script(self, lines: list[str]) -> list[str]:
        """Lines between `configure` and `end`."""
        return ["configure", *lines, "end"]

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """A banner with the prompt as a line of its own."""
        return ["banner login", prompt, "EOF"], ["no banner login"]

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """See the sample."""
        return sample(name, size, rng)


def _device_line(device: Device) -> str:
    return f"! device: {device.hostname} ({MODEL}, {VERSION})\n!\n"


PERSONA = AristaEos()
