"""One device: its platform's sheet in, what it said out. No database, no store, no Django."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from backups.capture import Capture, Doubt, read_capture, refusal
from backups.errors import CommandRefused
from backups.transport import Limits, Session, Target, Transport
from inventory.platforms.sheet import Command, Platform, RemoteFile

SAID = 80  # characters of a device's own words in an error
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^ -~]")


@dataclass(frozen=True)
class Collected:
    """What one visit to a device brought."""

    capture: Capture
    host_key: str  # "type base64", as the device proved to hold it: to be pinned when none is
    seconds: float  # from the first packet to the verdict
    credential: str = ""  # the id of the one that it let in, where several were tried


def collect(
    target: Target,
    platform: Platform,
    *,
    transport: Transport,
    limits: Limits | None = None,
    last_good: Mapping[str, int] | None = None,
) -> Collected:
    """Ask a device for everything that its sheet names, and judge it.

    `last_good` maps file name -> bytes of the last good version. A capture with doubts is not an error; a CollectError
    means that there is nothing to judge.
    """
    started = monotonic()
    with transport.open(target, platform, limits or Limits()) as session:
        answers = dict(answers_of(session, target, platform))
        host_key = session.host_key
    capture = read_capture(platform, answers, last_good=last_good or {})
    doubts = (*capture.doubts, *_broken_off(platform, answers))
    return Collected(replace(capture, doubts=doubts), host_key, monotonic() - started)


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
        content = _fetched(session, file)
        if content is not None:
            yield file.filename, content


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
        return session.fetch(file.path)
    except CommandRefused:
        if file.optional:
            return None
        raise


def printable(said: str) -> str:
    """A device's words for an error: without control bytes, at most 80 characters."""
    return _UNPRINTABLE.sub("", said).strip()[:SAID]
