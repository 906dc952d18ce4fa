"""The documents that operators rely on, held to what the program really says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from django.core.management import get_commands

from backups.capture import Cause
from backups.errors import BackupError, CollectError, StoreError
from backups.store.codes import Code

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
OURS = ("config", "inventory", "backups", "checkpoints")


def below(kind: type[BackupError]) -> Iterator[type[BackupError]]:
    """Every error under one in the tree."""
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def causes_given() -> set[str]:
    """Causes that the code gives an attempt by itself, without an error: what stands after `cause=` and in `close`."""
    files = [path for path in (ROOT / "backups").rglob("*.py") if "simulator" not in path.parts]
    given = re.compile(r"""cause="([a-z-]+)"|State\.(?:FAILED|QUARANTINED), "([a-z-]+)\"""")
    return {one or other for path in files for one, other in given.findall(path.read_text())}


def test_every_cause_of_a_failed_attempt_has_its_line() -> None:
    """A code on a page at three in the morning must lead to what to do about it."""
    table = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", (DOCS / "operate.md").read_text(), re.MULTILINE)
    said = set(re.findall(r"`([a-z-]+)`", " ".join(table)))

    errors = [*below(CollectError), *below(StoreError)]
    causes = {error.cause for error in errors if error.__module__ == BackupError.__module__}

    missing = (causes | set(get_args(Cause)) | causes_given()) - said

    assert missing == set()
    assert {"worker-lost", "site-down", "cancelled", "internal", "dropped"} <= causes_given()


def test_every_finding_of_fsck_has_its_line() -> None:
    """Who has just lost something must not have to read the program."""
    said = set(re.findall(r"^\| `([a-z-]+)` \|", (DOCS / "fsck.md").read_text(), re.MULTILINE))

    assert set(get_args(Code)) - said == set()


def test_every_command_has_its_line() -> None:
    """A command that nobody finds does not exist."""
    said = (DOCS / "commands.md").read_text()

    missing = [name for name, app in get_commands().items() if app in OURS and f"`{name}" not in said]

    assert missing == []
