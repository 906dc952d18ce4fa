"""Carrying a plan out on a device: load, commit, look at it through a new session, confirm or go back.

Knows no database. What is about to happen is told to a journal first, which writes it down durably or says no; so
whoever finds the journal after a crash knows at most one step more than was done. Nothing here is ever tried twice but
looking: a look changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from backups.capture import refusal, stable
from backups.collect import collect, printable
from backups.device_writing import Writer, WritingSession
from backups.errors import CollectError
from backups.transport import Limits, Target
from checkpoints.errors import LineRefused, RestoreError
from checkpoints.plan import Plan
from inventory.platforms.masking import mask
from inventory.platforms.procedure import Line
from inventory.platforms.sheet import Platform, any_of

Stage = Literal["armed", "pushing", "verifying"]
Result = Literal["cancelled", "confirmed", "reverted", "unknown"]
Seen = Literal["target", "before", "other"]

AGAIN = 10.0  # seconds between two looks at a device that cannot be reached
SPARE = 30.0  # seconds before the timer can end, from which on nothing is confirmed any more
LATE = 120.0  # seconds after the timer within which a device must have come back
COMMIT_PATIENCE = 180.0  # seconds of silence while a device works out a whole configuration
MARGIN = 60.0  # seconds added to what a step may take, before others take its process for dead


class Journal(Protocol):
    """Where each step is written down before it is done."""

    def enter(self, stage: Stage, *, seconds: float) -> None:
        """A stage begins, and takes at most so long. Raises a RestoreError when it must not."""

    def note(self, what: str) -> None:
        """The next thing that is done within the stage. Raises RestoreLost when it is not ours to do any more."""


class Time(Protocol):
    """Seconds on some clock, and waiting for them."""

    def now(self) -> float:
        """Seconds since some moment."""

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass."""


@dataclass(frozen=True)
class Outcome:
    """What came of it. `cancelled`: nothing took effect, because nothing was committed."""

    result: Result
    cause: str = ""
    detail: str = ""  # one sentence or more for people
    saved: bool = False  # what runs is what the device starts with


@dataclass
class Pushed:
    """What the device made of the lines that take effect."""

    problem: str = ""
    lost: bool = False  # whether the problem is that the answer never came


def carry_out(
    plan: Plan, target: Target, platform: Platform, *, writer: Writer, limits: Limits, journal: Journal, time: Time
) -> Outcome:
    """Bring the device to the plan's target, or back to where it was, and say which.

    Expects a plan without obstacles, made again from a capture that is a moment old. Raises only what the journal
    raises: after that, nothing more was sent.
    """
    push = Push(plan, Device(plan, target, platform, writer, limits), journal, time)
    journal.enter("armed", seconds=2 * limits.deadline + MARGIN)
    try:
        push.load_and_commit()
    except (CollectError, LineRefused) as exc:
        push.device.clear_up()
        return Outcome("cancelled", exc.cause, f"{exc} Nothing has changed on the device.")
    except RestoreError:  # the journal said no
        push.device.clear_up()
        raise
    journal.enter("verifying", seconds=push.longest())
    outcome = push.verify()
    if outcome.result != "unknown":
        push.device.clear_up()
    return outcome


