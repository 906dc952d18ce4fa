"""Who brought this line."""

from __future__ import annotations

import json
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from backups.blame import Blame, blame, find_version
from backups.commit import Kept, keep
from backups.errors import NoSuchVersion, StoreDamaged
from backups.models import Run, Snapshot
from backups.store import layout
from backups.store.origins import Hunk, hunk_of, hunks_in, origins
from inventory.models import Device
from tests.backups.store_kit import NOON, git, repository
from tests.factories import make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

LINES = st.lists(st.sampled_from("abcde"), max_size=8)


def hunks_between(old: list[str], new: list[str]) -> list[Hunk]:
    """The difference as another program than git sees it."""
    changes = SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
    return [Hunk(*places) for kind, *places in changes if kind != "equal"]


def naive_origins(versions: list[list[str]]) -> list[int]:
    """The same rule, one line at a time and forward: each line of a version carries the number of who brought it."""
    carried = [0] * len(versions[0])
    for number, (old, new) in enumerate(pairwise(versions), start=1):
        hunks = hunks_between(old, new)
        for hunk in reversed(hunks):
            carried[hunk.old : hunk.old_end] = [number] * (hunk.new_end - hunk.new)
    return carried


@given(st.lists(LINES, min_size=1, max_size=8))
def test_lines_carried_back_come_from_where_lines_carried_forward_went(versions: list[list[str]]) -> None:
    """Stretches that shift, split and end are easy to get wrong by one; a list of lines is not."""
    newest_first = versions[::-1]
    steps = [hunks_between(old, new) for new, old in pairwise(newest_first)]

    found = origins(len(versions[-1]), steps)

    assert [len(versions) - 1 - number for number in found] == naive_origins(versions)


def test_no_more_differences_are_asked_for_than_needed() -> None:
    """A file that was rewritten yesterday needs nothing of the 20 years before."""

    def endless():
        yield [Hunk(0, 3, 0, 2)]
        raise AssertionError("asked for more")

    assert origins(2, endless()) == [0, 0]


@pytest.mark.parametrize(
    ("header", "hunk"),
    [
        (b"@@ -1 +1 @@\n", Hunk(0, 1, 0, 1)),
        (b"@@ -0,0 +1,3 @@\n", Hunk(0, 0, 0, 3)),
        (b"@@ -4,2 +3,0 @@ interface lo0\n", Hunk(3, 5, 3, 3)),
        (b"@@ -7,0 +8,2 @@\n", Hunk(7, 7, 7, 9)),
    ],
)
def test_a_header_counts_as_git_counts(header: bytes, hunk: Hunk) -> None:
    """git counts from 1, leaves a 1 out, and names the line before an empty side."""
    assert hunk_of(header) == hunk


def test_a_line_that_looks_like_a_header_is_only_a_line() -> None:
    """A device may say `@@ -1 +1 @@`, or anything else, in a banner."""
    patch = b"@@ -2 +2 @@\n-@@ -9,9 +9,9 @@\n+@@ -8,8 +8,8 @@\n\\ No newline at end of file\n@@ -5 +4,0 @@\n-x\n"

    assert list(hunks_in(iter(patch.splitlines(keepends=True)))) == [Hunk(1, 2, 1, 2), Hunk(4, 5, 4, 4)]


def back_up_all(device: Device, *contents: bytes, **fields: object) -> list[Snapshot]:
    """One version after the other, a day apart."""
    snapshots = []
    for days, content in enumerate(contents):
        now = NOON + timedelta(days=days)
        files = {"running.cfg": content}
        result = keep(
            device.tenant_id,
            [Kept(device, files, "d" * 64, now)],
            author=f"person{days}",
            message="Back up",
            run_id=fields.get("run_id"),
            now=now,
            also=lambda _: None,
        )
        snapshots += result.snapshots.values()
    return snapshots


def days_of(found: Blame) -> list[int]:
    """For each line, the day on which it came."""
    return [(line.version.taken_at - NOON).days for line in found.lines]


def git_blame(device: Device) -> list[int]:
    """The same from git's own blame."""
    path = layout.device_file(device.pk, "running.cfg")
    said = git(repository(device.tenant), "blame", "--line-porcelain", "main", "--", path).splitlines()
    times = [int(line.split()[1]) for line in said if line.startswith("author-time ")]
    return [round((time - NOON.timestamp()) / 86400) for time in times]


def test_each_line_is_blamed_on_the_version_that_brought_it(device: Device) -> None:
    """Who asks "since when, and who?" in the middle of an outage has no time for twenty diffs."""
    versions = back_up_all(
        device,
        b"hostname a\nntp 1\nend\n",
        b"hostname a\nntp 2\nend\n",
        b"hostname a\nvlan 7\nntp 2\nend\n",
        b"hostname b\nvlan 7\nntp 2\nend\n",
    )

    found = blame(versions[-1], "running.cfg", secrets=True)

    assert [line.version for line in found.lines] == [versions[3], versions[2], versions[1], versions[0]]
    assert [line.text for line in found.lines] == [b"hostname b", b"vlan 7", b"ntp 2", b"end"]
    assert found.complete


def test_it_agrees_with_git_on_line_ends_and_missing_newlines(device: Device) -> None:
    """A change of CR LF to LF, or of the last newline alone, is a change: it is what would be put back."""
    versions = back_up_all(
        device,
        b"a\r\nb\r\nc\r\nend",
        b"a\r\nb\nc\r\nend",
        b"a\r\nb\nc\r\nend\n",
        b"x\na\r\nb\nc\r\nend\n",
        b"x\na\r\nb\nend\n",
        b"x\na\r\nb\nc\r\n\nend\n",
    )

    found = blame(versions[-1], "running.cfg", secrets=True)

    assert days_of(found) == git_blame(device) == [3, 0, 1, 5, 5, 2]


