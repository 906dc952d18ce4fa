"""The lines that lead from one configuration to another, for systems that take no whole one. Only here: hier_config.

What it works out is right for most lines and wrong for some, so it is shown, judged by `merge_risks.py`, and believed
only when the device was read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from checkpoints.errors import NoWayByLines

if TYPE_CHECKING:
    from hier_config import HConfig, HConfigChild

    Node = HConfig | HConfigChild

Path = tuple[str, ...]

# Marks of the text and no settings; twice in one section they would end the reading.
_MARK = re.compile(r"\s*(?:!.*|end|exit(?:-\S+)?|quit|return|#)\s*")
LEAVE = "exit"
NEGATIONS = ("no ", "undo ", "delete ", "unset ")


@dataclass(frozen=True)
class Change:
    """One line that changes something. `section`: the lines around it, outermost first."""

    line: str
    section: Path = ()

    @property
    def takes_away(self) -> bool:
        """Whether it undoes a line."""
        return self.line.startswith(NEGATIONS)

    @property
    def about(self) -> tuple[str, ...]:
        """The words that say what it is about, whether it sets or undoes that."""
        return about(self.line.partition(" ")[2] if self.takes_away else self.line)


def about(line: str) -> tuple[str, ...]:
    """The first two words of a line, or the first of a line of two."""
    words = line.split()
    return tuple(words[: min(2, max(1, len(words) - 1))])


def remediate(system: str, running: str, target: str) -> tuple[Change, ...]:
    """What has to be said to a device that runs `running` so that it runs `target`, in order.

    `system` is the name that hier_config has for it. Raises NoWayByLines where a text cannot be taken apart.
    """
    from hier_config import Platform, WorkflowRemediation, get_hconfig
    from hier_config.exceptions import DuplicateChildError

    driver = Platform[system]
    try:
        now, then = (get_hconfig(driver, settings_only(text)) for text in (running, target))
        root = WorkflowRemediation(now, then).remediation_config
    except (DuplicateChildError, ValueError, AssertionError) as exc:
        raise NoWayByLines(f"The way line by line cannot be worked out ({exc}); put the file back by hand.") from exc
    return (*leaves(root, ()), *forgotten(now, then, ()))


def settings_only(text: str) -> str:
    """The text without marks and empty lines; what stands in a banner stays."""
    return "\n".join(line for line in text.splitlines() if line.strip() and not _MARK.fullmatch(line))


def leaves(node: Node, section: Path) -> Iterator[Change]:
    """The lines without others inside of them."""
    for child in sorted(node.children):
        if child.children:
            yield from leaves(child, (*section, child.text))
        else:
            yield Change(child.text, section)


def forgotten(now: Node, then: Node, section: Path) -> Iterator[Change]:
    """Lines that are too many and that nothing undoes, undone.

    hier_config takes a line for overwritten by another about the same thing also where both are there already. Then
    the device holds several of them, and the one that is too many has to be named.
    """
    kept = {child.text: child for child in then.children}
    present = {child.text for child in now.children}
    for child in now.children:
        if child.text in kept:
            yield from forgotten(child, kept[child.text], (*section, child.text))
            continue
        other = now.driver.idempotent_for(child, then.children)
        if other is not None and other.text in present:
            yield Change(f"{now.driver.negation_prefix}{child.text}", section)


def typed(changes: Iterable[Change]) -> list[str]:
    """The lines as they are said, each section left before the next one: a device may take a line for the inner one."""
    lines: list[str] = []
    inside: Path = ()
    for change in changes:
        common = shared(inside, change.section)
        lines += [LEAVE] * (len(inside) - common) + list(change.section[common:])
        lines.append(change.line)
        inside = change.section
    return lines + [LEAVE] * len(inside)


def shared(one: Path, other: Path) -> int:
    """How many sections two places have in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
