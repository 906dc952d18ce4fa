"""Faults that a device can be told to have, and the chance of each connection to meet them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from backups.simulator.errors import UnknownFault

FAULTS: dict[str, str] = {
    "slow": "each answer, and each piece of a long one, comes late",
    "drop": "the TCP connection dies in the middle of the configuration",
    "truncate": "the configuration stops half way, followed by a normal prompt",
    "refuse-login": "every password and key is refused",
    "endless": "the configuration never ends",
    "lookalike": "the configuration holds a line that looks like the prompt",
    "hostkey": "the device presents another host key than before",
    "invalid": "every command is refused as unknown",
    "hang": "SSH is accepted, then nothing is ever said",
    "garbage": "invalid UTF-8, NUL, ANSI escapes and stray CRs inside the configuration",
    "silent": "TCP is accepted, but no SSH banner comes",
    "sticky-pager": "paging cannot be turned off",
    "accept-and-ignore": "configuration lines are accepted and not carried out",
    "refuse-line": "one configuration line (or each, when none is named) is refused",
    "lockout": "any change of the configuration makes the device unreachable until it is taken back",
}
OF_THE_STATE = frozenset({"lookalike", "lockout"})
"""Faults that are in the configuration or in what happened to it, and not on the wire."""


@dataclass(frozen=True)
class Fault:
    """One fault: its name, the chance that a connection (for those of the state: the device) meets it, and details.

    `seconds` is the delay of `slow`; `line` is the start of the line that `refuse-line` refuses.
    """

    name: str
    rate: float = 1.0
    seconds: float = 0.2
    line: str = ""

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise UnknownFault(f"There is no fault '{self.name}'; choose from: {', '.join(sorted(FAULTS))}.")
        if not 0 <= self.rate <= 1:
            raise UnknownFault(f"The rate of fault '{self.name}' must lie between 0 and 1, not {self.rate:g}.")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `NAME` or `NAME=RATE`."""
        name, sign, rate = text.partition("=")
        try:
            return cls(name.strip(), float(rate) if sign else 1.0)
        except ValueError as exc:
            raise UnknownFault(f"The rate in '{text}' is not a number; write for example {name}=0.1.") from exc


class FaultBox:
    """The faults of one device; each connection draws from it once, and again after every change."""

    def __init__(self, rng: random.Random) -> None:
        self.faults: tuple[Fault, ...] = ()
        self.version = 0
        self._rng = rng

    def set(self, faults: tuple[Fault, ...]) -> None:
        """Replace all faults."""
        self.faults = faults
        self.version += 1

    def always(self, name: str) -> bool:
        """Whether every connection meets the fault."""
        return any(fault.name == name and fault.rate >= 1 for fault in self.faults)

    def draw(self) -> dict[str, Fault]:
        """The faults that one connection meets."""
        return {fault.name: fault for fault in self.faults if fault.rate >= 1 or self._rng.random() < fault.rate}


class FaultDraw:
    """What one connection has drawn. It draws again when the box was changed, so a test can switch in mid-session."""

    def __init__(self, box: FaultBox | None) -> None:
        """Without a box there are never any faults."""
        self._box = box
        self._version = -1
        self._drawn: dict[str, Fault] = {}

    def get(self, name: str) -> Fault | None:
        """The named fault, if this connection meets it."""
        if self._box is not None and self._version != self._box.version:
            self._version = self._box.version
            self._drawn = self._box.draw()
        return self._drawn.get(name)
