"""Which devices have this line, now or ever; and what nobody may learn by asking."""

from __future__ import annotations

import io
import json
import os
from datetime import timedelta
from time import monotonic

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from backups import masked_texts
from backups.commit import Kept, keep
from backups.errors import PatternRefused, StoreDamaged
from backups.masked_texts import Source, folder_of, prepare, sweep, veil
from backups.models import Snapshot
from backups.past import PastLimits, search_past
from backups.search import Answer, Limits, Line, Scope, prepare_tenant, scopes_for, search, with_context
from backups.store.grep import LONGEST_LINE, GrepCaps, Pattern, grep_blobs, grep_commit
from backups.store.reader import open_store
from inventory.models import Device, Membership, Tenant
from inventory.platforms.registry import platform
from tests.backups.store_kit import NOON, back_up, kept, repository
from tests.factories import make_device, make_tenant
from tests.inventory.kit import make_user

SECRET = b"hostname edge1\nsnmp-server community hunter2 RO\nntp server 192.0.2.7\nend\n"


def clear(*devices: Device) -> list[Scope]:
    """Eyes that see everything in these devices' tenants."""
    return [Scope(tenant, secrets=True) for tenant in {device.tenant for device in devices}]


def veiled(*devices: Device) -> list[Scope]:
    """Eyes without the right to see secrets."""
    return [Scope(tenant, secrets=False) for tenant in {device.tenant for device in devices}]


def brief(answer: Answer) -> list[tuple[str, str, int, bytes]]:
    """Each line that matches: device, file, number, text."""
    return [
        (found.device.name, found.name, line.number, line.text)
        for found in answer.found
        for line in found.lines
        if line.match
    ]


def test_a_line_is_found_with_its_device_file_and_number(device: Device) -> None:
    """The question of every outage: who else has this?"""
    other = make_device(device.tenant, "core1")
    back_up(kept(device, b"hostname edge1\nntp server 192.0.2.7\n"), kept(other, b"ntp server 192.0.2.7\nend\n"))

    answer = search(Pattern("server 192.0.2.7"), clear(device))

    assert brief(answer) == [
        ("core1", "running.cfg", 1, b"ntp server 192.0.2.7"),
        ("edge1", "running.cfg", 2, b"ntp server 192.0.2.7"),
    ]
    assert (answer.cut, answer.not_ready, answer.unsearched, answer.problems) == (None, 0, [], {})


def test_only_the_newest_version_is_searched(device: Device) -> None:
    """What was changed yesterday is not there any more."""
    back_up(kept(device, b"vlan 7\n"))
    back_up(kept(device, b"vlan 8\n"))

    assert brief(search(Pattern("vlan 7"), clear(device))) == []


def test_a_text_is_no_expression_unless_asked(device: Device) -> None:
    """Addresses are full of dots."""
    back_up(kept(device, b"ip 10.0.0.1\nip 10.0x0.1\nIP 10.0.0.1\n"))

    found = {
        how: [number for _, _, number, _ in brief(search(how, clear(device)))]
        for how in (
            Pattern("10.0.0.1"),
            Pattern("^ip 10.0.0", regex=True),
            Pattern("^ip", regex=True, ignore_case=True),
            Pattern("ip 10.0.0", ignore_case=True),
        )
    }

    assert list(found.values()) == [[1, 3], [1, 2], [1, 2, 3], [1, 3]]


def test_a_pattern_is_never_an_option(device: Device) -> None:
    """E-security: what a person types is looked for, whatever it looks like."""
    texts = ["-v", "--", "--open-files-in-pager=touch /tmp/x", "-f/etc/passwd", ":(top)", "a\\"]
    back_up(kept(device, "\n".join(texts).encode()))

    found = [brief(search(Pattern(text), clear(device))) for text in texts]

    numbers = [[number for _, _, number, _ in lines] for lines in found]
    assert numbers == [[1], [2, 3], [3], [4], [5], [6]]


@pytest.mark.parametrize("text", ["", "a\nb", "a\0b", "a\rb", "x" * 1001, "\ud800"])
def test_what_cannot_be_a_pattern_is_refused(text: str) -> None:
    """git would read two lines as two patterns, and stop at a zero byte."""
    with pytest.raises(PatternRefused):
        Pattern(text)


