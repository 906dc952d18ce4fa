"""What systems with indented configurations have in common beside their console: `hostname`, and text from a tree."""

from __future__ import annotations

import random
import re
from typing import Any, ClassVar

from backups.simulator.indented import Grammar, Line
from backups.simulator.persona import Persona


class IndentedPersona(Persona):
    """A system whose configuration is read and printed by a grammar."""

    grammar: ClassVar[Grammar]
    nameless: ClassVar[str]
    """The name of a device without `hostname`."""

    def parse(self, text: str) -> Line:
        """The tree of a configuration."""
        return self.grammar.parse(text)

    def render(self, tree: Any) -> str:
        """The text of a tree."""
        return self.grammar.render(tree)

    def hostname(self, text: str) -> str:
        """The value of `hostname`."""
        found = re.search(r"^hostname (\S+)", text, re.M)
        return found.group(1) if found else self.nameless

    def tree_hostname(self, tree: Any) -> str:
        """The same from the tree."""
        names = (each.text.split()[1] for each in tree.children if each.text.startswith("hostname "))
        return next(names, self.nameless)

    def edit_script(self, lines: list[str]) -> list[str]:
        """Lines between `configure terminal` and `end`."""
        return ["configure terminal", *lines, "end"]

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """A banner with the prompt as a line of its own."""
        return ["banner motd ^", prompt, "^"], ["no banner motd"]

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """A generated configuration, as the device orders it."""
        return self.render(self.parse(self.text(name, size, rng)))

    @staticmethod
    def text(name: str, size: int, rng: random.Random) -> str:
        """A configuration of about so many bytes, in any order."""
        raise NotImplementedError
