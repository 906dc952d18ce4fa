"""From line to line, for systems that take no whole configuration: what is said, and what of it is dangerous."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checkpoints.errors import NoWayByLines
from checkpoints.merge_risks import dangers, unsayable
from checkpoints.plan import make_plan
from checkpoints.plan_by_lines import by_lines
from checkpoints.remediation import Change, remediate, typed
from inventory.platforms.registry import platform
from inventory.platforms.sheet import Platform

AOSCX = platform("aruba_aoscx")
IOS = replace(platform("cisco_ios"), restore=replace(platform("cisco_ios").restore, merge="CISCO_IOS"))
EOS = replace(platform("arista_eos"), restore=replace(platform("arista_eos").restore, merge="ARISTA_EOS"))


def told(system: str, now: str, then: str) -> str:
    """All that is said about the danger of the way."""
    return "\n".join(f"{what}: {'; '.join(lines)}" for what, lines in dangers(remediate(system, now, then), then))


def test_lines_are_said_in_their_sections_and_each_section_is_left() -> None:
    """A line that is typed one section too deep may mean something there."""
    now = "hostname a\ninterface 1/1/1\n    description old\nvlan 20\n    name office\n"
    then = "hostname b\ninterface 1/1/1\n    description new\nvlan 20\n    name office\n    description x\n"

    lines = typed(remediate("ARUBA_AOSCX", now, then))

    assert sorted(lines) == sorted(
        ["hostname b", "vlan 20", "description x", "exit", "interface 1/1/1", "description new", "exit"]
    )
    assert lines.index("description new") == lines.index("interface 1/1/1") + 1
    assert lines[lines.index("description new") + 1] == "exit"


def test_what_is_too_many_is_undone_also_where_one_of_its_kind_stays() -> None:
    """Two servers of the log: the library takes one for overwritten by the other, and would leave it for ever."""
    now, then = "logging 192.0.2.1\nlogging 192.0.2.2\n", "logging 192.0.2.1\n"

    assert typed(remediate("ARUBA_AOSCX", now, then)) == ["no logging 192.0.2.2"]


def test_what_only_changes_its_value_is_not_undone_first() -> None:
    """A device without a name for a moment answers with another prompt."""
    assert typed(remediate("ARUBA_AOSCX", "hostname a\n", "hostname b\n")) == ["hostname b"]


def test_marks_of_the_text_are_no_settings() -> None:
    """They come more than once, and end the reading of what has them for lines."""
    text = "!\nrouter bgp 1\n exit-address-family\n!\nexit\nend\n"

    assert remediate("CISCO_IOS", text, "router bgp 1\n!\nexit\n!\nexit\n") == ()


def test_a_text_that_cannot_be_taken_apart_is_an_obstacle() -> None:
    """The plan says so; nothing is guessed."""
    with pytest.raises(NoWayByLines):
        remediate("GENERIC", "a 1\na 1\n", "b 1\n")


@pytest.mark.parametrize(
    ("system", "now", "then", "what", "line"),
    [
        (
            "CISCO_IOS",
            "line vty 0 4\n transport input telnet ssh\n",
            "line vty 0 4\n transport input ssh\n",
            "Taken away for a moment",
            "no transport input telnet ssh",
        ),
        (
            "CISCO_IOS",
            "username bob privilege 15 secret 9 a\n",
            "username bob privilege 1 secret 9 b\n",
            "Taken away for a moment",
            "no username bob privilege 15 secret 9 a",
        ),
        (
            "CISCO_IOS",
            "interface Gi0/1\n switchport trunk allowed vlan 10,20\n",
            "interface Gi0/1\n description x\n",
            "Open to all VLANs",
            "no switchport trunk allowed vlan",
        ),
        (
            "ARISTA_EOS",
            "interface Ethernet2\n   description x\n",
            "hostname a\n",
            "A port cannot be removed",
            "no interface Ethernet2",
        ),
    ],
)
def test_the_dangerous_lines_that_are_known_are_told(system: str, now: str, then: str, what: str, line: str) -> None:
    """Each was seen on a real configuration; whoever approves must know."""
    found = told(system, now, then)

    assert what in found
    assert line in found


def test_a_line_that_the_version_does_not_hold_is_told() -> None:
    """The library adds `shutdown` where the version merely says nothing."""
    changes = (Change("shutdown", ("interface Ethernet1",)), Change("description x", ("interface Ethernet1",)))

    assert list(dangers(changes, "interface Ethernet1\n   description x\n")) == [
        ("Said, although the version does not hold them", ["shutdown"])
    ]


@pytest.mark.parametrize("line", ["no banner motd ^C\nhello\n^C", "banner motd ^", "crypto pki certificate chain X"])
def test_a_text_of_several_lines_is_never_said_line_by_line(line: str) -> None:
    """The device would wait for its end sign, and take everything after it for text."""
    assert unsayable([Change(line)]) == [line]


def test_the_plan_of_a_merge_warns_refuses_and_shows_no_secret() -> None:
    """Lines are kept in a row and shown to people without the right to secrets."""
    now = "hostname a\nuser eve group administrators password ciphertext OldSecret1\nbanner motd ^\nhi\n^\n" + "!" * 80
    then = "hostname b\nuser eve group administrators password ciphertext NewSecret2\n" + "!" * 80

    plan = make_plan(
        AOSCX,
        current={"running.cfg": now.encode()},
        target={"running.cfg": then.encode()},
        name="netcairn-1",
        minutes=5,
    )

    assert any("line by line" in obstacle for obstacle in plan.obstacles)
    assert any(warning.startswith("Taken away for a moment") for warning in plan.warnings)
    assert "Secret" not in "\n".join([*plan.commands, *plan.warnings, *plan.obstacles])
    assert "user eve group administrators password ciphertext NewSecret2" in [line.text for line in plan.commit]


@pytest.mark.parametrize("sheet", [IOS, EOS], ids=lambda sheet: sheet.slug)
def test_the_way_of_a_device_to_itself_is_empty(sheet: Platform) -> None:
    """Nothing to do is nothing to say."""
    text = "hostname a\n!\ninterface Vlan10\n   description x\n!\nend\n"

    assert by_lines(sheet, text, text).lines == ()
