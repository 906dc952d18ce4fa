"""The files of a version as pages show them and as they are downloaded: whole, masked by right, and harmless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backups.capture import stable
from backups.errors import StoreError
from backups.models import Snapshot
from backups.showing import harmless, lines_of, shapeless
from backups.store.reader import open_store
from inventory.errors import UnknownPlatform
from inventory.platforms.masking import mask, was_masked
from inventory.platforms.registry import platform
from inventory.platforms.sheet import Platform
from inventory.roles import AnyUser, may

SECRETS = "backups.view_secrets"
MAX_BYTES = 1_000_000  # of a file that a page still shows; a browser is slow with more, and a person does not read it
MAX_HTML = 2_000_000  # of one file: hostile bytes become long escapes
ESCAPE = len('<span class="nc-esc">\\x00</span>')  # what one of them becomes
BINARY_REACH = 8000  # git looks as far for a NUL before it calls a file binary
TOO_LARGE = "This file is too large for a page. Download it to read it."
PRUNED = "Retention has removed the content of this version. Only what is said of it above is still known."
LOST = (
    "The store has lost the content of this version, and no copy had it. Only what is said of it above is still known."
)
NO_TEXT = "This file is not text. Download it to look into it."


@dataclass(frozen=True)
class ShownFile:
    """One file on a page: its lines, or the reason why there are none."""

    name: str
    size: int
    lines: SafeString | str = ""  # list items, one per line
    count: int = 0  # of lines
    masked: bool = False  # something in it is hidden from this user
    stored_masked: bool = False  # its secrets were never stored: it cannot be put back
    refusal: str = ""


def sheet(slug: str) -> Platform | None:
    """The platform's sheet; None where it is not known any more, for which masking has an answer."""
    try:
        return platform(slug)
    except UnknownPlatform:
        return None


def is_binary(content: bytes) -> bool:
    """Whether it is no text, by git's own rule."""
    return b"\0" in content[:BINARY_REACH]


def for_eyes(content: bytes, slug: str, *, secrets: bool) -> bytes:
    """What somebody may see of a text: all of it with the right to see secrets, else the masked text.

    Patterns of sheets are matched against latin-1, which gives every byte a character and back.
    """
    return content if secrets else mask(sheet(slug), content.decode("latin-1")).encode("latin-1")


def shown_file(name: str, content: bytes, slug: str, *, secrets: bool, mark: str = "L") -> ShownFile:
    """A file for a page; its lines can be linked to by the mark and their number."""
    size = len(content)
    if is_binary(content):
        return ShownFile(name, size, refusal=NO_TEXT)
    if size > MAX_BYTES:
        return ShownFile(name, size, refusal=TOO_LARGE)
    seen = for_eyes(content, slug, secrets=secrets)
    lines = lines_of(seen)
    # Before any markup is made: a megabyte of control bytes would take seconds to write out, and then be refused.
    if ESCAPE * sum(map(shapeless, lines)) > MAX_HTML:
        return ShownFile(name, size, refusal=TOO_LARGE)
    items = format_html_join("\n", '<li id="{}{}">{}</li>', ((mark, *line) for line in numbered(lines)))
    if len(items) > MAX_HTML:
        return ShownFile(name, size, refusal=TOO_LARGE)
    return ShownFile(name, size, items, len(lines), masked=seen != content, stored_masked=was_masked(content))


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str | SafeString]]:
    """The lines with their numbers, from 1."""
    return ((number, harmless(line)) for number, line in enumerate(lines, 1))


def same_beginning(one: bytes, other: bytes, slug: str) -> tuple[int, bool]:
    """How many lines two texts of a device have in common before they part, and whether the first one just ends there.

    Lines that never count as a change are left out, or the clock in line 3 would part them.
    """
    known = sheet(slug)
    left, right = (lines_of(stable(known, text) if known else text) for text in (one, other))
    same = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    rest = left[same:]  # what was cut off in the middle of a line is the beginning of one
    return same, not rest or (len(rest) == 1 and right[same : same + 1] != [] and right[same].startswith(rest[0]))


def shown_version(version: Snapshot, user: AnyUser) -> list[ShownFile]:
    """Every file of a version for this user's eyes; a file that cannot be read says why, and the page stands."""
    secrets = may(user, SECRETS, version.tenant_id)
    return [shown_stored(version, name, secrets=secrets) for name in sorted(version.files)]


def shown_stored(version: Snapshot, name: str, *, secrets: bool) -> ShownFile:
    """One file of a version, from the store; one that no page shows is not even read."""
    size = version.files[name]["size"]
    if version.pruned_at:
        return ShownFile(name, size, refusal=LOST if version.lost else PRUNED)
    if size > MAX_BYTES:
        return ShownFile(name, size, refusal=TOO_LARGE)
    try:
        return shown_file(name, stored(version, name), version.device.platform, secrets=secrets)
    except StoreError as error:
        return ShownFile(name, size, refusal=str(error))


def stored(version: Snapshot, name: str) -> bytes:
    """The bytes of one file as the device said them. Raises StoreError (Pruned is one), KeyError for no such file."""
    version.refuse_pruned()
    return open_store(version.tenant_id).blob(version.files[name]["blob"])
