"""A capture without doubts is whole, and what is stored is what the device said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.capture import SHRINK_FLOOR, read_capture, refusal, stable_digest, tidy
from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore
from tests.platforms.cases import CASES, Case, CaseFile

FILES = {f"{case}/{file.name}": (case, file) for case in CASES for file in case.files}
MARKED = {
    name: (case, file)
    for name, (case, file) in FILES.items()
    for command in case.platform.commands
    if command.filename == file.name and command.complete_when
}


def system(**changes: object) -> Platform:
    """A made-up system whose configuration ends with "end"."""
    facts: dict[str, object] = {
        "slug": "acme_os",
        "label": "Acme OS",
        "netmiko_type": "generic",
        "commands": (Command(line="show config", filename="config.txt", complete_when=r"^end\s*$"),),
        "restore": Restore(way="none", note="None."),
        "verified": "none",
        "source": "made up for a test",
        "refusals": (r"^% Invalid input",),
        "volatile": (r"^! uptime",),
    }
    return Platform(**{**facts, **changes})  # type: ignore[arg-type]


def causes(answer: bytes, platform: Platform | None = None, last_good: int = 0) -> list[str]:
    """Why this answer is doubtful."""
    capture = read_capture(platform or system(), {"config.txt": answer}, last_good={"config.txt": last_good})
    return [doubt.cause for doubt in capture.doubts]


WHOLE = b"hostname r1\ninterface e0\n address 192.0.2.1\nend\n"


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_whole_answer_is_good_and_stored_as_the_device_meant_it(case: Case) -> None:
    """The terminal's additions go, every byte of the configuration stays."""
    capture = read_capture(case.platform, case.answers, last_good={})

    assert not capture.doubts
    assert capture.good
    assert dict(capture.files) == case.stored


@given(name=st.sampled_from(sorted(MARKED)), data=st.data())
def test_an_answer_cut_anywhere_before_its_end_is_doubtful(name: str, data: st.DataObject) -> None:
    """Half a configuration that is put back is worse than none."""
    case, file = MARKED[name]
    last = file.stored.splitlines()[-1]
    within = file.raw.rindex(last) + min(2, len(last) - 1)
    cut = data.draw(st.integers(0, within).filter(lambda at: not is_beyond_the_text(case, file, at)))

    last_good = dict.fromkeys(case.answers, 1)  # they were there before: an optional one cannot be taken for missing

    capture = read_capture(case.platform, {**case.answers, file.name: file.raw[:cut]}, last_good=last_good)

    assert not capture.good


def is_beyond_the_text(case: Case, file: CaseFile, cut: int) -> bool:
    """Where nothing in the text can show that it was cut."""
    answer = file.raw[:cut]
    return is_after_a_section(case, answer) or lacks_nothing(case, file, answer) or is_inside_a_mark(case, file, cut)


def is_after_a_section(case: Case, answer: bytes) -> bool:
    """Where Junos, FortiOS and others cannot know: a whole section of the highest level looks like the last one."""
    ends = {"juniper_junos": [b"}"], "fortinet": [b"end"], "f5_tmsh": [b"}"], "nokia_sros": [b"}"]}
    return tidy(case.platform, answer).splitlines()[-1:] == ends.get(case.platform.slug)


def lacks_nothing(case: Case, file: CaseFile, answer: bytes) -> bool:
    """All that counts is there: ACOS says behind its `end` at which commit it is, which never counts as a change."""
    kept = {file.name: tidy(case.platform, answer)}
    return stable_digest(case.platform, kept) == stable_digest(case.platform, {file.name: file.stored})


def is_inside_a_mark(case: Case, file: CaseFile, cut: int) -> bool:
    """In the middle of a banner's line that begins like the end mark: only that no prompt follows shows it.

    The transport hears of that, as a connection that was lost; the text alone cannot tell.
    """
    mark = next(command.complete_when for command in case.platform.commands if command.filename == file.name)
    last = tidy(case.platform, file.raw[:cut]).splitlines()[-1:]
    goes_on = file.raw[cut : cut + 1] not in (b"\r", b"\n")
    return goes_on and bool(mark and last and re.search(mark.encode(), last[0]))


