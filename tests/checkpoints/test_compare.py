"""Comparing versions: which files differ, how, and what stays hidden."""

from __future__ import annotations

import pytest

from backups.models import Snapshot
from backups.store.patches import DiffCaps
from checkpoints.compare import Comparison, FileDiff, compare, file_diffs
from checkpoints.display import side_by_side
from checkpoints.errors import NotComparable, NothingKept
from checkpoints.models import Checkpoint
from checkpoints.services import create_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up
from tests.factories import make_device, make_tenant

SECRET = "snmp-server community hunter2 RO\n"


def create(tenant: Tenant, **options: object) -> Checkpoint:
    """A checkpoint by hand."""
    return create_checkpoint(tenant, message="x", author="anna", now=NOON, **options)  # type: ignore[arg-type]


def listed(comparison: Comparison) -> list[tuple[str, str]]:
    """Path and status of each change."""
    return [(change.path, change.status) for change in comparison.changes]


def texts(
    comparison: Comparison, *, masked: bool = False, hide_volatile: bool = False, **options: object
) -> list[FileDiff]:
    """The text of each change."""
    return list(file_diffs(comparison, masked=masked, hide_volatile=hide_volatile, **options))  # type: ignore[arg-type]


def newest(device: Device) -> Snapshot:
    """The newest version of a device."""
    return device.snapshots.latest("seq")


def test_two_checkpoints_differ_by_added_removed_and_changed_files(tenant: Tenant, edge: Device, core: Device) -> None:
    """Capability D9: in order of path, with lines counted as git counts them."""
    before = create(tenant)
    back_up(edge, running_cfg="hostname edge2\nend\n")
    back_up(core, running_cfg="hostname core1\n", boot_cfg="x\n")
    comparison = compare(before, create(tenant))

    assert listed(comparison) == [
        ("core1/boot.cfg", "added"),
        ("core1/startup.cfg", "removed"),
        ("edge1/running.cfg", "changed"),
    ]
    assert [(diff.diff.lines_added, diff.diff.lines_removed) for diff in texts(comparison)] == [(1, 0), (0, 1), (2, 1)]


def test_two_versions_of_a_device_are_compared(edge: Device) -> None:
    """Capability D9: the question of every morning."""
    old = newest(edge)
    back_up(edge, running_cfg="hostname edge2\n")
    (diff,) = texts(compare(old, newest(edge)))

    rows = side_by_side(diff.diff.patch.hunks, diff.numbers, old_lines=diff.old_lines)
    assert [(row.kind, row.left and row.left.text, row.right and row.right.text) for row in rows] == [
        ("fold", None, None),
        ("changed", "hostname edge1", "hostname edge2"),
    ]


def test_two_devices_are_compared_file_by_file(edge: Device, core: Device) -> None:
    """Is the spare set up like the one it stands in for?"""
    assert listed(compare(edge, core)) == [("core1/running.cfg", "changed"), ("core1/startup.cfg", "added")]


def test_a_device_is_compared_with_what_a_checkpoint_has_of_it(tenant: Tenant, edge: Device, core: Device) -> None:
    """What has changed on this router since the golden moment, and nothing about the others."""
    golden = create(tenant)
    back_up(edge, running_cfg="hostname edge2\n")
    back_up(core, running_cfg="hostname core2\n")

    assert listed(compare(golden, edge)) == [("edge1/running.cfg", "changed")]


def test_a_checkpoint_of_chosen_devices_says_nothing_about_the_others(
    tenant: Tenant, edge: Device, core: Device
) -> None:
    """A device that was not chosen was not removed."""
    chosen = create(tenant, devices=[core])
    back_up(edge, running_cfg="hostname edge2\n")

    assert listed(compare(chosen, create(tenant))) == []
    with pytest.raises(NotComparable):
        compare(chosen, edge)


def test_only_the_devices_of_interest_are_compared(tenant: Tenant, edge: Device, core: Device) -> None:
    """`diff A B --device NAME`."""
    before = create(tenant)
    back_up(edge, running_cfg="hostname edge2\n")
    back_up(core, running_cfg="hostname core2\n")

    assert listed(compare(before, create(tenant), devices=[core.pk])) == [
        ("core1/running.cfg", "changed"),
        ("core1/startup.cfg", "removed"),
    ]


def test_a_renamed_device_is_shown_by_todays_name_and_is_no_change(tenant: Tenant, edge: Device) -> None:
    """A device is its id; its name is for people, and they know today's."""
    before = create(tenant)
    edge.name = "paris1"
    edge.save()
    assert listed(compare(before, create(tenant))) == []

    back_up(edge, running_cfg="hostname paris1\n")
    assert listed(compare(before, create(tenant))) == [("paris1/running.cfg", "changed")]


