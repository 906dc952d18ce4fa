"""How a version goes back onto a device, as data: what is uploaded, what is said, and what the device must answer.

The lines stand in the order in which they are said, in five moments that are kept apart because they differ in what a
broken connection leaves behind:

load      prepares; the device runs on as it did
commit    takes effect, and starts the device's own timer, after which it goes back by itself
confirm   stops the timer: what runs stays
save      what runs is also what the device starts with
discard   undoes what `load` prepared;  revert: goes back at once, by the timer that is running

In lines and paths these words in braces stand for what the plan settles: `file` (the uploaded file's name), `session`
(a name for a candidate), `minutes`, `seconds` and `clock` (hh:mm:00) of the timer, `md5` and `size` (bytes) of the
uploaded file. A line that is CHANGES stands for the lines that lead from what runs to the version, on a system that
takes no whole configuration; there is no uploaded file then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WORDS = ("file", "session", "minutes", "seconds", "clock", "md5", "size")
CHANGES = "{changes}"

By = Literal["scp", "sftp"]
BackTo = Literal["before", "saved"]


@dataclass(frozen=True)
class Line:
    """One line that is said to a device that is being restored."""

    text: str
    expect: str = ""  # what the answer must hold; empty: that the device does not refuse is enough
    answers: tuple[tuple[str, str], ...] = ()  # (what the device asks, what is typed then)
    shown: str = ""  # how people see it, where it holds a secret

    def __str__(self) -> str:
        return self.shown or self.text


@dataclass(frozen=True)
class Procedure:
    """The way back onto a device that goes back by itself unless it is told in time that all is well."""

    source: str  # the file of a version whose text is loaded
    load: tuple[Line, ...]
    commit: tuple[Line, ...]
    confirm: tuple[Line, ...]
    save: tuple[Line, ...]
    undone: str  # what the device undoes by itself, in plain words
    not_undone: str  # what it does not
    path: str = ""  # where the text is uploaded to, after the lines of `prelude`; empty: nothing is uploaded
    by: By = "scp"
    prelude: tuple[str, ...] = ()  # lines that the uploaded file begins with: they start the device's timer
    discard: tuple[Line, ...] = ()
    revert: tuple[Line, ...] = ()  # none: the timer has to run out
    remove: tuple[Line, ...] = ()  # takes the uploaded file away; none: over SFTP
    shows: str = ""  # the file of a version that shows what runs; empty: `source`
    back_to: BackTo = "before"  # the timer goes back to what ran before, or to what was saved
    settles: float = 30.0  # seconds after the timer until the device can be asked again
    restarts: bool = False  # the line that takes effect ends the session, whatever comes of it
    holds: bool = False  # only the session that said `commit` can say `confirm`; it is kept open
    refusals: tuple[str, ...] = ()  # beyond the sheet's own: anywhere in the answer to one of these lines
    needs: tuple[tuple[str, str], ...] = ()  # (what must stand in the configuration that runs, what to do where not)

    @property
    def running(self) -> str:
        """The file of a version that shows what runs."""
        return self.shows or self.source

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of it."""
        return (*self.load, *self.commit, *self.confirm, *self.save, *self.discard, *self.revert, *self.remove)

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything in which words in braces are settled."""
        return (
            self.path,
            *self.prelude,
            *(text for line in self.lines if line.text != CHANGES for text in (line.text, line.expect)),
        )

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every regular expression that is matched against a device's bytes."""
        asked = (asked for line in self.lines for asked, _ in line.answers)
        return (*self.refusals, *(pattern for pattern, _ in self.needs), *asked)


def unknown_word(text: str) -> str | None:
    """What of a text in braces nobody will settle; None: all is well."""
    try:
        text.format(**dict.fromkeys(WORDS, ""))
    except (KeyError, IndexError, ValueError) as exc:
        return str(exc)
    return None
