"""Post-processing: what is done with a good capture before it is kept. Pure but for a private folder; no Django.

Every file of the capture is copied into a folder of its own, built-in steps and then the command work on the copies,
and what lies there at the end is what is kept. Nothing in that folder is linked to anything stored, and nothing that
was stored can be reached from it (`limited.py`). Whatever goes wrong, the capture is kept as the device said it.
"""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from backups.errors import NameRefused, ProcessingFailed
from backups.store import layout

HERE = Path(__file__).resolve().parent
RAW = ".raw"  # behind the name of a file whose original is kept beside it
KINDS = {"normalise": 0, "strip": 1, "replace": 2}  # built-in steps, and how many arguments each takes
T = TypeVar("T")
GRACE = 10.0  # seconds that the supervisor itself may take beyond the limit


@dataclass(frozen=True)
class Bounds:
    """What a step may take."""

    seconds: float = 30.0
    memory: int = 512 * 1024**2  # bytes
    output: int = 64 * 1024**2  # bytes in its folder


@dataclass(frozen=True)
class Processing:
    """What is done with the captures of a tenant's platform."""

    steps: Sequence[Sequence[str]] = ()  # ("normalise",), ("strip", pattern), ("replace", pattern, replacement)
    only: str = ""  # a regular expression for names of files; empty: all
    command: Sequence[str] = ()  # a program and its arguments, run in the folder
    keep_raw: bool = False
    bounds: Bounds = Bounds()

    def problems(self) -> list[str]:
        """Why this cannot be done, a sentence each."""
        return list(problems_of(self))

    def chosen(self, names: Collection[str]) -> list[str]:
        """The files that it is for."""
        return sorted(name for name in names if not self.only or re.search(self.only, name))


def problems_of(processing: Processing) -> Iterator[str]:
    """What can be known without running it."""
    patterns = [processing.only]
    for step in processing.steps:
        kind, *arguments = step or [""]
        if KINDS.get(kind) != len(arguments):
            yield f"{' '.join(step)!r} is no step: write normalise, strip PATTERN, or replace PATTERN WITH."
            continue
        patterns += arguments[:1]
        if kind == "replace" and not is_replacement(*arguments):
            yield f"{arguments[1]!r} cannot replace what {arguments[0]!r} finds: look at the numbers of its groups."
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{pattern!r} is no regular expression: {error}."
    if processing.command and not Path(processing.command[0]).is_absolute():
        yield "A command begins with the full path of a program."


def is_replacement(pattern: str, replacement: str) -> bool:
    """Whether the groups that it names are there."""
    try:
        re.compile(f"(?:{pattern})|").sub(replacement, "")
    except (re.error, IndexError):
        return False
    return True


def process(
    processing: Processing, files: Mapping[str, bytes], *, required: Collection[str], environment: Mapping[str, str]
) -> dict[str, bytes]:
    """The files as they are to be kept. Raises ProcessingFailed; then nothing of what was done counts.

    `required` are files without which a capture would not be whole. Runs only where a file is chosen.
    """
    chosen = processing.chosen(files)
    if not chosen or not (processing.steps or processing.command):
        return dict(files)
    with TemporaryDirectory(prefix="netcairn-processing-") as name:
        folder = Path(name)
        place = folder / "files"
        place.mkdir()
        for file, content in files.items():
            (place / layout.checked_file_name(file)).write_bytes(content)
        if processing.steps:
            task = folder / "steps.json"
            task.write_text(json.dumps({"files": chosen, "steps": list(map(list, processing.steps))}))
            program = [sys.executable, "-I", str(HERE / "builtin_steps.py"), str(task)]
            run(program, folder, processing.bounds, environment, what="A built-in step")
        if processing.command:
            run(processing.command, folder, processing.bounds, environment, what=processing.command[0])
        result = dict(gathered(place))
    refuse_losses(files, result, required)
    refuse_forged(files, result)
    raw = {f"{name}{RAW}": files[name] for name in files if result.get(name) != files[name]}
    return result | (raw if processing.keep_raw else {})


def originals(files: Mapping[str, T]) -> dict[str, T]:
    """The files of a version as the device said them, wherever that is kept beside what was made of them."""
    beside = {name for name in files if name.endswith(RAW) and name.removesuffix(RAW) in files}
    return {name: files.get(f"{name}{RAW}", content) for name, content in files.items() if name not in beside}


def altered(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> frozenset[str]:
    """The files that are not what the device said; the originals beside them are."""
    return frozenset(
        name for name, content in after.items() if content not in (before.get(name), before.get(name.removesuffix(RAW)))
    )


def run(command: Sequence[str], folder: Path, bounds: Bounds, environment: Mapping[str, str], *, what: str) -> None:
    """Run a program in the folder, confined. Raises ProcessingFailed."""
    task = {
        "command": list(command),
        "folder": str(folder),
        "readable": [str(HERE), str(Path(command[0]).resolve())],
        "environment": {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        | {"TMPDIR": str(folder)}
        | dict(environment),
        "seconds": bounds.seconds,
        "memory": bounds.memory,
        "bytes": bounds.output,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(HERE / "limited.py")],
            input=json.dumps(task).encode(),
            capture_output=True,
            timeout=bounds.seconds + GRACE,
            check=True,
            env={},
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        name = type(error).__name__
        raise ProcessingFailed(f"{what} could not be watched, so it counts for nothing ({name}).") from error
    if answer["outcome"] != "ended" or answer["status"]:
        raise ProcessingFailed(f"{what} {reason(answer, bounds)}")


def reason(answer: Mapping[str, object], bounds: Bounds) -> str:
    """Why a step counts for nothing. What the program said is not repeated: a configuration may be in it."""
    if answer["outcome"] == "timeout":
        return f"took longer than {bounds.seconds:g} s and was stopped."
    if answer["outcome"] == "too-large":
        return f"wrote more than {bounds.output} bytes and was stopped."
    if answer["outcome"] == "unconfined":
        return "was not run: this machine cannot confine it (that needs Landlock, Linux 5.13 or newer)."
    if answer["outcome"] == "unstartable":
        return "could not be started: is it there, and may it be executed?"
    return f"ended with status {answer['status']}."


def gathered(place: Path) -> Iterator[tuple[str, bytes]]:
    """What lies in the folder: plain files with proper names, and nothing else. Raises ProcessingFailed."""
    for found in sorted(place.iterdir()):
        about = found.lstat()
        if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
            raise ProcessingFailed("It left something that is no plain file.")
        try:
            name = layout.checked_file_name(found.name)
        except NameRefused as error:
            raise ProcessingFailed("It left a file with a name that cannot be kept.") from error
        yield name, found.read_bytes()


def refuse_forged(files: Mapping[str, bytes], result: Mapping[str, bytes]) -> None:
    """Raise ProcessingFailed where it made a file that looks like an original: a restore would put it back."""
    if forged := sorted(name for name in result.keys() - files.keys() if name.endswith(RAW)):
        raise ProcessingFailed(f"It left {', '.join(forged)}, but {RAW} names what the device said.")


def refuse_losses(files: Mapping[str, bytes], result: Mapping[str, bytes], required: Collection[str]) -> None:
    """Raise ProcessingFailed where a file is gone, or empty, without which the capture would not be whole."""
    lost = sorted(name for name in required if files.get(name) and not result.get(name))
    if lost or not result:
        raise ProcessingFailed(f"It left nothing of {', '.join(lost) or 'all files'}.")
