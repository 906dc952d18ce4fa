"""MikroTik RouterOS 7: exports that hide secrets unless told otherwise, binary backups, import and reset."""

from __future__ import annotations

import hashlib
import random
import re
from typing import Any

from backups.simulator.console import Console, Refused, Reply, Said, command
from backups.simulator.device import Device
from backups.simulator.flash_name import flash_name
from backups.simulator.persona import Persona
from backups.simulator.personas._mikrotik_routeros_sample import sample
from backups.simulator.routeros import BadCommand, Menus, split_menu

MODEL, VERSION = "RB5009UG+S+", "7.10.1"
BACKUP_MAGIC = b"\x88\xac\xa1\xb1"


class MikrotikRouterosConsole(Console):
    """One login on a RouterOS device. Changes take effect at once and are saved by themselves."""

    more = "-- [Q quit|D dump|down]"
    erase_more = "\r" + " " * 24 + "\r"
    page_length = 0
    menu = "/"

    @property
    def command_prompt(self) -> str:
        """`[user@name] > `, with the menu when inside one."""
        inside = "" if self.menu == "/" else self.menu
        return f"[{self.username}@{self.device.hostname}] {inside}> "

    def greeting(self) -> str:
        """The banner."""
        return f"\n  MikroTik RouterOS {VERSION} (c) 1999-2023       https://www.mikrotik.com/\n\n\n"

    def refusal(self, line: str) -> str:
        """Which word is not known."""
        return f"bad command name {line.split(maxsplit=1)[0].lstrip('/')} (line 1 column 1)\n"

    def control(self, _key: str) -> Said:
        """Ctrl-D logs out, Ctrl-C gives up a line."""
        self.question = None
        return "\n"

    @command("quit", "/quit")
    def do_quit(self) -> str:
        """Log out."""
        self.closed = True
        return "interrupted\n"

    # Looking

    @command("/export", "export", "/export terse", "/export hide-sensitive")
    def do_export(self) -> Reply:
        """The configuration; secrets are left out."""
        return Reply(_header(self.device) + _export(self.device, sensitive=False), is_configuration=True)

    @command("/export show-sensitive", "export show-sensitive", "/export terse show-sensitive")
    def do_export_all(self) -> Reply:
        """The configuration with its secrets."""
        return Reply(self.device.persona.shown(self.device), is_configuration=True)

    @command("/export file={}", "/export show-sensitive {}")
    def do_export_file(self, name: str) -> str:
        """The same into a file."""
        target = name.removeprefix("file=") + ".rsc"
        self.device.files[target] = self.device.persona.shown(self.device).encode("latin-1")
        return ""

    @command("/system resource print", "system resource print", "system resource print without-paging")
    def show_resource(self) -> str:
        """Version and board."""
        rows = {
            "uptime": "3w2d1h16m",
            "version": f"{VERSION} (stable)",
            "free-memory": "244.1MiB",
            "total-memory": "320.0MiB",
            "cpu-count": "4",
            "free-hdd-space": "971.0MiB",
            "architecture-name": "arm64",
            "board-name": MODEL,
            "platform": "MikroTik",
        }
        return "".join(f"{key:>24}: {value}\n" for key, value in rows.items()) + "\n"

    @command("/system identity print")
    def show_identity(self) -> str:
        """The name."""
        return f"  name: {self.device.hostname}\n"

    @command("/system routerboard print")
    def show_routerboard(self) -> str:
        """Model and serial number."""
        return f"       routerboard: yes\n             model: {MODEL}\n     serial-number: {_serial(self.device)}\n"

    # Files and backups

    @command("/file print", "/file print ...")
    def show_files(self, detail: str = "") -> str:
        """The files on flash."""
        wanted = re.search(r'name="?([^"\s]+)"?', detail)
        chosen = [
            (name, content)
            for name, content in sorted(self.device.files.items())
            if wanted is None or flash_name(wanted.group(1)) == name
        ]
        when = f"{self.device.clock.now():%Y-%m-%d %H:%M:%S}"
        if detail.startswith("detail"):
            return "".join(
                f' {n} name="{name}" type="{_kind(name)}" size={len(content)} creation-time={when}\n'
                for n, (name, content) in enumerate(chosen)
            )
        head = " #  NAME                      TYPE             SIZE  CREATION-TIME\n"
        return head + "".join(
            f"{n:2}  {name:24}  {_kind(name):12}  {len(content):7}  {when}\n"
            for n, (name, content) in enumerate(chosen)
        )

    @command("/file remove {}", "/file remove [find {}")
    def remove_file(self, name: str) -> str:
        """Delete a file, or all with something in their names, which may be none."""
        if name.startswith("name~"):
            part = name.removeprefix("name~").rstrip("]").strip('"')
            self.device.files = {each: kept for each, kept in self.device.files.items() if part not in each}
            return ""
        bare = flash_name(name.removeprefix("name=").rstrip("]").strip('"'))
        if self.device.files.pop(bare, None) is None:
            raise Refused("no such item\n")
        return ""

    @command("/system backup save ...")
    def save_backup(self, parameters: str) -> str:
        """A binary backup, different each time as on the real ones."""
        found = re.search(r"name=(\S+)", parameters)
        name = (found.group(1) if found else self.device.hostname).removesuffix(".backup")
        self.device.memory["backups"] = count = self.device.memory.get("backups", 0) + 1
        salt = hashlib.sha256(f"{self.device.name}/{count}".encode()).digest()
        body = _export(self.device, sensitive=True).encode("latin-1")
        self.device.files[f"{name}.backup"] = BACKUP_MAGIC + salt + body
        return "Saving system configuration\nConfiguration backup saved\n"

    @command("/system backup load ...")
    def load_backup(self, parameters: str) -> str:
        """Put a binary backup back, after a question, and reboot."""
        found = re.search(r"name=(\S+)", parameters)
        content = self.device.files.get(flash_name(found.group(1))) if found else None
        if content is None or not content.startswith(BACKUP_MAGIC):
            raise Refused("failure: cannot open backup file\n")
        text = _backed_up(content)
        self.ask("Restore and reboot? [y/N]: ", lambda key: self._start_again(key, text), single_key=True)
        return ""

    @command(":put ...")
    def do_put(self, expression: str) -> str:
        """Print the size of a file, or how many have a name; no other expression is known."""
        found = re.fullmatch(r'\("(\w+=)" \. (.*)\)', expression)
        if found is None:
            raise Refused(self.refusal(expression))
        size = re.fullmatch(r"\[/file get (\S+) size\]", found[2])
        if size:
            return f"{found[1]}{len(self.device.files.get(size[1], b''))}\n"
        named = re.fullmatch(r"\[:len \[/file find name=(\S+)\]\]", found[2])
        if named is None:
            raise Refused(self.refusal(expression))
        return f"{found[1]}{int(named[1] in self.device.files)}\n"

    # Changing

    @command("/import {}", "/import file-name={}", "import {}")
    def do_import(self, name: str) -> str:
        """Carry out a script."""
        content = self.device.files.get(flash_name(name.removeprefix("file-name=").removeprefix("file=")))
        if content is None:
            raise Refused("input does not match any value of file-name\n")
        menus: Menus = self.device.tree()
        self._import(menus, content.decode("latin-1"))
        return "\nScript file loaded and executed successfully\n"

    def _import(self, menus: Menus, text: str) -> None:
        self.device.tree_changing(self.username)
        for menu, entries in Menus.parse(text).entries.items():
            for entry in entries:
                self._carry_out(menus, menu, entry.text(sensitive=True))

    @command("/system reset-configuration ...")
    def do_reset(self, parameters: str) -> str:
        """Start again with nothing but a script, after a question."""
        found = re.search(r"run-after-reset=(\S+)", parameters)
        content = self.device.files.get(flash_name(found.group(1)), b"") if found else b""
        text = content.decode("latin-1")
        self.ask("Dangerous! Reset anyway? [y/N]: ", lambda key: self._start_again(key, text), single_key=True)
        return ""

    def _start_again(self, key: str, text: str) -> str:
        if key not in ("y", "Y"):
            return "\naction cancelled\n"
        if self.faults.get("accept-and-ignore") is None:
            self.device.running = self._run_script(text).render()
        self.closed = True
        return "\nsystem configuration will be reset\n"

    def _run_script(self, text: str) -> Menus:
        """What a script makes of an empty device, up to the first line that is refused; nobody is there to be told."""
        menus = Menus()
        job = re.search(r'^:execute script=":delay (\d+)m; /system backup load name=(\S+) ', text, re.M)
        if job:
            self.device.start_timer(60 * int(job[1]), lambda: _load_by_itself(self.device, f"{job[2]}.backup"))
        try:
            for menu, entries in Menus.parse(re.sub(r"^:.*\n", "", text, flags=re.M)).entries.items():
                for entry in entries:
                    self._carry_out(menus, menu, entry.text(sensitive=True))
        except Refused:
            return menus
        return menus

    def other(self, line: str) -> Said:
        """A menu, or a change."""
        if line.startswith("#"):
            return ""
        try:
            return self._change(line)
        except BadCommand as bad:
            raise Refused(f"{bad}\n") from None

    def _change(self, line: str) -> str:
        if line in ("/", ".."):
            self.menu = "/" if line == "/" else "/" + self.menu.strip("/").rpartition(" ")[0]
            return ""
        menu, rest = split_menu(line) if line.startswith("/") else (self.menu, line)
        menus: Menus = self.device.tree()
        if rest:
            self.device.tree_changing(self.username)
            self._carry_out(menus, menu, rest)
        elif menu in menus.entries or menu.split()[0] in {each.split()[0] for each in menus.entries}:
            self.menu = menu
        else:
            raise Refused(self.refusal(line))
        return ""

    def _carry_out(self, menus: Menus, menu: str, line: str) -> None:
        fault = self.faults.get("refuse-line")
        if fault is not None and (line.startswith(fault.line) or f"{menu} {line}".startswith(fault.line)):
            raise Refused("failure: not allowed by simulated fault\n")
        if self.faults.get("accept-and-ignore") is not None:
            Menus().carry_out(menu, line)
            return
        menus.carry_out(menu, line)