def test_a_wrong_expression_is_refused_in_one_sentence(device: Device) -> None:
    """Its author is told what is wrong with it."""
    back_up(kept(device))

    for scopes in (clear(device), veiled(device)):
        with pytest.raises(PatternRefused, match=r"'a\(' is no regular expression: Unmatched"):
            search(Pattern("a(", regex=True), scopes)


def test_an_expression_that_would_eat_the_machine_is_refused(device: Device) -> None:
    """Forty characters make the C library ask for more memory than there is."""
    back_up(kept(device))
    bomb = Pattern("((((a{1,255}){1,255}){1,255}){1,255})", regex=True)

    try:
        answer = search(bomb, clear(device), limits=Limits(seconds=5.0))
    except PatternRefused as refusal:
        assert "Memory exhausted" in str(refusal)
    else:
        assert answer.cut == "time"  # a machine without prlimit


def test_lines_around_are_shown_once_each(device: Device) -> None:
    """Two matches close together share what is between them."""
    back_up(kept(device, b"a\nb\nX1\nc\nX2\nd\ne\nf\n"))

    (found,) = search(Pattern("X"), clear(device), limits=Limits(context=1)).found

    assert [(line.number, line.text, line.match) for line in found.lines] == [
        (2, b"b", False),
        (3, b"X1", True),
        (4, b"c", False),
        (5, b"X2", True),
        (6, b"d", False),
    ]
    assert found.matches == 2


@given(st.lists(st.sampled_from([b"", b"a", b"X"]), min_size=1, max_size=12), st.integers(0, 4))
def test_context_is_every_line_near_enough(lines: list[bytes], context: int) -> None:
    """By the plainest rule there is."""
    content = b"\n".join(lines)
    numbers = [number for number, line in enumerate(lines, 1) if line == b"X"]
    there = len(lines) - (lines[-1] == b"")

    assert with_context(content.split(b"\n"), numbers, context) == tuple(
        Line(number, lines[number - 1], number in numbers)
        for number in range(1, there + 1)
        if any(abs(number - match) <= context for match in numbers)
    )


def test_limits_are_kept_and_said(device: Device) -> None:
    """An answer that is cut short must not look like all of it."""
    other = make_device(device.tenant, "other")
    content = b"x\n" * 30
    back_up(kept(device, content), kept(other, content + b"y\n"))

    by_file = search(Pattern("x"), clear(device), limits=Limits(per_file=5))
    by_lines = search(Pattern("x"), clear(device), limits=Limits(lines=3))
    no_time = search(Pattern("x"), clear(device), limits=Limits(seconds=-1))

    assert [(found.matches, found.more) for found in by_file.found] == [(5, True), (5, True)]
    assert (len(brief(by_lines)), by_lines.cut, by_lines.unsearched) == (3, "lines", [device.tenant])
    assert (brief(no_time), no_time.cut, no_time.unsearched) == ([], "time", [device.tenant])


def test_a_line_without_end_is_cut_and_the_next_one_still_found(device: Device) -> None:
    """A device may send megabytes without a newline; zero bytes and all."""
    back_up(kept(device, b"X" * 9_000 + b"\nnext X" + b"y" * 300_000 + b"\n" + b"z" * 9_000 + b"\0X\nX"))

    answer = search(Pattern("X"), clear(device))

    assert [(number, len(text)) for _, _, number, text in brief(answer)] == [
        (1, LONGEST_LINE),
        (2, LONGEST_LINE),
        (3, LONGEST_LINE),
        (4, 1),
    ]


def test_text_beyond_the_limit_of_bytes_is_not_read(device: Device) -> None:
    """The answer has to fit into memory, whatever is asked."""
    snapshot = back_up(kept(device, b"x" * 1_000 + b"\n" + b"x\n" * 10)).snapshots[device.pk]
    store = open_store(device.tenant_id)

    found = grep_commit(store.git, snapshot.commit, Pattern("x"), GrepCaps(max_bytes=1_001))

    assert (len(found.hits), found.cut) == (2, "bytes")


def test_retired_devices_are_left_out(device: Device) -> None:
    """Their last version is still in the record, but they are not in the network."""
    back_up(kept(device, b"vlan 7\n"))
    Device.objects.filter(pk=device.pk).retire(now=NOON)

    assert brief(search(Pattern("vlan"), clear(device))) == []
    assert brief(search(Pattern("vlan"), veiled(device))) == []


