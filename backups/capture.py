r"""Judges and tidies what a device said. Pure: no device, no database, no clock.

**Tidying** takes away what the terminal added and nothing else:

- line ends: CR LF, CR CR LF and LF CR become LF. Any other CR is the device's own and stays.
- a pager's prompt, only where its erasing (backspaces, CR blanks CR, an escape sequence) follows it
- escape sequences, only on a platform whose sheet says that it decorates its answers (`ansi`)
- blank lines and lines of the session (`frame`) before the first and after the last line of the configuration

What is stored ends with the device's last line and one LF. Nothing else is touched, no byte is decoded: a version must
be fit to be put back. A file fetched over SFTP came without a terminal, and is stored as it is.

**Judging** raises doubts; a capture without doubts is good. Volatile lines count in no digest, and stay stored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from inventory.platforms.masking import mask
from inventory.platforms.sheet import Command, Platform, compiled

Cause = Literal[
    "missing",  # a file that must be there is not, or there is none at all
    "refused",  # the device said no instead of an answer
    "withheld",  # the device left out what this account may not see, or what it could not read itself
    "too-small",  # too short to be a configuration
    "shrunk",  # below half of the last good version
    "no-end-marker",  # the last line is not one that ends a whole answer
    "pager-left",  # a pager's prompt is still in it
    "prompt-inside",  # the prompt and our command are in it: two answers ran into each other
    "control-bytes",  # what no configuration holds: NUL, backspace, a cursor's movements
]

SHRUNK_TO = 0.5  # of the last good version
SHRINK_FLOOR = 1024  # bytes of the last good version below which halving it is an ordinary edit
A_MESSAGE = 2  # lines at most of an answer that may be a message about a file that an optional command has not
BLOCK = 65_536  # bytes
REFUSAL_WITHIN = 5  # lines from the start; further down the same words are somebody's banner or description

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78cDEHMZ])")
# What follows a pager's prompt when it is wiped away: only then was it the terminal's and not the configuration's.
# Blanks belong to it only before a backspace: those after the last one are the next line's indentation.
_ERASING = rb"(?: *(?:\x08(?: *\x08)*|\r *\r(?!\n)|\r?\x1b\[[0-9;]*[A-Za-z]\r?))+"
# What nearly every system says to a command that it does not know, where a sheet forgets it.
_ANY_REFUSAL = re.compile(rb"^\s*% ?(?:Invalid|Unknown|Unrecognized|Incomplete|Ambiguous) (?:input|command)")
# The usual pagers, where a sheet names none: at the start of a line. Within one, or indented, it is somebody's text.
_ANY_PAGER = re.compile(rb"^ ?<?--+ ?\(?[Mm](?:ore|ORE)\)? ?--+>?", re.MULTILINE)
# ESC with a colour may be meant, in a banner; ESC that moves a cursor or erases is a screen, not a configuration.
_NEVER_MEANT = re.compile(rb"\x00|\x08|\x1b\[[0-9;?]*[A-HJKfhlrsu]")


@dataclass(frozen=True)
class Doubt:
    """Why an answer is not provably a whole configuration."""

    cause: Cause
    detail: str  # one sentence for people, without a secret


@dataclass(frozen=True)
class Capture:
    """What a device said, tidied and judged, not yet kept."""

    files: Mapping[str, bytes]
    digest: str  # hexadecimal SHA-256 of the files without what never counts as a change
    doubts: tuple[Doubt, ...]

    @property
    def good(self) -> bool:
        """Whether it may become the latest version."""
        return not self.doubts


def read_capture(platform: Platform, answers: Mapping[str, bytes], *, last_good: Mapping[str, int]) -> Capture:
    """What a device's answers are worth.

    `answers` maps file name -> what the device said, without echo and prompt; a file that it has not is left out.
    `last_good` maps file name -> size in bytes of the last good version. Raises ValueError for a file name that is
    not the platform's.
    """
    unknown = set(answers) - set(platform.filenames)
    if unknown:
        raise ValueError(f"{platform.slug} has no file {', '.join(sorted(unknown))}")
    commands = {command.filename: command for command in platform.commands}
    files: dict[str, bytes] = {}
    doubts: list[Doubt] = []
    for name, answer in answers.items():
        command = commands.get(name)
        content = tidy(platform, answer) if command else answer
        if command and _is_none(platform, command, content, last_good):
            continue
        files[name] = content
        doubts += [*(_judge(platform, command, content) if command else ()), *_shrunk(name, content, last_good)]
    doubts += _missing(platform, files)
    return Capture(files, stable_digest(platform, files), tuple(doubts))


def _is_none(platform: Platform, command: Command, content: bytes, last_good: Mapping[str, int]) -> bool:
    """Whether the device says that it has no such file, and may have none.

    Whoever's startup-config cannot be read must still be backed up, in whatever words the device says it. A file that
    was there before is only taken for gone where the words are known.
    """
    if not command.optional:
        return False
    words = command.filename not in last_good and content.count(b"\n") <= A_MESSAGE and not _is_whole(command, content)
    return words or refusal(platform, content) is not None


def tidy(platform: Platform, answer: bytes) -> bytes:
    """What the device meant by an answer: without what the terminal added, ending with its last line and one LF."""
    if platform.pager_pattern:
        answer = re.sub(rb"(?:" + platform.pager_pattern.pattern + rb")" + _ERASING, b"", answer, flags=re.MULTILINE)
    if platform.ansi:
        answer = _ANSI.sub(b"", answer)
    return _unframed(_without_cr(answer), platform.frame_pattern)


def _without_cr(text: bytes) -> bytes:
    """Every line without the CRs around it; those within a line stay."""
    text = text.replace(b"\r\n", b"\n")  # nearly always all there is to do, and six times as fast as line by line
    # Line by line, and by no pattern: that would take the square of the time for a device that sends CRs only.
    return b"\n".join(line.strip(b"\r") for line in text.split(b"\n")) if b"\r" in text else text


def _unframed(text: bytes, frame: re.Pattern[bytes] | None) -> bytes:
    """From the first to the last line that is neither blank nor the frame around an answer."""
    start, end = 0, len(text)
    while start < end:
        stop = text.find(b"\n", start, end)
        stop = end if stop < 0 else stop
        if not _is_around(text[start:stop], frame):
            break
        start = stop + 1
    while end > start:
        begin = text.rfind(b"\n", start, end) + 1 or start
        if not _is_around(text[begin:end], frame):
            break
        end = begin - 1
    return text[start:end] + b"\n" if end > start else b""


def _is_around(line: bytes, frame: re.Pattern[bytes] | None) -> bool:
    return not line.strip() or bool(frame and frame.search(line))


def refusal(platform: Platform, answer: bytes) -> str | None:
    """The line with which the device refuses, where the answer is a refusal and no configuration; else None.

    A refusal stands in the first lines. Further down the same words are a banner's or a description's.
    """
    own = platform.refusal_pattern
    for line in tidy(platform, answer[:4096]).split(b"\n")[:REFUSAL_WITHIN]:
        if _ANY_REFUSAL.search(line) or (own and own.search(line)):
            return mask(platform, line.decode("latin-1")).strip()[:200]
    return None


def stable(platform: Platform, content: bytes) -> bytes:
    """The content without what never counts as a change: for comparing, never for storing."""
    content = platform.without_volatile_values(content)
    volatile = platform.volatile_lines
    if volatile is None:
        return content
    kept = bytearray()
    for block in _blocks(content):
        lines = [line for line in block.split(b"\n") if not volatile.search(line)]
        if lines:
            kept += b"\n".join(lines) + b"\n"
    return bytes(memoryview(kept)[:-1])


def _blocks(content: bytes) -> Iterator[bytes]:
    """The content in pieces of whole lines, each without its last line end: 16 MB of lines at once would be 60 MB."""
    start = 0
    while (end := content.find(b"\n", start + BLOCK)) >= 0:
        yield content[start:end]
        start = end + 1
    yield content[start:]


def stable_digest(platform: Platform, files: Mapping[str, bytes]) -> str:
    """Hexadecimal SHA-256 of a device's files, names included, without what never counts as a change."""
    digest = hashlib.sha256()
    artefacts = {file.filename for file in platform.artefacts}
    for name in sorted(set(files) - artefacts):
        content = stable(platform, files[name])
        digest.update(f"{name}\n{len(content)}\n".encode("ascii"))
        digest.update(content)
    return digest.hexdigest()


