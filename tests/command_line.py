"""A command line as a shell would run it, but in the test's own process and transaction."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.db import connections

from inventory.commands import NetcairnCommand


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


class Terminal(io.TextIOWrapper):
    """Somebody sits there and types."""

    def isatty(self) -> bool:
        """Yes."""
        return True


class CommandLine:
    """Runs `manage.py` with words: `stdin` comes from a pipe, `typed` from somebody at a terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr(connections, "close_all", lambda: None)
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(
        self, line: str, *more: str, stdin: str = "", typed: str | None = None, command: NetcairnCommand | None = None
    ) -> Said:
        name, *arguments = (*line.split(), *more)
        reader, text = (io.TextIOWrapper, stdin) if typed is None else (Terminal, typed)
        self.monkeypatch.setattr("sys.stdin", reader(io.BytesIO(text.encode()), encoding="utf-8"))
        self.capsys.readouterr()
        try:
            (command or load_command_class(get_commands()[name], name)).run_from_argv(["manage.py", name, *arguments])
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        return Said(status, *self.capsys.readouterr())
