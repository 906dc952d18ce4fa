"""How one path differs between commits, two by two, asked of a single git process."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from backups.errors import GitFailed, GitTooSlow, StoreDamaged
from backups.store import layout
from backups.store.git import Git, Process
from backups.store.origins import Hunk, hunks_in
from backups.store.patches import PLAIN

# --text: lines are lines, also in what git takes for binary.
OPTIONS = ("--stdin", "-r", "-p", "-U0", "--text", *PLAIN)
ANSWERED = b"next\n"  # what is no id, git says again, and so tells that an answer is complete


def differences(git: Git, pairs: Iterable[tuple[str, str]], path: str, *, seconds: float) -> Generator[list[Hunk]]:
    """The hunks at `path` for each pair of commits, newer and older, in which it must differ; asked one by one.

    Raises StoreDamaged where a commit or a file is missing, GitTooSlow when all of it takes longer than so many
    seconds.
    """
    with git.stream("diff-tree", *OPTIONS, "--", path, seconds=seconds) as process:
        for newer, older in pairs:
            try:
                # Two ids: git takes the second for the only parent of the first.
                question = f"{layout.checked_id(newer)} {layout.checked_id(older)}\n".encode()
                process.stdin.write(question + ANSWERED)
                process.stdin.flush()
                hunks = list(hunks_in(answer(process)))
            except (BrokenPipeError, EOFError):
                raise post_mortem(process, seconds) from None
            if not hunks:
                raise StoreDamaged(f"{path} cannot be compared between {newer} and {older} in {git.path}: run `fsck`.")
            yield hunks


def answer(process: Process) -> Iterator[bytes]:
    """The lines of one answer. Raises EOFError where it breaks off."""
    while (line := process.stdout.readline()) != ANSWERED:
        if not line:
            raise EOFError
        yield line


def post_mortem(process: Process, seconds: float) -> StoreDamaged | GitFailed:
    """Why the process has ended before its time."""
    process.popen.wait()
    if process.popen.returncode < 0:
        return GitTooSlow(f"Comparing the versions took longer than {seconds:g} s: ask for fewer of them.")
    failure = process.failure(process.complaint())
    return StoreDamaged(f"{failure} Run `fsck` for this tenant.") if process.popen.returncode == 128 else failure
