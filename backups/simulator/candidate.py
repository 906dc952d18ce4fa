"""The candidate of systems that change nothing before a commit (Junos, VyOS): shared, comparable, revertible."""

from __future__ import annotations

import copy
from collections.abc import Callable

from backups.simulator.braces import Schema, Statement, SyntaxMistake, split_words
from backups.simulator.device import Device

MAX_VERSIONS = 50


class Candidate:
    """What will run after the next commit. It belongs to the device: all who configure see the same."""

    def __init__(self, device: Device, schema: Schema) -> None:
        self._device = device
        self._schema = schema

    @property
    def tree(self) -> Statement:
        """The candidate, a copy of what runs when nobody has changed it."""
        found: Statement | None = self._device.memory.get("candidate")
        if found is None:
            found = self._device.memory["candidate"] = self.running()
        return found

    def replace(self, root: Statement) -> None:
        """Put something else in its place."""
        self._device.memory["candidate"] = root

    def discard(self) -> None:
        """Forget all changes."""
        self._device.memory.pop("candidate", None)

    def running(self) -> Statement:
        """The tree of what runs now."""
        return self._parse(self._device.running)

    def _parse(self, text: str) -> Statement:
        root: Statement = self._device.persona.parse(text)
        return root

    def compare(self, number: int = 0) -> str:
        """How the candidate differs from what runs (0), or ran some commits ago."""
        return self._schema.compare(self._parse(self.version(number) or ""), self.tree)

    @property
    def changed(self) -> bool:
        """Whether a commit would do anything."""
        return self._schema.braces(self.tree) != self._schema.braces(self.running())

    # Loading

    def load(self, how: str, text: str, refuse: Callable[[str], None]) -> None:
        """Take text: `set` lines, text to `merge`, or else text that replaces everything. All or nothing.

        `refuse` is called with each line and may raise. Raises SyntaxMistake.
        """
        whole = how not in ("set", "merge")
        root = Statement("") if whole else copy.deepcopy(self.tree)
        lines = text.splitlines() if how == "set" else self._schema.set_lines(self._parse(text))
        for line in lines:
            self._carry_out(root, line.strip(), refuse)
        self.replace(root)

    def _carry_out(self, root: Statement, line: str, refuse: Callable[[str], None]) -> None:
        verb, _, rest = line.partition(" ")
        if not verb or verb.startswith("#"):
            return
        refuse(rest)
        if verb == "set":
            self._schema.set(root, split_words(rest))
        elif verb == "delete":
            self._schema.delete(root, split_words(rest))
        else:
            raise SyntaxMistake(f"terminal:1:(1) syntax error: {verb}")

    # Committing

    def commit(self, username: str, *, ignored: bool) -> None:
        """Make the candidate run; or only say so (the fault `accept-and-ignore`)."""
        text = self._device.persona.render(self.tree)
        self.discard()
        if not ignored:
            self._run(text, username)

    def commit_for(self, seconds: int, username: str, *, ignored: bool, back_to: str) -> None:
        """The same, and go back to a text by itself after so many seconds."""
        self.commit(username, ignored=ignored)
        self._device.start_timer(seconds, lambda: self._go_back(back_to))

    def _go_back(self, text: str) -> None:
        self.discard()
        self._run(text, "root")

    def _run(self, text: str, username: str) -> None:
        device = self._device
        device.history = [device.running, *device.history][:MAX_VERSIONS]
        device.running, device.changed_by = text, username

    def version(self, number: int) -> str | None:
        """What runs (0), or ran so many commits ago; None when that is not known any more."""
        versions = [self._device.running, *self._device.history]
        return versions[number] if number < len(versions) else None
