"""What a page of differences shows: the files of a comparison as rows of HTML, within a limit for the whole page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backups.store.patches import DiffCaps
from checkpoints.compare import Comparison, FileChange, FileDiff, file_diffs
from checkpoints.display import Cell, Row, Segment, side_by_side, unified

RowHTML = Callable[[Row, bool], SafeString]

MAX_HTML = 1_800_000  # characters of all differences of a page; with the frame it stays below 2 MB
CAPS = DiffCaps(max_bytes=700_000, max_lines=12_000)  # of a group of files: no more would fit
WHOLE_FILE = 10_000_000  # lines of context that no configuration has
CONTEXTS = {"3": 3, "10": 10, "all": WHOLE_FILE}
VIEWS = ("split", "unified")
TOO_LARGE = "This difference is too large for a page. Download it as a patch."
ONLY_HIDDEN = "Only masked secrets or lines that never count as a change differ here."
NO_END = "no newline at the end"
NO_TEXT = "This file is not text; its content has changed."


@dataclass(frozen=True)
class Options:
    """How somebody wants to look at a difference."""

    view: str = "split"
    context: str = "3"
    volatile: bool = False  # show lines that never count as a change, too
    masked: bool = True


@dataclass(frozen=True)
class ShownDiff:
    """One file's difference on a page: rows, or the reason why there are none."""

    change: FileChange
    lines_added: int
    lines_removed: int
    rows: SafeString | str = ""
    note: str = ""


def shown_diffs(comparison: Comparison, changes: Sequence[FileChange], options: Options) -> list[ShownDiff]:
    """The differences of these files. Raises StoreDamaged, GitTooSlow."""
    room = MAX_HTML
    shown = []
    for diff in file_diffs(
        comparison,
        changes,
        masked=options.masked,
        hide_volatile=not options.volatile,
        context=CONTEXTS[options.context],
        caps=CAPS,
    ):
        one = shown_diff(diff, options, room)
        room -= len(one.rows)
        shown.append(one)
    return shown


def shown_diff(diff: FileDiff, options: Options, room: int) -> ShownDiff:
    """One file's difference, if it fits into the room that is left."""
    text = diff.diff
    counts = (text.lines_added, text.lines_removed)
    if text.patch.binary:
        return ShownDiff(diff.change, *counts, note=NO_TEXT)
    if diff.hidden:
        return ShownDiff(diff.change, *counts, note=ONLY_HIDDEN)
    if text.cut:
        return ShownDiff(diff.change, *counts, note=TOO_LARGE)
    arrange, row_html = (unified, unified_row) if options.view == "unified" else (side_by_side, split_row)
    rows = arrange(text.patch.hunks, diff.numbers, old_lines=diff.old_lines)
    html = joined(rows, row_html, room)
    return ShownDiff(diff.change, *counts, rows=html) if html else ShownDiff(diff.change, *counts, note=TOO_LARGE)


def joined(rows: Iterable[Row], row_html: RowHTML, room: int) -> SafeString | None:
    """All rows as one text; None as soon as they take more than the room."""
    pieces = []
    for row, starts in with_starts(rows):
        piece = row_html(row, starts)
        room -= len(piece)
        if room < 0:
            return None
        pieces.append((piece,))
    return format_html_join("\n", "{}", pieces)


def with_starts(rows: Iterable[Row]) -> Iterator[tuple[Row, bool]]:
    """Each row, and whether a change begins with it: where the keys n and p stop."""
    quiet = True
    for row in rows:
        same = row.kind in ("same", "fold")
        yield row, quiet and not same
        quiet = same


def split_row(row: Row, starts: bool) -> SafeString:
    """The old line left, the new line right."""
    if row.kind == "fold":
        return fold_row(row, 4)
    return format_html(
        '<tr class="nc-d-{}"{}>{}{}</tr>', row.kind, mark(starts), cell(row.left, "l"), cell(row.right, "r")
    )


def unified_row(row: Row, starts: bool) -> SafeString:
    """Both line numbers, then the one line."""
    if row.kind == "fold":
        return fold_row(row, 3)
    return format_html(
        '<tr class="nc-d-{}"{}><td class="nc-n"{}></td><td class="nc-n"{}></td><td class="nc-t">{}{}</td></tr>',
        row.kind,
        mark(starts),
        number(row.left),
        number(row.right),
        *line(row.right or row.left),
    )


def fold_row(row: Row, columns: int) -> SafeString:
    """What is left out before a change, and the section that the change is in."""
    if not row.hidden and not row.heading:
        return format_html('<tr class="nc-d-gap"><td colspan="{}"></td></tr>', columns)
    told = f"{row.hidden} unchanged line{'' if row.hidden == 1 else 's'}" if row.hidden else ""
    return format_html(
        '<tr class="nc-d-fold"><td colspan="{}"><span>{}</span> <b>{}</b></td></tr>', columns, told, row.heading
    )


def mark(starts: bool) -> SafeString | str:
    """The attribute that the keys n and p look for."""
    return format_html(' data-change="{}"', "start") if starts else ""


def cell(side: Cell | None, name: str) -> SafeString:
    """One side of a row; empty where the other side's line has no counterpart."""
    if side is None:
        return format_html('<td class="nc-n nc-{} nc-none"></td><td class="nc-t nc-{} nc-none"></td>', name, name)
    return format_html(
        '<td class="nc-n nc-{}"{}></td><td class="nc-t nc-{}">{}{}</td>', name, number(side), name, *line(side)
    )


def number(side: Cell | None) -> SafeString | str:
    """The line number, drawn by the style sheet so that copying takes only text."""
    return format_html(' data-n="{}"', side.number) if side and side.number is not None else ""


def line(side: Cell | None) -> tuple[SafeString | str, SafeString | str]:
    """A line with its marked words, and what is to be said about its end."""
    if side is None:
        return "", ""
    end = "" if side.ended else format_html('<i class="nc-noend">{}</i>', NO_END)
    return format_html_join("", "{}", ((segment_html(segment),) for segment in side.segments)), end


def segment_html(segment: Segment) -> SafeString | str:
    """A piece of a line."""
    return format_html("<mark>{}</mark>", segment.text) if segment.marked else segment.text
