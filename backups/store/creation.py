"""A new repository: complete and durable before it has its name."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from backups.errors import StoreError
from backups.store.git import CONFIG, Git
from backups.store.reader import is_repository

PRIVATE = 0o700
ABANDONED = 3600.0  # seconds; making one takes a tenth of one
HEAD = "ref: refs/heads/main\n"


def create(path: Path) -> bool:
    """Make a repository at `path`; False where there is one by now. Raises StoreError.

    It is made under another name and renamed, so whoever sees the name sees all of it; of two makers one wins.
    """
    try:
        make_root(path.parent)
        sweep(path)
        draft = Path(tempfile.mkdtemp(prefix=prefix(path), dir=path.parent))
        try:
            initialise(draft)
            return rename(draft, path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as exc:
        raise StoreError(
            f"{path.parent} cannot be written ({exc.strerror}): mend that, or set NETCAIRN_STORE_ROOT."
        ) from exc


def make_root(root: Path) -> None:
    """The directory of all repositories, at the first of them."""
    if not root.is_dir():
        root.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        fsync(root.parent)


def initialise(path: Path) -> None:
    """git's empty bare repository with our configuration, on the disk when this returns."""
    Git(path).run("init", "--quiet", "--bare", "--initial-branch=main", "--template=")
    (path / "config").write_text(configuration())
    (path / "objects" / "info").mkdir(exist_ok=True)
    for found in sorted(path.rglob("*"), reverse=True):
        fsync(found)
    fsync(path)


def rename(draft: Path, path: Path) -> bool:
    """Give the draft its name, durably; False where another was there first."""
    try:
        draft.rename(path)
    except OSError as exc:
        if is_repository(path):
            return False
        raise StoreError(f"{path} is in the way and is no repository ({exc.strerror}): move it away.") from exc
    fsync(path.parent)
    return True


def configuration() -> str:
    """The repository's own configuration, for every git that is not started by us."""
    lines = ["[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"]
    for key, value in CONFIG.items():
        section, name = key.split(".")
        lines.append(f"[{section}]\n\t{name} = {value}\n")
    lines.append("[uploadpack]\n\thideRefs = refs/txn\n\thideRefs = refs/quarantine\n\thideRefs = refs/purged\n")
    return "".join(lines)


def prefix(path: Path) -> str:
    """What the drafts of this repository are called."""
    return f".new-{path.stem}-"


def sweep(path: Path) -> None:
    """Remove drafts that a crash has left, which is what those are that nobody has finished for an hour."""
    for left in path.parent.glob(prefix(path) + "*"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            shutil.rmtree(left, ignore_errors=True)


def fsync(path: Path) -> None:
    """Have a file, or the names in a directory, on the disk. Raises StoreError where the disk refuses."""
    try:
        sync(path)
    except OSError as exc:
        raise StoreError(f"{path} could not be made durable ({exc.strerror}): look at the disk.") from exc


def sync(path: Path) -> None:
    """The same, for whoever has errors of its own. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
