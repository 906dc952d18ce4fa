"""What a set of changes means for the tree."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.errors import NameRefused
from backups.store import layout
from backups.store.changes import (
    MAX_BYTES,
    MAX_FILES,
    DeviceChange,
    Plan,
    check_changes,
    links_are_right,
    links_to,
    plan_files,
    plan_links,
)
from backups.store.reader import Entry

ONE, TWO, THREE = (uuid.UUID(int=number << 120 | 4 << 76 | 8 << 60) for number in (1, 2, 3))


class Tree:
    """A tree in memory, changed as the store would change its own."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def apply(self, *changes: DeviceChange) -> Plan:
        wanted = {change.folder for change in changes} | {layout.link_path(change.device_name) for change in changes}
        present = {
            path: entry for path, entry in self.entries.items() if path.rpartition("/")[0] in wanted or path in wanted
        }
        plan = plan_files(changes, present, {})
        if not links_are_right(plan, changes, present):
            names, theirs = {layout.link_path(change.device_name) for change in changes}, links_to(changes)
            links = {path: entry for path, entry in self.entries.items() if path.startswith("by-name/")}
            known = {path: entry for path, entry in links.items() if path in names or entry.id in theirs}
            plan_links(plan, changes, known)
        for path in plan.removals:
            del self.entries[path]
        for put in plan.puts:
            self.entries[put.path] = Entry(put.mode, put.id, len(put.content))
        return plan

    def files(self, device: uuid.UUID) -> dict[str, str]:
        folder = layout.device_folder(device) + "/"
        return {path.removeprefix(folder): entry.id for path, entry in self.entries.items() if path.startswith(folder)}

    def links(self) -> dict[str, str]:
        return {path: entry.id for path, entry in self.entries.items() if path.startswith("by-name/")}


def link_to(device: uuid.UUID) -> str:
    return layout.blob_id(layout.link_target(device))


FILES = st.dictionaries(st.sampled_from(["a.cfg", "b.cfg"]), st.sampled_from([None, b"", b"1", b"2"]), max_size=2)
CHANGES = st.builds(
    lambda devices, names, files, complete: [
        DeviceChange(device, name, files[device], complete)
        for device, name in zip(devices, names, strict=False)
    ],
    st.lists(st.sampled_from([ONE, TWO, THREE]), unique=True, min_size=1),
    st.permutations(["edge1", "edge2", "edge3"]),
    st.fixed_dictionaries({ONE: FILES, TWO: FILES, THREE: FILES}),
    st.booleans(),
)  # fmt: skip


@given(st.lists(CHANGES, max_size=6))
def test_the_tree_is_what_the_changes_say(batches: list[list[DeviceChange]]) -> None:
    """A6, A7, C9: whatever comes in which order, a device has its files, one link while it has any, and nobody else's."""
    tree = Tree()
    expected: dict[uuid.UUID, dict[str, str]] = {ONE: {}, TWO: {}, THREE: {}}
    for changes in batches:
        plan = tree.apply(*changes)
        for change in changes:
            before = dict(expected[change.device_id])
            if change.complete:
                expected[change.device_id] = {}
            for name, content in change.files.items():
                expected[change.device_id].pop(name, None)
                if content is not None:
                    expected[change.device_id][name] = layout.blob_id(content)
            assert (before == expected[change.device_id]) == (change.device_id in plan.unchanged)
            assert {name: entry.id for name, entry in plan.files[change.device_id].items()} == expected[
                change.device_id
            ]
        assert {device: tree.files(device) for device in expected} == expected
        for change in changes:
            names = [path for path, target in tree.links().items() if target == link_to(change.device_id)]
            assert names == ([f"by-name/{change.device_name}"] if expected[change.device_id] else [])
        again = tree.apply(*(DeviceChange(change.device_id, change.device_name, {}) for change in changes))
        assert again.empty


def test_files_that_are_not_named_stay() -> None:
    """A6: whoever keeps a new text must not lose the binary beside it."""
    tree = Tree()
    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"1", "b.bin": b"2"}))

    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"3"}))

    assert tree.files(ONE) == {"a.cfg": layout.blob_id(b"3"), "b.bin": layout.blob_id(b"2")}


