"""What is a prompt, what a pager, and what is left of an answer: pure rules, tried on many texts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.ssh_reading import Answer, Standing, last_line, like_a_prompt, same_prompt, visible

PROMPT = b"edge1#"
COMMAND = b"show running-config"
LINES = st.lists(st.binary(max_size=60).filter(lambda line: not set(line) & set(b"\r\n\x1b")), max_size=30)


def answered(said: bytes, *, pieces: int = 7) -> Answer:
    """An answer that came in pieces of so many bytes."""
    answer = Answer(COMMAND, PROMPT)
    for start in range(0, len(said), pieces):
        answer.feed(said[start : start + pieces])
    return answer


@given(LINES, st.integers(1, 4096))
@settings(max_examples=150, deadline=None)
def test_an_answer_is_every_byte_between_echo_and_prompt(lines: list[bytes], pieces: int) -> None:
    """A backup that drops bytes cannot be put back, whatever the bytes are and however they come."""
    body = b"".join(line + b"\r\n" for line in [b"version 17.9", *lines, b"end"])

    answer = answered(COMMAND + b"\r\n" + body + PROMPT, pieces=pieces)

    assert answer.standing is Standing.PROMPT
    assert answer.text() == body


@given(LINES, st.integers(1, 400))
@settings(max_examples=150, deadline=None)
def test_no_half_of_an_answer_ends_at_the_prompt(lines: list[bytes], cut: int) -> None:
    """The prompt stands in a description: what is there so far must never be taken for the whole."""
    others = [line for line in lines if b"#" not in line]
    body = b"".join(line + b"\r\n" for line in [b"description " + PROMPT, *others, PROMPT + b" not the end"])

    answer = answered((COMMAND + b"\r\n" + body)[: len(COMMAND) + cut])

    # Cut right behind it, the line cannot be told from the prompt: that is what silence and end markers are for.
    assert answer.standing is not Standing.PROMPT or answer.raw.rstrip(b" ").endswith(b"\n" + PROMPT)


def test_a_line_like_the_prompt_in_the_middle_makes_its_return_suspicious() -> None:
    """A banner that shows the prompt is the one text that can end a reading early."""
    answer = answered(COMMAND + b"\r\nbanner motd ^C\r\nedge1#\r\n^C\r\nend\r\nedge1#")

    assert answer.standing is Standing.PROMPT
    assert answer.suspicious


@pytest.mark.parametrize(
    ("more", "wiped"),
    [
        (b" --More-- ", b"\x08" * 10 + b" " * 10 + b"\x08" * 10),  # IOS
        (b"--More-- ", b"\r         \r"),  # FortiOS
        (b"---(more 45%)---", b"\r                \r"),  # Junos
        (b"  ---- More ----", b"\x1b[16D                \x1b[16D"),  # Comware, VRP
        (b"<--- More --->", b"\r              \r"),  # ASA
        (b"\x1b[7m--More--\x1b[m", b"\r\x1b[K"),  # more on a terminal
        (b"Press any key to continue (Q to quit)", b"\r" + b" " * 37 + b"\r"),
        (b"-- MORE --, next page: Space, next line: Enter, quit: Control-C", b"\r\x1b[K"),  # ProCurve
        (b"--More-- or (q)uit", b"\r\n"),  # leaves its prompt and goes on
    ],
)
def test_pages_are_joined_without_a_trace_of_the_pager(more: bytes, wiped: bytes) -> None:
    """What a pager leaves behind would be configuration on the way back."""
    answer = Answer(COMMAND, PROMPT)
    answer.feed(COMMAND + b"\r\nline 1\r\nline 2\r\n" + more)
    standing = answer.standing
    answer.turn_page()
    answer.feed(wiped + b"   line 3\r\n" + more)
    again = answer.paged_again
    answer.turn_page()
    answer.feed(wiped + b"\r\nline 5\r\nend\r\n" + PROMPT)

    assert (standing, again) == (Standing.PAGED, True)
    assert answer.text() == b"line 1\r\nline 2\r\n   line 3\r\n\r\nline 5\r\nend\r\n"


@pytest.mark.parametrize(
    ("after", "cut"),
    [
        (b"\r\nedge1#", True),  # the key was no key for it
        (b"\r         \redge1#", False),  # it had filled the page exactly, and leaves in order
        (b"\r\nend\r\nedge1#", False),
    ],
)
def test_a_pager_that_shows_nothing_more_has_cut_the_answer(after: bytes, cut: bool) -> None:
    """Where no end marker would be missed, this is all that shows the loss of every page but the first."""
    answer = Answer(COMMAND, PROMPT)
    answer.feed(COMMAND + b"\r\nline 1\r\n--More--")
    answer.turn_page()
    answer.feed(after)

    assert answer.standing is Standing.PROMPT
    assert answer.cut_at_a_page is cut


def test_a_line_that_only_looks_like_the_pager_stays() -> None:
    """A banner may say --More--; a key pressed for it by mistake costs nothing, the line would."""
    answer = Answer(COMMAND, PROMPT)
    answer.feed(COMMAND + b"\r\n--More--")
    answer.turn_page()
    answer.feed(b"\r        \rline 1\r\n--More--")
    answer.turn_page()
    answer.feed(b"\r\nline 3\r\n" + PROMPT)

    assert answer.text() == b"line 1\r\n--More--\r\nline 3\r\n"


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"show running-config\r\r\n\r\r\nend\r\n\redge1# ", b"\r\r\nend\r\n"),  # NX-OS
        (b"show running-config\r\nedge1#show running-config\r\nend\r\nedge1#", b"end\r\n"),  # EOS that fell behind
        (b"show ru\x08\x08\x1b[Kru\x1b[2Cnning-config\r\nend\r\nedge1#", b"end\r\n"),  # repainted while typed
        (b"show running-config\r\n\x1b[?1h\x1b=\rend\x1b[m\r\n\r\x1b[K\x1b[?1l\x1b>edge1#", b"end\r\n"),  # less
        (b"show running-config\r\nend\r\n\r\n{master:0}\r\nedge1#", b"end\r\n\r\n"),  # Junos cluster
        (b"show running-config\r\n<a/>edge1#", b"<a/>"),  # a file without a line end
        (b"show running-config\r\nbanner \x1b[31mred\x1b[0m\r\nedge1#", b"banner \x1b[31mred\x1b[0m\r\n"),
    ],
)
def test_only_what_is_the_terminals_is_taken_out(said: bytes, body: bytes) -> None:
    """Echo, prompt and a pager's steering go; colours in a banner are the device's own."""
    assert answered(said).text() == body


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"A:sr1#", b"*A:sr1#", True),
        (b"X440.1 #", b"X440.12 #", True),
        (b"edge1#", b"edge1(config)#", False),
        (b"", b"", False),
    ],
)
def test_a_prompt_may_count_and_mark_but_not_change(one: bytes, other: bytes, same: bool) -> None:
    """SR OS marks unsaved changes, EXOS counts commands: still the same prompt."""
    assert same_prompt(one, other) is same


def test_the_last_line_is_what_a_person_sees() -> None:
    """Overwritten text, escape sequences and blanks around it are not there for a person."""
    assert last_line(b"x\r\n\x1b[?2004h\x1b[24;1Hold\r   \redge1# ") == b"edge1#"
    assert visible(b"abc\x08\x08XY") == b"aXY"
    assert last_line(b"edge1#\r\n") == b""


def test_a_question_is_no_prompt() -> None:
    """Answering a password question with a command would show the command, and lock an account."""
    assert like_a_prompt(b"Password:") is False
    assert like_a_prompt(b"[admin@MikroTik] >") is True
    assert like_a_prompt(b"[2.7.2-RELEASE][anna@fw.example.net]/root:") is True


def test_the_end_marker_is_looked_for_in_the_last_line_only() -> None:
    """`end` in a banner is not the end."""
    mark = re.compile(rb"^end\s*$", re.MULTILINE)

    assert answered(COMMAND + b"\r\nend\r\n\r\nedge1#").last_line_is(mark)
    assert not answered(COMMAND + b"\r\nend\r\nmore\r\nedge1#").last_line_is(mark)
