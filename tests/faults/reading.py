"""Fuzzes what a device says, and looks whether the reader ever believes what it should not.

    python -m tests.faults.reading [--outputs 10000] [--seed 1]

The real reader (`backups/ssh_wire.py`) and the real judge (`backups/capture.py`) against a device that is made up: its
configuration holds prompts, pagers' prompts, end markers, escape sequences, bytes that are no text and odd line ends, and
comes in pieces with pauses in between, through a pager or not. Some break off, die, fall silent or never end. Time is
the device's own, so nothing waits. For each output: no exception but ours; what is called good has every byte that was
sent; what was cut off is never called good. The last line is JSON; exit 1 when one of these does not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from unittest import mock

from backups import ssh_wire
from backups.capture import read_capture
from backups.errors import CollectError
from backups.ssh_wire import Bounds, Manner, Wire
from inventory.platforms.cisco_ios import PLATFORM
from inventory.platforms.sheet import compiled

PROMPT = b"edge1#"
COMMAND = b"show running-config"
MAX_BYTES = 60_000
ERASE = b"\x08" * 9 + b" " * 9 + b"\x08" * 9
FAULTS = ("none", "none", "none", "truncated", "dies", "falls-silent", "endless")
BENIGN = (
    b"interface GigabitEthernet0/1",
    b" description to edge2#",
    b" description uplink --More-- or less",
    b" ip address 192.0.2.1 255.255.255.0",
    b"!",
    b"",
    b"hostname edge1",
    b"snmp-server community public RO",
    b"line vty 0 4",
)
NASTY = (
    b"edge1#",
    b"edge1# ",
    b"edge1>",
    b"edge1#show version",
    b"end",
    b" --More-- ",
    b"--More--",
    b"banner motd \x1b[31mred\x1b[0m",
    b"description caf\xe9 \xff\xfe\x80",
    b"a\rb\rc",
    b"\tblanks  \t ",
    b"Password:",
    b"lines 1-24",
    b":",
    b"(END)",
    b"Press any key to continue",
    b"% Invalid input detected",
    b"x" * 900,
)


@dataclass
class Tally:
    """What a campaign saw."""

    outputs: int = 0
    good: int = 0
    quarantined: int = 0
    failed: int = 0
    crashes: int = 0  # an exception that is none of ours
    truncated_accepted: int = 0
    bytes_differ: int = 0
    whole_and_not_good: int = 0  # safe, but a device that could not be backed up
    causes: Counter[str] = field(default_factory=Counter)
    first_problem: str = ""

    def holds(self) -> bool:
        """Whether nothing was believed that should not be."""
        return not (self.crashes or self.truncated_accepted or self.bytes_differ)


class Clock:
    """Time that passes only where somebody waits for the device."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Script:
    """What the device will do."""

    lines: list[bytes]
    line_end: bytes
    fault: str
    cut: int  # lines before the fault
    page: int  # lines a page; 0: no pager

    @classmethod
    def made(cls, luck: random.Random) -> Script:
        """One at random."""
        pool = BENIGN + NASTY * luck.choice((0, 0, 1))
        body = [luck.choice(pool) for _ in range(luck.randint(8, 60))]
        lines = [b"version 15.2", b"hostname edge1", *body, b"end"]
        fault, page = luck.choice(FAULTS), luck.choice((0, 0, 0, 5, 20))
        if page and pool is not BENIGN:
            page = 0  # a pager's own prompt as a line of the text cannot be told from the pager's
        return cls(
            lines, luck.choice((b"\r\n", b"\r\n", b"\n", b"\r\r\n")), fault, luck.randint(2, len(lines) - 2), page
        )

    @property
    def whole(self) -> bool:
        """Whether everything is said."""
        return self.fault == "none"

    @property
    def said(self) -> bytes:
        """The configuration as it is to be stored."""
        return b"".join(line.strip(b"\r") + b"\n" for line in self.lines)

    @property
    def looks_whole(self) -> bool:
        """Whether even a person could not tell that it was cut off: the last line before the cut is an end marker."""
        return next((line for line in reversed(self.lines[: self.cut]) if line.strip()), b"").rstrip() == b"end"


