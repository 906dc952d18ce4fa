r"""What the data sheet of a network operating system may say.

A sheet is one module beside this one with one `PLATFORM`. It holds no code: commands, how to recognise a complete
answer, and three cleanings that are kept apart. *Volatile* lines never count as a change, *secrets* are masked for
eyes without the right, *refusals*, *withheld* lines and *completeness* only judge. None of them touches what is
stored, because what is stored must be fit to be put back.

Every pattern is a regular expression in ASCII, for which `^` and `$` are the ends of a line and `\s`, `\w` and `\d`
mean ASCII only: a device's bytes are taken one by one (latin-1), never decoded, never lost. A device may be hostile:
give a repetition a limit (`.{0,200}`) wherever it could start at many places of a long line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from inventory.errors import BadPlatformSheet
from inventory.platforms.kinds import misfits
from inventory.platforms.procedure import Procedure, unknown_word
from inventory.platforms.signs import GREETING, SSH, Sign

Verified = Literal["system", "recording", "manual", "none"]
Way = Literal["replace", "candidate", "reset", "merge", "file", "none"]

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_RUNS_ON = re.compile(r"(?<!\[)\^\\s")  # ^\s, but not [^\s...]
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Command:
    """One line that is said to a device, and the file that its answer becomes."""

    line: str
    filename: str
    complete_when: str | None = (
        None  # what the last line of a whole answer looks like; None: the system has no such mark
    )
    min_bytes: int = 20  # anything shorter is no configuration
    optional: bool = False  # refused by some models, which simply have none
    fallbacks: tuple[str, ...] = ()  # other lines for the same file, tried in order when the device refuses

    @property
    def lines(self) -> tuple[str, ...]:
        """The line and its fallbacks, in the order in which they are tried."""
        return (self.line, *self.fallbacks)


@dataclass(frozen=True)
class RemoteFile:
    """A file of the device, fetched on the connection of the session and kept byte for byte.

    An artefact (`every_days`) differs each time that it is made, so it never counts as a change: it is fetched together
    with a text that has changed, and by itself only when the last version is that old.
    """

    path: str
    filename: str
    optional: bool = True  # a missing one is simply not there
    by: Literal["sftp", "scp"] = "sftp"
    before: tuple[str, ...] = ()  # lines that make it
    after: tuple[str, ...] = ()  # lines that delete it again, whatever came of it
    every_days: int = 0  # 0: it is no artefact, but belongs to each collection like a text


@dataclass(frozen=True)
class Section:
    """Secrets that are only recognised by where they stand: inside a section of the configuration."""

    begins: str  # its first line
    ends: str  # the first line after it; may refer to a group of `begins`, for a closing line of the same indentation
    secrets: tuple[str, ...]  # as in Platform.secrets

    @property
    def pattern(self) -> str:
        """Matches the section, up to the line that ends it or the end of the text."""
        return rf"(?:{self.begins})(?s:.*?)(?=(?:{self.ends})|\Z)"


@dataclass(frozen=True)
class Worded:
    """Secrets that only stand in a line with one of these words: the others need no pattern, which is far quicker.

    Only for a pattern that never reaches beyond the end of its line.
    """

    words: tuple[str, ...]  # in small letters; large ones count as the same
    secret: str | Section


@dataclass(frozen=True)
class Restore:
    """How a version gets back onto the device, honestly.

    replace    the device takes a whole configuration and works out the difference itself
    candidate  the same in a candidate that is looked at, committed, and reverted unless confirmed in time
    reset      the device forgets everything, starts again and reads the file; a backup brings it back unless confirmed
    merge      only additions and changes go back by themselves; what is too much must be removed by hand
    file       a file is put in its place and read at the next start of the device or service
    none       not from here; the note says why
    """

    way: Way
    note: str  # what is done on the device, or why there is no way
    procedure: Procedure | None = None  # None: nothing is sent to the device, a person does it
    by_hand: tuple[str, ...] = ()  # the lines for that person, `{file}` for the file
    merge: str = ""  # what hier_config calls the system, where the way is worked out line by line


@dataclass(frozen=True)
class Platform:
    """A network operating system as Netcairn knows it. Raises BadPlatformSheet when it contradicts itself."""

    slug: str  # netmiko's device type where one fits, else vendor_os
    label: str
    netmiko_type: str
    restore: Restore
    verified: (
        Verified  # system: tried on one; recording: against what one said; manual: the vendor's; none: from memory
    )
    source: str  # which system, recording or manual, and what could not be checked
    signs: tuple[Sign, ...] = ()  # by what it is recognised; none: it is never proposed
    commands: tuple[Command, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    enable: bool = False  # asks for the enable secret where one is given
    setup: tuple[
        str, ...
    ] = ()  # lines said before the first command, beyond what netmiko says; answers are thrown away
    patience: float = 30.0  # seconds that a healthy device may be silent before and within an answer
    comment: str = "!"
    volatile: tuple[str, ...] = ()  # the whole line; with (?P<keep>...) only what the pattern matches after it
    # (?P<keep>what stays) and then what is masked; may span lines. A blank means any blanks or tabs (blanks.py).
    secrets: tuple[str | Section | Worded, ...] = ()
    refusals: tuple[str, ...] = ()  # what the device says instead of an answer
    withheld: tuple[str, ...] = ()  # what it puts in place of what the account may not see, or it could not read
    frame: tuple[str, ...] = ()  # whole lines that the session prints around an answer and that are no part of it
    # Prompts of a pager that may be left on: the account may not turn it off, or nobody can, and a comment says why.
    pager: tuple[str, ...] = ()
    ansi: bool = False  # decorates its answers with escape sequences
    save: tuple[str, ...] = ()  # running-config into startup-config

    def __post_init__(self) -> None:
        """Refuse a sheet that could only fail later, on somebody's device."""
        problem = next(_problems(self), None)
        if problem:
            field, reason = problem
            raise BadPlatformSheet(f"Platform sheet {self.slug!r}: {field} {reason}.", field=field)

    @property
    def sources(self) -> tuple[Command | RemoteFile, ...]:
        """Where the files of a capture come from."""
        return (*self.commands, *self.files)

    @property
    def artefacts(self) -> tuple[RemoteFile, ...]:
        """Files that never count as a change."""
        return tuple(file for file in self.files if file.every_days)

    @property
    def filenames(self) -> tuple[str, ...]:
        """Every file that a capture of this platform may hold."""
        return tuple(source.filename for source in self.sources)

    @cached_property
    def refusal_pattern(self) -> re.Pattern[bytes] | None:
        """Matches a refusal wherever it stands; `backups.capture.refusal` says whether an answer is one."""
        return any_of(self.refusals)

    @cached_property
    def withheld_pattern(self) -> re.Pattern[bytes] | None:
        """Matches where the device left something out."""
        return any_of(self.withheld)

    @cached_property
    def frame_pattern(self) -> re.Pattern[bytes] | None:
        """Matches a line of the session that is no part of an answer."""
        return any_of(self.frame)

    @cached_property
    def pager_pattern(self) -> re.Pattern[bytes] | None:
        """Matches the prompt of a pager that waits for a key."""
        return any_of(self.pager)

    @cached_property
    def volatile_lines(self) -> re.Pattern[bytes] | None:
        """Matches a line that never counts as a change."""
        return any_of(pattern for pattern in self.volatile if "(?P<keep>" not in pattern)

    @cached_property
    def volatile_values(self) -> tuple[re.Pattern[bytes], ...]:
        """Match the part of a line that never counts as a change, after what does (`keep`)."""
        return tuple(compiled(pattern) for pattern in self.volatile if "(?P<keep>" in pattern)

    def without_volatile_values(self, content: bytes) -> bytes:
        """The content without the parts of lines that never count as a change; line n stays line n."""
        for pattern in self.volatile_values:
            content = pattern.sub(_only_kept, content)
        return content