@pytest.mark.parametrize("secrets", [True, False])
def test_only_the_given_devices_are_searched(device: Device, secrets: bool) -> None:
    """And nothing of the others counts for a limit."""
    other = make_device(device.tenant, "other")
    back_up(kept(device, b"x\n" * 9), kept(other, b"x\n"))

    answer = search(Pattern("x"), [Scope(device.tenant, secrets)], devices=[other.pk], limits=Limits(lines=2))

    assert (brief(answer), answer.cut) == ([("other", "running.cfg", 1, b"x")], None)


def test_every_tenant_is_searched_and_a_damaged_one_is_named(device: Device) -> None:
    """One broken store must not hide what the others have, nor be passed over."""
    second, third = (make_device(make_tenant(name), "edge1") for name in ("beta", "gamma"))
    make_tenant("without a repository")
    for one in (device, second, third):
        back_up(kept(one, b"vlan 7\n"))
    blob = Snapshot.objects.get(device=second).files["running.cfg"]["blob"]
    for pack in (repository(second.tenant) / "objects" / "pack").glob("pack-*.pack"):
        pack.chmod(0o600)
        content = bytearray(pack.read_bytes())
        content[14:-20] = bytes(len(content) - 34)
        pack.write_bytes(content)

    answer = search(Pattern("vlan"), [Scope(tenant, secrets=True) for tenant in Tenant.objects.all()])

    assert [found.device for found in answer.found] == [device, third]
    assert list(answer.problems) == [second.tenant]
    with pytest.raises(StoreDamaged, match="fsck"):
        grep_blobs(open_store(second.tenant_id).git, [blob], Pattern("vlan"), GrepCaps())


def test_people_search_the_tenants_that_they_belong_to(device: Device) -> None:
    """E-security: a search is the quickest way to look into a neighbour's network."""
    make_device(make_tenant("beta"), "edge1")
    auditor = make_user("ann", (device.tenant, Membership.Role.AUDITOR))
    restorer = make_user("rob", (device.tenant, Membership.Role.RESTORER))

    assert scopes_for(auditor) == [Scope(device.tenant, secrets=False)]
    assert scopes_for(restorer) == [Scope(device.tenant, secrets=True)]
    assert scopes_for(make_user("stranger")) == []
    assert [scope.tenant.name for scope in scopes_for(make_user("root", is_superuser=True))] == ["acme", "beta"]
    assert scopes_for(restorer, Tenant.objects.filter(name="beta")) == []


@pytest.mark.parametrize("guess", [b"hunter2", b"(masked)h"])
def test_an_answer_does_not_depend_on_a_secret(device: Device, guess: bytes) -> None:
    """E-security: or who may not see it asks for it letter by letter."""
    questions = [
        Pattern("hunter2"),
        Pattern("HUNTER2", ignore_case=True),
        Pattern("h"),
        Pattern("community (.masked.|hunter2)", regex=True),
        Pattern("community hunter2|ntp", regex=True),
        Pattern("community [^(]", regex=True),
    ]

    def ask() -> list[list[tuple[Line, ...]]]:
        limits = Limits(context=3)
        return [[one.lines for one in search(question, veiled(device), limits=limits).found] for question in questions]

    back_up(kept(device, SECRET.replace(b"hunter2", b"0")))
    expected = ask()
    back_up(kept(device, SECRET.replace(b"hunter2", guess)))

    assert ask() == expected
    for question, lines in zip(questions, expected, strict=True):
        past = search_past(question, veiled(device)).found
        assert [one.count for one in past] == [2] * len(lines)  # both versions or none


def test_what_is_not_secret_is_found_without_the_right(device: Device) -> None:
    """Line numbers are those of the real text."""
    back_up(kept(device, SECRET))

    answer = search(Pattern("server"), veiled(device))

    assert [(number, text.split()[0]) for _, _, number, text in brief(answer)] == [(2, b"snmp-server"), (3, b"ntp")]
    assert b"hunter2" not in b"".join(text for *_, text in brief(answer))
    assert all(found.masked for found in answer.found)