@given(name=st.sampled_from(sorted(FILES)), data=st.data())
def test_an_answer_below_half_of_the_last_good_one_is_doubtful(name: str, data: st.DataObject) -> None:
    """The net under systems whose configuration has no mark at its end."""
    case, file = FILES[name]
    cut = data.draw(st.integers(1, len(file.stored) // 2))
    last_good = {file.name: max(SHRINK_FLOOR, 2 * len(file.stored))}

    capture = read_capture(case.platform, {**case.answers, file.name: file.raw[:cut]}, last_good=last_good)

    assert not capture.good


@given(name=st.sampled_from(sorted(FILES)), data=st.data())
def test_what_changes_by_itself_is_no_change(name: str, data: st.DataObject) -> None:
    """Otherwise every run keeps a version, and nobody finds the one that somebody made."""
    case, file = FILES[name]
    later = set(data.draw(st.lists(st.sampled_from(sorted(file.volatile)), unique=True))) if file.volatile else set()
    lines = [file.volatile[line] if line in later else line for line in file.stored.split(b"\n")]

    assert stable_digest(case.platform, {file.name: b"\n".join(lines)}) == stable_digest(
        case.platform, {file.name: file.stored}
    )


@given(name=st.sampled_from(sorted(FILES)), data=st.data())
def test_any_other_line_is_a_change(name: str, data: st.DataObject) -> None:
    """A change that is taken for noise is a change that is lost."""
    case, file = FILES[name]
    lines = file.stored.split(b"\n")
    at = data.draw(st.sampled_from([n for n, line in enumerate(lines[:-1]) if line not in file.volatile]))
    changed = data.draw(st.sampled_from([[], [lines[at] + b"x"], [lines[at], lines[at] + b"y"], [b"z"]]))

    other = b"\n".join([*lines[:at], *changed, *lines[at + 1 :]])

    assert stable_digest(case.platform, {file.name: other}) != stable_digest(case.platform, {file.name: file.stored})


def test_every_line_named_as_volatile_is_in_the_case() -> None:
    """A pair that names no line proves nothing."""
    absent = {name: set(file.volatile) - set(file.stored.split(b"\n")) for name, (_, file) in FILES.items()}

    assert {name: lines for name, lines in absent.items() if lines} == {}


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_volatile_line_of_a_case_is_named(case: Case) -> None:
    """One that is not named would be taken for a line whose loss counts."""
    volatile = case.platform.volatile_lines
    for file in case.files:
        found = {line for line in file.stored.split(b"\n") if volatile and volatile.search(line)}
        assert found <= set(file.volatile)


@pytest.mark.parametrize(
    ("answer", "stored"),
    [
        (b"\r\n\r\nhostname r1\r\r\nend\r\n\r\n", b"hostname r1\nend\n"),
        (b"hostname r1\n\rend\n\r", b"hostname r1\nend\n"),
        (b"\n \nhostname r1  \n\n\n b\nend  \n \n", b"hostname r1  \n\n\n b\nend  \n"),
        (b"hostname r1\nend", b"hostname r1\nend\n"),
        (b"a\rb\n\xff\xfe \x85 \xa0\x0c\nend\n", b"a\rb\n\xff\xfe \x85 \xa0\x0c\nend\n"),
        (b"banner \x1b[31mred\x1b[0m\nend\n", b"banner \x1b[31mred\x1b[0m\nend\n"),
        (b"", b""),
        (b"\r\n", b""),
    ],
)
def test_only_what_the_terminal_added_is_taken_away(answer: bytes, stored: bytes) -> None:
    """What is stored must be fit to be put back, byte for byte."""
    assert tidy(system(), answer) == stored


@given(st.binary(max_size=200))
def test_tidying_twice_is_tidying_once(answer: bytes) -> None:
    """A version that is put back and collected again must be the same version."""
    once = tidy(system(), answer)

    assert tidy(system(), once) == once


def test_what_wiped_a_pager_away_goes_with_it() -> None:
    """Terminals wipe the prompt with backspaces, blanks or an escape sequence; words alone are somebody's text."""
    platform = system(pager=(r"^ ?--More-- ?",))
    answer = b"a\n --More-- \x08\x08\x08        \x08\x08\x08b\n--More--\r         \rc\n--More--\x1b[Kd\n--More--\x08\x08  \x08\x08  e\nend\n"

    assert tidy(platform, answer) == b"a\nb\nc\nd\n  e\nend\n"


def test_decoration_goes_where_the_sheet_says_that_there_is_some() -> None:
    """Systems that colour their answers say so in their sheet; elsewhere an escape sequence is the device's text."""
    platform = system(ansi=True)

    assert (
        tidy(platform, b"\x1b[?1h\x1b=\rhostname r1\x1b[m\r\nend\x1b[m\r\n\r\x1b[K\x1b[?1l\x1b>")
        == b"hostname r1\nend\n"
    )


def test_lines_of_the_session_go_from_the_ends_and_only_from_there() -> None:
    """A cluster prints its state around every answer."""
    platform = system(frame=(r"^\{master\}$",))

    assert tidy(platform, b"{master}\na\n{master}\nend\n\n{master}\n") == b"a\n{master}\nend\n"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"hostname r1\ninterface e0\n addr", "no-end-marker"),
        (WHOLE + b"endless story\n", "no-end-marker"),
        (b"end\n", "too-small"),
        (b"", "too-small"),
        (b"      ^\n% Invalid input detected\n", "refused"),
        (WHOLE.replace(b"address", b"a\n --More-- \n"), "pager-left"),
        (WHOLE.replace(b"interface", b"<--- More --->interface"), "pager-left"),
        (WHOLE.replace(b"interface", b"r1#show config\ninterface"), "prompt-inside"),
        (WHOLE.replace(b"interface", b"inter\x00face"), "control-bytes"),
        (WHOLE.replace(b"interface", b"inter\x08face"), "control-bytes"),
        (WHOLE.replace(b"interface", b"\x1b[24;1Hinterface"), "control-bytes"),
    ],
)
def test_an_answer_that_is_not_a_whole_configuration_is_doubtful(answer: bytes, cause: str) -> None:
    """Such an answer is quarantined for a person to look at; it is never the latest version."""
    assert cause in causes(answer)


