"""What is pushed to a mirror, and what is left alone. Pure.

Three things are compared for each ref: what it names here, what was pushed last, and what it names there. Only what
still is as we left it is ever replaced; git compares it once more when it swaps (`--force-with-lease`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backups.store import layout

KEPT = (layout.EPOCHS, layout.CHECKPOINTS)


@dataclass(frozen=True)
class Move:
    """One ref of the mirror from what it is to what it is to be; None: it is not there."""

    ref: str
    new: str | None
    old: str | None

    def lease(self) -> str:
        """What git has to find there; nothing behind the colon: no such ref."""
        return f"--force-with-lease={self.ref}:{self.old or ''}"

    def refspec(self) -> str:
        """What is pushed; nothing before the colon: it is deleted."""
        return f"{self.new or ''}:{self.ref}"


@dataclass
class Plan:
    """What a mirror lacks."""

    moves: list[Move] = field(default_factory=list)
    foreign: dict[str, str] = field(default_factory=dict)  # ref -> the commit that somebody else has put there
    vanished: list[str] = field(default_factory=list)  # refs that somebody has deleted there
    same: dict[str, str] = field(default_factory=dict)


def is_ours(ref: str) -> bool:
    """Whether a ref of the mirror is one that we push; all others are left alone."""
    return ref == layout.MAIN or ref.startswith(tuple(f"{name}/" for name in KEPT))


def compare(here: Mapping[str, str], ours: Mapping[str, frozenset[str]], there: Mapping[str, str]) -> Plan:
    """What to push. `ours`: of each ref the commits that it may name there because we pushed them."""
    plan = Plan()
    for ref in sorted({*here, *ours, *filter(is_ours, there)}):
        want, found = here.get(ref), there.get(ref)
        if want == found:
            if want is not None:
                plan.same[ref] = want
        elif found is None:
            plan.moves.append(Move(ref, want, None))
            plan.vanished += [ref] if ours.get(ref) else []
        elif found in ours.get(ref, frozenset()):
            plan.moves.append(Move(ref, want, found))
        elif want is not None:
            plan.foreign[ref] = found
            plan.moves.append(Move(ref, want, found))
    return plan
