"""The configuration of RouterOS: menus with entries, printed as an export, changed by `add`, `set`, `remove`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from backups.simulator.indented import natural

WIDTH = 80
PARAMETER = r'[\w.-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]]*)'
SENSITIVE = (
    r"(?:password|secret|pre-shared-key|private-key|passphrase|authentication-key|wpa2-pre-shared-key|auth-key)="
)


class BadCommand(Exception):
    """The line cannot be carried out; the message is what RouterOS says."""


@dataclass(slots=True)
class Entry:
    """One line of an export: `add …`, or `set …` of something that is always there."""

    verb: str
    target: str = ""
    """For `set`: what stands before the parameters, such as `[ find default-name=ether1 ]`."""
    values: dict[str, str] = field(default_factory=dict)

    def text(self, *, sensitive: bool) -> str:
        """The line."""
        shown = (
            f"{key}={value}" for key, value in self.values.items() if sensitive or not re.match(SENSITIVE, f"{key}=")
        )
        return " ".join(part for part in (self.verb, self.target, *shown) if part)


@dataclass(slots=True)
class Menus:
    """All menus, by path such as `/ip address`."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)

    # Reading and printing

    @classmethod
    def parse(cls, text: str) -> Menus:
        """Read an export, folded or not. Raises BadCommand."""
        menus, menu = cls(), "/"
        for line in unfold(text).splitlines():
            stripped = line.strip()
            if stripped.startswith("/"):
                menu = menus.enter(stripped, menu)
            elif stripped and not stripped.startswith("#"):
                menus.carry_out(menu, stripped)
        return menus

    def render(self, *, sensitive: bool = True) -> str:
        """The export without its header, long lines folded."""
        out: list[str] = []
        for menu in sorted(self.entries):
            if self.entries[menu]:
                out.append(menu)
                out += [fold(entry.text(sensitive=sensitive)) for entry in self._ordered(menu)]
        return "".join(f"{line}\n" for line in out)

    def _ordered(self, menu: str) -> list[Entry]:
        # Things that are always there come first and by name, as in a real export.
        fixed = sorted(
            (each for each in self.entries[menu] if each.verb == "set"), key=lambda each: natural(each.target)
        )
        return [*fixed, *(each for each in self.entries[menu] if each.verb == "add")]

    # Changing

    def enter(self, line: str, before: str) -> str:
        """A line that begins with `/`: a menu, or a command with its menu in front. The menu afterwards."""
        menu, rest = split_menu(line)
        if rest:
            self.carry_out(menu, rest)
            return before
        return menu

    def carry_out(self, menu: str, line: str) -> None:
        """`add`, `set` or `remove` in a menu. Raises BadCommand."""
        verb, _, rest = line.partition(" ")
        found = re.match(r"(\[[^\]]*\]|[\w*-]+(?=\s|$)(?!=))?\s*", rest)
        target = (found.group(1) or "") if found else ""
        values = dict(pair.split("=", 1) for pair in re.findall(PARAMETER, rest[found.end() if found else 0 :]))
        if verb == "add" and values:
            self.entries.setdefault(menu, []).append(Entry("add", values=values))
        elif verb == "set":
            self._set(menu, target, values)
        elif verb == "remove" and target:
            self._remove(menu, target)
        else:
            raise BadCommand(f"bad command name {verb} (line 1 column 1)")

    def _set(self, menu: str, target: str, values: dict[str, str]) -> None:
        entries = self.entries.setdefault(menu, [])
        known = [each for each in entries if each.verb == "set" and _same(each.target, target)]
        chosen = known or self._select(menu, target)
        if not chosen:
            # Something that is always there and was not yet printed because nothing about it differed.
            chosen = [Entry("set", _spaced(target))]
            entries += chosen
        for entry in chosen:
            entry.values.update(values)

    def _remove(self, menu: str, target: str) -> None:
        chosen = self._select(menu, target)
        if not chosen:
            raise BadCommand("no such item")
        self.entries[menu] = [each for each in self.entries[menu] if all(each is not gone for gone in chosen)]

    def _select(self, menu: str, target: str) -> list[Entry]:
        added = [each for each in self.entries.get(menu, []) if each.verb == "add"]
        if target.isdigit():
            return added[int(target) : int(target) + 1]
        wanted = dict(pair.split("=", 1) for pair in re.findall(PARAMETER, target))
        if target.startswith("[") and not wanted:
            return added
        return [
            each
            for each in added
            if wanted and all(each.values.get(key, "").strip('"') == value.strip('"') for key, value in wanted.items())
        ]


def split_menu(line: str) -> tuple[str, str]:
    """`/ip address add x=y` is the menu `/ip address` and the command `add x=y`."""
    found = re.match(r"(/[a-z0-9 /-]*?)\s*(?:\b(add|set|remove|print|export)\b(.*))?$", line)
    if found is None:
        raise BadCommand("bad command name " + line.split(maxsplit=1)[0].lstrip("/") + " (line 1 column 2)")
    menu = "/" + " ".join(found.group(1).strip("/").replace("/", " ").split())
    return menu, f"{found.group(2)}{found.group(3)}".strip() if found.group(2) else ""


def fold(line: str) -> str:
    """Break a long line as RouterOS does: a backslash, and four spaces before the rest."""
    out: list[str] = []
    pad = ""
    while len(pad + line) > WIDTH:
        cut = line.rfind(" ", 1, WIDTH - len(pad) - 1)
        cut = cut + 1 if cut > 0 else WIDTH - len(pad) - 1
        out.append(f"{pad}{line[:cut]}\\")
        line, pad = line[cut:], "    "
    return "\n".join([*out, pad + line])


def unfold(text: str) -> str:
    """The opposite of `fold`, for a whole text."""
    return re.sub(r"\\\r?\n\s*", "", text)


def _spaced(target: str) -> str:
    return f"[ {target.strip('[] ')} ]" if target.startswith("[") else target


def _same(one: str, other: str) -> bool:
    return one.strip("[] ") == other.strip("[] ")