def test_what_is_not_masked_yet_is_said(device: Device) -> None:
    """No time for it: then the answer says that it is not all."""
    back_up(kept(device, SECRET))

    early = search(Pattern("ntp"), veiled(device), limits=Limits(preparing=0))
    missing = prepare_tenant(device.tenant, seconds=60)
    later = search(Pattern("ntp"), veiled(device), limits=Limits(preparing=0))

    assert (brief(early), early.not_ready, missing) == ([], 1, 0)
    assert (len(brief(later)), later.not_ready) == (1, 0)


def test_devices_with_the_same_text_share_its_masked_one(device: Device) -> None:
    """And are all found."""
    other = make_device(device.tenant, "other")
    back_up(kept(device, SECRET), kept(other, SECRET))

    answer = search(Pattern("ntp"), veiled(device))

    assert [name for name, *_ in brief(answer)] == ["edge1", "other"]
    assert len(masked_texts.names_in(folder_of(device.tenant_id))) == 1


def test_another_platform_masks_anew(device: Device) -> None:
    """What one system calls a secret, another does not."""
    back_up(
        kept(device, b"set system root-authentication plain-text-password-value hidden1\nsnmp-server community x\n")
    )
    before = search(Pattern("e"), veiled(device))
    Device.objects.filter(pk=device.pk).update(platform="juniper_junos")

    after = search(Pattern("e"), veiled(device))

    assert brief(before) and brief(after)
    assert len(masked_texts.names_in(folder_of(device.tenant_id))) == 2


def test_old_texts_are_swept_and_fresh_ones_are_not(device: Device) -> None:
    """Somebody may still be reading what was replaced a minute ago."""
    folder = folder_of(device.tenant_id)
    first, second = (
        back_up(kept(device, content)).snapshots[device.pk].files["running.cfg"]["blob"]
        for content in (b"one\n", b"two\n")
    )
    sources = [Source(blob, veil(platform("cisco_ios"))) for blob in (first, second)]
    prepare(open_store(device.tenant_id), sources, folder, until=monotonic() + 60)
    old = folder / sources[0].name
    wanted = {sources[1].name}

    assert sweep(folder, wanted) == 0
    os.utime(old, (0, 0))
    assert sweep(folder, wanted) == 1
    assert masked_texts.names_in(folder) == wanted


def test_masked_texts_are_nobody_elses_to_read(device: Device) -> None:
    """Masking is never complete."""
    back_up(kept(device, SECRET))
    search(Pattern("ntp"), veiled(device))

    assert folder_of(device.tenant_id).stat().st_mode & 0o077 == 0
    assert folder_of(device.tenant_id).parent.stat().st_mode & 0o077 == 0
    assert folder_of(device.tenant_id).is_relative_to(settings.NETCAIRN_STORE_ROOT)


def back_up_days(device: Device, *contents: bytes) -> list[Snapshot]:
    """One version after the other, a day apart."""
    snapshots = []
    for days, content in enumerate(contents):
        now = NOON + timedelta(days=days)
        captures = [Kept(device, {"running.cfg": content}, "d" * 64, now)]
        result = keep(device.tenant_id, captures, author="a", message="m", run_id=None, now=now, also=lambda _: None)
        snapshots += result.snapshots.values()
    return snapshots


@pytest.mark.parametrize("secrets", [True, False])
def test_the_past_says_since_when_and_until_when(device: Device, secrets: bool) -> None:
    """A11: "when did we take that out?" is asked after the outage."""
    other = make_device(device.tenant, "other")
    versions = back_up_days(device, b"vlan 1\n", b"a\nvlan 7\n", b"vlan 7\n", b"vlan 1\n", b"vlan 2\n")
    back_up_days(other, b"vlan 1\n", b"vlan 7\n")

    answer = search_past(Pattern("vlan 7"), [Scope(device.tenant, secrets)])

    ours, theirs = answer.found
    assert [version.id for version in ours.versions] == [versions[2].pk, versions[1].pk]
    assert ours.first is not None
    assert (ours.first.id, ours.first.number, ours.last.id, ours.last.number) == (versions[1].pk, 2, versions[2].pk, 1)
    assert (ours.current, ours.gone_at, ours.count) == (False, versions[3].taken_at, 2)
    assert (theirs.device, theirs.current, theirs.gone_at, theirs.count) == (other, True, None, 1)
    assert (answer.versions, answer.cut, answer.searched_to) == (7, None, {})


