"""A tenant's current state as plain files that other programs can read while it changes: grep, Batfish, Ansible.

    <root>/<tenant>                      a symbolic link to one whole tree; it is replaced in one step
    <root>/.trees/<tenant id>/<digest>   the trees, each `<device>/<file>` and SHA256SUMS; they never change

A tree is named by what it holds, so that publishing the same state again does nothing. A program that opens the link
once and goes on from there (`cd -P`, an open directory) sees one state to its end: a tree that is not shown any more
goes only after a while, and not as long as anybody has it open on this machine or holds a lock on its directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from backups.models import Repository
from backups.store import layout
from backups.store.creation import fsync
from backups.store.reader import TenantStore, open_store
from checkpoints import manifest
from checkpoints.clones import cloned
from checkpoints.export import SUMS, write
from inventory.models import Device, Tenant

GRACE = 600.0  # seconds that a tree stays after it was shown last: time to open it after following the link
TREES, DRAFT, KNOWN = ".trees", ".draft-", ".known.json"
FILE_MODE, FOLDER_MODE = 0o440, 0o750  # configurations hold secrets: the group of the root may read, nobody may write


@dataclass(frozen=True)
class Shown:
    """One file of a tree: what it is, and how it looked when it was written."""

    blob: str
    sha256: str
    size: int
    changed_ns: int


@dataclass(frozen=True)
class Published:
    """What is shown now."""

    path: Path
    tree: Path
    devices: int
    files: int
    written: int  # files that were not in the tree before
    removed: int  # old trees that went


def publish(tenant: Tenant, root: Path, *, grace: float = GRACE) -> Published | None:
    """Show the tenant's current state below the root; None where nothing was kept yet.

    Raises NoStore, StoreDamaged, OSError: then what was shown before still is.
    """
    row = Repository.objects.filter(tenant=tenant).first()
    if row is None or not row.head:
        return None
    store = open_store(tenant.pk)
    wanted = wanted_files(store, row.head, tenant)
    trees = root / TREES / str(tenant.pk)
    trees.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    with one_at_a_time(trees):
        sweep_drafts(trees)
        link = root / tenant.name
        before = current(link)
        tree = trees / digest(wanted)
        written = 0 if tree.is_dir() else build(store, trees, tree, wanted, before)
        show(link, tree, before)
        drop_other_links(root, link, trees)
        removed = sweep(trees, tree, grace)
    devices = len({path.partition("/")[0] for path in wanted})
    return Published(link, tree, devices, len(wanted), written, removed)


def wanted_files(store: TenantStore, head: str, tenant: Tenant) -> dict[str, str]:
    """The blob of each `<device>/<file>`, by today's names. Raises StoreDamaged."""
    held = manifest.of_commit(store, head)
    known = Device.objects.filter(tenant=tenant, retired_at=None).in_bulk(held)
    return {
        f"{layout.checked_device_name(known[device].name)}/{layout.checked_file_name(name)}": content.blob
        for device, files in held.items()
        if device in known
        for name, content in files.items()
    }


def digest(wanted: Mapping[str, str]) -> str:
    """The name of the tree that holds this."""
    told = "".join(f"{wanted[path]} {path}\n" for path in sorted(wanted))
    return hashlib.sha256(told.encode()).hexdigest()[:40]


