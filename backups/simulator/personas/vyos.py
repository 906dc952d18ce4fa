"""VyOS: `set` and `delete` on a candidate, commit, commit-confirm that ends in the saved configuration, save."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from backups.simulator.braces import Statement, SyntaxMistake, parse_braces, quoted, split_words
from backups.simulator.candidate import Candidate
from backups.simulator.console import Console, Refused, Reply, Said, command
from backups.simulator.flash_name import flash_name
from backups.simulator.persona import Persona
from backups.simulator.personas._vyos_sample import SCHEMA, sample

MINUTE = 60
VERSION = "1.4.3"


class VyosConsole(Console):
    """One login on a VyOS router."""

    more = ":"
    erase_more = "\r\x1b[K"
    filters = ("match", "except", "count", "no-more")

    _edit: tuple[str, ...] = ()

    @property
    def command_prompt(self) -> str:
        """`user@name:~$ `, or the place in the configuration and `user@name# `."""
        name = f"{self.username}@{self.device.hostname}"
        if self.mode == "config":
            return f"[edit{''.join(' ' + word for word in self._edit)}]\n{name}# "
        return f"{name}:~$ "

    def greeting(self) -> str:
        """When the last login was."""
        return f"Welcome to VyOS!\n\nVyOS {VERSION} sagitta\n"

    def refusal(self, line: str) -> str:
        """In configuration mode a path is not valid, else a command is not known."""
        if self.mode == "config":
            return f"\n  Configuration path: [{line}] is not valid\n  Set failed\n\n"
        return f"\n  Invalid command: [{line.split(maxsplit=1)[0]}]\n\n"

    @command("exit", "logout")
    def do_exit(self) -> str:
        """Log out."""
        self.closed = True
        return "logout\n"

    @command("set terminal length {}", mode="any")
    def do_length(self, lines: str) -> str:
        """Paging."""
        self.set_page_length(int(lines))
        return ""

    @command("set terminal width {}", mode="any")
    def do_width(self, columns: str) -> str:
        """The width of the terminal."""
        self.width = int(columns)
        return ""

    @command("show version")
    def show_version(self) -> str:
        """Version and hardware."""
        return (
            f"Version:          VyOS {VERSION}\nRelease train:    sagitta\n\nArchitecture:     x86_64\n"
            f"Hardware vendor:  Simulated\nHardware S/N:     SIM{self.device.index:08d}\n\n"
        )

    @command("show configuration commands")
    def show_commands(self) -> Reply:
        """The running configuration as `set` lines."""
        return Reply(self.device.running, is_configuration=True)

    @command("cat /config/config.boot")
    def show_boot(self) -> Reply:
        """The saved configuration as a file, which ends with the version that wrote it."""
        version = f'// vyos-config-version: "bgp@5:system@27"\n// Release version: {VERSION}\n'
        saved = _boot(self.device.persona.parse(self.device.startup))
        return Reply(f"{saved}\n// Warning: Do not remove the following line.\n{version}", is_configuration=True)

    @command("show configuration")
    def show_configuration(self) -> Reply:
        """The running configuration as braces."""
        return Reply(_braces(self.candidate.running()), is_configuration=True)

    @command("configure")
    def do_configure(self) -> str:
        """Enter configuration mode."""
        self.mode, self._edit = "config", ()
        return ""

    # Configuration mode

    @command("run ...", mode="config")
    def do_run(self, line: str) -> Said:
        """A command of the other mode."""
        self.mode = "exec"
        try:
            return self.run(line)
        finally:
            self.mode = "config"

    @command("set ...", mode="config")
    def do_set(self, line: str) -> str:
        """Put a value into the candidate."""
        self._refuse(line)
        try:
            SCHEMA.set(self.candidate.tree, [*self._edit, *split_words(line)])
        except SyntaxMistake:
            raise Refused(self.refusal(line)) from None
        return ""

    @command("delete ...", mode="config")
    def do_delete(self, line: str) -> str:
        """Take a value out of the candidate."""
        self._refuse(line)
        try:
            found = SCHEMA.delete(self.candidate.tree, [*self._edit, *split_words(line)])
        except SyntaxMistake:
            raise Refused(self.refusal(line)) from None
        return "" if found else "\n  Nothing to delete (the specified value does not exist)\n\n"

    def _refuse(self, line: str) -> None:
        fault = self.faults.get("refuse-line")
        if fault is not None and line.startswith(fault.line):
            raise Refused(self.refusal(line))

    @command("edit ...", mode="config")
    def do_edit(self, path: str) -> str:
        """Go into a node."""
        self._edit = (*self._edit, *path.split())
        return ""

    @command("top", mode="config")
    def do_top(self) -> str:
        """Go out of all nodes."""
        self._edit = ()
        return ""

    @command("compare", mode="config")
    def do_compare(self) -> str:
        """How the candidate differs from what runs."""
        return self.candidate.compare() or "No changes between working and active configurations.\n"

    @command("show", mode="config")
    def show_candidate(self) -> Reply:
        """The candidate."""
        return Reply(_braces(self.candidate.tree), is_configuration=True)

    @command("load {}", mode="config")
    def do_load(self, where: str) -> str:
        """Take a file, written as `set` lines or with braces like config.boot, as the candidate."""
        content = self.device.files.get(flash_name(where))
        if content is None:
            raise Refused(f"Can not open configuration file {where}\n")
        try:
            self._load(content.decode("latin-1"))
        except SyntaxMistake as mistake:
            raise Refused(f"Failed to parse specified config file: {mistake}\n") from None
        return f"Loading configuration from '{where}'\nLoad complete. Use 'commit' to make changes effective.\n"

    def _load(self, text: str) -> None:
        persona = self.device.persona
        tree = persona.parse(text) if text.lstrip().startswith("set ") else _parse_boot(text)
        for line in persona.render(tree).splitlines():
            self._refuse(line.removeprefix("set "))
        self.candidate.replace(tree)

    @command("commit", "commit comment ...", mode="config")
    def do_commit(self, _comment: str = "") -> str:
        """Make the candidate run."""
        if not self.candidate.changed:
            return "No configuration changes to commit\n"
        self._check()
        self.candidate.commit(self.username, ignored=self._ignored())
        return ""

    @command("commit-confirm", "commit-confirm {}", mode="config")
    def do_commit_confirm(self, minutes: str = "10") -> str:
        """Make the candidate run; without `confirm` in time the router starts again with what was saved."""
        self._check()
        question = (
            f"commit confirm will be automatically reboot in {minutes} minutes unless confirmed\nProceed? [confirm]"
        )
        self.ask(question, lambda key: self._commit_for(key, int(minutes)), single_key=True)
        return ""

    def _commit_for(self, key: str, minutes: int) -> str:
        if key in ("", "y", "Y"):
            saved = self.device.startup
            self.candidate.commit_for(minutes * MINUTE, self.username, ignored=self._ignored(), back_to=saved)
        return "\n"

    @command("confirm", mode="any")
    def do_confirm(self) -> str:
        """Keep what was committed."""
        return "" if self.device.stop_timer() else "No confirm pending\n"

    @command("discard", mode="config")
    def do_discard(self) -> str:
        """Forget all changes."""
        self.candidate.discard()
        return "\n  Changes have been discarded\n\n"

    @command("save", "save {}", mode="config")
    def do_save(self, where: str = "") -> str:
        """Keep what runs for the next start, or in a file."""
        if where:
            self.device.files[flash_name(where)] = self.device.running.encode("latin-1")
        else:
            self.device.save(self.username)
        return f"Saving configuration to '{where or '/config/config.boot'}'...\nDone\n"

    @command("exit", mode="config")
    def do_leave(self) -> str:
        """Leave a node, or configuration mode."""
        if self._edit:
            self._edit = ()
            return ""
        if self.candidate.changed:
            return "Cannot exit: configuration modified.\nUse 'exit discard' to discard the changes and exit.\n"
        return self.do_leave_anyway()

    @command("exit discard", mode="config")
    def do_leave_anyway(self) -> str:
        """Leave configuration mode without the changes."""
        self.candidate.discard()
        self.mode = "exec"
        return "exit\n"

    @property
    def candidate(self) -> Candidate:
        """What will run after the next commit."""
        return Candidate(self.device, SCHEMA)

    def _ignored(self) -> bool:
        return self.faults.get("accept-and-ignore") is not None

    def _check(self) -> None:
        if self.candidate.tree.child("system") is None:
            raise Refused("[[system]] failed\nCommit failed\n")


def _braces(root: Statement) -> str:
    return SCHEMA.braces(root).replace(";\n", "\n")


def _boot(root: Statement) -> str:
    """Braces, with each value in quotes."""
    lines = (re.sub(r"^( *[\w-]+) (\S.*);$", _quote_value, line) for line in SCHEMA.braces(root).splitlines())
    return "".join(f"{line.removesuffix(';')}\n" for line in lines)


def _quote_value(found: re.Match[str]) -> str:
    word, value = found.groups()
    return f"{word} {value}" if word.strip() in SCHEMA.keyed else f'{word} "{value.strip(chr(34))}"'


def _parse_boot(text: str) -> Statement:
    """The opposite. Raises SyntaxMistake."""
    lines = (line.strip() for line in text.splitlines() if not line.startswith("//"))
    marked = (line if not line or line[-1] in "{}" else _unquoted(line) for line in lines)
    return parse_braces("\n".join(marked))


def _unquoted(line: str) -> str:
    word, *values = split_words(line)
    return " ".join([word, *map(quoted, values)]) + ";"


def _commands(statement: Statement, before: str) -> Iterator[str]:
    for each in SCHEMA.ordered(statement, top=False):
        if each.children:
            yield from _commands(each, f"{before}{each.text} ")
        else:
            word, _, value = each.text.partition(" ")
            plain = not value or word in SCHEMA.keyed
            yield before + (each.text if plain else f"{word} '{value.strip(chr(34))}'")


class Vyos(Persona):
    """VyOS."""

    slug = "vyos"
    short = "sim-vyos"
    console = VyosConsole

    def parse(self, text: str) -> Statement:
        """The tree of `set` lines."""
        root = Statement("")
        for line in text.splitlines():
            SCHEMA.set(root, split_words(line)[1:])
        return root

    def render(self, tree: Any) -> str:
        """The tree as `set` lines."""
        return "".join(f"{line}\n" for line in _commands(tree, "set "))

    def hostname(self, text: str) -> str:
        """The value of `system host-name`."""
        found = re.search(r"^set system host-name '(\S+)'", text, re.M)
        return found.group(1) if found else "vyos"

    def edit_script(self, lines: list[str]) -> list[str]:
        """Lines between `configure` and `commit`."""
        return ["configure", *lines, "commit", "exit discard"]

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """A description with the prompt in it."""
        return [f'set interfaces loopback lo description "{prompt}"'], ["delete interfaces loopback lo description"]

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """See the sample."""
        return sample(name, size, rng)


PERSONA = Vyos()
