"""Objects by id, through one long-lived `git cat-file --batch`."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock

from backups.errors import GitFailed, StoreDamaged
from backups.store import layout
from backups.store.git import Git, Process


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
        """One question; None for a missing object."""
        for last_try in (False, True):
            process = self.running()
            try:
                process.stdin.write(object_id.encode() + b"\n")
                process.stdin.flush()
                return self.answer(process)
            except (BrokenPipeError, EOFError):
                reason = self.post_mortem(process)
                if last_try:
                    raise reason from None
        raise AssertionError("not reached")

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
        """The process, started where there is none or where it belongs to the process that we were forked from."""
        if self.process is None or self.owner != os.getpid():
            self.process = self.git.start("cat-file", "--batch", dies_with_us=False)
            self.owner = os.getpid()
        return self.process

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self.process is not None and self.owner == os.getpid():
            self.process.__exit__()
        self.process = None