def test_an_older_version_is_blamed_as_it_was(device: Device) -> None:
    """What came later has nothing to do with it."""
    versions = back_up_all(device, b"a\n", b"a\nb\n", b"z\n")

    assert days_of(blame(versions[1], "running.cfg", secrets=True)) == [0, 1]


def test_a_file_that_was_gone_begins_anew(device: Device) -> None:
    """Lines do not come out of a file that was not there."""
    versions = back_up_all(device, b"a\n", b"b\n", b"a\n")
    Snapshot.objects.filter(pk=versions[1].pk).update(files={})

    assert days_of(blame(versions[2], "running.cfg", secrets=True)) == [2]


def test_beyond_the_limit_it_says_that_a_line_may_be_older(device: Device) -> None:
    """A wrong date is worse than none."""
    versions = back_up_all(device, b"a\nb\n", b"a\nc\n", b"a\nd\n")

    cut = blame(versions[-1], "running.cfg", secrets=True, limit=2)

    assert (days_of(cut), cut.complete) == ([1, 2], False)
    assert blame(versions[-1], "running.cfg", secrets=True, limit=3).complete


def test_masked_lines_keep_their_numbers_and_their_versions(device: Device) -> None:
    """E-security: when a secret changed may be known; what it is may not."""
    versions = back_up_all(
        device,
        b"hostname a\nsnmp-server community one RO\nend\n",
        b"hostname a\nsnmp-server community two RO\nend\n",
    )

    found = blame(versions[-1], "running.cfg", secrets=False)

    assert (days_of(found), found.masked) == ([0, 1, 0], True)
    assert b"two" not in found.lines[1].text


def test_a_missing_commit_is_damage(device: Device) -> None:
    """A line must not seem older or younger because something is gone."""
    versions = back_up_all(device, b"a\n", b"a\nb\n")
    Snapshot.objects.filter(pk=versions[0].pk).update(commit="1" * 40)

    with pytest.raises(StoreDamaged, match="fsck"):
        blame(versions[1], "running.cfg", secrets=True)


def test_a_file_that_never_was_is_named(device: Device) -> None:
    """The sentence says which files there are."""
    (version,) = back_up_all(device, b"a\n")

    with pytest.raises(NoSuchVersion, match=r"running\.cfg"):
        blame(version, "startup.cfg", secrets=True)


def test_a_version_is_found_by_id_and_by_time(device: Device) -> None:
    """People copy eight digits from a screen, or remember a day."""
    versions = back_up_all(device, b"a\n", b"b\n", b"c\n")

    assert find_version(device, None) == versions[2]
    assert find_version(device, str(versions[1].pk)[:8]) == versions[1]
    assert find_version(device, (NOON + timedelta(days=1)).date().isoformat()) == versions[1]
    assert find_version(device, (NOON + timedelta(hours=1)).isoformat()) == versions[0]
    for nothing in ("2020-01-01", "yesterday", "2026-99-99", "ffffffff-ffff"):
        with pytest.raises(NoSuchVersion):
            find_version(device, nothing)


def test_the_command_names_version_run_and_person(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get one JSON document."""
    run = Run.objects.create(tenant=device.tenant, requested_by="anna")
    versions = back_up_all(device, b"a\nb\n", b"a\nc\n", run_id=run.pk)

    call_command("blame", device.name, "--json")

    document = json.loads(capsys.readouterr().out)
    assert [line["version"] for line in document["lines"]] == [str(versions[0].pk), str(versions[1].pk)]
    assert [line["text"] for line in document["lines"]] == ["a", "c"]
    assert document["complete"] is True
    newest = document["versions"][0]
    assert (newest["run"], newest["author"], newest["lines"]) == (str(run.pk), "person1", 1)


def test_a_page_says_who_brought_each_line(device: Device) -> None:
    """Masked for eyes without the right, and closed to other tenants."""
    versions = back_up_all(
        device, b"hostname a\nsnmp-server community one RO\nend\n", b"<b>\nsnmp-server community one RO\nend\n"
    )
    run = Run.objects.create(tenant=device.tenant, requested_by="anna")
    Snapshot.objects.update(run=run)
    auditor = logged_in(make_user("audra", (device.tenant, Role.AUDITOR)))
    stranger = logged_in(make_user("sten", (make_tenant("beta"), Role.ADMINISTRATOR)))
    address = f"/admin/backups/snapshot/{versions[1].pk}/lines/running.cfg"

    text = page(auditor.get(address))

    first, second = (text.index(f'/admin/backups/snapshot/{version.pk}/change/">') for version in versions)
    assert second < text.index("&lt;b&gt;") < first < text.index("snmp-server community")
    assert "person0" in text and "community one" not in text
    assert f"/admin/backups/run/{run.pk}/change/" in text
    assert stranger.get(address).status_code == 404
    assert auditor.get(f"{address}x").status_code == 404
    assert address in page(auditor.get(f"/admin/backups/snapshot/{versions[1].pk}/change/"))


def test_what_is_not_text_has_no_lines(device: Device) -> None:
    """Nor could it be masked."""
    (version,) = back_up_all(device, b"a\0b\n")

    with pytest.raises(NoSuchVersion, match="not text"):
        blame(version, "running.cfg", secrets=True)


def test_the_command_refuses_what_is_not_there(device: Device) -> None:
    """One sentence, with what to do."""
    with pytest.raises(CommandError, match="no version yet"):
        call_command("blame", device.name)
