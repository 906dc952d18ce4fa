"""Objects by id, through one long-lived `git cat-file --batch`."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock
from time import monotonic

from backups.errors import GitFailed, StoreDamaged
from backups.store import layout
from backups.store.git import Git, Process

LIFETIME = 300.0
"""Seconds of one process. It holds packs open that a repack has removed since, and so their space on the disk."""


class Objects:
    """The objects of one repository; may be used by several threads, and after a fork.

    The process is started when it is first needed, and again when it has died. It ends with its standard input, so
    with us; the death signal would end it with the thread that happened to need it first. New packs need no restart:
    git looks for them before it calls an object missing. Old packs that were removed do: see `read`.
    """

    def __init__(self, git: Git) -> None:
        self.git = git
        self.lock = Lock()
        self.process: Process | None = None
        self.owner = 0
        self.since = 0.0

    def blob(self, object_id: str) -> bytes:
        """A file's content. Raises StoreDamaged where it is missing, unreadable, not a file or not what it was."""
        kind, content = self.read(object_id)
        if kind != "blob":
            raise StoreDamaged(f"Object {object_id} in {self.git.path} is a {kind}, not a file.")
        # git trusts the checksum of zlib alone when it reads; here somebody may put the answer into a router.
        if layout.blob_id(content) != object_id:
            raise StoreDamaged(f"File {object_id} in {self.git.path} is not what it was: run `fsck --full`.")
        return content

    def read(self, object_id: str) -> tuple[str, bytes]:
        """Kind and content of an object. Raises StoreDamaged."""
        layout.checked_id(object_id)
        with self.lock:
            answer = self.ask(object_id)
            if answer is None:
                # The process may be of yesterday: of before a repack, or a repository that was replaced since.
                self.close()
                answer = self.ask(object_id)
        if answer is None:
            raise StoreDamaged(
                f"Object {object_id} is missing in {self.git.path}: run `fsck` for this tenant before anything else."
            )
        return answer

    def ask(self, object_id: str) -> tuple[str, bytes] | None:
        """One question, put to a second process where the first has died; None for a missing object."""
        try:
            return self.exchange(object_id)
        except (GitFailed, StoreDamaged):
            return self.exchange(object_id)

    def exchange(self, object_id: str) -> tuple[str, bytes] | None:
        """Ask and hear."""
        process = self.running()
        try:
            # Not through a buffer, which a fork would copy, and the child ask our question once more.
            os.write(process.stdin.fileno(), object_id.encode() + b"\n")
            return self.answer(process)
        except (BrokenPipeError, EOFError):
            raise self.post_mortem(process) from None
        except BaseException:
            # Interrupted in the middle of an answer: its rest would be taken for the next one.
            self.close()
            raise

    def answer(self, process: Process) -> tuple[str, bytes] | None:
        """Read one answer: `<id> <kind> <size>`, then the content."""
        head = process.stdout.readline().decode("ascii", "replace").split()
        if len(head) == 2:  # "<id> missing"
            return None
        if len(head) != 3:
            raise EOFError
        content = process.stdout.read(int(head[2]) + 1)
        if len(content) <= int(head[2]):
            raise EOFError
        return head[1], content[:-1]

    def post_mortem(self, process: Process) -> StoreDamaged | GitFailed:
        """Why the process has died: git ends it where an object cannot be read."""
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.popen.wait()
        failure = process.failure(process.complaint())
        self.close()
        if process.popen.returncode == 128:
            return StoreDamaged(f"{failure} Run `fsck --full` for this tenant.")
        return failure

    def running(self) -> Process:
        """The process: a new one where there is none, where it is old, or where it belongs to who forked us."""
        if self.process is not None and self.owner == os.getpid() and monotonic() - self.since > LIFETIME:
            self.close()
        if self.process is None or self.owner != os.getpid():
            self.process = self.git.start("cat-file", "--batch", dies_with_us=False)
            self.owner, self.since = os.getpid(), monotonic()
        return self.process

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self.process is not None and self.owner == os.getpid():
            self.process.__exit__()
        self.process = None