def test_a_rename_moves_one_link_and_no_file() -> None:
    """A clone stays readable, and the device's history whole."""
    tree = Tree()
    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"1"}))

    plan = tree.apply(DeviceChange(ONE, "core1", {"a.cfg": b"1"}))

    assert tree.links() == {"by-name/core1": link_to(ONE)}
    assert (plan.changed, plan.unchanged) == (set(), {ONE})


def test_two_devices_swap_their_names_in_one_batch() -> None:
    """The removal of an old link must not take the new link of the other with it."""
    tree = Tree()
    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"1"}), DeviceChange(TWO, "edge2", {"a.cfg": b"2"}))

    tree.apply(DeviceChange(ONE, "edge2", {"a.cfg": b"1"}), DeviceChange(TWO, "edge1", {"a.cfg": b"2"}))

    assert tree.links() == {"by-name/edge2": link_to(ONE), "by-name/edge1": link_to(TWO)}


def test_two_devices_swap_their_names_in_two_batches() -> None:
    """The first takes the name over; the second gets its own with its next change."""
    tree = Tree()
    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"1"}), DeviceChange(TWO, "edge2", {"a.cfg": b"2"}))

    tree.apply(DeviceChange(ONE, "edge2", {}))
    assert tree.links() == {"by-name/edge2": link_to(ONE)}

    tree.apply(DeviceChange(TWO, "edge1", {}))
    assert tree.links() == {"by-name/edge2": link_to(ONE), "by-name/edge1": link_to(TWO)}


def test_a_retired_device_leaves_no_link() -> None:
    """A17: its going is a commit of its own, and a clone has no link to nowhere."""
    tree = Tree()
    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"1"}))

    plan = tree.apply(DeviceChange(ONE, "edge1", {}, complete=True))

    assert tree.entries == {}
    assert plan.changed == {ONE}


def test_a_batch_has_a_limit() -> None:
    """A crash loses at most one batch, and no batch fills the memory."""
    many = [DeviceChange(uuid.uuid4(), f"edge{number}", {"a": b""}) for number in range(MAX_FILES + 1)]
    check_changes(many[:MAX_FILES])
    check_changes([DeviceChange(ONE, "edge1", {"a": b"x" * (MAX_BYTES + 1)})])
    with pytest.raises(ValueError, match="201 files"):
        check_changes(many)
    with pytest.raises(ValueError, match="bytes"):
        check_changes([DeviceChange(ONE, "a", {"a": b"x" * MAX_BYTES}), DeviceChange(TWO, "b", {"a": b"x"})])


def test_going_back_has_no_limit() -> None:
    """What is there already costs nothing, and must go back in one commit."""
    check_changes([DeviceChange(uuid.uuid4(), f"edge{number}", {"a": "f" * 40}) for number in range(10_000)])


def test_a_batch_that_contradicts_itself_is_refused() -> None:
    """Which of the two would win is a question that nobody should have to ask."""
    with pytest.raises(ValueError, match="twice"):
        check_changes([DeviceChange(ONE, "a", {}), DeviceChange(ONE, "b", {})])


def test_two_devices_of_one_name_are_both_kept() -> None:
    """A rename may overtake a capture; the link is for people, the files are the backup."""
    tree = Tree()

    tree.apply(DeviceChange(ONE, "edge1", {"a.cfg": b"1"}), DeviceChange(TWO, "edge1", {"a.cfg": b"2"}))

    assert tree.files(ONE)
    assert tree.files(TWO)
    assert list(tree.links()) == ["by-name/edge1"]


@pytest.mark.parametrize("content", [b"1", None])
def test_a_dangerous_name_is_refused_before_anything_is_written(content: bytes | None) -> None:
    """A13: also where a file is only to be removed."""
    with pytest.raises(NameRefused):
        plan_files([DeviceChange(ONE, "edge1", {"../x": content})], {}, {})
