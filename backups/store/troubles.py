"""What can be wrong between a repository and the row that says which commit is its newest, and how it is mended.

The same list serves the next writer, who mends all of it before he writes, and `fsck`, which may only report it. Who
calls holds the tenant's lock: nothing of ours is at work in the repository, so what looks left over is left over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from backups.errors import GitFailed
from backups.store import layout, packed_refs
from backups.store.codes import Code
from backups.store.creation import HEAD, fsync
from backups.store.git import Git
from backups.store.housekeeping import finish_removal, half_removed
from backups.store.lookup import Lookup
from backups.store.packs import index_again, is_whole
from backups.store.reader import TenantStore
from backups.store.stream import trailers_of
from backups.store.writer import RefMove, make_ref_durable, move_refs

# Ours, and those of git. A .keep is of fast-import until its refs are moved, and would stop a repack.
TEMPORARY = (
    "fast_import_crash_*",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/pack/*.keep",
    "objects/info/**/tmp_*",
)
COMMITTED = re.compile(rb"^committer .* (\d+) [+-]\d{4}$", re.MULTILINE)
LOCKS = ("*.lock", "packed-refs.new", "refs/**/*.lock", "objects/info/**/*.lock", "objects/pack/*.lock")


@dataclass(frozen=True)
class Trouble:
    """One thing that is not as it should be."""

    code: Code
    what: str  # one sentence
    mend: Callable[[], None] | None = None  # None: nothing can be done from here
    alarm: bool = False  # whether a person should hear of it even when it is mended


def troubles(store: TenantStore, head: str | None, lookup: Lookup) -> Iterator[Trouble]:
    """Everything that is wrong, in the order in which it must be mended; mended ones may be mended while iterating.

    `lookup` is asked for the head, so that a writer, who needs one anyway, starts no process for it.
    """
    if file := packed_refs.damaged(store.path):
        what = f"{file} was damaged, so git reads no ref at all; what can be read of it is kept, all of it beside it."
        yield Trouble("damaged-refs", what, partial(packed_refs.mend, file), alarm=True)
    if head is not None and not lookup.has(head):
        yield head_lost(store, head)
        return
    yield from stale_files(store.path)
    yield from head_elsewhere(store.path)
    yield from broken_refs(store.path)
    if is_settled(store.path, head):
        return
    refs = store.refs(layout.MAIN, layout.TXN, layout.EPOCHS, layout.PURGED)
    yield from stale_refs(store, refs)
    yield from main_elsewhere(store, head, refs)
    if any(ref.startswith(f"{layout.PURGED}/") for ref in refs):
        yield from settled_purges(store, head)


def is_settled(path: Path, head: str | None) -> bool:
    """Whether main names the head, and nothing has left a ref: nearly always, and then git need not be asked."""
    packed, main = path / packed_refs.NAME, path / layout.MAIN
    text = packed.read_bytes() if packed.is_file() else b""
    left_over = any(
        f" {kind}/".encode() in text or any((path / kind).glob("*")) for kind in (layout.TXN, layout.PURGED)
    )
    return not left_over and head is not None and main.is_file() and main.read_text("ascii", "replace").strip() == head


def head_lost(store: TenantStore, head: str) -> Trouble:
    """The commit that the row names is not there: the repository is an older one, or the disk has lost it."""
    newest = newest_of_ours(store)
    if newest is None:
        what = f"{store.path} has not the commit {head} that the database names: nothing is written until it is back."
        return Trouble("missing-object", what)
    seq, at = newest
    return Trouble(
        "repository-older",
        f"{store.path} ends with change {seq} of {at:%Y-%m-%d %H:%M:%S} UTC, and the database knows of later ones, "
        f"the newest {head}: an older copy was brought back, or the disk has lost them. "
        "Nothing is written until they are back.",
    )


def newest_of_ours(store: TenantStore) -> tuple[int, datetime] | None:
    """Number and time of the commit that main names; None where that is none of ours."""
    main = store.refs(layout.MAIN).get(layout.MAIN)
    if main is None or not is_readable(store.git, main) or kind_of(store.git, main) != "commit":
        return None
    said, at = trailers(store, main), COMMITTED.search(store.objects.read(main)[1])
    ours = said.get("Tenant") == store.path.stem and said.get("Seq", "").isdecimal()
    return (int(said["Seq"]), datetime.fromtimestamp(int(at[1]), UTC)) if ours and at else None


def kind_of(git: Git, object_id: str) -> str:
    """Whether an object is a commit, a tree, a blob or a tag; empty where it is not there."""
    asked = f"{layout.checked_id(object_id)}\n".encode()
    said = git.run("cat-file", "--batch-check=%(objecttype)", stdin=asked).out.decode().split()
    return said[0] if len(said) == 1 else ""


def is_readable(git: Git, commit: str) -> bool:
    """Whether the commit and its tree are there."""
    try:
        git.run("cat-file", "-e", f"{layout.checked_id(commit)}^{{tree}}")
    except GitFailed as exc:
        if type(exc) is not GitFailed:
            raise
        return False
    return True


def stale_files(path: Path) -> Iterator[Trouble]:
    """Locks and half-written files of git processes that are no more."""
    for found in matching(path, LOCKS):
        yield Trouble("stale-lock", f"{found} was left by a crash; it blocks every writer.", removal_of_file(found))
    for found in matching(path, TEMPORARY):
        yield Trouble("stale-temporary", f"{found} was left by a crash.", removal_of_file(found))
    for found in half_removed(path):
        yield Trouble("stale-temporary", f"{found} was left by a crash.", partial(finish_removal, found))


def unindexed(git: Git) -> Iterator[Trouble]:
    """Whole packs without an index: a writer died between the names of the two, or the disk has lost one.

    Whether something that counts is in there cannot be told before, so it is made readable and never removed.
    For writers alone: `fsck` looks at every pack and index anyway.
    """
    for pack in matching(git.path, ["objects/pack/pack-*.pack"]):
        index = pack.with_suffix(".idx")
        if not index.exists() and is_whole(pack):
            yield Trouble("damaged-index", f"{index} was missing.", partial(index_again, git, pack, index))


def matching(path: Path, patterns: Iterable[str]) -> list[Path]:
    """The files below `path` that match one of the patterns."""
    return sorted(found for pattern in patterns for found in path.glob(pattern))


def head_elsewhere(path: Path) -> Iterator[Trouble]:
    """A HEAD that is not main: a clone would check out something else, or nothing."""
    head = path / "HEAD"
    if head.read_text("ascii", "replace") != HEAD:
        yield Trouble("head-elsewhere", f"{head} does not name main.", lambda: replace(head, HEAD))


def replace(path: Path, text: str) -> None:
    """Give a file new content, whole and durable, or not at all."""
    draft = path.with_name(f"{path.name}.lock")
    draft.write_text(text)
    fsync(draft)
    draft.rename(path)
    fsync(path.parent)


def broken_refs(path: Path) -> Iterator[Trouble]:
    """A main, or a ref of a batch, that holds no id: git would neither read nor replace it."""
    for ref in [path / layout.MAIN, *(path / layout.TXN).glob("*")]:
        if ref.is_file() and not layout.FULL_ID.match(ref.read_text("ascii", "replace").strip()):
            yield Trouble("ref-broken", f"{ref} does not hold the id of a commit.", removal_of_file(ref), alarm=True)


def stale_refs(store: TenantStore, refs: Mapping[str, str]) -> Iterator[Trouble]:
    """Refs of a batch that came to nothing."""
    for ref, commit in refs.items():
        if ref.startswith(f"{layout.TXN}/"):
            yield Trouble("stale-txn", f"{ref} was left by a crash.", removal_of_ref(store.git, ref, commit))


def settled_purges(store: TenantStore, head: str | None) -> Iterator[Trouble]:
    """Refs of a rewriting that main has followed, or that was undone.

    Read anew: main may have been mended a moment ago, and needed them until then to be known for ours.
    """
    refs = store.refs(layout.MAIN, layout.PURGED)
    if refs.pop(layout.MAIN, None) == head:
        for ref, commit in refs.items():
            yield Trouble("stale-txn", f"{ref} was left by a crash.", removal_of_ref(store.git, ref, commit))


def main_elsewhere(store: TenantStore, head: str | None, refs: Mapping[str, str]) -> Iterator[Trouble]:
    """A main that is not where the database says."""
    main = refs.get(layout.MAIN)
    if main == head:
        return
    mend = roll(store.git, head, main)
    if main is None or (head is not None and is_behind(store, main, head, refs)):
        yield Trouble("ref-behind", f"main in {store.path} is behind the database.", mend)
    elif not (kind := kind_of(store.git, main)) or (kind == "commit" and not is_readable(store.git, main)):
        yield Trouble("ref-broken", f"main in {store.path} names {main}, which is not there.", mend, alarm=True)
    elif kind != "commit":
        what = f"main in {store.path} names the {kind} {main}, not a commit; a writer keeps it in quarantine."
        yield Trouble("ref-not-commit", what, quarantine(store.git, head, main), alarm=True)
    else:
        code: Code = "database-older" if continues(store, head, main, refs) else "ref-foreign"
        kept = layout.quarantine_ref(main)
        what = f"main in {store.path} names {main}, which the database does not know; a writer keeps it as {kept}."
        yield Trouble(code, what, quarantine(store.git, head, main), alarm=True)


def is_behind(store: TenantStore, main: str, head: str, refs: Mapping[str, str]) -> bool:
    """Whether the head goes on from main: by commits, in a new epoch, or because the record was rewritten."""
    if is_ancestor(store.git, main, head):
        return True
    if purged := refs.get(layout.purged_ref(main)):
        return is_ancestor(store.git, purged, head)
    # An epoch that ended after the head is one that the database has forgotten.
    return not is_ancestor(store.git, head, main) and any(is_ancestor(store.git, main, tip) for tip in epochs(refs))


def epochs(refs: Mapping[str, str]) -> list[str]:
    """The last commits of the parts of the record that have ended."""
    return [commit for ref, commit in refs.items() if ref.startswith(f"{layout.EPOCHS}/")]


def continues(store: TenantStore, head: str | None, main: str, refs: Mapping[str, str]) -> bool:
    """Whether main goes on from the head by commits of our own: then the database is of an earlier time."""
    first = int(trailers(store, head).get("Seq", 0)) if head else 0
    last = trailers(store, main)
    ours = last.get("Tenant") == store.path.stem and last.get("Seq", "").isdecimal()
    if not ours or int(last["Seq"]) <= first:
        return False
    return head is None or any(is_ancestor(store.git, head, end) for end in [main, *epochs(refs)])


def trailers(store: TenantStore, commit: str) -> dict[str, str]:
    """What a commit says about itself."""
    _, content = store.objects.read(commit)
    return trailers_of(content.decode("utf-8", "replace"))


def is_ancestor(git: Git, old: str, new: str) -> bool:
    """Whether one commit is among the ancestors of another; not, where it cannot be told."""
    return git.run("merge-base", "--is-ancestor", old, new, expect=(0, 1, 128)).status == 0


def roll(git: Git, head: str | None, main: str | None) -> Callable[[], None]:
    """Bring main to where the database says, from where it was seen."""
    return lambda: move_refs(git, [RefMove(layout.MAIN, head, main or layout.NO_ID)])


def quarantine(git: Git, head: str | None, main: str) -> Callable[[], None]:
    """Keep what main names under another name, then bring main to where the database says."""

    def keep_and_roll() -> None:
        kept = layout.quarantine_ref(main)
        move_refs(git, [RefMove(kept, main, None)])
        make_ref_durable(git, kept)
        roll(git, head, main)()

    return keep_and_roll


def removal_of_ref(git: Git, ref: str, commit: str) -> Callable[[], None]:
    """Delete a ref, as it was seen."""
    return lambda: move_refs(git, [RefMove(ref, None, commit)])


def removal_of_file(path: Path) -> Callable[[], None]:
    """Delete a file that may be gone by now."""

    def remove() -> None:
        path.unlink(missing_ok=True)
        fsync(path.parent)

    return remove
