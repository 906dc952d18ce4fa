"""What a page marks in a configuration, and where it folds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backups.colouring import DEEPEST, coloured, sections
from backups.content import PART, folded, shown_file

IOS = [
    "hostname edge1",
    "!",
    "interface Gi0/1",
    ' description "to core"',
    " no shutdown",
    "!",
    "router bgp 65000",
    " address-family ipv4",
    "  network 192.0.2.0",
    " exit-address-family",
    "end",
]
JUNOS = [
    "system {",
    "    host-name a;",
    "    login {",
    "        user b;",
    "    }",
    "}",
    "interfaces {",
    "    lo0;",
    "}",
]
ROUTEROS = [
    "/interface bridge",
    "add name=bridge1",
    "/ip address",
    "add address=192.0.2.1/24",
    "add address=10.0.0.1/8",
]


def starts(lines: list[str]) -> list[str]:
    """The lines that sections begin with."""
    return [line for line, (_, begins) in zip(lines, sections(lines), strict=True) if begins]


def test_a_section_is_what_is_indented_below_a_line() -> None:
    """Folding by section is how somebody finds one interface among four hundred."""
    assert starts(IOS) == ["interface Gi0/1", "router bgp 65000", " address-family ipv4"]
    assert starts(JUNOS) == ["system {", "    login {", "interfaces {"]
    assert starts(ROUTEROS) == ["/interface bridge", "/ip address"]


def test_a_section_ends_before_the_line_that_is_not_indented_below_it() -> None:
    """A line in the wrong fold is a line in the wrong interface."""
    ended = dict(zip(IOS, (ended for ended, _ in sections(IOS)), strict=True))

    assert ended["router bgp 65000"] == 0  # the comment before it has ended the interface
    assert ended["end"] == 1 and ended[" exit-address-family"] == 1


@given(st.lists(st.text(alphabet=" \tab!/{", max_size=6), max_size=40))
def test_every_fold_that_opens_is_closed_once(lines: list[str]) -> None:
    """Whatever a device says, a page stays whole."""
    depth = 0
    for ended, begins in sections(lines):
        depth += begins - ended
        assert 0 <= depth - begins <= DEEPEST
    html = str(folded(lines, 1, "L"))

    assert html.count("<details") == html.count("</details>")
    assert html.count("<p ") + html.count("<summary ") == len(lines)


@given(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=80))
def test_the_pieces_of_a_line_are_the_line(line: str) -> None:
    """Colours must not drop or move a character."""
    assert "".join(text for _, text in coloured(line)) == line


def test_what_stands_out_is_marked() -> None:
    """Addresses, what is switched off, quoted and masked texts: what an eye looks for."""
    assert list(coloured(' no ip route 192.0.2.0/24 2001:db8::1 "a b" (masked)')) == [
        ("plain", " "),
        ("off", "no"),
        ("plain", " ip route "),
        ("value", "192.0.2.0/24"),
        ("plain", " "),
        ("value", "2001:db8::1"),
        ("plain", " "),
        ("quoted", '"a b"'),
        ("plain", " "),
        ("masked", "(masked)"),
    ]
    assert list(coloured("! Last configuration change")) == [("comment", "! Last configuration change")]


def test_markup_of_a_device_is_text() -> None:
    """A banner with a script in it is a banner."""
    html = str(folded(["banner <script>alert(1)</script>", ' description "<b>"'], 1, "L"))

    assert "<script" not in html and '"<b>"' not in html
    assert "&lt;script&gt;" in html


def test_a_long_file_is_shown_in_parts() -> None:
    """30,000 lines at once are more than 2 MB of page; the part with the line that was asked for is enough."""
    content = b"".join(b"line %d\n" % number for number in range(1, 2 * PART + 2))

    last = shown_file("running.cfg", content, "cisco_ios", secrets=True, line=2 * PART + 1)
    first = shown_file("running.cfg", content, "cisco_ios", secrets=True, line=0)

    assert (last.first, last.count, str(last.lines).count("<p ")) == (2 * PART + 1, 2 * PART + 1, 1)
    assert f'id="L{2 * PART + 1}"' in last.lines and 'id="L1"' in first.lines
    assert first.parts == [(1, PART), (PART + 1, 2 * PART), (2 * PART + 1, 2 * PART + 1)]
