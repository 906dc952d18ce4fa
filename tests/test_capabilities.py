"""Every capability that the store owes is covered by a test that names it in its docstring: `A7`, or several."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
NAME = re.compile(r"\b([A-E]\d{1,2})\b")

# What each row asks for, in our words; a test that covers it says its name.
OWED = {
    "A1": "one bare repository for each tenant, made with its directories when it is first needed",
    "A2": "opened or made, by writers only; half a repository is none",
    "A3": "main, named everywhere, and what a clone checks out",
    "A4": "one writer at a time for each tenant, over processes and hosts, with a limit to the waiting",
    "A5": "no commit is lost to another writer",
    "A6": "all files of a device in one commit",
    "A7": "other devices stay as they are, at a price that does not grow with their number",
    "A8": "the first backup of a repository",
    "A9": "the first backup of a device",
    "A10": "a tree that cannot be read is an error and never an empty one",
    "A11": "an unchanged backup makes no commit",
    "A12": "any bytes that a device says",
    "A13": "an id or a name that could be a path is refused",
    "A14": "a service's identity on commits, and the person's",
    "A15": "the full id of the commit",
    "A16": "a file at a commit, and one kind of error for everything that names nothing",
    "A17": "a device's history, newest first, its end included",
    "A18": "in the order of descent and not of clocks",
    "A19": "without a walk through the repository",
    "A20": "with author, size, lines and trigger",
    "A21": "lines added and removed, exact to the byte",
    "A22": "blocking calls say that they block, and bear threads",
    "A23": "verification, housekeeping, deletion and renames, checkpoints, limits of size, a second try",
    "C1": "git is checked, limited in time, and runs in an environment of its own",
    "C2": "a missing git is a clear error, and forgotten once there is one",
    "C3": "the place of a repository follows from ids that are checked",
    "C4": "a repository is made whole or not at all, and never twice",
    "C5": "readers see references only after the objects that they need",
    "C8": "all files at a commit, binary ones too, never fewer than there are",
    "C9": "a set of changes: add, change, remove; nothing is no error",
    "C10": "a lock that whoever lost it cannot go on under",
    "C11": "a busy store says who holds it and since when",
    "C12": "the lock is free again whatever happened",
    "C13": "an author for each commit, who cannot be forged by a name",
    "C14": "what a commit changed, in lines",
    "C15": "the record of a commit, with its own time",
    "C16": "history with a limit and for one path; a path that is not there is no error",
    "C17": "the newest commit, without reading the repository",
    "C19": "milliseconds of each part, bytes and files, for programs",
    "C20": "blocking work beside each other, with nothing left behind",
    "E1": "one content is stored once, and nobody's edit reaches what is stored",
    "E2": "processed files have digests of their own, written with them",
    "E3": "what is stored is held to its digest; where it differs nothing is kept and nothing charged",
    "E4": "nothing is stored that still has to be processed, so a crash leaves nothing half done",
    "E5": "processing works on private copies of all files",
    "E6": "a filter of names, for each tenant, checked when it is saved",
    "E7": "what processing did not change is the same content",
    "E8": "results are deduplicated as everything is",
    "E9": "a step that fails leaves the original, and says so",
    "E10": "an external command, limited and confined",
    "E11": "content that is missing is an error; what was there is replaced as a whole",
    "E12": "a quota in unique bytes, charged with what is kept",
    "E13": "a recount that equals the counter",
    "E14": "garbage goes after a grace, and never what somebody uses again",
    "E15": "retention by counts, times and tags, with exceptions",
    "E16": "names of files that could be paths are refused",
}


def docstrings() -> Iterator[str]:
    """What the tests say about themselves."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield ast.get_docstring(node) or ""


def test_every_capability_has_a_test_that_names_it() -> None:
    """What nothing tests is a promise that nobody keeps."""
    named = {name for text in docstrings() for name in NAME.findall(text)}

    assert sorted(OWED.keys() - named) == []