def without_secrets(platform: Platform, capture: Capture) -> Capture:
    """The capture as it is stored for a tenant who wants no secrets kept: masked, and compared as such.

    A file that is no text cannot be masked, so it is left out.
    """
    texts = {name: content for name, content in capture.files.items() if b"\0" not in content[:8000]}
    files = {name: mask(platform, text.decode("latin-1")).encode("latin-1") for name, text in texts.items()}
    doubts = capture.doubts
    if capture.files and not files:
        doubts += (Doubt("withheld", "None of its files is text, so none can be stored without its secrets."),)
    return Capture(files, stable_digest(platform, files), doubts)


def _missing(platform: Platform, files: Mapping[str, bytes]) -> Iterator[Doubt]:
    artefacts = {file.filename for file in platform.artefacts}
    for source in platform.sources:
        if not source.optional and source.filename not in files and source.filename not in artefacts:
            yield Doubt("missing", f"There is no {source.filename}.")
    if not files:
        yield Doubt("missing", "The device gave none of the files that its platform may have.")


def _judge(platform: Platform, command: Command, content: bytes) -> list[Doubt]:
    refused = refusal(platform, content)
    if refused:  # whatever else is wrong follows from this
        return [Doubt("refused", f"The device refused {command.line!r}: {refused!r}.")]
    return [
        *_cut_off(command, content),
        *_withheld(platform, command, content),
        *_left_over(platform, command, content),
    ]


