"""Many paths of a few commits, through one git process that lives for a turn with the lock.

`git ls-tree` compares every entry of a tree with every path that it is asked for: two hundred paths and ten thousand
names took 20 ms, twice a batch. Here only the trees on the way are read, each once, and the entries looked up. The
process is a new one for every turn, so that it says what is on the disk, and not what an older one still holds open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import IO, ClassVar

from backups.errors import GitFailed, GitTooSlow, StoreDamaged
from backups.store import layout
from backups.store.git import SECONDS, Git, Process
from backups.store.reader import Entry
from backups.store.trees import FOLDER, Folder, id_of

ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)  # of a tree: mode, name, id
TREE_OF = re.compile(rb"tree ([0-9a-f]{40})\n")
MODES = {mode: mode for mode in (b"40000", b"100644", b"120000")}  # one for all entries
LARGE = 64 * 1024  # bytes of a tree
SHELF = 1  # of them, in a process: ten thousand names are 3 MB, and a worker is at one run at a time
AT_ONCE = 500  # questions that fit into a pipe while nobody reads the answers

Found = tuple[str, str]  # mode, id
Wanted = dict[bytes, "Wanted"]  # the parts of paths; nothing below: all that is there


class Lookup:
    """The trees of one repository. Used by one thread, who closes it."""

    # By id, the newest first; replaced and never changed, for there may be other threads. `by-name/` is the same from
    # batch to batch: with 10,000 names, reading it and taking it apart each time took a tenth of a batch.
    shelf: ClassVar[Mapping[str, Folder]] = {}

    def __init__(self, git: Git) -> None:
        self.git = git
        self.trees: dict[str, Folder] = {}  # those that the last answer was found in
        self.ending = ExitStack()
        self.process: Process | None = None

    def close(self) -> None:
        """End the process; the next question starts another."""
        self.ending.close()
        self.process = None

    def has(self, commit: str) -> bool:
        """Whether a commit and its tree are there, and can be read. Raises GitFailed."""
        try:
            self.sizes({self.root_of(commit)})
        except StoreDamaged:
            self.close()  # there may be answers that nobody has read
            return False
        return True

    def entries(
        self, commit: str, paths: Iterable[str], *, unless: Mapping[str, str] | None = None
    ) -> dict[str, Entry]:
        """What these paths of a commit, and all below them, name; those that do not exist are left out.

        None of the paths may lie below another. What a path of `unless` names is not asked for if it has another id
        than that: its size is 0, and it may be missing. Raises StoreDamaged where anything else is missing, on the way
        or at its end.
        """
        unless = unless or {}
        found: dict[str, Found] = {}
        known, self.trees = self.trees, {}
        level = [(self.root_of(commit), "", tree_of(paths))]
        while level:
            self.load({tree for tree, _, _ in level}, known)
            level = [below for step in level for below in self.enter(*step, found)]
        sizes = self.sizes({one for path, (_, one) in found.items() if unless.get(path, one) == one})
        return {path: Entry(mode, one, sizes.get(one, 0)) for path, (mode, one) in found.items()}

    def folder(self, tree: str) -> Folder:
        """What a tree has; those that the last answer was found in are at hand. Raises StoreDamaged."""
        if tree not in self.trees:
            self.load({tree}, {})
        return self.trees[tree]

    def naming(self, commit: str, folder: str, ids: Iterable[str]) -> dict[str, Entry]:
        """What lies in a folder at the top of a commit and names one of these objects, by path; each size is 0.

        Raises StoreDamaged.
        """
        mode, tree = self.folder(self.root_of(commit)).get(folder.encode(), (b"", b""))
        wanted = {bytes.fromhex(one) for one in ids}
        # Of ten thousand names a hundred are of interest, and making an entry of each took longer than all else here.
        found = self.folder(tree.hex()).items() if mode == FOLDER else ()
        return {
            f"{folder}/{path_of(name)}": Entry(mode.decode(), object_id.hex(), 0)
            for name, (mode, object_id) in found
            if object_id in wanted
        }

    def enter(self, tree: str, folder: str, wanted: Wanted, found: dict[str, Found]) -> list[tuple[str, str, Wanted]]:
        """Note the files of a tree that are wanted; the folders that are."""
        entries, below = self.trees[tree], []
        for name in wanted or entries:
            if name in entries:
                mode, object_id = entries[name]
                path = folder + path_of(name)
                if mode == FOLDER:
                    below.append((object_id.hex(), f"{path}/", wanted.get(name, {})))
                elif not wanted.get(name):
                    found[path] = (mode.decode(), object_id.hex())
        return below

    def root_of(self, commit: str) -> str:
        """The tree of a commit."""
        _, content = self.contents([layout.checked_id(commit)])[commit]
        named = TREE_OF.match(content)
        if named is None:
            raise StoreDamaged(f"{commit} in {self.git.path} is no commit: run `fsck --full` for this tenant.")
        return named[1].decode()

    def load(self, ids: set[str], known: Mapping[str, Folder]) -> None:
        """Have these trees at hand, and read those that are not known; one from the shelf must be there still."""
        self.trees |= {tree: known[tree] for tree in ids & known.keys()}
        shelved = {tree: folder for tree, folder in Lookup.shelf.items() if tree in ids - self.trees.keys()}
        self.sizes(set(shelved))
        self.trees |= shelved
        for one, (kind, content) in self.contents(sorted(ids - self.trees.keys())).items():
            if kind != "tree":
                raise StoreDamaged(f"Object {one} in {self.git.path} is a {kind}, not a folder.")
            self.trees[one] = folder_of(content)
            if len(content) > LARGE:
                self.put_on_shelf(one, content)

    def put_on_shelf(self, tree: str, content: bytes) -> None:
        """Remember a large tree for the next batches, if it is what its id says: git does not look when it reads."""
        if id_of("tree", content).hex() == tree:
            Lookup.shelf = dict([(tree, self.trees[tree]), *Lookup.shelf.items()][:SHELF])

    def contents(self, ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
        """Kind and content of objects. Raises StoreDamaged."""
        answers = {}
        for some in batches(ids):
            answer = self.ask("contents", some)
            for object_id in some:
                kind, size = self.heading(object_id, answer.readline())
                content = answer.read(size + 1)
                if len(content) <= size:
                    raise self.post_mortem()
                answers[object_id] = (kind, content[:-1])
        return answers

    def sizes(self, ids: set[str]) -> dict[str, int]:
        """The sizes of objects. Raises StoreDamaged where one is missing."""
        answers: dict[str, int] = {}
        for some in batches(sorted(ids)):
            answer = self.ask("info", some)
            answers |= {object_id: self.heading(object_id, answer.readline())[1] for object_id in some}
        return answers

    def ask(self, what: str, ids: Sequence[str]) -> IO[bytes]:
        """Put a question about each; where the answers will be."""
        questions = "".join(f"{what} {object_id}\n" for object_id in ids).encode()
        process = self.running()
        try:
            process.stdin.write(questions + b"flush\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self.post_mortem() from None
        return process.stdout

    def heading(self, object_id: str, line: bytes) -> tuple[str, int]:
        """The kind and the size in the first line of an answer: `<id> <kind> <size>`."""
        if not line:
            raise self.post_mortem()
        words = line.decode("ascii", "replace").split()
        if len(words) != 3 or words[0] != object_id:
            raise StoreDamaged(f"Object {object_id} in {self.git.path} is missing: run `fsck` for this tenant.")
        return words[1], int(words[2])

    def running(self) -> Process:
        """The process, started when it is first needed."""
        if self.process is None:
            opening = self.git.stream("cat-file", "--batch-command", "--buffer", seconds=SECONDS)
            self.process = self.ending.enter_context(opening)
        return self.process

    def post_mortem(self) -> GitFailed | StoreDamaged:
        """Why the process has ended: git ends it where an object cannot be read."""
        process = self.running()
        process.popen.wait()
        if process.popen.returncode < 0:
            return GitTooSlow(f"git cat-file {process.place()}did not end in {SECONDS:g} s and was stopped.")
        failure = process.failure(process.complaint())
        if process.popen.returncode == 128:
            return StoreDamaged(f"{failure} Run `fsck --full` for this tenant.")
        return failure


def path_of(name: bytes) -> str:
    """A name in a tree as a part of a path."""
    return name.decode("utf-8", "surrogateescape")


def folder_of(content: bytes) -> Folder:
    """The entries of a tree, by name."""
    # As bytes: of ten thousand names a few are asked for.
    return {name: (MODES.get(mode, mode), found) for mode, name, found in ENTRY.findall(content)}


def tree_of(paths: Iterable[str]) -> Wanted:
    """The paths as folders within folders."""
    top: Wanted = {}
    for path in paths:
        folder = top
        for part in path.encode("utf-8", "surrogateescape").split(b"/"):
            folder = folder.setdefault(part, {})
    return top


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids, so many at a time."""
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