@pytest.mark.parametrize(
    "text",
    [
        b"% Invalid input detected",
        b"r1#",
        b" --More--is-less",
        b"description --More--",
        b"\x1b[1mbold\x1b[0m",
        b"\x03",
        b"end",
    ],
)
def test_a_banner_may_hold_anything(text: bytes) -> None:
    """A device must not be able to stop its own backups, nor cut them short, with a description or a banner."""
    answer = b"hostname r1\n!\n!\n!\n!\nbanner motd ^\n   " + text + b"\n^\nend\n"

    assert causes(answer) == []


def test_what_the_device_withheld_is_said() -> None:
    """A configuration with holes cannot be put back, however well it ends."""
    platform = system(withheld=(r"/\* ACCESS-DENIED \*/",))

    assert causes(WHOLE.replace(b"address", b"/* ACCESS-DENIED */\naddress"), platform) == ["withheld"]


def test_half_the_size_of_the_last_good_version_is_doubtful() -> None:
    """Small files are edited by halves; large ones are cut."""
    assert causes(WHOLE, last_good=SHRINK_FLOOR) == ["shrunk"]
    assert causes(WHOLE, last_good=SHRINK_FLOOR - 1) == []
    assert causes(WHOLE + b"", last_good=2 * len(WHOLE)) == []


def test_a_file_that_must_be_there_is_missed() -> None:
    """A capture is whole only with every file that its platform must have."""
    assert next(doubt.cause for doubt in read_capture(system(), {}, last_good={}).doubts) == "missing"


