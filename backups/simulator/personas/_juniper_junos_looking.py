"""Junos: the commands that only look."""

from __future__ import annotations

import re

from backups.simulator.braces import Statement, parse_braces
from backups.simulator.candidate import Candidate
from backups.simulator.console import Console, Refused, Reply, Said, command
from backups.simulator.flash_name import flash_name
from backups.simulator.personas._juniper_junos_sample import SCHEMA

MODEL, VERSION = "srx300", "22.4R3-S2.11"


def set_text(root: Statement) -> str:
    """The tree as `set` lines."""
    return "".join(f"{line}\n" for line in SCHEMA.set_lines(root))


class OperationalConsole(Console):
    """One login on a Junos device, as far as looking goes."""

    more = "---(more)---"
    erase_more = "\r" + " " * 40 + "\r"
    filters = ("match", "except", "find", "count", "no-more")

    _edit: tuple[str, ...] = ()
    _display = ""

    @property
    def command_prompt(self) -> str:
        """`user@name> `, or the place in the configuration and `user@name# `."""
        name = f"{self.username}@{self.device.hostname}"
        if self.mode == "config":
            return f"\n[edit{''.join(' ' + word for word in self._edit)}]\n{name}# "
        return f"{name}> "

    def greeting(self) -> str:
        """Version and build date."""
        return f"--- JUNOS {VERSION} built 2024-05-10 20:45:39 UTC\n"

    def refusal(self, line: str) -> str:
        """A marker below the word, then the sentence."""
        marker = " " * (len(self.username) + len(self.device.hostname) + 3) + "^\n"
        return f"{marker}{'syntax error' if self.mode == 'config' else 'unknown command'}.\n" if line else ""

    def run(self, line: str) -> Said:
        """Junos writes `| display set` and `| compare` as filters, but they choose what is printed."""
        parts = re.split(r"\s*\|\s*", line.strip())
        chosen = [part for part in parts[1:] if part.startswith(("display", "compare"))]
        self._display = chosen[0] if chosen else ""
        return super().run(" | ".join(part for part in parts if part not in chosen))

    # Commands of both modes

    @command("exit", "quit")
    def do_exit(self) -> str:
        """Log out."""
        self.closed = True
        return ""

    @command("set cli screen-length {}")
    def do_length(self, lines: str) -> str:
        """Paging."""
        self.set_page_length(int(lines))
        return f"Screen length set to {lines}\n\n"

    @command("set cli screen-width {}")
    def do_width(self, columns: str) -> str:
        """The width of the terminal."""
        self.width = int(columns)
        return f"Screen width set to {columns}\n\n"

    @command("set cli complete-on-space {}")
    def do_complete(self, how: str) -> str:
        """Completion, which is not simulated."""
        return f"{'Disabling' if how == 'off' else 'Enabling'} complete-on-space\n\n"

    @command("show version")
    def show_version(self) -> str:
        """Version and model."""
        name = self.device.hostname
        return f"Hostname: {name}\nModel: {MODEL}\nJunos: {VERSION}\nJUNOS Software Release [{VERSION}]\n\n"

    @command("show chassis hardware")
    def show_hardware(self) -> str:
        """Serial number."""
        return (
            "Hardware inventory:\nItem             Version  Part number  Serial number     Description\n"
            f"Chassis                                SIM{self.device.index:08d}       SRX300\n\n"
        )

    @command("show configuration", "show configuration ...")
    def show_configuration(self, path: str = "") -> Reply:
        """The running configuration, as braces or as `set` lines."""
        running = self._part(self.candidate.running(), path.split())
        if self._display.startswith("compare"):
            return Reply(SCHEMA.compare(self._version(self._back()), running))
        if self._display.startswith("display set"):
            return Reply(set_text(running), is_configuration=True)
        if path:
            return Reply(SCHEMA.braces(running), is_configuration=True)
        return Reply(self.device.persona.shown(self.device), is_configuration=True)

    @command("show system commit")
    def show_commits(self) -> str:
        """Who committed last."""
        return f"0   {self.device.changed_at:%Y-%m-%d %H:%M:%S} UTC by {self.device.changed_by} via cli\n"

    @command("file list", "file list {}")
    def do_list(self, _where: str = "") -> str:
        """Files."""
        return "\n".join(["", "/var/home/admin/:", *sorted(self.device.files), ""]) + "\n"

    @command("file show {}")
    def do_show(self, where: str) -> Reply:
        """Print a file."""
        return Reply(self._file(where))

    @command("file delete {}")
    def do_delete_file(self, where: str) -> str:
        """Remove a file."""
        self._file(where)
        del self.device.files[flash_name(where)]
        return ""

    @property
    def candidate(self) -> Candidate:
        """What will run after the next commit."""
        return Candidate(self.device, SCHEMA)

    def _back(self) -> int:
        last = self._display.split()[-1]
        return int(last) if last.isdigit() else 0

    def _version(self, number: int) -> Statement:
        text = self.candidate.version(number)
        if text is None:
            raise Refused(f"error: rollback file {number} does not exist\n")
        return parse_braces(text)

    def _part(self, root: Statement, words: list[str]) -> Statement:
        if not words:
            return root
        for text in SCHEMA.statements(words):
            found = root.child(text)
            if found is None:
                return Statement("")
            root = found
        return root

    def _file(self, where: str) -> str:
        content = self.device.files.get(flash_name(where))
        if content is None:
            raise Refused(f"error: could not resolve file: {where}\n")
        return content.decode("latin-1")
