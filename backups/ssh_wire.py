"""One terminal of one device: bytes out, bytes in, and never a wait without an end.

Nothing here sleeps or polls: every wait is for bytes, with a limit. That is what makes it fast; netmiko's own reading
looks every 10 ms and asks for the prompt before each command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from backups.errors import DeadlineExceeded, LinkLost, NoPrompt, OutputTooLarge, PagerFailed
from backups.ssh_reading import TAIL, Answer, Standing, last_line, like_a_prompt, same_prompt

PIECE = 65_536
GREETING_BYTES = 8192  # that are remembered of what a device says before its first prompt
NUDGE_AFTER = 3.0  # seconds of silence after which a RETURN asks for the prompt again; doubled each time
NUDGES = 3
PAGER_QUIET = 0.05  # seconds: a pager's prompt counts when nothing follows it
PROMPT_QUIET = 0.1  # the same for the prompt, where nothing else shows that the answer is whole
STRANGE_QUIET = 1.0  # the same for something that is only like the prompt
LONGEST_QUIET = 2.0
PAGING = (Standing.PAGED, Standing.PAGER_ENDED)


class Transcript(Protocol):
    """Who takes down what is said (backups/transcript.py)."""

    def heard(self, said: bytes) -> None:
        """The device said something."""

    def sent(self, keys: bytes, *, asked: bytes) -> None:
        """We did, after this last line of the device's."""


class Channel(Protocol):
    """What is used of paramiko's channel."""

    closed: bool

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that `recv` and `sendall` may take."""

    def recv(self, nbytes: int) -> bytes:
        """Bytes; empty when the device has hung up. Raises TimeoutError."""

    def recv_ready(self) -> bool:
        """Whether `recv` would return at once with bytes."""

    def sendall(self, data: bytes) -> None:
        """Send. Raises OSError or EOFError when the device has hung up."""


@dataclass(frozen=True)
class Bounds:
    """What a session may cost."""

    deadline: float  # on the monotonic clock
    idle: float  # seconds of silence within an answer
    max_bytes: int


@dataclass(frozen=True)
class Manner:
    """How a platform's answers look."""

    pager: re.Pattern[bytes] | None = None
    decorated: bool = False  # dresses its answers with cursor movements


