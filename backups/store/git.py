"""git, run cleanly: the only user of GitPython.

Every process gets an environment of its own (no user's or machine's configuration, no prompt, no HOME), the settings
that our promises rest on even where somebody has replaced the repository's own, a time limit, and ends with us.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, Any, BinaryIO, Self, cast

from backups.errors import GitFailed, GitMissing, GitTooSlow
from backups.store.disk import refusal_in

# Without it, merely importing GitPython raises on a machine that has no git; GitMissing says it where it matters.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from git import Git as GitPython
from git.exc import GitCommandNotFound

OLDEST = (2, 39)
SECONDS = 120.0
"""Longest life of a git process, unless its caller says otherwise. The longest seen for a batch is below one second."""

CONFIG = {
    "core.fsync": "all",  # the default leaves trees, indexes and refs to the kernel: a power cut loses them
    "core.hooksPath": "/dev/null",
    "fastimport.unpackLimit": "1",  # always a pack: loose objects would need an fsync of 256 directories
    "gc.auto": "0",  # git never collects on its own initiative: it would not ask for the tenant's lock
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "receive.fsckObjects": "true",
    "transfer.fsckObjects": "true",
    "core.quotePath": "false",
}
"""Written into each repository at its creation, and given to every process besides."""

SUBCOMMANDS = {"version", "init", "fast-import", "update-ref", "pack-refs", "repack", "commit-graph", "fsck"} | {
    "cat-file",
    "ls-tree",
    "for-each-ref",
    "merge-base",
    "diff",
    "diff-tree",
    "log",
    "rev-list",
    "grep",
    "prune",
    "pack-objects",
    "index-pack",
    "ls-remote",
    "fetch",
    "push",
}

BOUNDED = {"grep"}  # works on a pattern from outside
MEMORY = 1024**3  # bytes that such a process may ask for
OWN_CONFIG = {
    # All current texts of 10,000 devices are in there at once: with git's own 96m a search took 1.9 s instead of 0.7.
    "grep": ("-c", "core.deltaBaseCacheLimit=256m"),
    # A quarter less work for a pack of a batch that is 8 % larger, until housekeeping finds the deltas.
    "fast-import": ("-c", "core.compression=1"),
}
# glibc gives memory back to the kernel and asks for it again with every object that git packs: that was 20 of 44 ms of
# a batch. It is asked for in pieces of so many bytes instead.
MALLOC_TOP_PAD = 16 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """How a git process ended."""

    status: int
    out: bytes
    complaint: bytes = b""  # what it wrote on its standard error


class Process:
    """A running git process. It dies with the thread that started it, if that was asked for."""

    def __init__(self, command: list[str], name: str, where: Path | None, stdin: BinaryIO | None) -> None:
        self.name, self.where = name, where
        try:
            # Held on to, because GitPython ends the process when this object is gone.
            self.running: Any = GitPython().execute(command, as_process=True, istream=stdin or subprocess.PIPE)
        except GitCommandNotFound as exc:
            raise GitMissing("The program 'env' is not on this machine's PATH, so git cannot be started.") from exc
        self.popen = cast(subprocess.Popen[bytes], self.running.proc)

    @property
    def stdin(self) -> IO[bytes]:
        """What git reads."""
        return cast(IO[bytes], self.popen.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """What git says."""
        return cast(IO[bytes], self.popen.stdout)

    def finish(self, seconds: float, expect: tuple[int, ...]) -> Answer:
        """Wait for the end and check it. Raises GitFailed, or one of its kinds."""
        try:
            out, complaint = self.popen.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as exc:
            raise GitTooSlow(f"git {self.name} {self.place()}did not end in {seconds:g} s and was stopped.") from exc
        finally:
            self.end()
        if self.popen.returncode not in expect:
            raise self.failure(complaint)
        return Answer(self.popen.returncode, out, complaint)

    def end(self) -> None:
        """Stop it now, if it still runs."""
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()

    def complaint(self) -> bytes:
        """What an ended process has written on its standard error."""
        return self.popen.stderr.read() if self.popen.stderr else b""

    def place(self) -> str:
        """The repository as a part of a sentence."""
        return f"in {self.where} " if self.where else ""

    def failure(self, complaint: bytes) -> GitFailed:
        """What went wrong, as one of our errors."""
        said = complaint.decode("utf-8", "replace").strip()
        if self.popen.returncode == 127:
            return GitMissing("There is no git on this machine's PATH: install git 2.39 or newer.")
        if refusal := refusal_in(said, self.where):
            return refusal
        if self.popen.returncode < 0:
            return GitFailed(f"git {self.name} {self.place()}was killed by signal {-self.popen.returncode}.")
        reason = next((line for line in said.splitlines() if line.startswith(("fatal:", "error:"))), said)
        return GitFailed(f"git {self.name} {self.place()}failed: {reason[:300] or 'it did not say why'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream:
                close_quietly(stream)


class Git:
    """git in one bare repository. The directory is always named, so git never looks for one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self,
        subcommand: str,
        *arguments: str,
        stdin: bytes = b"",
        seconds: float = SECONDS,
        expect: tuple[int, ...] = (0,),
        config: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run to the end. Raises GitFailed for a status not in `expect`, or one of its kinds.

        Whatever comes from outside is given as a checked id or after `--end-of-options` or `--`. `config` holds for
        this process alone, and everybody on this machine may read it: never a secret.
        """
        with in_memory([stdin]) as said, self.start(subcommand, *arguments, stdin=said, config=config) as process:
            return process.finish(seconds, expect)

    def start(
        self,
        subcommand: str,
        *arguments: str,
        dies_with_us: bool = True,
        cwd: Path | None = None,
        stdin: BinaryIO | None = None,
        config: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a process, in the directory `cwd` where it matters; the caller ends it.

        It reads `stdin`, or is talked with.

        The death signal is tied to the calling thread, not to our process: a process that shall outlive its thread
        has to be one that ends with its standard input, and says `dies_with_us=False`.
        """
        check_version(os.environ.get("PATH", os.defpath))
        return start(self.path, subcommand, *arguments, dies_with_us=dies_with_us, cwd=cwd, stdin=stdin, config=config)

    @contextmanager
    def stream(self, subcommand: str, *arguments: str, seconds: float, cwd: Path | None = None) -> Iterator[Process]:
        """A process whose output is read as far as the caller likes; killed at the end, and when its time is up."""
        with self.start(subcommand, *arguments, cwd=cwd) as process:
            timer = Timer(seconds, process.popen.kill)
            timer.start()
            try:
                yield process
            finally:
                timer.cancel()


