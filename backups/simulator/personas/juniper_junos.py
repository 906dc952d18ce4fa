"""Juniper Junos: a shared candidate, commit with automatic rollback, load from the terminal, old versions."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from backups.simulator.braces import Statement, SyntaxMistake, parse_braces, split_words
from backups.simulator.console import Refused, Reply, Said, command
from backups.simulator.device import Device
from backups.simulator.persona import Persona
from backups.simulator.personas._juniper_junos_looking import OperationalConsole, set_text
from backups.simulator.personas._juniper_junos_sample import SCHEMA, sample

MINUTE = 60


class JuniperJunosConsole(OperationalConsole):
    """One login on a Junos device."""

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
            return Reply(set_text(part), is_configuration=True)
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

    def _ignored(self) -> bool:
        return self.faults.get("accept-and-ignore") is not None

    def _check(self) -> None:
        if self.candidate.tree.child("system") is None:
            raise Refused("error: Missing mandatory statement: 'system'\nerror: configuration check-out failed\n")


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
        return set_text(parse_braces(text))

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
