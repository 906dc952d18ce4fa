"""The table of platforms in `docs/platforms.md`: `python -m inventory.platforms.listing` writes it anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.sheet import Command, Platform, RemoteFile

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "platforms.md"
BEGINS, ENDS = "<!-- platforms: begin -->\n", "<!-- platforms: end -->\n"


def table(sheets: Iterable[Platform]) -> str:
    """The sheets as a table in Markdown."""
    head = ("platform", "slug", "files", "whole when", "verified", "back by")
    rows = [head, ("---",) * len(head), *(_row(sheet) for sheet in sheets)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def renewed(document: str, sheets: Iterable[Platform]) -> str:
    """The document with the table between its two marks replaced."""
    before, _, rest = document.partition(BEGINS)
    return f"{before}{BEGINS}{table(sheets)}{ENDS}{rest.partition(ENDS)[2]}"


def _row(sheet: Platform) -> tuple[str, ...]:
    files = ", ".join(f"`{source.filename}`" + _when_kept(source) for source in sheet.sources)
    first = sheet.sources[0]
    mark = whole_when(sheet).replace("|", r"\|")  # a bar of its own would end the cell
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