def start(
    path: Path | None,
    subcommand: str,
    *arguments: str,
    dies_with_us: bool = True,
    cwd: Path | None = None,
    stdin: BinaryIO | None = None,
    config: Mapping[str, str] | None = None,
) -> Process:
    """Start git with our environment, in the repository at `path`."""
    if subcommand not in SUBCOMMANDS:
        raise ValueError(f"git {subcommand} is not among the subcommands that are used here")
    # `env -i`, because GitPython always adds to our environment, and cannot take from it.
    command = ["env", "-i", *environment(), *(death_signal() if dies_with_us else ())]
    command += [*(memory_limit() if subcommand in BOUNDED else ()), "git", *OWN_CONFIG.get(subcommand, ())]
    for key, value in (config or {}).items():
        command += ["-c", f"{key}={value}"]
    if path is not None:
        command.append(f"--git-dir={path}")
    if cwd is not None:
        command += ["-C", str(cwd)]
    return Process([*command, subcommand, *arguments], subcommand, path, stdin)


@contextmanager
def in_memory(pieces: Iterable[bytes]) -> Iterator[BinaryIO]:
    """A file of no directory, to be read from its beginning.

    Through a pipe, a batch went in three hundred pieces, and the two processes waited for each other at every one.
    """
    with os.fdopen(os.memfd_create("stdin"), "w+b") if hasattr(os, "memfd_create") else TemporaryFile() as file:
        file.writelines(pieces)
        file.seek(0)
        yield file


def environment() -> list[str]:
    """The whole environment of a git process, as `env` takes it. PATH is the operator's: it chooses the git."""
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "MALLOC_TOP_PAD_": str(MALLOC_TOP_PAD),
        "GIT_CONFIG_COUNT": str(len(CONFIG)),
    }
    for number, (key, value) in enumerate(CONFIG.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return [f"{name}={value}" for name, value in variables.items()]


@lru_cache(maxsize=1)
def death_signal() -> tuple[str, ...]:
    """The program that lets git die with us, where there is one.

    A program and not a function between fork and exec (`preexec_fn`), which can deadlock where there are threads. It is
    the second net: a git that lives on can only write to a ref of its own, or lose a compare-and-swap.
    """
    return if_it_works("setpriv", "--pdeathsig", "KILL")


@lru_cache(maxsize=1)
def memory_limit() -> tuple[str, ...]:
    """The program that limits the memory of git, where there is one; packs that are mapped to be read do not count.

    A regular expression of forty characters made git's C library ask for more than 8 GB.
    """
    return if_it_works("prlimit", f"--data={MEMORY}")


def if_it_works(*program: str) -> tuple[str, ...]:
    """The program that runs another, or nothing where it is missing or cannot (another system, busybox)."""
    try:
        subprocess.run([*program, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return program


@lru_cache(maxsize=4)
def check_version(search_path: str) -> None:  # noqa: ARG001  (another PATH may have another git)
    """Raise GitMissing unless git is there and new enough."""
    with start(None, "version") as process:
        said = process.finish(SECONDS, (0,)).out.decode()
    numbers = said.split()[2].split(".")
    if (int(numbers[0]), int(numbers[1])) < OLDEST:
        raise GitMissing(f"{said.strip()} is too old: install git {OLDEST[0]}.{OLDEST[1]} or newer.")


def close_quietly(stream: IO[bytes]) -> None:
    """Close; what could not be written any more does not matter, because the process is gone."""
    with suppress(BrokenPipeError):
        stream.close()