STARTUP = Command(line="show startup", filename="startup.txt", complete_when="^end", optional=True)


@pytest.mark.parametrize(
    ("answer", "before", "verdict"),
    [
        (b"% Invalid input\n", {"startup.txt": 5000}, []),
        (b"There is no saved configuration.\n", {}, []),
        (b"", {}, []),
        (b"There is no saved configuration.\n", {"startup.txt": 500}, ["no-end-marker"]),
        (b"hostname r1\n!\n!\ninterf", {}, ["no-end-marker"]),
    ],
)
def test_a_device_without_an_optional_file_is_still_backed_up(
    answer: bytes, before: dict[str, int], verdict: list[str]
) -> None:
    """Whose startup-config cannot be read has a running one; a half of it is still no version."""
    platform = system(commands=(*system().commands, STARTUP))

    capture = read_capture(platform, {"config.txt": WHOLE, "startup.txt": answer}, last_good=before)

    assert [doubt.cause for doubt in capture.doubts] == verdict
    assert ("startup.txt" in capture.files) == bool(verdict)


def test_a_platform_of_optional_files_needs_one_of_them() -> None:
    """Nothing at all is no backup."""
    platform = system(commands=(), files=(RemoteFile("/etc/a", "a"), RemoteFile("/etc/b", "b")))

    assert [doubt.cause for doubt in read_capture(platform, {}, last_good={}).doubts] == ["missing"]
    assert read_capture(platform, {"b": b"x"}, last_good={}).good


def test_a_fetched_file_is_stored_as_it_is() -> None:
    """It came without a terminal: nothing in it is the terminal's."""
    platform = system(commands=(), files=(RemoteFile("/etc/a", "a"),))

    assert (
        read_capture(platform, {"a": b"\r\n\x00 --More-- \r\n"}, last_good={}).files["a"] == b"\r\n\x00 --More-- \r\n"
    )


def test_a_file_that_is_not_the_platforms_is_our_mistake() -> None:
    """A capture never names a file that its sheet does not."""
    with pytest.raises(ValueError, match=r"other\.txt"):
        read_capture(system(), {"other.txt": b""}, last_good={})


def test_a_refusal_is_told_without_its_secrets() -> None:
    """The sentence goes into a row and onto a page."""
    assert refusal(system(), b"\r\n% Invalid input: password hunter2\r\n") == "% Invalid input: password (masked)"
    assert refusal(system(), WHOLE) is None
    assert refusal(system(), b"!\n!\n!\n!\n!\n% Invalid input\n") is None


def test_what_nearly_every_system_says_to_an_unknown_command_is_a_refusal() -> None:
    """A sheet may forget it."""
    assert refusal(system(refusals=()), b"      ^\n% Invalid input detected at '^' marker.\n")
    assert refusal(system(refusals=(r"^bad command",)), b"bad command name export\n") == "bad command name export"


def test_the_digest_knows_which_file_a_line_stands_in() -> None:
    """Two files that swap a line are two changes."""
    assert stable_digest(system(), {"a": b"x\n", "b": b""}) != stable_digest(system(), {"a": b"", "b": b"x\n"})


@pytest.mark.parametrize("piece", [b"\n", b"\r", b" ", b"\x1b[", b"--More-- ", b"set a ENC ", b"# by RouterOS "])
def test_a_hostile_answer_does_not_keep_a_worker(piece: bytes) -> None:
    """A pattern whose work grows with the square of an answer would not come back from these for hours."""
    answer = piece * (50_000 // len(piece))

    believed = [
        sheet.slug for sheet in read_catalogue(None).sheets.values() if sheet.commands and believes(sheet, answer)
    ]

    assert believed == []


def believes(platform: Platform, answer: bytes) -> bool:
    """Whether a system whose configurations have an end takes this for a whole one."""
    command = platform.commands[0]
    capture = read_capture(platform, {command.filename: answer}, last_good={command.filename: 1})
    return not capture.doubts and command.complete_when is not None
