"""The console that IOS and EOS share: privileged mode, configuration mode with sections, files on flash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import ClassVar

from backups.simulator.console import Console, Refused, Reply, Said, command
from backups.simulator.flash_name import flash_name
from backups.simulator.indented import Grammar, Line, NotUnderstood, Path

FLASH_BYTES = 11_353_194_496


class CiscoLikeConsole(Console):
    """One login on a device with `>`, `#` and `(config)#` prompts."""

    grammar: ClassVar[Grammar]
    password_prompt = "Password: "  # noqa: S105 - a prompt  # nosec B105
    invalid = "% Invalid input detected at '^' marker.\n\n"
    saved = "Building configuration...\n[OK]\n"

    not_privileged = invalid

    privileged = False
    path: Path = ()
    _tries = 0

    def at_console(self) -> None:
        """An engineer at the console is privileged."""
        self.privileged = True

    @property
    def command_prompt(self) -> str:
        """`name>`, `name#` or `name(config-if)#`."""
        name = self.device.hostname
        if self.mode == "config":
            inside = self.grammar.inside(self.path)
            return f"{name[:20]}({self.config_name()}{'-' + inside.mode if inside else ''})#"
        return name + ("#" if self.privileged else ">")

    def config_name(self) -> str:
        """What stands in the brackets of the prompt at the top level of configuration mode."""
        return "config"

    def refusal(self, _line: str) -> str:
        """A marker below the first word that is not understood, then the sentence."""
        return " " * len(self.command_prompt) + "^\n" + self.invalid

    def other(self, line: str) -> Said:
        """In configuration mode anything else is a configuration line; `!` is a comment everywhere."""
        if line.startswith("!"):
            return ""
        if self.mode == "config":
            return self.configure_line(line)
        raise Refused(self.refusal(line))

    def control(self, _key: str) -> Said:
        """Ctrl-C and Ctrl-Z leave configuration mode."""
        self.question = None
        if self.mode == "config":
            self.leave_config()
        return "\n"

    def need_privilege(self, line: str) -> None:
        """Refuse as if the command did not exist, as the devices do."""
        if not self.privileged:
            raise Refused(self.refusal(line) if self.not_privileged == self.invalid else self.not_privileged)

    # Modes

    @command("enable")
    def do_enable(self) -> Said:
        """Ask for the secret, when there is one."""
        if self.privileged or not self.device.enable_secret:
            self.privileged = True
        else:
            self._tries = 0
            self.ask(self.password_prompt, self._check_secret, secret=True)
        return ""

    def _check_secret(self, answer: str) -> Said:
        if answer == self.device.enable_secret:
            self.privileged = True
            return ""
        self._tries += 1
        if self._tries < 3:
            self.ask(self.password_prompt, self._check_secret, secret=True)
            return ""
        return "% Bad secrets\n\n"

    @command("disable")
    def do_disable(self) -> str:
        """Give up privileges."""
        self.privileged = False
        return ""

    @command("exit", "logout", "quit")
    def do_exit(self) -> str:
        """Log out."""
        self.closed = True
        return ""

    @command("terminal length {}")
    def do_length(self, lines: str) -> str:
        """Paging."""
        self.set_page_length(int(lines))
        return ""

    @command("terminal width {}")
    def do_width(self, columns: str) -> str:
        """The width of the terminal."""
        self.width = int(columns)
        return ""

    @command("configure terminal", "configure")
    def do_configure(self) -> str:
        """Enter configuration mode."""
        self.need_privilege("configure")
        self.mode, self.path = "config", ()
        return ""

    @command("end", mode="config")
    def do_end(self) -> str:
        """Leave configuration mode."""
        self.leave_config()
        return ""

    @command("exit", mode="config")
    def do_up(self) -> str:
        """Leave one section, or configuration mode."""
        if self.path:
            self.path = self.path[:-1]
        else:
            self.leave_config()
        return ""

    @command("do ...", mode="config")
    def do_do(self, line: str) -> Said:
        """Carry out a command of the other mode."""
        self.mode = "exec"
        try:
            return self.run(line)
        finally:
            self.mode = "config"

    def leave_config(self) -> None:
        """Back to commands."""
        self.mode, self.path = "exec", ()
        self.device.drop_tree()

    # Configuration lines

    def tree_to_change(self) -> Line:
        """The structure that the next configuration line changes."""
        tree: Line = self.device.tree()
        self.device.tree_changing(self.username)
        return Line("") if self.ignoring() else tree

    def ignoring(self) -> bool:
        """The fault `accept-and-ignore`."""
        return self.faults.get("accept-and-ignore") is not None

    def configure_line(self, line: str) -> Said:
        """Carry out one configuration line, or refuse it."""
        text = self.grammar_line(" ".join(line.split()) if not line.startswith("banner") else line.strip())
        if text.startswith("banner "):
            return self._begin_banner(text)
        if self.refused_by_fault(text):
            raise Refused(self.refusal(text))
        if text == "exit-address-family":
            return self.do_up()
        return self._carry_out(text)

    def grammar_line(self, text: str) -> str:
        """The line with its abbreviations written out."""
        return text

    def _carry_out(self, text: str) -> str:
        try:
            self.path = self.grammar.enter(self.tree_to_change(), self.path, text)
        except NotUnderstood:
            raise Refused(self.refusal(text)) from None
        return ""

    def refused_by_fault(self, text: str) -> bool:
        """The fault `refuse-line`."""
        fault = self.faults.get("refuse-line")
        return fault is not None and text.startswith(fault.line)

    def _begin_banner(self, text: str) -> str:
        """Read the lines of a banner until its end sign; the sign itself is printed as `^C` by IOS, `EOF` by EOS."""
        words = text.split(maxsplit=2)
        if len(words) < 2:
            raise Refused(self.refusal(text))
        head, sign, first = self.banner_head(words)
        if first is not None and sign in first:
            return self._carry_out(self.banner_text(head, [first.partition(sign)[0]]))
        self.ask("", self._banner_reader(head, sign, [] if not first else [first]))
        return self.banner_hint(sign)

    def banner_head(self, words: list[str]) -> tuple[str, str, str | None]:
        """Kind of banner, end sign, and text that stands on the first line already."""
        rest = words[2] if len(words) > 2 else "#"
        sign = rest[:2] if rest.startswith("^") else rest[:1]
        return f"banner {words[1]}", sign, rest[len(sign) :] or None

    def banner_text(self, head: str, lines: list[str]) -> str:
        """The banner as one line of the tree."""
        return "\n".join([f"{head} {self.grammar.banner_end}", *lines, self.grammar.banner_end])

    def banner_hint(self, sign: str) -> str:
        """What the device says while it waits for the text."""
        return f"Enter TEXT message.  End with the character '{sign}'.\n"

    def _banner_reader(self, head: str, sign: str, lines: list[str]) -> Callable[[str], Said]:
        def read(line: str) -> Said:
            before, found, _ = line.partition(sign)
            if before or not found:
                lines.append(before)
            if found:
                return self._carry_out(self.banner_text(head, lines))
            self.ask("", read)
            return ""

        return read

    # Looking

    @command("show running-config", "show running-config all")
    def show_running(self) -> Reply:
        """The running configuration."""
        self.need_privilege("show running-config")
        return Reply(self.device.persona.shown(self.device), is_configuration=True)

    def load(self, text: str) -> tuple[Line, list[str]]:
        """The tree of a whole configuration typed into an empty device, and the lines that were refused."""
        bare = self.grammar.bare(self.device.tree())
        self.device.drop_tree()
        return self.grammar.load(bare, text, self.refused_by_fault)

    # Files

    @command("dir", "dir {}")
    def do_dir(self, where: str = "flash:") -> str:
        """List flash, or one file on it."""
        self.need_privilege("dir")
        name = flash_name(where)
        if name and name not in self.device.files:
            raise Refused(f"%Error opening {where} (No such file or directory)\n")
        when = self.device.clock.now().strftime("%b %d %Y %H:%M:%S +00:00")
        rows = [
            f"{n:5}  -rw-  {len(content):12}  {when}  {each}\n"
            for n, (each, content) in enumerate(sorted(self.device.files.items()), start=1)
            if name in ("", each)
        ]
        used = sum(map(len, self.device.files.values()))
        total = f"\n{FLASH_BYTES} bytes total ({FLASH_BYTES - used} bytes free)\n"
        return f"Directory of flash:/{name}\n\n" + "".join(rows) + total

    @command("more {}")
    def do_more(self, where: str) -> Reply:
        """Print a file."""
        self.need_privilege("more")
        return Reply(self.read_file(where))

    @command("verify /md5 {}")
    def do_verify(self, where: str) -> str:
        """The checksum of a file."""
        content = self.read_file(where).encode("latin-1")
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return f".MD5 of {where} Done!\nverify /md5 ({where}) = {digest}\n"

    @command("delete /force {}")
    def do_delete(self, where: str) -> str:
        """Remove a file without a question."""
        self.need_privilege("delete")
        self.read_file(where)
        del self.device.files[flash_name(where)]
        return ""

    @command("delete {}")
    def do_delete_asking(self, where: str) -> str:
        """Remove a file after two questions."""
        self.need_privilege("delete")
        name = flash_name(where)
        self.ask(f"Delete filename [{name}]? ", lambda _: self._confirm_delete(where))
        return ""

    def _confirm_delete(self, where: str) -> str:
        name = flash_name(where)
        self.ask(
            f"Delete flash:/{name}? [confirm]",
            lambda key: self.do_delete(where) + "\n" if key in ("", "y", "Y") else "\n",
            single_key=True,
        )
        return ""

    def read_file(self, where: str) -> str:
        """The text of a file on flash."""
        content = self.device.files.get(flash_name(where))
        if content is None:
            raise Refused(f"%Error opening {where} (No such file or directory)\n")
        return content.decode("latin-1")
