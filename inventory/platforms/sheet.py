"""What the data sheet of a network operating system may say.

A sheet is one module beside this one with one `PLATFORM`. It holds no code: commands, how to recognise a complete
answer, and three cleanings that are kept apart. *Volatile* lines never count as a change, *secrets* are masked for
eyes without the right, *refusals* and *completeness* only judge. None of them touches what is stored, because what is
stored must be fit to be put back.

All patterns are regular expressions over bytes decoded as latin-1, matched line by line (`re.MULTILINE`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verified = Literal["system", "recording", "manual", "none"]


@dataclass(frozen=True)
class Command:
    """One line that is said to a device, and the file that its answer becomes."""

    line: str
    filename: str
    complete_when: str | None = None  # must match near the end of the answer; None: only the prompt shows the end
    min_bytes: int = 20  # anything shorter is no configuration
    optional: bool = False  # refused by some models, which simply have none
    fallbacks: tuple[str, ...] = ()  # other lines for the same file, tried in order when the device refuses


@dataclass(frozen=True)
class Restore:
    """How a version gets back onto the device, honestly."""

    way: Literal["replace", "candidate", "merge", "file", "none"]
    note: str  # what it does, or why there is no way


@dataclass(frozen=True)
class Platform:
    """A network operating system as Netcairn knows it."""

    slug: str  # netmiko's device type where one fits, else vendor_os
    label: str
    netmiko_type: str
    commands: tuple[Command, ...]
    restore: Restore
    verified: Verified
    source: str  # what it was verified against, or whose manual
    enable: bool = False  # asks for the enable secret where one is given
    comment: str = "!"
    volatile: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()  # (?P<keep>what stays) and then what is masked
    refusals: tuple[str, ...] = ()
    pager: tuple[str, ...] = ()  # prompts of a pager that cannot be turned off
    save: tuple[str, ...] = ()  # running-config into startup-config