class Wire:
    """A terminal that can be asked."""

    def __init__(
        self,
        channel: Channel,
        *,
        place: str,
        bounds: Bounds,
        enter: bytes = b"\n",
        manner: Manner | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        """`place` names the device in errors; `enter` ends a line; `transcript` takes down what is said."""
        self.prompt = b""  # as it is seen; empty until it was learnt
        self.greeting = b""  # the first of what came before the prompt was learnt
        self._channel, self._place, self._bounds, self._enter = channel, place, bounds, enter
        self._manner = manner or Manner()
        self._transcript = transcript
        self._pulled = bytearray()
        self._tail = b""
        self._received = self._received_before_saying = 0
        self._echoes = False  # whether the device was seen to echo
        self._longest_pause = 0.0  # seconds, within the present answer

    # Bytes

    def pull(self, patience: float) -> bool:
        """Wait for bytes; False when none came in so many seconds.

        Raises LinkLost, DeadlineExceeded, OutputTooLarge.
        """
        left = self._bounds.deadline - monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"{self._place} was not done in its time; raise the deadline if it is that slow.")
        self._channel.settimeout(max(0.0, min(patience, left)))
        try:
            said = self._channel.recv(PIECE)
        except TimeoutError:
            return False if patience < left else self.pull(0.0)
        if not said:
            raise self.lost()
        self.count(len(said))
        self._pulled += said
        if self._transcript is not None:
            self._transcript.heard(said)
        if not self.prompt:
            self.greeting = (self.greeting + said)[:GREETING_BYTES]
        self._tail = (self._tail + said[-TAIL:])[-TAIL:]
        return True

    @property
    def time_left(self) -> float:
        """Seconds until the deadline; never quite none."""
        return max(0.01, self._bounds.deadline - monotonic())

    def count(self, size: int) -> None:
        """So many bytes more came from the device. Raises OutputTooLarge."""
        self._received += size
        if self._received > self._bounds.max_bytes:
            raise OutputTooLarge(
                f"{self._place} said more than {self._bounds.max_bytes} bytes; "
                "raise the limit if its configuration is that large."
            )

    def pull_ready(self) -> None:
        """Take in what has come already, without waiting."""
        while self._channel.recv_ready():
            self.pull(0.0)
        if self._channel.closed and not self._pulled:
            raise self.lost()

    def take(self) -> bytes:
        """What was pulled and not taken yet."""
        taken = bytes(self._pulled)
        self._pulled.clear()
        return taken

    def forget_line(self) -> None:
        """What the last line was does not matter any more: an answer is given to it."""
        self._tail = b""

    def give_back(self, said: bytes) -> None:
        """Undo the taking of the last bytes."""
        self._pulled[:0] = said

    def say(self, line: bytes) -> None:
        """Send one line. Raises LinkLost, DeadlineExceeded."""
        self.send(line + self._enter)

    def send(self, keys: bytes) -> None:
        """Send keys as they are. Raises LinkLost, DeadlineExceeded."""
        self._received_before_saying = self._received
        if self._transcript is not None:
            self._transcript.sent(keys, asked=self.last_line)
        self._channel.settimeout(max(0.01, self._bounds.deadline - monotonic()))
        try:
            self._channel.sendall(keys)
        except (OSError, EOFError) as exc:  # TimeoutError too: a device that takes no key any more
            raise self.lost() from exc

    def lost(self) -> LinkLost | DeadlineExceeded:
        """Why the connection ended."""
        if monotonic() >= self._bounds.deadline:
            return DeadlineExceeded(f"{self._place} was not done in its time; raise the deadline if it is that slow.")
        return LinkLost(f"{self._place} broke the connection in the middle; try again.")

    # The prompt

    @property
    def last_line(self) -> bytes:
        """The visible part of what came after the last line end."""
        return last_line(self._tail)

    def settle(self) -> None:
        """Wait until the device seems to have come to a prompt, asking with RETURN when it says nothing.

        Raises NoPrompt, DeadlineExceeded, LinkLost.
        """
        before = b""
        for nudges in range(NUDGES + 1):
            while not like_a_prompt(self.last_line):
                if not self.pull(min(NUDGE_AFTER * 2**nudges, self._bounds.idle)):
                    break
            else:
                return
            if nudges and same_prompt(self.last_line, before):
                return  # it ends like no other, but it comes again and again
            before = self.last_line
            self.say(b"")
        if self.heard:
            raise NoPrompt(f"{self._place} let us in but showed no prompt; is its platform right?")
        raise self.said_nothing()

    @property
    def heard(self) -> bool:
        """Whether the device has said anything yet."""
        return self._received > 0

    @property
    def answered(self) -> bool:
        """Whether the device has said anything since we did."""
        return self._received > self._received_before_saying

    def said_nothing(self) -> DeadlineExceeded:
        """The error for a device that logs us in and then says nothing at all."""
        return DeadlineExceeded(f"{self._place} let us in and then said nothing; try again.")

    def learn_prompt(self) -> bytes:
        """The prompt: the same last line twice, once as it is and once after RETURN. Raises NoPrompt."""
        if self.prompt and self.last_line == self.prompt:
            return self.prompt
        self.settle()
        for _ in range(NUDGES):
            before = self.last_line
            self.take()
            self._tail = b""
            self.say(b"")
            self.settle()
            if same_prompt(before, self.last_line):
                self.prompt = self.last_line
                return self.prompt
        raise NoPrompt(f"{self._place} does not come back to the same prompt; is its platform right?")

    # Question and answer

    def prepare(self, line: str) -> bytes:
        """Say a line that makes the session ready, and wait until the device is ready for the next.

        Nothing is kept of the answer, so the prompt is believed at once. Refused or not: a device that goes on
        paging is read through its pager.
        """
        if not self.prompt:
            self.settle()
        self.pull_ready()
        known = self.last_line
        answer = self._ask(line, known, whole=None, trusting=True)
        line_now = self.last_line
        if like_a_prompt(line_now) and (line_now == known or not self.prompt):
            self.prompt = line_now
        return answer.text(decorated=True)

    def ask(self, line: str, *, whole: re.Pattern[bytes] | None = None) -> bytes:
        """Say a line and give back all of the answer. `whole` is what its last line looks like, where that is known.

        Raises LinkLost, DeadlineExceeded, OutputTooLarge, NoPrompt, PagerFailed.
        """
        answer = self._ask(line, self.learn_prompt(), whole=whole, trusting=False)
        if answer.cut_at_a_page and not (whole and answer.last_line_is(whole)):
            error = PagerFailed(f"The pager of {self._place} stopped in the middle of '{line}'; turn its paging off.")
            error.said = bytes(answer.raw[:TAIL])
            raise error
        return answer.text(decorated=self._manner.decorated)

    def _ask(self, line: str, prompt: bytes, *, whole: re.Pattern[bytes] | None, trusting: bool) -> Answer:
        answer = Answer(line.encode("latin-1"), prompt, self._manner.pager)
        self.take()
        self.say(line.encode("latin-1"))
        while True:
            standing = answer.standing
            if standing in PAGING:
                self._turn_page(answer, standing, line)
                continue
            patience = self._patience(answer, standing, whole, trusting)
            if patience <= 0:
                break
            began = monotonic()
            if self.pull(patience):
                self._longest_pause = max(self._longest_pause, monotonic() - began) if answer.echoed else 0.0
                answer.feed(self.take())
            elif standing is Standing.TALKING or (standing is Standing.STRANGE and not trusting):
                raise self._fell_silent(line, answer)
            else:
                break
        self._echoes = self._echoes or answer.echoed
        return answer

    def _fell_silent(self, line: str, answer: Answer) -> DeadlineExceeded:
        error = DeadlineExceeded(
            f"{self._place} fell silent for {self._bounds.idle:g} seconds in the middle of its answer to '{line}'."
        )
        error.said = bytes(answer.raw[:TAIL])
        return error

    def _turn_page(self, answer: Answer, standing: Standing, line: str) -> None:
        """Press the pager's key, unless more comes: then it was only a line that looks like a pager's."""
        if answer.paged_again or not self.pull(PAGER_QUIET):
            answer.turn_page()
            self.send(b" " if standing is Standing.PAGED else b"q")
            if not self.pull(self._bounds.idle if standing is Standing.PAGED else min(NUDGE_AFTER, self._bounds.idle)):
                self.send(b" ")  # some pagers are left at their end by the key that turned the pages
                if not self.pull(self._bounds.idle):
                    raise self._fell_silent(line, answer)
        answer.feed(self.take())

    def _patience(self, answer: Answer, standing: Standing, whole: re.Pattern[bytes] | None, trusting: bool) -> float:
        """Seconds of silence that would end the wait; 0: it is over."""
        if standing is Standing.TALKING or (standing is Standing.STRANGE and not trusting):
            return self._bounds.idle
        slow = min(3 * self._longest_pause, LONGEST_QUIET)
        if not answer.echoed:
            # Perhaps the last prompt, and the echo is still on its way. A device that never echoes gets the wait.
            return self._bounds.idle if self._echoes else STRANGE_QUIET
        if standing is not Standing.PROMPT or answer.suspicious:
            return max(STRANGE_QUIET, slow)
        if trusting or (whole is not None and answer.last_line_is(whole)):
            return 0.0
        return max(PROMPT_QUIET, slow)
