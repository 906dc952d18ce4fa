"""Device output on a page: all of it is there, none of it acts."""

from __future__ import annotations

from django.template import engines
from hypothesis import given
from hypothesis import strategies as st

from backups.content import MAX_BYTES, same_beginning, shown_file
from backups.showing import harmless, lines_of


def test_an_escape_sequence_is_written_out() -> None:
    """A clear-screen in a banner would rewrite what a person sees."""
    assert str(harmless("red \x1b[31m")) == 'red <span class="nc-esc">\\x1b</span>[31m'


def test_a_direction_character_is_written_out() -> None:
    """U+202E shows `permit` where the device has `timrep`."""
    assert '<span class="nc-esc">\\u202e</span>' in harmless("deny \u202etimrep")


def test_a_byte_that_is_no_text_is_written_out() -> None:
    """A dropped byte is a configuration that nobody has seen."""
    (line,) = lines_of(b"name \xff\n")

    assert str(harmless(line)) == 'name <span class="nc-esc">\\xff</span>'


def test_only_a_newline_ends_a_line() -> None:
    """A form feed is part of a line; line numbers must be those of git and of the device."""
    assert lines_of(b"a\x0cb\x85c\nd") == ["a\x0cb\udc85c", "d"]


def test_carriage_returns_are_shown_only_where_lines_differ() -> None:
    """A file with DOS line ends is readable; a single one among others is a finding."""
    assert lines_of(b"a\r\nb\r\n") == ["a", "b"]
    assert lines_of(b"a\r\nb\n") == ["a\r", "b"]


@given(st.binary(max_size=300))
def test_no_bytes_become_markup_or_control(content: bytes) -> None:
    """Whatever a device says, a page holds only what can be shown, and no tag but our own."""
    shown = [harmless(line) for line in lines_of(content)]
    page = engines["django"].from_string("{% for line in lines %}{{ line }}{% endfor %}").render({"lines": shown})
    text = page.replace('<span class="nc-esc">', "").replace("</span>", "")

    assert "<" not in text and ">" not in text
    assert all(character == "\t" or character.isprintable() for character in text)


def test_a_large_file_is_not_put_on_a_page() -> None:
    """A browser that stands still shows nothing at all."""
    shown = shown_file("running.cfg", b"x" * (MAX_BYTES + 1), "cisco_ios", secrets=True)

    assert shown.refusal and not shown.lines


def test_hostile_bytes_cannot_blow_a_page_up() -> None:
    """One byte becomes forty characters of escape: the limit is on the page, too."""
    shown = shown_file("running.cfg", b"\x01a" * 400_000, "cisco_ios", secrets=True)

    assert shown.refusal and not shown.lines


def test_a_text_that_breaks_off_is_told_from_one_that_differs() -> None:
    """The first is a lost connection, the second somebody's change."""
    good = b"hostname a\n! Last configuration change at 10:00\ninterface e1\n mtu 1500\nend\n"

    assert same_beginning(
        b"hostname a\n! Last configuration change at 11:00\ninterface e1\n mt", good, "cisco_ios"
    ) == (2, True)
    assert same_beginning(b"hostname a\ninterface e1\n mtu 9000\nend\n", good, "cisco_ios") == (2, False)