@contextmanager
def one_at_a_time(trees: Path) -> Iterator[None]:
    """Nobody else publishes this tenant meanwhile; the lock ends with its process."""
    descriptor = os.open(trees / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def current(link: Path) -> Path | None:
    """The tree that is shown."""
    return link.parent / link.readlink() if link.is_symlink() else None


# Making a tree


def build(store: TenantStore, trees: Path, tree: Path, wanted: Mapping[str, str], before: Path | None) -> int:
    """Write the tree beside its place, then rename it; how many files were new. Raises StoreDamaged, OSError."""
    known = known_of(before)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=trees))
    try:
        shown: dict[str, Shown] = {}
        written = 0
        for path in sorted(wanted):
            place = draft / path
            place.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            old = known.get(path)
            if before and old and old.blob == wanted[path] and taken_over(before / path, place, old):
                shown[path] = noted(place, old.blob, old.sha256)
                continue
            content = store.blob(wanted[path])
            write(place, content)
            place.chmod(FILE_MODE)
            shown[path] = noted(place, wanted[path], hashlib.sha256(content).hexdigest())
            written += 1
        write(draft / SUMS, "".join(f"{file.sha256}  {path}\n" for path, file in shown.items()).encode())
        (draft / SUMS).chmod(FILE_MODE)
        write(draft / KNOWN, json.dumps({path: asdict(file) for path, file in shown.items()}).encode())
        for folder in (*{(draft / path).parent for path in shown}, draft):
            fsync(folder)
        draft.chmod(FOLDER_MODE)
        draft.rename(tree)
        fsync(trees)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def known_of(tree: Path | None) -> dict[str, Shown]:
    """What an earlier tree holds; nothing where that cannot be read."""
    if tree is None:
        return {}
    try:
        return {path: Shown(**file) for path, file in json.loads((tree / KNOWN).read_bytes()).items()}
    except (OSError, ValueError, TypeError):
        return {}  # then every file is written anew


def noted(place: Path, blob: str, sha256: str) -> Shown:
    """How a file looks now."""
    stat = place.stat()
    return Shown(blob, sha256, stat.st_size, stat.st_mtime_ns)


def taken_over(old: Path, place: Path, known: Shown) -> bool:
    """Whether the file of the earlier tree is used again: its blocks where the file system can, else itself.

    Not one that was touched since: files are never changed in a tree, but nothing stops the machine's owner.
    """
    try:
        stat = old.stat()
        if (stat.st_size, stat.st_mtime_ns) != (known.size, known.changed_ns):
            return False
        if not cloned(old, place, mode=FILE_MODE):
            os.link(old, place)
    except OSError:
        place.unlink(missing_ok=True)
        return False
    return True


# Showing it


def show(link: Path, tree: Path, before: Path | None) -> None:
    """Let the link point to the tree, in one step. Raises OSError."""
    if before == tree:
        return
    draft = link.parent / TREES / f"{DRAFT}{os.getpid()}-{link.name}"
    draft.unlink(missing_ok=True)
    # Relative, so that the whole root can be moved or mounted elsewhere.
    draft.symlink_to(tree.relative_to(link.parent))
    draft.replace(link)
    fsync(link.parent)
    if before and before.is_dir():
        os.utime(before)  # from now on its time to go runs


def drop_other_links(root: Path, link: Path, trees: Path) -> None:
    """A tenant that was renamed is shown by its new name alone."""
    for other in root.iterdir():
        tree = current(other)
        if other != link and tree and tree.parent == trees:
            other.unlink()


def remove(tenant: Tenant, root: Path) -> None:
    """Show nothing of a tenant any more, and delete every tree of it, whoever reads there."""
    trees = root / TREES / str(tenant.pk)
    if trees.is_dir():
        drop_other_links(root, root, trees)
        shutil.rmtree(trees)
        fsync(root)


# Old trees


def sweep(trees: Path, shown: Path, grace: float) -> int:
    """Delete trees that were not shown for so long and that nobody reads; how many."""
    old = [tree for tree in trees.iterdir() if tree.is_dir() and tree != shown and not tree.name.startswith(DRAFT)]
    due = [tree for tree in old if time.time() - tree.stat().st_mtime >= grace]
    opened = open_on_this_machine() if due else set()
    gone = 0
    for tree in due:
        if not any(tree == path or tree in path.parents for path in opened) and not locked(tree):
            shutil.rmtree(tree, ignore_errors=True)
            gone += 1
    return gone


def locked(tree: Path) -> bool:
    """Whether a reader holds a lock on the directory (`flock`), as one on another machine has to."""
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def open_on_this_machine() -> set[Path]:
    """Every file and directory that a process has open or stands in, as far as this account may see."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or is somebody else's
            for entry in (process / "cwd", *(process / "fd").iterdir()):
                with suppress(OSError):
                    found.add(entry.readlink())
    return found


def sweep_drafts(trees: Path) -> None:
    """What a crash left behind; under the lock nobody else is at work."""
    for draft in trees.glob(f"{DRAFT}*"):
        shutil.rmtree(draft, ignore_errors=True)
