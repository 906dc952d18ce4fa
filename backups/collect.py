"""One device: its platform's sheet in, what it said out. No database, no store, no Django."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from backups.capture import Capture, Doubt, read_capture, refusal
from backups.errors import CollectError, CommandRefused
from backups.floor import FLOOR
from backups.transport import Limits, Session, Target, Transport
from inventory.platforms.sheet import Command, Platform, RemoteFile

if TYPE_CHECKING:
    from backups.store.contents import Packed

log = logging.getLogger(__name__)

SAID = 80  # characters of a device's own words in an error
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^ -~]")


@dataclass(frozen=True)
class Collected:
    """What one visit to a device brought."""

    capture: Capture
    host_key: str  # "type base64", as the device proved to hold it: to be pinned when none is
    seconds: float  # from the first packet to the verdict
    credential: str = ""  # the id of the one that it let in, where several were tried
    artefacts: tuple[str, ...] = ()  # files that never count as a change, and were fetched now
    said: Mapping[str, int] = field(default_factory=dict)  # bytes of each file before it was post-processed; else empty
    altered: frozenset[str] = frozenset()  # files that post-processing has changed or made
    note: str = ""  # what went wrong with that, for people
    packed: Mapping[str, Packed] = field(default_factory=dict)  # instead of the files, where they are to be kept


# Whether to fetch an artefact beside texts with this digest (capture.stable_digest).
WantsArtefact = Callable[[RemoteFile, str], bool]


def never(_file: RemoteFile, _digest: str) -> bool:
    """Who only wants to look makes nothing on a device."""
    return False


def collect(
    target: Target,
    platform: Platform,
    *,
    transport: Transport,
    limits: Limits | None = None,
    last_good: Mapping[str, int] | None = None,
    wants_artefact: WantsArtefact = never,
) -> Collected:
    """Ask a device for everything that its sheet names, and judge it.

    `last_good` maps file name -> bytes of the last good version. A capture with doubts is not an error; a CollectError
    means that there is nothing to judge.
    """
    started = monotonic()
    try:
        with FLOOR.in_turn(), transport.open(target, platform, limits or Limits()) as session:
            answers = dict(answers_of(session, target, platform))
            capture = read_capture(platform, answers, last_good=last_good or {})
            capture = replace(capture, doubts=(*capture.doubts, *_broken_off(platform, answers)))
            wanted = [file for file in platform.artefacts if capture.good and wants_artefact(file, capture.digest)]
            artefacts = dict(_artefacts(session, target, platform, wanted))
            host_key = session.host_key
    except CollectError as error:
        error.seconds = round(monotonic() - started, 3)
        raise
    capture = replace(capture, files={**capture.files, **artefacts})
    return Collected(capture, host_key, monotonic() - started, artefacts=tuple(artefacts))


def _broken_off(platform: Platform, answers: Mapping[str, bytes]) -> Iterator[Doubt]:
    """Answers behind whose last line the prompt stood, instead of below it: no command line ends an answer so.

    Where an end marker shows whether all is there, it judges; a file that was printed may lack its last line end.
    """
    for command in platform.commands:
        answer = answers.get(command.filename, b"")
        if answer and command.complete_when is None and not answer.endswith(b"\n"):
            yield Doubt("no-end-marker", f"{command.filename} breaks off in the middle of a line.")


def answers_of(session: Session, target: Target, platform: Platform) -> Iterator[tuple[str, bytes]]:
    """Everything that the sheet names, as the device said it: (file name, answer). Raises a CollectError."""
    for command in platform.commands:
        answer = _asked(session, target, platform, command)
        if answer is not None:
            yield command.filename, answer
    for file in platform.files:
        content = None if file.every_days else _fetched(session, file)
        if content is not None:
            yield file.filename, content


def _artefacts(
    session: Session, target: Target, platform: Platform, wanted: Sequence[RemoteFile]
) -> Iterator[tuple[str, bytes]]:
    """Made on the device, fetched, and deleted there, on the same connection."""
    for file in wanted:
        try:
            made = all(_understood(session, platform, line) for line in file.before)
            content = _fetched(session, file) if made else None
        finally:
            _deleted(session, target, platform, file)
        if content is not None:
            yield file.filename, content
        elif not file.optional:
            raise CommandRefused(f"{target.name} does not make the file {file.filename}; see what its user may do.")


def _understood(session: Session, platform: Platform, line: str) -> bool:
    return refusal(platform, session.run(line)) is None


def _deleted(session: Session, target: Target, platform: Platform, file: RemoteFile) -> None:
    """What is left there is written over the next time, but it holds everything: that is said."""
    try:
        gone = all(_understood(session, platform, line) for line in file.after)
    except CollectError:
        gone = False
    if not gone:
        log.warning("The file %s may still be on device %s: it was not deleted.", file.path, target.name)


def _asked(session: Session, target: Target, platform: Platform, command: Command) -> bytes | None:
    """The first answer that is no refusal; None for an optional command that the device has not.

    Raises CommandRefused.
    """
    said = ""
    for line in command.lines:
        answer = session.run(line)
        refused = refusal(platform, answer)
        if refused is None:
            return answer
        said = said or printable(refused)
    if command.optional:
        return None
    raise CommandRefused(
        f"{target.name} refused '{command.line}': {said.rstrip('.') or 'no reason given'}. "
        "Check the device's platform and what its user may do."
    )


def _fetched(session: Session, file: RemoteFile) -> bytes | None:
    try:
        return session.fetch(file.path) if file.by == "sftp" else session.fetch_by_scp(file.path)
    except CommandRefused:
        if file.optional:
            return None
        raise


def printable(said: str) -> str:
    """A device's words for an error: without control bytes, at most 80 characters."""
    return _UNPRINTABLE.sub("", said).strip()[:SAID]
