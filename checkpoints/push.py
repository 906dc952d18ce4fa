"""Carrying a plan out on a device: load, commit, look at it through a new session, confirm or go back.

Knows no database. What is about to happen is told to a journal first, which writes it down durably or says no; so
whoever finds the journal after a crash knows at most one step more than was done. Nothing here is ever tried twice but
looking: a look changes nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, Protocol

from backups.device_writing import Writer, WritingSession
from backups.errors import CollectError, LinkLost
from backups.transport import Limits, Target
from checkpoints.errors import LineRefused, RestoreError
from checkpoints.plan import Plan
from checkpoints.restored_device import Device, Seen, quietly, say_all
from inventory.platforms.sheet import Platform

Stage = Literal["armed", "pushing", "verifying"]
Result = Literal["cancelled", "confirmed", "reverted", "unknown"]

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
    with push.held:
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
        self.held = ExitStack()  # keeps the session open that alone can confirm, where a system is like that
        self.holder: WritingSession | None = None

    def longest(self) -> float:
        """Seconds that verifying may take, with everything that can go wrong."""
        return self.plan.minutes * 60 + self.plan.settles + LATE + 6 * self.device.limits.deadline + MARGIN

    def load_and_commit(self) -> None:
        """Up to the line that takes effect. Raises LineRefused or a CollectError as long as nothing did."""
        self.device.upload()
        with ExitStack() as stack:
            session = stack.enter_context(self.device.session(longer=self.plan.minutes * 60 if self.plan.holds else 0))
            try:
                say_all(self.device, session, self.plan.load)
                self.journal.enter("pushing", seconds=self.device.limits.deadline + MARGIN)
            except (RestoreError, CollectError):
                quietly(self.device, session, self.plan.discard)
                raise
            self.confirm_until = self.time.now() + self.plan.minutes * 60 - SPARE
            self.commit(session)
            if self.plan.holds and not self.pushed.lost:
                self.holder = session
                self.held.push(stack.pop_all())
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
            self.say_confirmed()
        except (CollectError, LineRefused) as exc:
            return self.wait_out(f"The device ran the version, but it could not be confirmed: {exc}")
        if self.device.look() != "target":
            return self.wait_out("The device ran the version, but no longer after it was confirmed.")
        self.journal.note("Confirmed: saving.")
        return self.save()

    def say_confirmed(self) -> None:
        """The lines that stop the timer, in the session in which they count. Raises LineRefused or a CollectError."""
        if not self.plan.holds:
            with self.device.session() as session:
                say_all(self.device, session, self.plan.confirm)
        elif self.holder is None:
            raise LinkLost("only the session that made the change can confirm it, and that one is gone.")
        else:
            say_all(self.device, self.holder, self.plan.confirm)

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
