"""What a set of devices' changes means for the tree: planned from what is there, pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from backups.store import layout
from backups.store.contents import Content, Packed
from backups.store.reader import Entry
from backups.store.stream import Put

MAX_FILES = 200
MAX_BYTES = 16 * 1024 * 1024
"""What one batch may bring in new content. Objects that are there already cost nothing, and are not counted."""


@dataclass(frozen=True)
class DeviceChange:
    """What becomes of a device's files; those that are not named stay as they are, or go where `complete` says so."""

    device_id: UUID
    device_name: str
    files: Mapping[str, Content | str | None]  # content, the id of a file that is there already, or None: remove it
    complete: bool = False  # these are all its files from now on

    @property
    def folder(self) -> str:
        """Where the files are."""
        return layout.device_folder(self.device_id)

    @property
    def size(self) -> int:
        """Bytes of new content."""
        return sum(map(len, self.contents))

    @property
    def contents(self) -> list[Content]:
        """What is new."""
        return [content for content in self.files.values() if isinstance(content, bytes | Packed)]

    @cached_property
    def puts(self) -> list[Put]:
        """The files that are to be there. Raises NameRefused."""
        return [
            Put(layout.device_file(self.device_id, name), content)
            for name, content in self.files.items()
            if content is not None
        ]

    def removals(self, there: Collection[str]) -> list[str]:
        """The paths of the files that are to go, of those that are there. Raises NameRefused."""
        going = {layout.checked_file_name(name) for name, content in self.files.items() if content is None}
        return [
            f"{self.folder}/{name}" for name in there if name in going or (self.complete and name not in self.files)
        ]


@dataclass
class Plan:
    """What has to be written to a tree."""

    puts: list[Put] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)  # devices with a file that differs
    unchanged: set[UUID] = field(default_factory=set)
    files: dict[UUID, dict[str, Entry]] = field(default_factory=dict)  # of each device, complete, as they will be

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not self.puts and not self.removals

    def contents(self) -> dict[str, int]:
        """The files of the devices that change, as they will be: id and bytes of each content."""
        return {entry.id: entry.size for device in self.changed for entry in self.files[device].values()}

    def outcome(self) -> dict[str, str | None]:
        """The id that each path must name afterwards; None: it must be gone."""
        return dict.fromkeys(self.removals) | {put.path: put.id for put in self.puts}


def contents(changes: Iterable[DeviceChange]) -> list[bytes]:
    """The new contents that the changes bring, and that are not packed yet."""
    return [content for change in changes for content in change.contents if isinstance(content, bytes)]


def check_changes(changes: Sequence[DeviceChange]) -> None:
    """Raise where a batch is not one: a device twice, or more new content than a batch may bring."""
    if len({change.device_id for change in changes}) < len(changes):
        raise ValueError("a device is there twice in one batch")
    count = sum(len(change.contents) for change in changes)
    size = sum(change.size for change in changes)
    # One device alone may always: it cannot be divided, and the transport has its own limit.
    if len(changes) > 1 and (count > MAX_FILES or size > MAX_BYTES):
        raise ValueError(f"{count} files and {size} bytes are more than one batch may bring")


def plan_files(changes: Iterable[DeviceChange], present: Mapping[str, Entry], sizes: Mapping[str, int]) -> Plan:
    """The part of the changes that differs from what is `present`, by path; `sizes` of the objects named by id.

    No size of what is present counts where a change says what is there from now on.
    """
    plan = Plan()
    there = files_by_device(present)
    for change in changes:
        before = there.get(change.device_id, {})
        there_after = change.puts
        puts = [put for put in there_after if put.path not in present or present[put.path].id != put.id]
        removals = change.removals(before)
        (plan.changed if puts or removals else plan.unchanged).add(change.device_id)
        plan.puts += puts
        plan.removals += removals
        plan.files[change.device_id] = files_after(before, there_after, removals, sizes)
    return plan


def files_by_device(entries: Mapping[str, Entry]) -> dict[UUID, dict[str, Entry]]:
    """The devices' files among the entries of a tree, by name."""
    devices: dict[UUID, dict[str, Entry]] = {}
    for path, entry in entries.items():
        if found := layout.parse_device_file(path):
            devices.setdefault(found[0], {})[found[1]] = entry
    return devices


def files_after(
    before: Mapping[str, Entry], puts: Iterable[Put], removals: Collection[str], sizes: Mapping[str, int]
) -> dict[str, Entry]:
    """A device's files once they are put and removed."""
    gone = {name_of(path) for path in removals}
    files = {name: entry for name, entry in before.items() if name not in gone}
    for put in puts:
        size = sizes[put.id] if isinstance(put.content, str) else len(put.content)
        files[name_of(put.path)] = Entry(put.mode, put.id, size)
    return files


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def links_are_right(plan: Plan, changes: Iterable[DeviceChange], present: Mapping[str, Entry]) -> bool:
    """Whether each device that has files is found under its name; then no other link of it can be there."""
    return all(
        plan.files[change.device_id]
        and (link := present.get(layout.link_path(change.device_name))) is not None
        and link.id == layout.blob_id(layout.link_target(change.device_id))
        for change in changes
    )


def links_to(changes: Iterable[DeviceChange]) -> set[str]:
    """The ids of the links that lead to these devices, whatever their names."""
    return {layout.blob_id(layout.link_target(change.device_id)) for change in changes}


def plan_links(plan: Plan, changes: Sequence[DeviceChange], links: Mapping[str, Entry]) -> None:
    """Add to the plan what makes the links of these devices right.

    `links`, by path: at least those that are there under the devices' names, and those that lead to the devices.
    A device has one link, under its name, while it has files. A name that another device had until now is taken over:
    that one gets its own back with its next change. Names are for people: a backup never fails because of them.
    """
    wanted = {
        layout.link_path(change.device_name): layout.link_target(change.device_id)
        for change in changes
        if plan.files[change.device_id]
    }
    of_these = links_to(changes)
    plan.removals += [path for path, link in links.items() if link.id in of_these and path not in wanted]
    plan.puts += [
        Put(path, target, layout.LINK_MODE)
        for path, target in wanted.items()
        if path not in links or links[path].id != layout.blob_id(target)
    ]
