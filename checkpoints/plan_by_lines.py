"""The part of a plan for systems that take no whole configuration: line after line, with what is dangerous about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checkpoints.diff import visible
from checkpoints.errors import NoWayByLines
from checkpoints.merge_risks import EXAMPLES, dangers, unsayable
from checkpoints.remediation import remediate, typed
from inventory.platforms.masking import mask
from inventory.platforms.procedure import Line
from inventory.platforms.sheet import Platform


@dataclass(frozen=True)
class ByLines:
    """What would be said, and why one may not want to."""

    lines: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def by_lines(platform: Platform, now: str, then: str) -> ByLines:
    """The way from one text to the other; nothing where the system takes a whole one."""
    if not platform.restore.merge:
        return ByLines()
    try:
        changes = remediate(platform.restore.merge, now, then)
    except NoWayByLines as exc:
        return ByLines(obstacles=(str(exc),))
    told = tuple(f"{what}: {listed(platform, lines)}." for what, lines in dangers(changes, then))
    hanging = unsayable(changes)
    said = typed(changes)
    return ByLines(
        tuple(Line(text, shown=shown) for text, shown in zip(said, masked(platform, said), strict=True)),
        told,
        (f"These cannot be said line by line, do them by hand first: {listed(platform, hanging)}.",) if hanging else (),
    )


def masked(platform: Platform, lines: Sequence[str]) -> list[str]:
    """The lines as they may be shown and kept in a row: without secrets, harmless for a terminal."""
    return [visible(mask(platform, line).replace("\n", " / ").encode("latin-1")) for line in lines]


def listed(platform: Platform, lines: Sequence[str]) -> str:
    """The first few of them."""
    rest = [f"and {len(lines) - EXAMPLES} more"] if len(lines) > EXAMPLES else []
    return "; ".join([*masked(platform, lines[:EXAMPLES]), *rest])
