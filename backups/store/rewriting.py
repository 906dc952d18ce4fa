"""Writing a repository's history anew without some bytes: the one rewrite there is, for a secret that must vanish.

Only what holds the bytes, and what names it, becomes new: files, the folders above them, their commits and all commits
after those. Everything else keeps its id. Who calls holds the tenant's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.creation import fsync
from backups.store.packing import pack_of, packed
from backups.store.reader import TenantStore
from backups.store.trees import id_of

SECONDS = 3600.0
ID_BYTES = 20
FOLDER = b"40000"


@dataclass
class Rewriting:
    """Old and new ids of what was rewritten, and the new objects."""

    store: TenantStore
    unwanted: Sequence[bytes]
    instead: bytes
    commits: dict[str, str] = field(default_factory=dict)  # only those that changed, so the next two
    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)  # of the new files
    seen: dict[str, str] = field(default_factory=dict)  # every tree and file that was looked at
    fresh: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def rewrite(self, tips: Iterable[str]) -> None:
        """Everything that these commits reach. Raises StoreDamaged, and nothing is written before `write`."""
        asked = "".join(f"{layout.checked_id(tip)}\n" for tip in sorted(set(tips))).encode()
        options = ("--topo-order", "--reverse", "--stdin")
        for commit in self.store.git.run("rev-list", *options, stdin=asked, seconds=SECONDS).out.decode().split():
            self.commit(commit)

    def commit(self, commit: str) -> None:
        """One commit, whose parents were here before it."""
        head, _, message = self.read(commit, "commit").partition(b"\n\n")
        lines = []
        for line in head.split(b"\n"):
            word, _, name = line.partition(b" ")
            if word == b"tree":
                name = self.tree(name.decode()).encode()
            elif word == b"parent":
                name = self.commits.get(name.decode(), name.decode()).encode()
            lines.append(b"%b %b" % (word, name))
        new = self.add("commit", b"\n".join(lines) + b"\n\n" + self.without(message), commit)
        if new != commit:
            self.commits[commit] = new

    def tree(self, tree: str) -> str:
        """The new id of a folder; the same where nothing below it changed."""
        if tree not in self.seen:
            content, at, new = self.read(tree, "tree"), 0, b""
            while at < len(content):
                end = content.index(b"\0", at)
                after = end + 1 + ID_BYTES
                named = content[end + 1 : after].hex()
                mode = content[at : content.index(b" ", at)]
                there = self.tree(named) if mode == FOLDER else self.file(named)
                new += content[at : end + 1] + bytes.fromhex(there)
                at = after
            self.seen[tree] = self.add("tree", new, tree)
        return self.seen[tree]

    def file(self, blob: str) -> str:
        """The new id of a file."""
        if blob not in self.seen:
            content = self.store.blob(blob)
            clean = self.without(content)
            self.seen[blob] = self.add("blob", clean, blob)
            if clean != content:
                self.files[blob] = self.seen[blob]
                self.sizes[self.seen[blob]] = len(clean)
        return self.seen[blob]

    def without(self, content: bytes) -> bytes:
        """The content without the bytes that must vanish."""
        for unwanted in self.unwanted:
            content = content.replace(unwanted, self.instead)
        return content

    def read(self, object_id: str, kind: str) -> bytes:
        """A commit or folder. Raises StoreDamaged."""
        found, content = self.store.objects.read(object_id)
        if found != kind or id_of(kind, content).hex() != object_id:
            raise StoreDamaged(f"Object {object_id} in {self.store.path} is not the {kind} that it was: run `fsck`.")
        return content

    def add(self, kind: str, content: bytes, old: str) -> str:
        """The id of a content, which is new unless it is the old one's."""
        new = id_of(kind, content).hex()
        if new != old:
            self.fresh[new] = (kind, content)
        return new

    def write(self) -> None:
        """Have all new objects in the repository, durably. Raises GitFailed."""
        if self.fresh:
            pack = pack_of([packed(*one) for one in self.fresh.values()])
            self.store.git.run("index-pack", "--stdin", "--strict", stdin=pack, seconds=SECONDS)
            fsync(self.store.path / "objects" / "pack")
            fsync(self.store.path / "objects")