def test_a_secret_is_masked_on_both_sides_before_they_are_compared(edge: Device) -> None:
    """Neither the old nor the new one leaves, nor a hint by how they differ."""
    back_up(edge, running_cfg="hostname edge1\n" + SECRET)
    old = newest(edge)
    back_up(edge, running_cfg="hostname edge2\n" + SECRET.replace("hunter2", "hunter3"))
    (diff,) = texts(compare(old, newest(edge)), masked=True)

    shown = [line.text for hunk in diff.diff.patch.hunks for line in hunk.lines]
    assert b"hunter" not in b"".join(shown)
    assert (diff.diff.lines_added, diff.diff.lines_removed, diff.masked) == (1, 1, True)


def test_a_file_that_differs_only_in_what_is_hidden_says_so(edge: Device) -> None:
    """It has changed, but not before these eyes; an empty page would be a riddle."""
    back_up(edge, running_cfg="! Last configuration change at 1\nhostname edge1\n" + SECRET)
    old = newest(edge)
    back_up(edge, running_cfg="! Last configuration change at 2\nhostname edge1\n" + SECRET.replace("2", "3"))
    comparison = compare(old, newest(edge))

    (hidden,) = texts(comparison, masked=True, hide_volatile=True)
    assert (hidden.hidden, hidden.diff.patch.hunks) == (True, ())
    assert not texts(comparison, masked=True)[0].hidden


def test_line_numbers_count_the_lines_that_are_hidden(edge: Device) -> None:
    """Line 3 of the page is line 3 of the file."""
    back_up(edge, running_cfg="Building configuration...\nCurrent configuration : 9 bytes\nhostname a\n")
    old = newest(edge)
    back_up(edge, running_cfg="hostname b\n")
    (diff,) = texts(compare(old, newest(edge)), hide_volatile=True, context=0)

    rows = side_by_side(diff.diff.patch.hunks, diff.numbers)
    assert [(row.left and row.left.number, row.right and row.right.number) for row in rows][-1] == (3, 1)


def test_a_binary_file_is_reported_without_lines(edge: Device) -> None:
    """A system backup differs or it does not."""
    back_up(edge, system_backup=b"\0\1")
    old = newest(edge)
    back_up(edge, system_backup=b"\0\2")
    (diff,) = texts(compare(old, newest(edge)))

    assert (diff.diff.patch.binary, diff.hidden, diff.change.status) == (True, False, "changed")


def test_a_patch_beyond_the_limit_is_cut_and_says_so(edge: Device) -> None:
    """A rewritten configuration of 100,000 lines must not hold a worker; its counts are still right."""
    back_up(edge, running_cfg="".join(f"a{n}\n" for n in range(500)))
    old = newest(edge)
    back_up(edge, running_cfg="".join(f"b{n}\n" for n in range(500)))
    (diff,) = texts(compare(old, newest(edge)), caps=DiffCaps(max_lines=100))

    assert (diff.diff.cut, diff.diff.lines_added, diff.diff.lines_removed) == (True, 500, 500)
    assert 0 < len(diff.diff.patch.hunks[0].lines) < 100


def test_files_behind_the_limit_are_marked_as_cut(tenant: Tenant, edge: Device, core: Device) -> None:
    """What the page does not show must not look like no change."""
    before = create(tenant)
    back_up(core, running_cfg="x\n" * 500, startup_cfg="hostname core\n")
    back_up(edge, running_cfg="hostname edge2\n")
    diffs = texts(compare(before, create(tenant)), caps=DiffCaps(max_lines=50))

    assert [(diff.change.path, diff.diff.cut, diff.diff.lines_added) for diff in diffs] == [
        ("core1/running.cfg", True, 500),
        ("edge1/running.cfg", True, 1),
    ]


def test_versions_of_two_tenants_are_never_compared(edge: Device) -> None:
    """What one customer has is nothing to another."""
    foreign = make_device(make_tenant("other"), "edge1")
    back_up(foreign, running_cfg="hostname x\n")

    with pytest.raises(NotComparable):
        compare(edge, foreign)


def test_a_device_without_a_version_cannot_be_compared(tenant: Tenant, edge: Device) -> None:
    """The sentence says what to do."""
    with pytest.raises(NothingKept, match="backup --device new1"):
        compare(edge, make_device(tenant, "new1"))


def test_an_unknown_platform_hides_no_difference_and_no_less(tenant: Tenant) -> None:
    """A sheet that was removed must not open the secrets of its devices."""
    device = make_device(tenant, "odd1")
    back_up(device, running_cfg="password 7 hunter2\n")
    old = newest(device)
    back_up(device, running_cfg="password 7 hunter3\nend\n")
    Device.objects.filter(pk=device.pk).update(platform="gone")
    (diff,) = texts(compare(old, newest(device)), masked=True, hide_volatile=True)

    assert [line.text for hunk in diff.diff.patch.hunks for line in hunk.lines] == [b"password 7 (masked)", b"end"]