def _only_kept(match: re.Match[bytes]) -> bytes:
    kept = match.group("keep")
    return kept + b"\n" * match.group()[len(kept) :].count(b"\n")


def compiled(pattern: str) -> re.Pattern[bytes]:
    """A sheet's pattern for the bytes that a device said."""
    return re.compile(pattern.encode("ascii"), re.MULTILINE)


def any_of(patterns: Iterable[str]) -> re.Pattern[bytes] | None:
    """One pattern that matches where any of these does; None for none."""
    together = "|".join(f"(?:{pattern})" for pattern in patterns)
    return compiled(together) if together else None


def _problems(platform: Platform) -> Iterator[tuple[str, str]]:
    """What is wrong with a sheet: (field, reason). The first counts: those after it rely on it."""
    yield from misfits(platform)
    if not _SLUG.fullmatch(platform.slug):
        yield "slug", "must be lower-case words joined by underscores"
    for field in ("label", "netmiko_type", "source"):
        if not getattr(platform, field).strip():
            yield field, "must not be empty"
    if not platform.commands and not platform.files:
        yield "commands", "must name at least one command, or files at least one file"
    if platform.patience <= 0:
        yield "patience", "must be seconds above zero"
    yield from _bad_filenames(platform)
    yield from _bad_lines(platform)
    yield from _bad_procedure(platform)
    yield from _bad_patterns(platform)