def _cut_off(command: Command, content: bytes) -> Iterator[Doubt]:
    name = command.filename
    if len(content) < command.min_bytes:
        yield Doubt("too-small", f"{name} has {len(content)} bytes, too few for a configuration.")
    elif not _is_whole(command, content):
        yield Doubt("no-end-marker", f"{name} does not end as every complete one does: the rest of it is missing.")


def _is_whole(command: Command, content: bytes) -> bool:
    """Whether the last line is what the system ends with; always where it ends with nothing of its own."""
    last_line = content.rstrip(b"\n").rpartition(b"\n")[2]
    return command.complete_when is None or compiled(command.complete_when).search(last_line) is not None


def _shrunk(name: str, content: bytes, last_good: Mapping[str, int]) -> Iterator[Doubt]:
    before = last_good.get(name, 0)
    if before >= SHRINK_FLOOR and len(content) < before * SHRUNK_TO:
        yield Doubt("shrunk", f"{name} has {len(content)} bytes, less than half of the last good one's {before}.")


def _withheld(platform: Platform, command: Command, content: bytes) -> Iterator[Doubt]:
    if platform.withheld_pattern and platform.withheld_pattern.search(content):
        yield Doubt(
            "withheld", f"The device left parts of {command.filename} out: give the account the right to see them."
        )


def _left_over(platform: Platform, command: Command, content: bytes) -> Iterator[Doubt]:
    name = command.filename
    if _holds_pager(platform, content):
        yield Doubt("pager-left", f"{name} still holds the prompt of a pager: lines may be missing around it.")
    if _holds_echo(command, content):
        yield Doubt("prompt-inside", f"{name} holds a prompt and our own command: two answers ran into each other.")
    # Looking for three bytes costs a thirtieth of the pattern, and nearly no text has one of them.
    if any(byte in content for byte in (b"\x00", b"\x08", b"\x1b")) and _NEVER_MEANT.search(content):
        yield Doubt("control-bytes", f"{name} holds control bytes that no configuration has and none could be given.")


def _holds_pager(platform: Platform, content: bytes) -> bool:
    own = platform.pager_pattern
    usual = b"--" in content and _ANY_PAGER.search(content)
    return bool(usual or (own and own.search(content)))


def _holds_echo(command: Command, content: bytes) -> bool:
    """Whether a prompt with our command behind it is there. A prompt alone proves nothing: banners hold it."""
    said = [line.encode("ascii") for line in command.lines]
    if not any(line in content for line in said):
        return False
    lines = b"|".join(re.escape(line) for line in said)
    return re.search(rb"^\S[^\n]{0,98}[#>$%] ?(?:" + lines + rb")\s*$", content, re.MULTILINE) is not None
