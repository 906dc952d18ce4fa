r"""What a blank in a pattern for secrets stands for: any blanks, because devices align their lines, some with tabs.

Who writes a pattern writes what one device says. Another release, or another device of the same family, puts its
values in a column: `set snmp community read-only      NAME` (CatOS).
"""

from __future__ import annotations

import re

# No more than so many, and none of them given back: a hostile line of blanks is read once. What is repeated is a class
# and no group, so Python before 3.11.5 does it rightly, too.
_SOME = r"[ \t]{1,60}+"
_MAYBE = r"[ \t]{0,60}+"

_PIECE = re.compile(
    r"(?P<maybe>(?: |\[ \\t\])\?(?![+?]))"
    r"|(?P<counted> (?=[+*{]))"
    # At the beginning of a line it is how deep the line stands, and stays; so does one that may be missing (` ??`).
    r"|(?P<one>(?<![\^ ]) (?![ ?]))"
    r"|(?P<behind>\(\?<[=!])|(?P<opens>\()|(?P<closes>\))"
    r"|\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]| +"  # an escaped sign, a set, blanks that are counted
)
_VERBOSE = re.compile(r"\(\?[a-z]*x")  # there a blank means nothing


def any_blanks(pattern: str) -> str:
    """The pattern with any blanks where it has one; where it looks behind, whose width is fixed, a blank or a tab."""
    if _VERBOSE.search(pattern):
        return pattern
    depth = behind = 0  # how many parentheses are open, and which of them looks behind

    def piece(found: re.Match[str]) -> str:
        nonlocal depth, behind
        kind = found.lastgroup
        if kind in ("behind", "opens"):
            depth += 1
            behind = behind or (depth if kind == "behind" else 0)
        elif kind == "closes":
            behind = behind if behind < depth else 0
            depth -= 1
        instead = {"maybe": _MAYBE, "counted": r"[ \t]", "one": r"[ \t]" if behind else _SOME}
        return instead.get(kind or "", found.group())

    return _PIECE.sub(piece, pattern)