class Push:
    """One plan on its way."""

    def __init__(self, plan: Plan, device: Device, journal: Journal, time: Time) -> None:
        self.plan, self.device, self.journal, self.time = plan, device, journal, time
        self.pushed = Pushed()
        self.confirm_until = 0.0  # the timer may have begun with the first byte of the line that started it
        self.timer_ends = 0.0  # or after the last

    def longest(self) -> float:
        """Seconds that verifying may take, with everything that can go wrong."""
        return self.plan.minutes * 60 + self.plan.settles + LATE + 6 * self.device.limits.deadline + MARGIN

    def load_and_commit(self) -> None:
        """Up to the line that takes effect. Raises LineRefused or a CollectError as long as nothing did."""
        self.device.upload()
        with self.device.session() as session:
            try:
                say_all(self.device, session, self.plan.load)
                self.journal.enter("pushing", seconds=self.device.limits.deadline + MARGIN)
            except (RestoreError, CollectError):
                quietly(self.device, session, self.plan.discard)
                raise
            self.confirm_until = self.time.now() + self.plan.minutes * 60 - SPARE
            self.commit(session)
        self.timer_ends = self.time.now() + self.plan.minutes * 60

    def commit(self, session: WritingSession) -> None:
        """The lines that take effect. What goes wrong from here on is found out by looking."""
        try:
            say_all(self.device, session, self.plan.commit, patience=COMMIT_PATIENCE)
        except LineRefused as exc:
            self.pushed = Pushed(str(exc))
        except CollectError as exc:
            self.pushed = Pushed(str(exc), lost=True)
        if self.plan.restarts:  # the session ends when all goes well, and an answer before that says nothing
            self.pushed = Pushed("" if self.pushed.lost else self.pushed.problem, lost=True)

    def verify(self) -> Outcome:
        """Read back through a new session, then confirm or go back."""
        self.journal.note("Reading the configuration back.")
        # After a broken connection the device may still be at work: only the target ends the waiting early.
        wanted: tuple[Seen, ...] = ("target",) if self.pushed.lost else ("target", "before", "other")
        seen = self.look_until(self.confirm_until, wanted)
        if seen == "target":
            return self.confirm()
        return self.go_back(seen, self.why_not(seen))

    def why_not(self, seen: Seen | None) -> str:
        """Why the restore did not come to its end."""
        if self.pushed.problem:
            return self.pushed.problem
        if seen is None:
            return f"The device could not be read after the change: {self.device.trouble}"
        if seen == "before":
            return "The device accepted the change and did not carry it out."
        return "The device accepted the change, and then ran something else than the version."

    def look_until(self, until: float, wanted: tuple[Seen, ...]) -> Seen | None:
        """Look, again and again, until the device shows one of these or the time is over; what it showed last."""
        while True:
            seen = self.device.look()
            hopeless = seen is None and not self.device.worth_another_look
            if seen in wanted or hopeless or self.time.now() + AGAIN >= until:
                return seen
            self.time.pause(AGAIN)

    def confirm(self) -> Outcome:
        """Stop the timer, see that it was stopped in time, then save."""
        self.journal.note("The device runs the version: confirming.")
        if self.time.now() >= self.confirm_until:
            return self.wait_out("The device ran the version, but there was no time left to confirm it.")
        try:
            with self.device.session() as session:
                say_all(self.device, session, self.plan.confirm)
        except (CollectError, LineRefused) as exc:
            return self.wait_out(f"The device ran the version, but it could not be confirmed: {exc}")
        if self.device.look() != "target":
            return self.wait_out("The device ran the version, but no longer after it was confirmed.")
        self.journal.note("Confirmed: saving.")
        return self.save()

    def save(self) -> Outcome:
        """What runs becomes what the device starts with."""
        if not self.plan.save:
            return Outcome("confirmed", saved=True)
        try:
            with self.device.session() as session:
                say_all(self.device, session, self.plan.save)
        except (CollectError, LineRefused) as exc:
            return Outcome("confirmed", "not-saved", f"The device runs the version but did not save it: {exc}")
        return Outcome("confirmed", saved=True)

    def go_back(self, seen: Seen | None, why: str) -> Outcome:
        """At once where the device can, else by its timer."""
        gone_back = bool(seen) and not self.pushed.lost and self.revert()
        # A timer that goes back to what runs already changes nothing; after a broken connection, who knows.
        harmless = seen == "before" and not self.pushed.lost and self.plan.back_to == "before"
        if (gone_back or harmless) and self.device.look() == "before":
            return Outcome("reverted", "did-not-hold", f"{why} It runs again what it ran before.")
        return self.wait_out(why)

    def revert(self) -> bool:
        """Tell the device to go back without waiting for its timer; whether it did as told."""
        if not self.plan.revert:
            return False
        self.journal.note("Telling the device to go back.")
        try:
            with self.device.session() as session:
                say_all(self.device, session, self.plan.revert, patience=COMMIT_PATIENCE)
        except (CollectError, LineRefused):
            return False
        return True

    def wait_out(self, why: str) -> Outcome:
        """Let the timer run out, and see what came of it."""
        self.journal.note("Waiting for the device's timer to run out.")
        left = self.timer_ends + self.plan.settles - self.time.now()
        if left > 0:
            self.time.pause(left)
        self.journal.note("The timer has run out: reading the configuration back.")
        seen = self.look_until(self.time.now() + LATE, ("target", "before", "other"))
        if seen == "before":
            return Outcome("reverted", "timer", f"{why} It went back by itself and runs what it ran before.")
        return Outcome("unknown", "unknown", f"{why} {self.what_now(seen)}")

    def what_now(self, seen: Seen | None) -> str:
        """What a person has to know about a device that nobody understands any more."""
        if seen is None:
            return f"After its timer the device cannot be read: {self.device.trouble}"
        if seen == "target":
            return "After its timer it still runs the version; nobody saw that it was confirmed and saved."
        return "After its timer it runs neither the version nor what it ran before."


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
    def session(self) -> Iterator[WritingSession]:
        """A new session. Raises a CollectError."""
        with self.writer.open_for_writing(self.target, self.platform, self.limits) as session:
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
            line.text, patience=patience or device.platform.patience, answers=line.answers, expect=line.expect
        )
        problem = refused(device, line, answer)
        if problem is not None:
            said = printable(mask(device.platform, problem))
            raise LineRefused(f"{device.target.name} did not accept '{line.text}'" + (f": {said}." if said else "."))


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
