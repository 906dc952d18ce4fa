"""A tenant's repository as its readers see it: content, trees, differences, the log. Never creates anything."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from backups.errors import GitFailed, NoStore, StoreDamaged
from backups.store import layout, patches
from backups.store.git import Git
from backups.store.objects import Objects
from backups.store.patches import DiffCaps, Patch

OPEN_STORES = 32
"""Repositories of which a process keeps a `cat-file` at hand, some 6 MB each; the longest unused goes first."""

MANY_PATHS = 1000
"""From here on a whole tree is listed: git compares every entry with every path, and a command line has an end."""


@dataclass(frozen=True)
class Entry:
    """What a path of a tree names; the size of a link is that of its target's name, of a folder 0."""

    mode: str
    id: str
    size: int


@dataclass(frozen=True)
class LogEntry:
    """One commit of the log."""

    commit: str
    author: str
    when: datetime
    message: str


class TenantStore:
    """One tenant's repository, for reading. All its methods block, and may be called by several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git = Git(path)
        self.objects = Objects(self.git)

    def blob(self, object_id: str) -> bytes:
        """The content of a file. Raises StoreDamaged where it is missing, unreadable or not what it was."""
        return self.objects.blob(object_id)

    def blobs(self, object_ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of many files, one in memory at a time. Raises StoreDamaged."""
        for object_id in object_ids:
            yield object_id, self.objects.blob(object_id)

    def tree(self, commit: str, under: str = "") -> dict[str, Entry]:
        """Every file and link of a commit, or below a folder, by its full path. Raises StoreDamaged; never half."""
        return self.entries(commit, [under] if under else [])

    def entries(self, tree: str, paths: Sequence[str], *, folders: bool = False) -> dict[str, Entry]:
        """What these paths, and all below them, name; those that do not exist are left out. Raises StoreDamaged.

        With `folders`, the paths are of folders, which are entries of their own and not entered.
        """
        layout.checked_id(tree)
        many = len(paths) > MANY_PATHS
        options = ["-z", "-l", "--full-tree", *([] if folders else ["-r"]), *(["-r", "-d"] if folders and many else [])]
        try:
            out = self.git.run("ls-tree", *options, tree, "--", *([] if many else paths)).out
        except GitFailed as exc:
            raise self.damage(exc) from exc
        found = dict(parse_entry(line) for line in out.split(b"\0") if line)
        return among(found, set(paths)) if many else found

    def damage(self, failure: GitFailed) -> GitFailed | StoreDamaged:
        """git's refusal of a tree, which here can only mean damage; other failures stay what they are."""
        if type(failure) is not GitFailed:
            return failure
        return StoreDamaged(f"{failure} Run `fsck` for this tenant before anything else.")

    def diff_blobs(self, old: str | None, new: str | None, *, context: int = 3, caps: DiffCaps | None = None) -> Patch:
        """The patch from one file to another; None: there is no such file."""
        caps = caps or DiffCaps()
        if old is not None and new is not None:
            return patches.diff_blobs(self.git, old, new, context=context, caps=caps)
        one = new if old is None else old
        if one is None:
            return Patch(b"", 0, 0)
        return patches.whole_file(self.blob(one), one, added=old is None, caps=caps)

    def diff_commits(
        self,
        old: str | None,
        new: str,
        *,
        paths: Sequence[str] = (),
        context: int = 3,
        caps: DiffCaps | None = None,
    ) -> Patch:
        """The patch from one commit to another (None: from nothing) at these paths, else of all devices' files."""
        return patches.diff_trees(self.git, old, new, paths, context=context, caps=caps or DiffCaps())

    def numstat(self, old: str | None, new: str, paths: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
        """Lines added and removed for each path that differs between two commits."""
        return patches.numstat(self.git, old, new, paths)

    def log(self, path: str, limit: int = 50, *, start: str | None = None) -> list[LogEntry]:
        """The commits that touched a path, newest first by descent, for commit times lie; from main, or from `start`.

        A cross-check of the snapshots' table, not the way to a device's history.
        """
        first = layout.checked_id(start) if start else layout.MAIN
        options = ("--topo-order", f"--max-count={limit:d}", "-z", "--format=%H%n%an%n%at%n%B")
        out = self.git.run("log", *options, "--end-of-options", first, "--", path).out
        return [parse_log_entry(entry) for entry in out.decode("utf-8", "replace").split("\0") if entry]

    def refs(self, *prefixes: str) -> dict[str, str]:
        """Refs at and below these names, with what they name; the broken ones are missing."""
        out = self.git.run("for-each-ref", "--format=%(objectname) %(refname)", *prefixes).out.decode()
        return {ref: object_id for object_id, ref in (line.split(" ", 1) for line in out.splitlines())}

    def close(self) -> None:
        """End the process behind it; the next question starts it again."""
        with self.objects.lock:
            self.objects.close()


def among(entries: dict[str, Entry], paths: set[str]) -> dict[str, Entry]:
    """The entries at or below one of the paths."""
    return {
        path: entry
        for path, entry in entries.items()
        if path in paths or any(str(folder) in paths for folder in PurePosixPath(path).parents)
    }


def parse_entry(line: bytes) -> tuple[str, Entry]:
    """One line of `ls-tree -l`: mode, kind, id, size, TAB, path."""
    head, _, path = line.partition(b"\t")
    mode, _, object_id, size = head.decode().split()
    if size == "BAD":  # git's word for an object that it cannot find
        raise StoreDamaged(
            f"Object {object_id}, which {path.decode('utf-8', 'replace')} names, is missing: run `fsck`."
        )
    return path.decode("utf-8", "surrogateescape"), Entry(mode, object_id, 0 if size == "-" else int(size))


def parse_log_entry(entry: str) -> LogEntry:
    """One commit of `log` in the format asked for above; an author's name cannot hold a line end."""
    commit, author, seconds, message = entry.split("\n", 3)
    return LogEntry(commit, author, datetime.fromtimestamp(int(seconds), UTC), message.strip())


_stores: OrderedDict[Path, TenantStore] = OrderedDict()
_stores_lock = Lock()


def open_store(tenant_id: UUID) -> TenantStore:
    """The tenant's repository. Raises NoStore where there is none: reading never makes one, but a cache of one."""
    ready(tenant_id)
    return open_path(store_path(tenant_id))


def read_blob(tenant_id: UUID, object_id: str) -> bytes:
    """The content of one file; where the home is elsewhere and nothing is here, no more is brought than that.

    Raises StoreError.
    """
    if settings.NETCAIRN_STORE_READY and not is_repository(store_path(tenant_id)):
        content: bytes = import_string(settings.NETCAIRN_STORE_FILE)(tenant_id, object_id)
        return content
    return open_store(tenant_id).blob(object_id)


def ready(tenant_id: UUID) -> None:
    """Have what is kept of the tenant on this host, where its home is elsewhere. Raises StoreError."""
    if settings.NETCAIRN_STORE_READY:
        import_string(settings.NETCAIRN_STORE_READY)(tenant_id)


def store_path(tenant_id: UUID) -> Path:
    """Where the tenant's repository is, or would be."""
    return layout.repository_path(Path(settings.NETCAIRN_STORE_ROOT), tenant_id)


def open_path(path: Path) -> TenantStore:
    """The repository at `path`, with the processes that an earlier reader of this process has left running."""
    if not is_repository(path):
        raise NoStore(f"There is no repository at {path}: nothing was backed up yet, or it is gone; `fsck` tells.")
    with _stores_lock:
        store = _stores.setdefault(path, TenantStore(path))
        _stores.move_to_end(path)
        closing = [_stores.popitem(last=False)[1] for _ in range(len(_stores) - OPEN_STORES)]
    for unused in closing:
        unused.close()
    return store


def is_repository(path: Path) -> bool:
    """Whether there is a complete repository: creation ends with a rename, so a part of one is not ours."""
    return all((path / name).exists() for name in ("HEAD", "objects", "refs"))


def _forget_stores() -> None:
    """After a fork: the processes belong to the parent, and a thread that is not here any more may hold a lock."""
    global _stores_lock  # noqa: PLW0603
    _stores_lock = Lock()
    _stores.clear()


os.register_at_fork(after_in_child=_forget_stores)
