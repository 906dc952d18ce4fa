"""What of a change could cut the way to the device that is being changed. Pure.

Nothing here knows a platform: lines are read with the sections around them, and the field's own words are looked for.
A warning too many costs a glance; one too few costs somebody a journey.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

MAX_DEPTH = 12  # sections in sections; a device may be hostile
EXAMPLES = 3
Path = tuple[str, ...]  # a line with the lines of the sections around it, outermost first


@dataclass(frozen=True)
class Risk:
    """One way to lose a device."""

    what: str
    pattern: re.Pattern[str]


def _risk(what: str, *patterns: str) -> Risk:
    return Risk(what, re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE | re.ASCII))


RISKS = (
    _risk(
        "The management interface, or the way to it, changes",
        r"^interfaces? (?:ethernet )?(?:management|mgmt|fxp|em\d|me\d|vme|ma\d)",
        r"\bip default-gateway\b",
        r"\broute (?:vrf \S+ )?(?:0\.0\.0\.0[ /]|::/0)",
        r"\bmgmt\b|\bmanagement (?:instance|vrf)\b",
    ),
    _risk("How logins are checked (AAA) changes", r"\baaa\b|\btacacs|\btacplus|\bradius|\bauthentication-order\b"),
    _risk("Users or their passwords change", r"^username |\blogin user\b|^enable (?:secret|password)|^/user\b"),
    _risk(
        "The lines or services that sessions come in by change",
        r"^line (?:vty|con|aux|default)|\bip ssh\b|\bservices? (?:ssh|telnet|netconf)\b|^management (?:ssh|api)"
        r"|\btransport input\b|^/ip service\b|^no ip ssh",
    ),
    _risk(
        "A filter changes that the session may have to pass",
        r"\baccess-(?:list|group|class)\b|\bfirewall\b|\bfilter (?:input|output)\b|^control-plane\b|\bprefix-list\b",
    ),
    _risk("The device's name changes", r"^hostname |\bhost-name\b|^/system identity\b"),
    _risk(
        "Keys, certificates or tunnels change",
        r"^crypto |\bpki\b|\bcertificate|\bssh-(?:rsa|ed25519|dss)\b|\bkey chain\b|\bipsec\b|\bwireguard\b",
        r"\bprivate-key\b",
    ),
)


def risks(
    current: str, target: str, *, address: str = "", hide: Callable[[str], str] = str
) -> list[tuple[str, list[str]]]:
    """What the way from one text to the other could cut: (what, the first lines that do it).

    `address` is where the device is reached: the section that holds it counts as the management interface. `hide`
    masks a text line by line: secrets decide, and are not shown.
    """
    changed = changed_lines(current, target)
    shown = {raw: seen for text in (current, target) for raw, seen in zip(paths(text), paths(hide(text)), strict=False)}
    found = [(risk.what, [path for path in changed if risk.pattern.search(" ".join(path))]) for risk in RISKS]
    homes = homes_of(address, (current, target)) if address else set()
    reached_by = [path for path in changed if any(belongs_to(path, home) for home in homes)]
    found.insert(0, (f"The interface with the address {address}, by which the device is reached, changes", reached_by))
    return [(what, examples(lines, shown)) for what, lines in found if lines]


def examples(lines: list[Path], shown: dict[Path, Path]) -> list[str]:
    """The first few lines as people may see them."""
    told = [" / ".join(shown.get(path, path[:1])) for path in lines[:EXAMPLES]]
    return [*told, *([f"and {len(lines) - EXAMPLES} more"] if len(lines) > EXAMPLES else [])]


def changed_lines(current: str, target: str) -> list[Path]:
    """Lines that only one of the two texts has, with their sections. An order that changes is not seen."""
    old, new = Counter(paths(current)), Counter(paths(target))
    return list(dict.fromkeys([*(old - new), *(new - old)]))


def homes_of(address: str, texts: Iterable[str]) -> set[str]:
    """The interfaces (or whatever it is) that hold an address, as the beginnings of the lines that belong to them."""
    word = re.compile(rf"(?<![\w.:]){re.escape(address)}(?![\w.:])")
    holding = (path for text in texts for path in paths(text) if word.search(path[-1]))
    return {home_of(path) for path in holding} - {""}


def home_of(path: Path) -> str:
    """`interface Vlan10`, `interfaces ge-0/0/0`, or what stands before `address` where a line says all of it."""
    return " ".join(path[: min(2, len(path) - 1)]) if len(path) > 1 else path[0].partition(" address ")[0]


def belongs_to(path: Path, home: str) -> bool:
    """Whether a line is part of what begins so."""
    return f"{' '.join(path)} ".startswith(f"{home} ")


def paths(text: str) -> Iterator[Path]:
    """Each line with the lines of less indentation above it; RouterOS' menus count as sections."""
    around: list[tuple[int, str]] = []
    for raw in text.splitlines():
        line = raw.strip().rstrip("{;").rstrip()
        if not line or line[0] in "!}#":
            continue
        depth = len(raw) - len(raw.lstrip(" "))
        menu = line.startswith("/")
        while around and around[-1][0] >= depth and not (around[-1][1].startswith("/") and not menu):
            around.pop()
        words = line.removeprefix("set ") if not around else line
        yield (*(each for _, each in around), words)
        if len(around) < MAX_DEPTH and (menu or not around or not around[0][1].startswith("/")):
            around.append((depth, words))
