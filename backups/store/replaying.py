"""Writing a part of the record anew from what the rows say: each version that is whole, in its place and order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.creation import fsync
from backups.store.git import Git
from backups.store.reader import TenantStore
from backups.store.stream import NewCommit, Put, stream

SECONDS = 3600.0
DIED = 128

State = dict[UUID, dict[str, str]]  # device -> file name -> blob


def complete(git: Git, commits: Iterable[str]) -> set[str]:
    """Those of the commits of which everything is there that they, and those before them, name."""
    wanted = sorted(set(commits))
    asked = "".join(f"{layout.checked_id(one)}\n" for one in wanted).encode()
    answer = git.run("rev-list", "--objects", "--quiet", "--stdin", stdin=asked, seconds=SECONDS, expect=(0, 1, DIED))
    if answer.status == 0 or not wanted:
        return set(wanted)
    half = len(wanted) // 2
    return complete(git, wanted[:half]) | complete(git, wanted[half:]) if half else set()


def is_complete(git: Git, commit: str) -> bool:
    """Whether that is so of one commit."""
    return bool(complete(git, [commit]))


def write_chain(git: Git, commits: Sequence[NewCommit]) -> list[str]:
    """Write commits of one ref, each upon the one before, durably; their ids. Raises GitFailed."""
    out = git.run("fast-import", "--quiet", "--done", "--depth=0", stdin=stream(*commits), seconds=SECONDS).out
    fsync(git.path / "objects" / "pack")
    for folder in {git.path / "objects", *(git.path / "objects" / one[:2] for one in out.decode().split())}:
        if folder.is_dir():
            fsync(folder)
    return [layout.checked_id(one) for one in out.decode("ascii", "replace").split()]


def puts_of(state: State, names: Mapping[UUID, str]) -> list[Put]:
    """Files and links of these devices; a device without a name gets no link."""
    return list(all_puts(state, names))


def all_puts(state: State, names: Mapping[UUID, str]) -> Iterator[Put]:
    """One after the other."""
    for device, files in sorted(state.items()):
        yield from (Put(layout.device_file(device, name), blob) for name, blob in sorted(files.items()))
        if files and device in names:
            yield Put(layout.link_path(names[device]), layout.link_target(device), layout.LINK_MODE)


def removals_of(devices: Iterable[UUID], names: Mapping[UUID, str]) -> list[str]:
    """The paths that go before a device's files are put, or for good."""
    found = sorted(devices)
    return [layout.device_folder(one) for one in found] + [
        layout.link_path(names[one]) for one in found if one in names
    ]


def message_of(store: TenantStore, commit: str, otherwise: str) -> str:
    """What a commit said, without its trailers; something else where it cannot be read."""
    try:
        kind, content = store.objects.read(commit)
    except StoreDamaged:
        return otherwise
    text = content.partition(b"\n\n")[2].decode("utf-8", "replace")
    return text.strip().rpartition("\n\n")[0] if kind == "commit" else otherwise