def _bad_filenames(platform: Platform) -> Iterator[tuple[str, str]]:
    """A file name becomes a path of the store: it must be one plain name, and the only one of its kind."""
    seen: set[str] = set()
    for name in platform.filenames:
        if not _FILENAME.fullmatch(name) or name.endswith("."):
            yield "filename", f"{name!r} must be a plain name of letters, digits, '.', '_' and '-'"
        if name.lower() in seen:
            yield "filename", f"{name!r} is there twice"
        seen.add(name.lower())


def _bad_lines(platform: Platform) -> Iterator[tuple[str, str]]:
    """A line that is said to a device is one line."""
    said = [line for command in platform.commands for line in command.lines]
    said += [sign.where for sign in platform.signs if sign.where not in (SSH, GREETING)]
    around = [line for file in platform.files for line in (file.path, *file.before, *file.after)]
    for line in (*said, *platform.setup, *platform.save, *around):
        if not line.strip() or not line.isprintable() or not line.isascii():
            yield "commands", f"{line!r} must be one line of printable ASCII"


def _bad_procedure(platform: Platform) -> Iterator[tuple[str, str]]:
    """A restore that fails half way because of its sheet is the worst of all."""
    procedure = platform.restore.procedure
    if procedure is None:
        return
    for name in {procedure.source, procedure.running} - set(platform.filenames):
        yield "restore", f"names the file {name!r}, which no capture has"
    for line in procedure.lines:
        if not line.text.strip() or not line.text.isprintable() or not line.text.isascii():
            yield "restore", f"{line.text!r} must be one line of printable ASCII"
    for text in procedure.texts:
        if unknown_word(text):
            yield "restore", f"{text!r} has words in braces that mean nothing"


def _bad_patterns(platform: Platform) -> Iterator[tuple[str, str]]:
    """A pattern must compile, and must not match nothing: that would be found everywhere."""
    for field, pattern in _patterns(platform):
        try:
            matches_nothing = re.compile(pattern.encode("ascii"), re.MULTILINE).match(b"")
        except (re.error, UnicodeEncodeError) as exc:
            yield field, f"{pattern!r} is no regular expression in ASCII ({exc})"
            continue
        if matches_nothing:
            yield field, f"{pattern!r} matches an empty line"
        if _RUNS_ON.search(pattern):  # it runs over line ends: a device that sends blank lines only would take hours
            yield field, f"{pattern!r} must say [ \\t] for blanks at the start of a line, not \\s"
        if field == "secrets" and "(?P<keep>" not in pattern:
            yield field, f"{pattern!r} has no (?P<keep>...) to say what stays"


def _patterns(platform: Platform) -> Iterator[tuple[str, str]]:
    """Every pattern of a sheet with the field that it stands in."""
    for field in ("volatile", "refusals", "withheld", "frame", "pager"):
        for pattern in getattr(platform, field):
            yield field, pattern
    for rule in platform.secrets:
        secret = rule.secret if isinstance(rule, Worded) else rule
        if isinstance(secret, Section):
            yield "section", secret.pattern
            yield from (("secrets", pattern) for pattern in secret.secrets)
        else:
            yield "secrets", secret
    for command in platform.commands:
        if command.complete_when:
            yield "complete_when", command.complete_when
    yield from (("signs", sign.pattern) for sign in platform.signs)
    if platform.restore.procedure:
        yield from (("restore", pattern) for pattern in platform.restore.procedure.patterns)