class Box:
    """A device at the other end of a channel."""

    closed = False

    def __init__(self, script: Script, clock: Clock, luck: random.Random) -> None:
        self.script, self.clock, self.luck = script, clock, luck
        self.coming: deque[tuple[float, bytes | None]] = deque([(0.0, PROMPT)])
        self.patience = 0.0
        self.rest: list[bytes] = []  # lines that wait behind the pager
        self.paging = False

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that the next `recv` may take."""
        self.patience = timeout or 0.0

    def recv_ready(self) -> bool:
        """Whether something has come."""
        return bool(self.coming) and self.coming[0][0] <= 0

    def recv(self, _nbytes: int) -> bytes:
        """The next piece, when its time has come."""
        if not self.coming or self.coming[0][0] > self.patience:
            self.clock.now += self.patience
            if self.coming:
                delay, piece = self.coming.popleft()
                self.coming.appendleft((delay - self.patience, piece))
            raise TimeoutError
        delay, piece = self.coming.popleft()
        self.clock.now += delay
        if piece is None:
            self.closed = True
            return b""
        if self.script.fault == "endless" and not self.coming:
            self.speak((b"access-list 1 permit any" + self.script.line_end) * 40)
        return piece

    def sendall(self, data: bytes) -> None:
        """Keys for the pager, or a line."""
        if self.paging and data in (b" ", b"q"):
            self.paging = False
            self.speak(ERASE)
            self.show() if data == b" " else self.speak(PROMPT)
        elif data.strip() == COMMAND:
            self.speak(COMMAND + b"\r\n")
            self.rest = list(self.script.lines if self.script.whole else self.script.lines[: self.script.cut])
            self.show()
        else:
            self.speak(data.strip() + b"\r\n" + PROMPT)

    def show(self) -> None:
        """The next page, or all of it, and what comes then."""
        size = self.script.page or len(self.rest)
        page, self.rest = self.rest[:size], self.rest[size:]
        self.speak(b"".join(line + self.script.line_end for line in page))
        if self.rest:
            self.paging = True
            self.speak(b" --More-- ")
        elif self.script.fault in ("none", "truncated"):
            self.speak(PROMPT)
        elif self.script.fault == "dies":
            self.speak(self.script.lines[self.script.cut][:3])
            self.coming.append((0.01, None))

    def speak(self, said: bytes) -> None:
        """In pieces, with pauses shorter than those that end an answer, and now and then a long one."""
        while said:
            size = self.luck.choice((3, 80, 80, 1500, 65_536))
            pause = self.luck.choice((0.0, 0.0, 0.001, 0.02, 0.05, 0.05, 2.5 if self.luck.random() < 0.02 else 0.0))
            self.coming.append((pause, said[:size]))
            said = said[size:]


def one(luck: random.Random, tally: Tally) -> None:
    """One output, read and judged."""
    script, clock = Script.made(luck), Clock()
    mark = PLATFORM.commands[0].complete_when or ""
    bounds = Bounds(deadline=clock.now + 300, idle=30, max_bytes=MAX_BYTES)
    tally.outputs += 1
    with mock.patch.object(ssh_wire, "monotonic", clock):
        wire = Wire(Box(script, clock, luck), place="edge1", bounds=bounds, manner=Manner(PLATFORM.pager_pattern))
        try:
            answer = wire.ask(COMMAND.decode(), whole=compiled(mark))
            capture = read_capture(PLATFORM, {"running.cfg": answer}, last_good={})
        except CollectError as error:
            tally.failed += 1
            tally.causes[error.cause] += 1
            tally.whole_and_not_good += script.whole
            return
        except Exception as error:  # noqa: BLE001 - that there is none is what is tried
            problem(tally, "crashes", f"{type(error).__name__}: {error} on {script}")
            return
    if not capture.good:
        tally.quarantined += 1
        tally.causes[capture.doubts[0].cause] += 1
        tally.whole_and_not_good += script.whole
        return
    tally.good += 1
    if not script.whole and not script.looks_whole:
        problem(tally, "truncated_accepted", f"{script}")
    elif script.whole and capture.files["running.cfg"] != script.said:
        problem(tally, "bytes_differ", f"{capture.files['running.cfg']!r} of {script}")


def problem(tally: Tally, kind: str, what: str) -> None:
    """Count it, and keep the first one to be looked at."""
    setattr(tally, kind, getattr(tally, kind) + 1)
    tally.first_problem = tally.first_problem or f"{kind}: {what}"


def campaign(outputs: int, *, seed: int) -> Tally:
    """So many outputs, each from a seed of its own."""
    tally = Tally()
    for number in range(outputs):
        one(random.Random(f"{seed}/{number}"), tally)
    return tally


def main() -> int:
    """The campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = campaign(options.outputs, seed=options.seed)
    sys.stdout.write(json.dumps(asdict(tally) | {"causes": dict(tally.causes)}) + "\n")
    return 0 if tally.holds() else 1


if __name__ == "__main__":
    sys.exit(main())
