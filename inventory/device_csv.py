"""Devices as a CSV file: from bytes to rows of cells and back, without a database.

Reading is strict, because a file that is read differently from how it was meant ends in wrong devices. Writing puts an
apostrophe before a cell that a spreadsheet would take for a formula, and reading takes exactly that one away again.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inventory.errors import ImportRefused

REQUIRED = ("name", "address", "port", "platform", "credential")
OPTIONAL = ("site", "tags", "enabled", "jump_host", "tenant")
EXPORTED = ("tenant", *REQUIRED, "site", "tags", "jump_host", "enabled")
MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 20_000

FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED_FORMULA = re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True)
class Row:
    """One device of a file: the line it begins on, counted from 1, and its cells by column, trimmed."""

    line: int
    cells: Mapping[str, str]


def read_rows(data: bytes, *, max_rows: int = MAX_ROWS) -> list[Row]:
    """The rows of a file. Raises ImportRefused with a sentence for every problem of its form."""
    records = list(read_records(text_of(data)))
    if not records:
        raise ImportRefused([f"The file is empty; its first line names the columns: {', '.join(REQUIRED)}."])
    _, head = records[0]
    columns = [cell.strip().lower() for cell in head]
    problems = column_problems(columns)
    if problems:
        raise ImportRefused(problems)
    body = [(line, cells) for line, cells in records[1:] if any(cell.strip() for cell in cells)]
    if not body:
        raise ImportRefused(["The file has no rows below its first line."])
    if len(body) > max_rows:
        raise ImportRefused([f"The file has {len(body):,} rows; split it into files of at most {max_rows:,}."])
    uneven = [width_problem(line, cells, columns) for line, cells in body if len(cells) != len(columns)]
    if uneven:
        raise ImportRefused(uneven)
    return [Row(line, dict(zip(columns, map(read_cell, cells), strict=True))) for line, cells in body]


def text_of(data: bytes) -> str:
    """The file as text; a byte order mark, which spreadsheets like to write, is no part of it."""
    if len(data) > MAX_BYTES:
        raise ImportRefused([f"The file is larger than {MAX_BYTES // 1024 // 1024} MB; split it."])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ImportRefused([f"The file is not UTF-8 (line {line}); save it as CSV in UTF-8."]) from error
    if "\0" in text:
        raise ImportRefused(["The file holds zero bytes, so it is no CSV file; save it as CSV in UTF-8."])
    return text


def read_records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if cells:
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ImportRefused([f"Line {begins} cannot be read as CSV: {error}."]) from error


def column_problems(columns: list[str]) -> list[str]:
    """What is wrong with the first line."""
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        return ["The columns are not separated by commas; save the file as CSV with commas."]
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in dict.fromkeys(columns) if name not in REQUIRED + OPTIONAL]
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1 and name not in unknown]
    problems = [f"The file has no column {name!r}; its first line has to name it." for name in missing]
    problems += [f"The file has a column {name!r}, which is not known; {known_columns(name)}" for name in unknown]
    problems += [f"The file has the column {name!r} twice; remove one." for name in twice]
    return problems


def known_columns(name: str) -> str:
    """The hint for an unknown column."""
    near = difflib.get_close_matches(name, REQUIRED + OPTIONAL, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(REQUIRED + OPTIONAL)}."


def width_problem(line: int, cells: list[str], columns: list[str]) -> str:
    """A row with too many or too few cells is one in which every cell may be in the wrong column."""
    return f"Line {line} has {len(cells)} cells, but the first line names {len(columns)} columns."


def read_cell(cell: str) -> str:
    """A cell without the blanks around it and without the apostrophe of `write_cell`."""
    text = cell.strip()
    return text[1:] if ESCAPED_FORMULA.match(text) else text


def write_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if FORMULA.match(text) else text
