"""Counts secrets that masking leaves readable, by system: `python -m tests.platforms.masked`.

Reads each system's `secrets.txt`, written with its sheet, and `published.txt`, lines as others have published them.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import re
from collections.abc import Callable

from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.masking import mask
from inventory.platforms.sheet import Platform
from tests.platforms.cases import HERE

SECRET = "Zimt-4711"
# Other secrets, and how many of all lines may show them: a small word, a number, what people choose, words of a line
OTHERS = {"zimtstern": 7, "47114711": 6, "cisco": 14, "private": 9, "public": 9, "password": 11}

_ALONE = re.compile(
    rf"(?:(?<=\s)|(?<=[A-Za-z][=:])){SECRET}(?=[\s;,]|$)"
)  # as a word of its own, in no quotation marks
_BETWEEN = re.compile(r"(?<=\S) (?=\S)")
SIGNED = "K3!b$n#8%xTq"
SPELLINGS: dict[str, Callable[[str], str]] = {  # how else the same line may be written
    "in double quotation marks": lambda line: _ALONE.sub(f'"{SECRET}"', line),
    "in single quotation marks": lambda line: _ALONE.sub(f"'{SECRET}'", line),
    "as words": lambda line: _ALONE.sub(f'"{SECRET} and {SECRET}"', line),
    "with signs": lambda line: line.replace(SECRET, SIGNED),
    "indented": lambda line: f"    {line}",
    "with a carriage return": lambda line: f"{line}\r",
    "with blanks behind": lambda line: f"{line}  ",
    "with tabs between words": lambda line: _BETWEEN.sub("\t", line),
    "with several blanks between words": lambda line: _BETWEEN.sub("   ", line),
}


def written(slug: str) -> list[str]:
    """The lines that stand beside a system's cases."""
    return (HERE / slug / "secrets.txt").read_text("utf-8").splitlines()


def published() -> dict[str, list[str]]:
    """The published lines: slug -> lines."""
    lines: dict[str, list[str]] = {}
    here: list[str] = []
    for line in (HERE / "published.txt").read_text("utf-8").splitlines():
        if line.startswith("@@ "):
            here = lines.setdefault(line[3:].partition(":")[0], [])
        elif not line.startswith("# "):
            here.append(line)
    return lines


def tried() -> dict[str, list[str]]:
    """All lines, by system."""
    others = published()
    own = {slug: written(slug) for slug in read_catalogue(None).sheets}
    return {slug: own.get(slug, []) + others.get(slug, []) for slug in (*own, "none")}


def platform(slug: str) -> Platform | None:
    """The sheet, or None for `none`: the lines of systems that have no sheet."""
    return None if slug == "none" else read_catalogue(None).get(slug)


def wrong(slug: str, lines: list[str]) -> list[str]:
    """The lines that still show their secret when they are masked, and those that have none and changed."""
    pairs = zip(lines, mask(platform(slug), "\n".join(lines)).split("\n"), strict=True)
    return [line for line, shown in pairs if (SECRET in shown if SECRET in line else line != shown)]


def still_readable(slug: str, lines: list[str], how: str) -> list[str]:
    """The lines that show their secret when they are spelled otherwise."""
    shown = mask(platform(slug), "\n".join(map(SPELLINGS[how], lines))).split("\n")
    return [line for line, text in zip(lines, shown, strict=True) if SECRET in line and _shows(text)]


def _shows(text: str) -> bool:
    return SECRET in text or any(part in text for part in re.findall(r"\w{2,}", SIGNED))


def readable(slug: str, lines: list[str], value: str) -> int:
    """How many of the lines still show their secret when it is another one, which may be a word of the line, too."""
    with_it = [line.replace(SECRET, value) for line in lines]
    shown = mask(platform(slug), "\n".join(with_it)).split("\n")
    triples = zip(lines, with_it, shown, strict=True)
    return sum(line.count(value) - masked.count(value) < plain.count(SECRET) for plain, line, masked in triples)


def main() -> None:
    """One line for each system and source."""
    sources = {"written": {slug: written(slug) for slug in read_catalogue(None).sheets}, "published": published()}
    for name, systems in sources.items():
        counts = {slug: (sum(SECRET in line for line in lines), wrong(slug, lines)) for slug, lines in systems.items()}
        for slug, (secrets, bad) in counts.items():
            print(f"{name:10} {slug:26} {secrets:4} secrets  {len(bad):3} wrong")
        total, bad_total = (sum(secrets for secrets, _ in counts.values()), sum(len(bad) for _, bad in counts.values()))
        print(f"{name:10} {len(counts)} systems, {total} lines with secrets, {bad_total} wrong")
        for how in SPELLINGS:
            print(f"{name:10} {sum(len(still_readable(slug, lines, how)) for slug, lines in systems.items())} {how}")
        unknown = sum(SECRET in line for lines in systems.values() for line in wrong("none", lines))
        print(f"{name:10} {unknown} without a sheet")
        for value in OTHERS:
            print(f"{name:10} {sum(readable(slug, lines, value) for slug, lines in systems.items())} with {value!r}")


if __name__ == "__main__":
    main()