def test_the_past_is_searched_in_groups_that_lose_nothing(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of rows, some of the same moment, and texts that come again."""
    monkeypatch.setattr("backups.past.AT_ONCE", 2)
    others = [make_device(device.tenant, f"other{number}") for number in range(3)]
    for content in (b"x\n", b"y\n", b"x\n"):
        back_up(*(kept(one, content) for one in (device, *others)))

    answer = search_past(Pattern("x"), clear(device))

    assert answer.versions == 12
    assert [past.count for past in answer.found] == [2, 2, 2, 2]


def test_a_past_that_is_too_long_says_how_far_it_came(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newest first, so what was reached is of use."""
    monkeypatch.setattr("backups.past.AT_ONCE", 2)
    versions = back_up_days(device, b"x 1\n", b"x 2\n", b"x 3\n")
    clock = iter([0.0, 1.0, 2.0, 99.0])
    monkeypatch.setattr("backups.past.monotonic", lambda: next(clock))

    answer = search_past(Pattern("x"), clear(device), limits=PastLimits(seconds=50))

    assert (answer.cut, answer.versions) == ("time", 2)
    assert answer.searched_to == {device.tenant: versions[1].taken_at}
    assert [past.count for past in answer.found] == [2]


def test_the_command_answers_programs(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    """One document, whatever was found."""
    back_up(kept(device, SECRET))

    call_command("search", "ntp", "--json", "--context", "1", "--tenant", device.tenant.name)

    document = json.loads(capsys.readouterr().out)
    (file,) = document.pop("files")
    assert document == {
        "pattern": "ntp",
        "regex": False,
        "ignore_case": False,
        "masked": False,
        "history": False,
        "devices": 1,
        "cut": None,
        "unsearched": [],
        "not_ready": 0,
        "problems": [],
    }
    assert file["lines"] == [
        {"number": 2, "match": False, "text": "snmp-server community hunter2 RO"},
        {"number": 3, "match": True, "text": "ntp server 192.0.2.7"},
        {"number": 4, "match": False, "text": "end"},
    ]
    assert (file["device"], file["device_id"], file["file"]) == ("edge1", str(device.pk), "running.cfg")


def test_the_command_reads_a_pattern_that_nobody_is_to_see(
    device: Device, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-security: arguments are in the list of processes and in the memory of the shell."""
    back_up(kept(device, SECRET))
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2\n"))

    call_command("search", "--json")

    assert json.loads(capsys.readouterr().out)["devices"] == 1


def test_the_command_searches_the_past(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    """First, last, and whether it is still there."""
    versions = back_up_days(device, b"vlan 7\n", b"vlan 8\n")

    call_command("search", "vlan 7", "--history", "--json", "--device", "edge1", "--masked")

    document = json.loads(capsys.readouterr().out)
    (file,) = document["files"]
    assert (file["first"]["id"], file["last"]["id"]) == (str(versions[0].pk), str(versions[0].pk))
    assert (file["current"], file["count"], document["versions_searched"]) == (False, 1, 2)
    call_command("search", "vlan 7", "--history")
    assert "2026-03-02" in capsys.readouterr().out


def test_the_past_is_shown_with_the_lines_around(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    """Which interface had it is asked next, and masked lines stay masked among them."""
    back_up_days(device, SECRET, b"hostname edge1\nend\n")

    call_command("search", "ntp server", "--history", "--context", "1", "--masked")

    said = capsys.readouterr().out
    assert "acme edge1 running.cfg, 2026-03-01" in said
    assert "\n       2 snmp-server community (masked) RO\n>      3 ntp server 192.0.2.7\n       4 end\n" in said
    assert "hunter2" not in said


def test_the_command_ends_with_1_where_it_left_something_out(
    device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that asks "is it anywhere?" must not take half an answer for no."""
    back_up(kept(device, b"x\n" * 5))

    with pytest.raises(SystemExit) as end:
        call_command("search", "x", "--limit", "2")

    said = capsys.readouterr()
    assert end.value.code == 1
    assert "Not everything was searched" in said.err
    assert said.out.count("edge1") == 2


def test_the_command_refuses_wrong_use(device: Device) -> None:
    """Exit status 2, and a sentence."""
    back_up(kept(device))

    for arguments in ([""], ["x", "--context", "-1"], ["x", "--limit", "0"], ["a(", "-E"]):
        with pytest.raises(CommandError) as refusal:
            call_command("search", *arguments)
        assert refusal.value.returncode == 2
