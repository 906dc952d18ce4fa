"""A device as far as a plan is concerned with it: its file, its sessions, and what a look at it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from backups.capture import refusal, stable
from backups.collect import collect, printable
from backups.device_writing import Writer, WritingSession
from backups.errors import CollectError
from backups.transport import Limits, Target
from checkpoints.errors import LineRefused
from checkpoints.plan import Plan
from inventory.platforms.masking import mask
from inventory.platforms.procedure import Line
from inventory.platforms.sheet import Platform, any_of

Seen = Literal["target", "before", "other"]


class Device:
    """The device as far as a plan is concerned with it."""

    def __init__(self, plan: Plan, target: Target, platform: Platform, writer: Writer, limits: Limits) -> None:
        self.plan, self.target, self.platform, self.writer, self.limits = plan, target, platform, writer, limits
        self.refusals = any_of(plan.refusals)
        self.trouble = ""  # why the last look saw nothing
        self.worth_another_look = True

    def upload(self) -> None:
        """Put the file onto it. Raises a CollectError."""
        file = self.plan.upload
        if file:
            self.writer.put(self.target, file.path, file.content, by=file.by, limits=self.limits)

    @contextmanager
    def session(self, *, longer: float = 0.0) -> Iterator[WritingSession]:
        """A new session, which may last so many seconds `longer` than others. Raises a CollectError."""
        limits = replace(self.limits, deadline=self.limits.deadline + longer)
        with self.writer.open_for_writing(self.target, self.platform, limits) as session:
            yield session

    def look(self) -> Seen | None:
        """What it runs, read through a new session and compared in stable form; None when that cannot be had."""
        try:
            capture = collect(self.target, self.platform, transport=self.writer, limits=self.limits).capture
        except CollectError as exc:
            self.trouble, self.worth_another_look = str(exc), exc.worth_retrying
            return None
        if capture.doubts:
            self.trouble, self.worth_another_look = capture.doubts[0].detail, True
            return None
        return seen_as(self.plan, stable(self.platform, capture.files[self.plan.running]))

    def clear_up(self) -> None:
        """Take the uploaded file away. A file that stays is a blemish, not a failure."""
        file = self.plan.upload
        if file is None:
            return
        try:
            if self.plan.remove:
                with self.session() as session:
                    say_all(self, session, self.plan.remove)
            elif file.by == "sftp":
                self.writer.remove(self.target, file.path, limits=self.limits)
        except (CollectError, LineRefused):
            return


def seen_as(plan: Plan, content: bytes) -> Seen:
    """Which of the two states a text in stable form is."""
    if content == plan.target:
        return "target"
    return "before" if content == plan.before else "other"


def say_all(device: Device, session: WritingSession, lines: Iterable[Line], *, patience: float | None = None) -> None:
    """Say the lines one after the other, and stop at the first that the device refuses.

    Raises LineRefused, or a CollectError.
    """
    for line in lines:
        answer = session.say(
            line.text,
            patience=patience or device.platform.patience,
            answers=line.answers,
            expect=line.expect,
            shown=line.shown,
        )
        problem = refused(device, line, answer)
        if problem is not None:
            said = printable(mask(device.platform, problem))
            raise LineRefused(f"{device.target.name} did not accept '{line}'" + (f": {said}." if said else "."))


def refused(device: Device, line: Line, answer: bytes) -> str | None:
    """What the device said against a line; None when it did as told."""
    own = device.refusals.search(answer) if device.refusals else None
    if own:
        return whole_line(answer, own.start())
    said = refusal(device.platform, answer)
    if said is not None:
        return said
    return last_words(answer) if line.expect and line.expect.encode("ascii") not in answer else None


def whole_line(answer: bytes, at: int) -> str:
    """The line around a place."""
    start = answer.rfind(b"\n", 0, at) + 1
    return answer[start:].split(b"\n", 1)[0].decode("latin-1")


def last_words(answer: bytes) -> str:
    """The last line of an answer before the prompt."""
    lines = [line for line in answer.split(b"\n")[1:-1] if line.strip()]
    return lines[-1].decode("latin-1") if lines else "it gave no answer"


def quietly(device: Device, session: WritingSession, lines: Iterable[Line]) -> None:
    """Say the lines; a device that refuses them, or is gone, has nothing left to discard."""
    try:
        say_all(device, session, lines)
    except (CollectError, LineRefused):
        return
