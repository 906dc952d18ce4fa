"""By what a network system is recognised before anybody has said which it is. Pure: what a device said in, names out.

Each sheet has its own signs. A *sure* sign is one that no other system gives; any other only says where to look
further. What is asked are harmless commands that show a version and change nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

SSH = "ssh"  # the software that the SSH server says it is: "Cisco-1.25"
GREETING = "greeting"  # all that comes before the first prompt, and the prompt itself
USUAL = "show version"  # what most systems understand
QUOTED = 80  # characters of a device's own words in a proposal


@dataclass(frozen=True)
class Sign:
    """What a system says in one place: SSH, GREETING, or the answer to a command."""

    pattern: str  # in ASCII; ^ and $ are the ends of a line
    where: str = USUAL
    sure: bool = True


@dataclass(frozen=True)
class Proposal:
    """A system that a device may run, and why."""

    slug: str
    label: str
    sure: bool
    because: str  # where it stood, and the device's own words


@dataclass(frozen=True)
class Known:
    """A system and its signs."""

    slug: str
    label: str
    signs: tuple[Sign, ...]


def proposals(known: Iterable[Known], said: Mapping[str, str]) -> list[Proposal]:
    """The systems whose signs were seen, surest first; `said` maps where -> what was said there."""
    found = [proposal for one in known if (proposal := _proposal(one, said))]
    return sorted(found, key=lambda proposal: (not proposal.sure, proposal.slug))


def next_question(known: Iterable[Known], said: Mapping[str, str]) -> str | None:
    """The command whose answer would tell most; None when it is known already, or nothing is left to ask.

    First what would settle the systems that there are signs of, then what settles most of all others.
    """
    known = list(known)
    seen = proposals(known, said)
    if any(proposal.sure for proposal in seen):
        return None
    suspected = {proposal.slug for proposal in seen}
    questions = Counter[str]()
    for one in known:
        for where in {sign.where for sign in one.signs if sign.sure} - {SSH, GREETING} - said.keys():
            questions[where] += len(known) if one.slug in suspected else 1
    return questions.most_common(1)[0][0] if questions else None


def _proposal(known: Known, said: Mapping[str, str]) -> Proposal | None:
    seen = sorted(_seen(known, said), key=lambda pair: not pair[0].sure)
    if not seen:
        return None
    sign, words = seen[0]
    place = {SSH: "its SSH server is", GREETING: "it greets with"}.get(sign.where, f"it answers '{sign.where}' with")
    return Proposal(known.slug, known.label, sign.sure, f"{place} '{words}'")


def _seen(known: Known, said: Mapping[str, str]) -> Iterator[tuple[Sign, str]]:
    for sign in known.signs:
        found = re.search(sign.pattern, said.get(sign.where, ""), re.MULTILINE | re.ASCII)
        if found:
            yield sign, " ".join(found.group().split())[:QUOTED]