def _backed_up(content: bytes) -> str:
    """The configuration in a binary backup."""
    return content[len(BACKUP_MAGIC) + 32 :].decode("latin-1")


def _load_by_itself(device: Device, name: str) -> None:
    """What a job does that loads a backup: nothing when the file is gone."""
    if name in device.files:
        device.running = _backed_up(device.files[name])


def _kind(name: str) -> str:
    return {"backup": "backup", "rsc": "script"}.get(name.rpartition(".")[2], ".txt file")


def _serial(device: Device) -> str:
    return f"HE{device.index:08d}"


def _header(device: Device) -> str:
    return (
        f"# {device.clock.now():%Y-%m-%d %H:%M:%S} by RouterOS {VERSION}\n"
        f"# software id = SIMU-{device.index:04d}\n#\n# model = {MODEL}\n# serial number = {_serial(device)}\n"
    )


def _export(device: Device, *, sensitive: bool) -> str:
    if sensitive:
        return device.running
    return Menus.parse(device.running).render(sensitive=False)


class MikrotikRouteros(Persona):
    """MikroTik RouterOS."""

    slug = "mikrotik_routeros"
    short = "sim-ros"
    console = MikrotikRouterosConsole
    saves_itself = True

    def parse(self, text: str) -> Menus:
        """The menus of an export."""
        return Menus.parse(text)

    def render(self, tree: Any) -> str:
        """The export of menus."""
        text: str = tree.render()
        return text

    def hostname(self, text: str) -> str:
        """The identity."""
        found = re.search(r"^/system identity\nset name=(\S+)", text, re.M)
        return found.group(1) if found else "MikroTik"

    def tree_hostname(self, tree: Any) -> str:
        """The same from the menus."""
        identity = tree.entries.get("/system identity")
        return identity[0].values.get("name", "MikroTik") if identity else "MikroTik"

    def shown(self, device: Device) -> str:
        """The header with the time, and everything with secrets."""
        return _header(device) + _export(device, sensitive=True)

    def edit_script(self, lines: list[str]) -> list[str]:
        """The lines alone."""
        return ["/", *lines, "/"]

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """A comment with the prompt in it."""
        return (
            [f'/ip address add address=192.0.2.254/32 comment="{prompt}" interface=lo'],
            ["/ip address remove [find address=192.0.2.254/32]"],
        )

    def login_name(self, username: str) -> str:
        """Terminal options after a plus sign are no part of the account."""
        return username.partition("+")[0]

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """See the sample."""
        return sample(name, size, rng)


PERSONA = MikrotikRouteros()
