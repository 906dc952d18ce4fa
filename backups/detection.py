"""Which system a device runs: a look at its SSH server, its greeting, and the answers to a few harmless questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backups.device_session import DeviceSession
from backups.errors import DeadlineExceeded, LinkLost, PagerFailed
from backups.netmiko_transport import NetmikoTransport
from backups.transport import Limits, Target
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, SSH, USUAL, Known, Proposal, next_question, proposals

MOST_QUESTIONS = 6
LIMITS = Limits(deadline=45.0, connect=10.0, idle=8.0, max_bytes=1_000_000)

# How a device is talked to whose system nobody knows: nothing is set, pagers of every kind are read through.
STRANGER = Platform(
    slug="stranger",
    label="A system that is not known yet",
    netmiko_type="generic",
    commands=(Command(line=USUAL, filename="version.txt"),),
    ansi=True,
    restore=Restore(way="none", note="It is not known what it is."),
    verified="none",
    source="no system at all",
)


@dataclass(frozen=True)
class Detected:
    """What a look at a device brought."""

    proposals: tuple[Proposal, ...]  # surest first; empty when nothing of it was recognised

    @property
    def sure(self) -> Proposal | None:
        """The one system that it must be; None when none or several are left."""
        certain = [proposal for proposal in self.proposals if proposal.sure]
        return certain[0] if len(certain) == 1 else None


def detect(
    target: Target, sheets: Iterable[Platform], *, transport: NetmikoTransport, limits: Limits = LIMITS
) -> Detected:
    """Log in to a device and find out what it runs; nothing is changed or stored there.

    Raises a CollectError when the device cannot be reached or logged in to.
    """
    known = [Known(sheet.slug, sheet.label, sheet.signs) for sheet in sheets]
    with transport.open(target, STRANGER, limits) as session:
        said = {SSH: session.identification, GREETING: session.greeting}
        for _ in range(MOST_QUESTIONS):
            question = next_question(known, said)
            if question is None or not _ask(session, question, said):
                break
    return Detected(tuple(proposals(known, said)))


def _ask(session: DeviceSession, question: str, said: dict[str, str]) -> bool:
    """Take down the answer; whether another question makes sense after it.

    Some systems hang up on a line that they do not know, answer it with a menu, or stop behind the first page: what was
    seen until then still counts.
    """
    answer, whole = b"", True
    try:
        answer = session.run(question)
    except (DeadlineExceeded, LinkLost, PagerFailed) as exc:
        answer, whole = exc.said, False
    said[question] = answer.decode("latin-1").replace("\r", "")
    return whole
