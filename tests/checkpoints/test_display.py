"""Rows of a page that shows a change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checkpoints.diff import Hunk, Line
from checkpoints.display import BUDGET, Numbers, Row, Segment, marked_words, side_by_side, unified

HUNK = Hunk(
    11,
    4,
    11,
    5,
    (
        Line("same", b"interface Gi0/1"),
        Line("removed", b" switchport trunk allowed vlan 10,20"),
        Line("added", b" switchport trunk allowed vlan 10,20,30"),
        Line("added", b" spanning-tree portfast"),
        Line("same", b" no shutdown"),
        Line("same", b"!"),
    ),
    "interface Gi0/1",
)
LINES = st.lists(st.tuples(st.sampled_from(["same", "removed", "added"]), st.binary(max_size=12)))


def shape(rows: list[Row]) -> list[tuple[str, int | None, int | None]]:
    """Kind and numbers of each row."""
    return [(row.kind, row.left and row.left.number, row.right and row.right.number) for row in rows]


def test_a_changed_line_stands_beside_what_it_became() -> None:
    """The eye compares two lines only when they are side by side."""
    assert shape(side_by_side([HUNK], old_lines=20)) == [
        ("fold", None, None),
        ("same", 11, 11),
        ("changed", 12, 12),
        ("added", None, 13),
        ("same", 13, 14),
        ("same", 14, 15),
        ("fold", None, None),
    ]


def test_unified_rows_show_what_went_before_what_came() -> None:
    """The order that everybody knows from a patch."""
    assert shape(unified([HUNK]))[1:5] == [
        ("same", 11, 11),
        ("removed", 12, None),
        ("added", None, 12),
        ("added", None, 13),
    ]


def test_a_fold_counts_the_lines_it_hides() -> None:
    """The reader has to know how much is between two changes, and after the last."""
    rows = side_by_side([HUNK], old_lines=20)

    assert [(row.hidden, row.heading) for row in rows if row.kind == "fold"] == [(10, "interface Gi0/1"), (6, "")]


def test_line_numbers_are_those_of_the_device_where_lines_are_hidden() -> None:
    """A line number that does not lead to the line in the file is worse than none."""
    hunk = Hunk(1, 1, 1, 1, (Line("removed", b"a"), Line("added", b"b")))

    assert shape(side_by_side([hunk], Numbers(old=[7], new=[9])))[1] == ("changed", 7, 9)


def test_the_words_that_differ_are_marked() -> None:
    """One VLAN more in a long list is found at a glance."""
    old, new = marked_words(" description printer", " description printer floor 2")

    assert old == (Segment(" description printer"),)
    assert new == (Segment(" description printer"), Segment(" floor 2", marked=True))


def test_lines_that_share_next_to_nothing_are_not_marked() -> None:
    """Confetti explains nothing."""
    assert marked_words("hostname a", "ip routing") == ((Segment("hostname a"),), (Segment("ip routing"),))


@given(old=st.text(), new=st.text())
def test_marking_loses_no_character(old: str, new: str) -> None:
    """The page shows the device's line, not ours."""
    left, right = marked_words(old, new)

    assert ("".join(part.text for part in left), "".join(part.text for part in right)) == (old, new)


@given(lines=LINES)
def test_every_line_of_a_hunk_is_in_a_row(lines: list[tuple[str, bytes]]) -> None:
    """Unified and side by side show the same lines, all of them, in order."""
    content = tuple(Line(sign, text) for sign, text in lines)
    old, new = (sum(line.sign != other for line in content) for other in ("added", "removed"))
    hunk = Hunk(1 if old else 0, old, 1 if new else 0, new, content)

    for rows in (side_by_side([hunk]), unified([hunk])):
        assert [row.left.number for row in rows if row.left] == list(range(1, old + 1))
        assert [row.right.number for row in rows if row.right] == list(range(1, new + 1))


def test_a_hostile_change_costs_no_more_than_the_budget() -> None:
    """20,000 lines made to be slow to compare must not hold a worker; beyond the budget there are just no marks."""
    words = " ".join(str(n) for n in range(40))
    gone = tuple(Line("removed", f"x {words[: at % 90]} y {words}".encode()) for at in range(20_000))
    come = tuple(Line("added", f"{words} z {words[at % 90 :]}".encode()) for at in range(20_000))
    rows = side_by_side([Hunk(1, 20_000, 1, 20_000, gone + come)])

    marked = [row for row in rows if row.left and len(row.left.segments) > 1]
    assert len(rows) == 20_001
    assert sum(len(row.left.text) for row in marked) <= BUDGET
