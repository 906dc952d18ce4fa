"""The tables of platforms in `docs/platforms.md`: `python -m inventory.platforms.listing` writes them anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.sheet import Command, Platform, RemoteFile, Verified

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "platforms.md"
LIST, SOURCES = "platforms", "sources"  # the marks between which the tables stand


def table(sheets: Iterable[Platform]) -> str:
    """The sheets as a table in Markdown."""
    return _table(("platform", "slug", "files", "whole when", "verified", "back by"), map(_row, sheets))


def sources(sheets: Iterable[Platform]) -> str:
    """What each sheet was held against, and how a version goes back: counts, and a table in Markdown."""
    sheets = list(sheets)
    counted = Counter(sheet.verified for sheet in sheets)
    counts = ", ".join(f"{name} {counted[name]}" for name in get_args(Verified))
    rows = ((f"`{sheet.slug}`", sheet.verified, sheet.source, sheet.restore.note) for sheet in sheets)
    return f"{len(sheets)} systems: {counts}.\n\n" + _table(("slug", "verified", "against", "the way back"), rows)


def renewed(document: str, sheets: Iterable[Platform]) -> str:
    """The document with what stands between its marks replaced."""
    sheets = list(sheets)
    for name, text in ((LIST, table(sheets)), (SOURCES, sources(sheets))):
        begins, ends = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        before, _, rest = document.partition(begins)
        document = f"{before}{begins}{text}{ends}{rest.partition(ends)[2]}"
    return document


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """In Markdown; a bar of a cell's own would end the cell."""
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", r"\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(sheet: Platform) -> tuple[str, ...]:
    files = ", ".join(f"`{source.filename}`" + _when_kept(source) for source in sheet.sources)
    first = sheet.sources[0]
    mark = whole_when(sheet)
    if isinstance(first, Command) and first.complete_when:
        mark = f"`{mark}`"
    return (sheet.label, f"`{sheet.slug}`", files, mark, sheet.verified, sheet.restore.way)


def _when_kept(source: Command | RemoteFile) -> str:
    """What stands behind a file that is not there each time."""
    if isinstance(source, RemoteFile) and source.every_days:
        return f" (with each change, and every {source.every_days} days)"
    return " (optional)" if source.optional else ""


def whole_when(sheet: Platform) -> str:
    """How the end of the main file is known: a pattern for its last line, or in words."""
    first = sheet.sources[0]
    if not isinstance(first, Command):
        return "fetched whole"
    return first.complete_when or "prompt and size"


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8"), read_catalogue(None).sheets.values()), "utf-8")
