"""Text of devices as a page may show it: every byte is there, none of them can do anything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

RAW_BYTE = range(0xDC80, 0xDD00)  # how "surrogateescape" writes the bytes 0x80 to 0xff


def lines_of(content: bytes) -> list[str]:
    """The lines of what a device said; bytes that are no UTF-8 stay recognisable, none is dropped.

    Only a newline ends a line: git and devices agree on that alone. The carriage return before it is left out where
    every line has one, and shown where lines differ.
    """
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line[:-1] for line in lines] if lines and all(line.endswith("\r") for line in lines) else lines


def harmless(text: str) -> str | SafeString:
    """The text for a template: characters that steer a screen or turn the reading direction stand as marked escapes,
    everything else is left to autoescape."""
    if text.replace("\t", "").isprintable():
        return text
    return format_html_join("", "{}", ((piece,) for piece in pieces(text)))


def shapeless(text: str) -> int:
    """How many characters `harmless` would write out."""
    return 0 if text.isprintable() else sum(not has_a_shape(character) for character in text)


def pieces(text: str) -> Iterator[str | SafeString]:
    """The text cut where something is to be marked."""
    for shown, run in groupby(text, key=has_a_shape):
        if shown:
            yield "".join(run)
        else:
            yield from (format_html('<span class="nc-esc">{}</span>', escape_of(character)) for character in run)


def has_a_shape(character: str) -> bool:
    """Whether the character can be shown as it is."""
    return character == "\t" or character.isprintable()


def escape_of(character: str) -> str:
    """How a character without a shape is written out: `\\x1b`, `\\u202e`, and a byte that is no UTF-8 as `\\xff`."""
    code = ord(character)
    if code in RAW_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode()
