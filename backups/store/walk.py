"""One file of one commit, found by going down its trees through the `cat-file` that is running anyway.

Starting `git ls-tree` costs more than the five small objects on the way. Each is checked against its id, because the
one below it is named by it.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.reader import TenantStore

TREE_OF = re.compile(rb"tree ([0-9a-f]{40})\n")
ID_BYTES = 20


def file_at(store: TenantStore, commit: str, device_id: UUID, name: str) -> bytes | None:
    """A device's file as it was in a commit; None where it had none. Raises NameRefused, StoreDamaged."""
    found = blob_at(store, commit, layout.device_file(device_id, name))
    return None if found is None else store.blob(found)


def blob_at(store: TenantStore, commit: str, path: str, *, unreadable: set[str] | None = None) -> str | None:
    """The id of the object at a path of a commit; None where there is no such path. Raises StoreDamaged.

    `unreadable` remembers what could not be read, from one call to the next.
    """
    bad = set() if unreadable is None else unreadable
    named = TREE_OF.match(checked(store, commit, "commit", bad))
    if named is None:
        raise StoreDamaged(f"Commit {commit} in {store.path} names no tree: run `fsck --full`.")
    found: str | None = named[1].decode()
    for part in path.split("/"):
        if found is None:
            return None
        found = id_in(checked(store, found, "tree", bad), part.encode())
    return found


def checked(store: TenantStore, object_id: str, kind: str, unreadable: set[str]) -> bytes:
    """A commit or a tree, whose content is what its id says. Raises StoreDamaged."""
    changed = StoreDamaged(f"Object {object_id} in {store.path} is not the {kind} that it was: run `fsck --full`.")
    if object_id in unreadable:
        raise changed
    try:
        found, content = store.objects.read(object_id)
    except StoreDamaged:
        unreadable.add(object_id)
        raise
    head = f"{kind} {len(content)}\0".encode()
    if found != kind or hashlib.sha1(head + content, usedforsecurity=False).hexdigest() != object_id:
        unreadable.add(object_id)
        raise changed
    return content


def id_in(tree: bytes, name: bytes) -> str | None:
    """The id of an entry of a tree, which is `<mode> <name> NUL <20 bytes>` for each; None where there is none."""
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        after = end + 1 + ID_BYTES
        if tree[tree.index(b" ", at) + 1 : end] == name:
            return tree[end + 1 : after].hex()
        at = after
    return None
