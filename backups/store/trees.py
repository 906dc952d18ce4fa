"""The objects of a new commit, from its parent's trees and what changes. Pure, but for the trees that it asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from itertools import chain

from backups.store import layout
from backups.store.stream import COMMITTER, NewCommit, Put, identity, text

FOLDER = layout.TREE_MODE.removeprefix("0").encode()  # as a tree says it

Folder = dict[bytes, tuple[bytes, bytes]]  # mode and id by name, as a tree has them
Read = Callable[[str], Folder]  # the entries of the tree of an id
Steps = dict[bytes, "Steps | tuple[bytes, bytes] | None"]  # what becomes of names; within a folder; None: it goes
ANEW = b""  # among the steps within a folder: what was there before has gone


def id_of(kind: str, content: bytes) -> bytes:
    """The twenty bytes that git names an object by."""
    return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(content), content), usedforsecurity=False).digest()


def commit_content(new: NewCommit, tree: bytes) -> bytes:
    """A commit of this tree; the same, to the byte, that `stream` has fast-import make."""
    stamp = f"{int(new.when.timestamp())} +0000"
    parent = f"parent {layout.checked_id(new.parent)}\n" if new.parent else ""
    head = f"tree {tree.hex()}\n{parent}author {identity(new.author)} {stamp}\ncommitter {COMMITTER} {stamp}\n\n"
    return head.encode() + text(new.message)


def grown(read: Read, root: str | None, puts: Iterable[Put], removals: Iterable[str]) -> dict[bytes, bytes]:
    """Every tree that is new once this is put into that root (None: there is none), by its id; the new root last."""
    made: dict[bytes, bytes] = {}
    if grow(read, root, steps_of(puts, removals), made) is None:
        made[id_of("tree", b"")] = b""
    return made


def steps_of(puts: Iterable[Put], removals: Iterable[str]) -> Steps:
    """What changes, as folders within folders. A path that goes and is put is put: two devices may swap their names."""
    going = ((path, None) for path in removals)
    coming = ((put.path, (put.mode.removeprefix("0").encode(), bytes.fromhex(put.id))) for put in puts)
    top: Steps = {}
    for path, leaf in chain(going, coming):
        *folders, name = path.encode("utf-8", "surrogateescape").split(b"/")
        place = top
        for folder in folders:
            below = place.get(folder)
            if not isinstance(below, dict):
                place[folder] = below = {ANEW: None} if folder in place else {}
            place = below
        place[name] = leaf
    return top


def grow(read: Read, tree: str | None, steps: Steps, made: dict[bytes, bytes]) -> bytes | None:
    """Note what a tree becomes, after all below it; its id, or None where nothing is left in it."""
    entries = dict(read(tree)) if tree and ANEW not in steps else {}
    for name, step in steps.items():
        leaf = within(read, entries.get(name), step, made) if isinstance(step, dict) else step
        if leaf:
            entries[name] = leaf
        else:
            entries.pop(name, None)
    if not entries:
        return None
    content = content_of(entries)
    one = id_of("tree", content)
    made.pop(one, None)  # the root has to be the last
    made[one] = content
    return one


def within(
    read: Read, there: tuple[bytes, bytes] | None, steps: Steps, made: dict[bytes, bytes]
) -> tuple[bytes, bytes] | None:
    """What a name stands for once that has changed below it; what goes from below a file that stays was not there."""
    mode, old = there or (b"", b"")
    below = grow(read, old.hex() if mode == FOLDER else None, steps, made)
    if below:
        return FOLDER, below
    return None if mode == FOLDER or ANEW in steps else there


def content_of(entries: Folder) -> bytes:
    """A tree as git stores it: by name, where a folder's counts as if it ended with a slash."""
    ordered = sorted(entries.items(), key=lambda entry: entry[0] + b"/" if entry[1][0] == FOLDER else entry[0])
    return b"".join([b"%b %b\0%b" % (mode, name, one) for name, (mode, one) in ordered])
