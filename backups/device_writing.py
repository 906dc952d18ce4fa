"""Saying things to a device that change it: in configuration mode, with questions, and stopping at every no.

A session for collecting knows one prompt and waits for nothing else. Here prompts change with each mode, the device
asks back, and one line may take minutes; so the reading is another, on the same terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from backups import device_files
from backups.errors import DeadlineExceeded
from backups.netmiko_transport import NetmikoTransport
from backups.ssh_reading import ESCAPE, Answer, Standing, like_a_prompt
from backups.ssh_wire import Wire
from backups.transport import Limits, Target, Transport
from inventory.platforms.sheet import Platform

MODE_QUIET = 0.05  # seconds of silence after which a prompt of this device, in whatever mode, is believed
STRANGE_QUIET = 1.0  # the same for another prompt: the device may have got a new name
STEM = 20  # characters of its name that a device keeps in every prompt

_STEM = re.compile(rb"\W{0,3}[\w.@-]{1,%d}" % STEM)

Answers = Sequence[tuple[str, str]]  # (what the device asks, as a regular expression; what is typed then)


class WritingSession(Protocol):
    """A logged-in device that is told to change."""

    def say(self, line: str, *, patience: float, answers: Answers = (), expect: str = "", shown: str = "") -> bytes:
        """Say one line, answer what the device asks, and give back all that came until its next prompt, echo included.

        `patience` is in seconds of silence; `expect` stands in every whole answer, where known; `shown` is what an
        error calls a line that holds a secret. Raises LinkLost, DeadlineExceeded, OutputTooLarge.
        """


class Writer(Transport, Protocol):
    """A way to devices, for changing them too."""

    def open_for_writing(
        self, target: Target, platform: Platform, limits: Limits
    ) -> AbstractContextManager[WritingSession]:
        """Connect, check the host key, log in and enable. Raises a CollectError."""

    def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
        """Write a file onto the device. Raises FileRefused, or a CollectError."""

    def remove(self, target: Target, path: str, *, limits: Limits) -> None:
        """Delete a file over SFTP. Raises FileRefused, or a CollectError."""


class NetmikoWriter(NetmikoTransport):
    """The way to real devices."""

    @contextmanager
    def open_for_writing(self, target: Target, platform: Platform, limits: Limits) -> Iterator[WritingSession]:
        """Connect, check the host key, log in, enable and turn paging off. Raises a CollectError."""
        with self.open(target, platform, limits) as session:
            yield Conversation(session.wire, platform.pager_pattern)

    def put(self, target: Target, path: str, content: bytes, *, by: str, limits: Limits) -> None:
        """Write a file onto the device. Raises FileRefused, or a CollectError."""
        device_files.put_file(target, path, content, by=by, limits=limits)

    def remove(self, target: Target, path: str, *, limits: Limits) -> None:
        """Delete a file over SFTP. Raises FileRefused, or a CollectError."""
        device_files.remove_file(target, path, limits=limits)


class Conversation:
    """A terminal on which modes may change."""

    def __init__(self, wire: Wire, pager: re.Pattern[bytes] | None = None) -> None:
        """On a terminal that stands at its first prompt."""
        self._wire, self._pager = wire, pager
        self._home = wire.learn_prompt()
        self._stem = stem_of(self._home)
        self._seen: set[bytes] = set()  # other prompts that were believed

    def say(self, line: str, *, patience: float, answers: Answers = (), expect: str = "", shown: str = "") -> bytes:
        """Say one line, answer what the device asks, and give back all that came until its next prompt, echo included.

        Raises LinkLost, DeadlineExceeded, OutputTooLarge.
        """
        wire = self._wire
        wire.pull_ready()
        wire.take()
        answer = Answer(line.encode("latin-1"), self._home, self._pager)
        wire.say(line.encode("latin-1"))
        replied = -1  # how much had been said when a question was answered: it is not answered twice
        while True:
            reply = self._reply(answer, answers) if len(answer.raw) > replied else None
            if reply is not None:
                replied = len(answer.raw) + len(reply) + 2
                wire.send(reply)
            quiet = self._quiet(answer, expect.encode("latin-1"))
            if wire.pull(patience if quiet is None else quiet):
                answer.feed(wire.take())
            elif quiet is not None:
                self._seen.add(answer.last_line)
                return ESCAPE.sub(b"", bytes(answer.raw)).replace(b"\r", b"")
            else:
                raise DeadlineExceeded(
                    f"The device fell silent for {patience:g} seconds in the middle of its answer to '{shown or line}'."
                )

    def _reply(self, answer: Answer, answers: Answers) -> bytes | None:
        """The keys for what the device waits for."""
        last = answer.last_line
        if not last or not answer.echoed:
            return None
        for asked, typed in answers:
            if re.search(asked.encode("latin-1"), last):
                return typed.encode("latin-1") + b"\n"
        return b" " if answer.standing is Standing.PAGED else None

    def _quiet(self, answer: Answer, expect: bytes) -> float | None:
        """Seconds of silence that show the answer to be whole; None: the device is not at a prompt."""
        last = answer.last_line
        if not like_a_prompt(last):
            return None
        known = last.startswith(self._stem) or last in self._seen or (expect and expect in answer.raw)
        return MODE_QUIET if answer.echoed and known else STRANGE_QUIET


def stem_of(prompt: bytes) -> bytes:
    """The beginning that all prompts of a device share, whatever mode it is in: its name, and what stands before it."""
    found = _STEM.match(prompt)
    return found.group() if found else prompt
