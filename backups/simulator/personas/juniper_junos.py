"""Juniper Junos: a shared candidate, commit with automatic rollback, load from the terminal, old versions."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from backups.simulator.braces import Statement, SyntaxMistake, parse_braces, split_words
from backups.simulator.candidate import Candidate
from backups.simulator.console import Console, Refused, Reply, Said, command
from backups.simulator.device import Device
from backups.simulator.flash_name import flash_name
from backups.simulator.persona import Persona
from backups.simulator.personas._juniper_junos_sample import SCHEMA, sample

MINUTE = 60
MODEL, VERSION = "srx300", "22.4R3-S2.11"


class JuniperJunosConsole(Console):
    """One login on a Junos device."""

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
            return Reply(_set_text(running), is_configuration=True)
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

    @command("configure", "configure exclusive", "edit")
    def do_configure(self) -> str:
        """Enter configuration mode."""
        self.mode, self._edit = "config", ()
        return "Entering configuration mode\n"

    # Configuration mode

    @command("run ...", mode="config")
    def do_run(self, line: str) -> Said:
        """A command of the other mode."""
        display = self._display
        self.mode = "exec"
        try:
            return self.run(f"{line} | {display}" if display else line)
        finally:
            self.mode = "config"

    @command("set ...", mode="config")
    def do_set(self, line: str) -> str:
        """Put a statement into the candidate."""
        self._set(self.candidate.tree, line)
        return ""

    @command("delete ...", "delete", mode="config")
    def do_delete(self, line: str = "") -> str:
        """Take a statement out of the candidate."""
        words = [*self._edit, *split_words(line)]
        if not words:
            self.candidate.replace(Statement(""))
            return ""
        self._refuse(line)
        try:
            found = SCHEMA.delete(self.candidate.tree, words)
        except SyntaxMistake:
            raise Refused(self.refusal(line)) from None
        return "" if found else "warning: statement not found\n"

    def _set(self, root: Statement, line: str) -> None:
        self._refuse(line)
        try:
            SCHEMA.set(root, [*self._edit, *split_words(line)])
        except SyntaxMistake:
            raise Refused(self.refusal(line)) from None

    def _back(self) -> int:
        last = self._display.split()[-1]
        return int(last) if last.isdigit() else 0

    def _refuse(self, line: str) -> None:
        fault = self.faults.get("refuse-line")
        if fault is not None and line.startswith(fault.line):
            raise Refused(self.refusal(line))

    @command("edit ...", mode="config")
    def do_edit(self, path: str) -> str:
        """Go into a statement."""
        self._edit = (*self._edit, *path.split())
        return ""

    @command("up", mode="config")
    def do_up(self) -> str:
        """Go out of a statement."""
        self._edit = self._edit[:-1]
        return ""

    @command("top", mode="config")
    def do_top(self) -> str:
        """Go out of all statements."""
        self._edit = ()
        return ""

    @command("show", "show ...", mode="config")
    def show_candidate(self, path: str = "") -> Reply:
        """The candidate, or how it differs from what is running."""
        if self._display.startswith("compare"):
            return Reply(self.candidate.compare(self._back()))
        part = self._part(self.candidate.tree, [*self._edit, *path.split()])
        if self._display.startswith("display set"):
            return Reply(_set_text(part), is_configuration=True)
        return Reply(SCHEMA.braces(part), is_configuration=True)

    @command("load {} {}", mode="config")
    def do_load(self, how: str, source: str) -> str:
        """Take configuration text from the terminal, up to Ctrl-D, or from a file."""
        if how not in ("override", "merge", "set", "replace", "update"):
            raise Refused(self.refusal(how))
        if source != "terminal":
            return self._load(how, self._file(source))
        self.ask("", self._reader(how, []))
        return "[Type ^D at a new line to end input]\n"

    def _reader(self, how: str, lines: list[str]) -> Callable[[str], Said]:
        def read(line: str) -> Said:
            lines.append(line)
            self.ask("", read)
            return ""

        self._loading = lambda: self._load(how, "\n".join(lines))
        return read

    _loading: Callable[[], Said] | None = None

    def control(self, key: str) -> Said:
        """Ctrl-D ends what is being loaded, Ctrl-C throws it away."""
        self.question = None
        loading, self._loading = self._loading, None
        return loading() if loading is not None and key == "\x04" else ""

    def _load(self, how: str, text: str) -> str:
        try:
            self.candidate.load(how, text, self._refuse)
        except SyntaxMistake as mistake:
            return f"{mistake}\nload complete (1 errors)\n"
        except Refused as refused:
            return f"{refused}load complete (1 errors)\n"
        return "load complete\n"

    # Commit

    @command("commit check", mode="config")
    def do_check(self) -> str:
        """Would it commit?"""
        self._check()
        return "configuration check succeeds\n"

    @command("commit", "commit comment ...", mode="config")
    def do_commit(self, _comment: str = "") -> str:
        """Make the candidate run; also confirms an earlier commit."""
        self._check()
        self.device.stop_timer()
        self.candidate.commit(self.username, ignored=self._ignored())
        return "commit complete\n"

    @command("commit and-quit", "commit comment {} and-quit", mode="config")
    def do_commit_quit(self, _comment: str = "") -> str:
        """The same, and leave configuration mode."""
        said = self.do_commit()
        self.mode = "exec"
        return said + "Exiting configuration mode\n"

    @command("commit confirmed", "commit confirmed {}", "commit confirmed {} comment ...", mode="config")
    def do_confirmed(self, minutes: str = "10", _comment: str = "") -> str:
        """Make the candidate run, and go back by itself when no other commit follows in time."""
        self._check()
        before = self.device.running
        self.candidate.commit_for(int(minutes) * MINUTE, self.username, ignored=self._ignored(), back_to=before)
        return (
            f"commit confirmed will be automatically rolled back in {minutes} minutes unless confirmed\n"
            f"commit complete\n\n# commit confirmed will be rolled back in {minutes} minutes\n"
        )

    @command("rollback", "rollback {}", mode="config")
    def do_rollback(self, number: str = "0") -> str:
        """Fill the candidate with an old version."""
        self.candidate.replace(self._version(int(number)))
        return "load complete\n"

    @command("exit", "exit configuration-mode", "quit", mode="config")
    def do_leave(self) -> str:
        """Leave a statement, or configuration mode."""
        if self._edit:
            self._edit = ()
            return ""
        if not self.candidate.changed:
            self.candidate.discard()
            return self._left("")
        self.ask(
            "The configuration has been changed but not committed\nExit with uncommitted changes? [yes,no] (yes) ",
            self._left_anyway,
        )
        return ""

    def _left_anyway(self, answer: str) -> str:
        if answer.startswith("n"):
            return ""
        self.candidate.discard()
        return self._left(answer)

    def _left(self, _answer: str) -> str:
        self.mode = "exec"
        return "Exiting configuration mode\n\n"

    @property
    def candidate(self) -> Candidate:
        """What will run after the next commit."""
        return Candidate(self.device, SCHEMA)

    def _ignored(self) -> bool:
        return self.faults.get("accept-and-ignore") is not None

    def _check(self) -> None:
        if self.candidate.tree.child("system") is None:
            raise Refused("error: Missing mandatory statement: 'system'\nerror: configuration check-out failed\n")

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


def _set_text(root: Statement) -> str:
    return "".join(f"{line}\n" for line in SCHEMA.set_lines(root))


class JuniperJunos(Persona):
    """Juniper Junos."""

    slug = "juniper_junos"
    short = "sim-junos"
    console = JuniperJunosConsole
    saves_itself = True

    def parse(self, text: str) -> Statement:
        """The tree of a configuration."""
        return parse_braces(text)

    def render(self, tree: Any) -> str:
        """The text of a tree."""
        return SCHEMA.braces(tree)

    def as_set(self, text: str) -> str:
        """The configuration as `set` lines."""
        return _set_text(parse_braces(text))

    def hostname(self, text: str) -> str:
        """The value of `host-name`."""
        found = re.search(r"^    host-name (\S+);", text, re.M)
        return found.group(1) if found else "Amnesiac"

    def shown(self, device: Device) -> str:
        """When it was committed, then the configuration."""
        return f"## Last commit: {device.changed_at:%Y-%m-%d %H:%M:%S} UTC by {device.changed_by}\n{device.running}"

    def edit_script(self, lines: list[str]) -> list[str]:
        """Lines between `configure` and `commit`."""
        return ["configure", *lines, "commit and-quit"]

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """A description that ends with the prompt; a statement cannot be the prompt alone."""
        return [f'set interfaces lo0 description "{prompt}"'], ["delete interfaces lo0 description"]

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """See the sample."""
        return sample(name, size, rng)


PERSONA = JuniperJunos()
