"""Where everything is in a tenant's repository: paths, refs and names. Pure: no git, no disk, no Django.

    refs/heads/main               the record
    refs/epochs/<number>          parts of the record that have ended (`backups/epochs.py`)
    refs/checkpoints/<uuid>       one per kept checkpoint
    refs/purged/<id>              a main that was rewritten, until main has followed; names what took its place
    refs/txn/<fence>-<seq>-<hex>  a new epoch on its way in; never outlives the next writer
    refs/quarantine/<id>          what somebody else had put on main
    devices/<2 hex>/<uuid>/<file> a device's files
    by-name/<device name>         a symbolic link to its folder

Nothing that a person or a device says becomes part of a path or a ref, but for the two names checked here.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from uuid import UUID

from backups.errors import NameRefused

MAIN = "refs/heads/main"
TXN = "refs/txn"
CHECKPOINTS = "refs/checkpoints"
EPOCHS = "refs/epochs"
PURGED = "refs/purged"
QUARANTINE = "refs/quarantine"
DEVICES = "devices"
BY_NAME = "by-name"

FILE_MODE = "100644"
LINK_MODE = "120000"
TREE_MODE = "040000"
NO_ID = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git knows it without having stored it

FULL_ID = re.compile(r"[0-9a-f]{40}\Z")
# An allow-list instead of the dangers known today: no separator, no control character, and with a letter or digit in
# front neither '.', '..', '.git*' nor an option. 100 characters as in QuarantinedFile.name.
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}\Z")
DEVICE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z")
DEVICE_FILE = re.compile(rf"{DEVICES}/([0-9a-f]{{2}})/(\1[0-9a-f-]{{34}})/([^/]+)\Z")


def repository_path(root: Path, tenant_id: UUID) -> Path:
    """The directory of a tenant's bare repository; the id must be a UUID, never text from outside."""
    if not isinstance(tenant_id, UUID):
        raise TypeError(f"{tenant_id!r} is no UUID")
    return root / f"{tenant_id}.git"


def device_folder(device_id: UUID) -> str:
    """The folder of a device's files. 256 folders in between keep every tree small: a commit writes two of them."""
    return f"{DEVICES}/{device_id.hex[:2]}/{device_id}"


def device_file(device_id: UUID, name: str) -> str:
    """The path of one file of a device. Raises NameRefused."""
    return f"{device_folder(device_id)}/{checked_file_name(name)}"


def parse_device_file(path: str) -> tuple[UUID, str] | None:
    """Device and file name of a path in the tree; None for every other path."""
    found = DEVICE_FILE.match(path)
    return (UUID(found[2]), found[3]) if found else None


def link_path(device_name: str) -> str:
    """The path of the link that makes a clone readable. Raises NameRefused."""
    return f"{BY_NAME}/{checked_device_name(device_name)}"


def link_target(device_id: UUID) -> bytes:
    """What the link says."""
    return f"../{device_folder(device_id)}".encode()


def checked_file_name(name: str) -> str:
    """The name, if it can be a file of a device. Raises NameRefused."""
    if not FILE_NAME.match(name):
        raise NameRefused(
            f"{name!r} cannot be a file's name: use letters, digits, '.', '_', '+' and '-', but no dot in front."
        )
    return name


def checked_device_name(name: str) -> str:
    """The name, if it can be a link in `by-name`. Raises NameRefused."""
    if not DEVICE_NAME.match(name) or ".." in name:
        raise NameRefused(
            f"{name!r} cannot be a device's name: use letters, digits, '.', '_' and '-', a letter or digit at each end."
        )
    return name


def checked_id(object_id: str) -> str:
    """The id, if it is a full one of 40 lower-case hexadecimal digits: no abbreviation, no ref, no option."""
    if not FULL_ID.match(object_id):
        raise NameRefused(f"{object_id!r} is not the id of a git object: give all 40 hexadecimal digits.")
    return object_id


def blob_id(content: bytes) -> str:
    """The id that git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def txn_ref(fence: int, seq: int, nonce: str) -> str:
    """The ref of a commit on its way in.

    The nonce keeps two writers apart that were given the same fence: a transaction that is rolled back gives it back.
    """
    return f"{TXN}/{fence}-{seq}-{nonce}"


def checkpoint_ref(ref_id: UUID) -> str:
    """The ref that keeps a checkpoint."""
    return f"{CHECKPOINTS}/{ref_id}"


def epoch_ref(number: int) -> str:
    """The ref that keeps a part of the record that has ended."""
    return f"{EPOCHS}/{number:d}"


def purged_ref(commit: str) -> str:
    """The ref that says what took the place of a record's newest commit when the record was rewritten."""
    return f"{PURGED}/{checked_id(commit)}"


def quarantine_ref(commit: str) -> str:
    """The ref that keeps what main named without the database knowing."""
    return f"{QUARANTINE}/{checked_id(commit)}"
