"""The files of a version as pages show them and as they are downloaded: whole, masked by right, and harmless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backups.capture import stable
from backups.colouring import coloured, sections
from backups.errors import StoreError
from backups.models import Snapshot
from backups.showing import harmless, lines_of, shapeless
from backups.store.reader import read_blob
from inventory.errors import UnknownPlatform
from inventory.platforms.masking import mask, was_masked
from inventory.platforms.registry import platform
from inventory.platforms.sheet import Platform
from inventory.roles import AnyUser, may

SECRETS = "backups.view_secrets"
MAX_BYTES = 8_000_000  # of a file that a page still shows in parts: all of it is read and masked for each of them
MAX_HTML = 1_800_000  # of one part: hostile bytes become long escapes
PART = 5_000  # lines that a page shows at once; nearly every configuration is shorter
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
    lines: SafeString | str = ""  # of the part that is shown, folded by section
    count: int = 0  # of lines in the whole file
    first: int = 1  # the line that the shown part begins with
    masked: bool = False  # something in it is hidden from this user
    stored_masked: bool = False  # its secrets were never stored: it cannot be put back
    refusal: str = ""

    @property
    def parts(self) -> list[tuple[int, int]]:
        """First and last line of each part that a page can show; none where one part is all."""
        if self.count <= PART:
            return []
        return [(first, min(first + PART - 1, self.count)) for first in range(1, self.count + 1, PART)]


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


def shown_file(name: str, content: bytes, slug: str, *, secrets: bool, mark: str = "L", line: int = 1) -> ShownFile:
    """The part of a file that holds a line, for a page; lines can be linked to by the mark and their number."""
    size = len(content)
    if is_binary(content):
        return ShownFile(name, size, refusal=NO_TEXT)
    if size > MAX_BYTES:
        return ShownFile(name, size, refusal=TOO_LARGE)
    seen = for_eyes(content, slug, secrets=secrets)
    lines = lines_of(seen)
    first = first_of_part(line, len(lines))
    part = lines[first - 1 : first - 1 + PART]
    # Before any markup is made: a megabyte of control bytes would take seconds to write out, and then be refused.
    if ESCAPE * sum(map(shapeless, part)) > MAX_HTML or len(html := folded(part, first, mark)) > MAX_HTML:
        return ShownFile(name, size, refusal=TOO_LARGE)
    masked, never_stored = seen != content, was_masked(content)
    return ShownFile(name, size, html, len(lines), first, masked=masked, stored_masked=never_stored)


def first_of_part(line: int, count: int) -> int:
    """The line that begins the part with this line; the nearest part where the file has no such line."""
    return (min(max(line, 1), max(count, 1)) - 1) // PART * PART + 1


# Short tags, for there are several in a line; the style sheet says what they look like.
TAGS = {"comment": "i", "word": "b", "off": "em", "value": "var", "quoted": "samp", "masked": "mark"}
FORMS = {kind: f"<{tag}>{{}}</{tag}>" for kind, tag in TAGS.items()}
LINE = '<p id="{}{}" data-n="{}">', "</p>"
HEADING = '<details open><summary id="{}{}" data-n="{}">', "</summary>"
END = "</details>"


def folded(lines: Sequence[str], first: int, mark: str) -> SafeString:
    """Lines in colours, each section in a fold of the browser's own, which opens by itself for what is found in it.

    All of it is one text of tags and one list of what stands between them: a call of `format_html` for each piece of
    5,000 lines took half a second.
    """
    form: list[str] = []
    told: list[object] = []
    still_open = 0
    for number, (line, (ended, begins)) in enumerate(zip(lines, sections(lines), strict=True), first):
        begin, end = HEADING if begins else LINE
        pieces = list(coloured(line))
        form += [END * ended, begin, *(FORMS.get(kind, "{}") for kind, _ in pieces), end]
        told += [mark, number, number, *(harmless(text) for _, text in pieces)]
        still_open += begins - ended
    return format_html("{}" + "".join(form) + END * still_open, "", *told)


def unfolded(lines: Iterable[str], mark: str) -> SafeString:
    """Lines as they are, without colours: what is no configuration."""
    numbered = ((mark, number, number, harmless(line)) for number, line in enumerate(lines, 1))
    return format_html_join("", "{}".join(LINE), numbered)


def same_beginning(one: bytes, other: bytes, slug: str) -> tuple[int, bool]:
    """How many lines two texts of a device have in common before they part, and whether the first one just ends there.

    Lines that never count as a change are left out, or the clock in line 3 would part them.
    """
    known = sheet(slug)
    left, right = (lines_of(stable(known, text) if known else text) for text in (one, other))
    same = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    rest = left[same:]  # what was cut off in the middle of a line is the beginning of one
    return same, not rest or (len(rest) == 1 and right[same : same + 1] != [] and right[same].startswith(rest[0]))


def shown_version(version: Snapshot, user: AnyUser, *, name: str = "", line: int = 1) -> ShownFile | None:
    """One file of a version for this user's eyes, the first unless a name of another is given; None where it has none.

    The part with that line is shown. A file that cannot be read says why.
    """
    names = sorted(version.files)
    if not names:
        return None
    secrets = may(user, SECRETS, version.tenant_id)
    return shown_stored(version, name if name in names else names[0], secrets=secrets, line=line)


def shown_stored(version: Snapshot, name: str, *, secrets: bool, line: int = 1) -> ShownFile:
    """One file of a version, from the store; one that no page shows is not even read."""
    size = version.files[name]["size"]
    if version.pruned_at:
        return ShownFile(name, size, refusal=LOST if version.lost else PRUNED)
    if size > MAX_BYTES:
        return ShownFile(name, size, refusal=TOO_LARGE)
    try:
        return shown_file(name, stored(version, name), version.device.platform, secrets=secrets, line=line)
    except StoreError as error:
        return ShownFile(name, size, refusal=str(error))


def stored(version: Snapshot, name: str) -> bytes:
    """The bytes of one file as the device said them. Raises StoreError (Pruned is one), KeyError for no such file."""
    version.refuse_pruned()
    return read_blob(version.tenant_id, version.files[name]["blob"])
