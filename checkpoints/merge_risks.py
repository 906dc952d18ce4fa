"""What is dangerous about going from line to line instead of replacing a whole configuration. Pure.

Seen with hier_config on real configurations: a line is taken away and set again right after, so that the users, the
filter or the way in are gone for a moment; `shutdown` is added where the version says nothing; a physical port is to be
removed, which devices refuse; a banner or a certificate of several lines hangs a session that says line after line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from checkpoints.remediation import Change

EXAMPLES = 5

_ALL_VLANS = re.compile(r"no (?:switchport|vlan) trunk allowed\b(?: vlan)?(?: [\d,-]+)?")
_PORT = re.compile(
    r"no interface (?:\d|(?:\S*ethernet|gigabit|ten|forty|hundred|fast|mgmt|management)\S*)", re.IGNORECASE
)
_NOT_BY_LINE = re.compile(
    r"(?:no )?(?:banner\b|crypto pki certificate\b|certificate\b|crypto pki ta-profile\b)", re.IGNORECASE
)


def dangers(changes: Sequence[Change], target: str) -> Iterator[tuple[str, list[str]]]:
    """What a person has to know before these lines are said: (what, the lines)."""
    found = (
        ("Taken away for a moment, then set again", taken_away_for_a_moment(changes)),
        ("Open to all VLANs for a moment", matching(changes, _ALL_VLANS)),
        ("Said, although the version does not hold them", not_in(changes, target)),
        ("A port cannot be removed: the device will refuse it, and the rest is not said", matching(changes, _PORT)),
    )
    return ((what, lines) for what, lines in found if lines)


def unsayable(changes: Sequence[Change]) -> list[str]:
    """Lines that cannot be said one by one: they are the beginning of a text that the device reads to its end."""
    return [line for line in lines_of(changes) if "\n" in line or _NOT_BY_LINE.match(line)]


def taken_away_for_a_moment(changes: Sequence[Change]) -> list[str]:
    """Lines undone, about whose thing another line of the same section is set."""
    set_again = {(change.section, change.about) for change in changes if not change.takes_away}
    return [change.line for change in changes if change.takes_away and (change.section, change.about) in set_again]


def not_in(changes: Sequence[Change], target: str) -> list[str]:
    """Lines that set what the version does not say."""
    said = {line.strip() for line in target.splitlines()}
    lists = {line.rpartition(" ")[0] for line in said if "," in line or "-" in line.rpartition(" ")[2]}
    return [
        change.line
        for change in changes
        if not change.takes_away and change.line not in said and change.line.rpartition(" ")[0] not in lists
    ]


def matching(changes: Sequence[Change], pattern: re.Pattern[str]) -> list[str]:
    """Lines that begin so."""
    return [line for line in lines_of(changes) if pattern.fullmatch(line)]


def lines_of(changes: Sequence[Change]) -> list[str]:
    """Their texts."""
    return [change.line for change in changes]
