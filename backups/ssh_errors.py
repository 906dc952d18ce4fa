"""What went wrong while getting into a device, in our words. The texts of libraries and devices stay out of it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from time import monotonic

import paramiko

from backups.errors import (
    AlgorithmRefused,
    CollectError,
    DeadlineExceeded,
    EnableRefused,
    HostKeyChanged,
    LinkLost,
    LoginRefused,
    NoCredential,
    NoPrompt,
    NotSSH,
)
from backups.ssh_link import place_of
from backups.transport import Target

_NO_SERVER = ("protocol banner", "Indecipherable", "Invalid SSH banner", "No existing session")


class Stage(Enum):
    """How far we had come."""

    CONNECTING = "no SSH server has shown a key yet"
    LOGGING_IN = "its key is right, and it has not let us in yet"
    INSIDE = "it gave us a terminal"


def translated(exc: BaseException, target: Target, *, deadline: float, stage: Stage) -> CollectError:
    """Our error for whatever netmiko or paramiko raised. `deadline` is on the monotonic clock."""
    chain = list(_chain(exc))
    for one in chain:
        if isinstance(one, CollectError):
            return one
    place = place_of(target)
    if monotonic() >= deadline:
        return DeadlineExceeded(f"{place} was not done in its time; raise the deadline if it is that slow.")
    text = " ".join(str(one) for one in chain)
    if any(isinstance(one, paramiko.ssh_exception.IncompatiblePeer) for one in chain):
        return AlgorithmRefused(
            f"{place} has no SSH algorithm that is allowed for it; "
            "update the device, or mark it for legacy algorithms if it cannot be."
        )
    if stage is Stage.CONNECTING:
        return _while_connecting(place, text)
    if stage is Stage.LOGGING_IN:
        return _while_logging_in(place, chain, text, target)
    return _inside(place, chain)


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """The exception and everything that it came from."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or exc.__context__


def _while_connecting(place: str, text: str) -> CollectError:
    if any(words in text for words in _NO_SERVER):
        return NotSSH(f"{place} took the connection, but no SSH server answered; check the port, then try again.")
    if "Signature verification" in text:
        return HostKeyChanged(f"{place} cannot prove that the host key that it shows is its own; nothing was sent.")
    return LinkLost(f"{place} broke the connection off while SSH was being set up; try again.")


def _while_logging_in(place: str, chain: list[BaseException], text: str, target: Target) -> CollectError:
    if "No authentication methods available" in text:
        return NoCredential(f"There is neither password nor key to log in to {place} with.")
    if any(isinstance(one, paramiko.AuthenticationException) for one in chain):
        if "saw EOF" in text or "Authentication timeout" in text:
            return LinkLost(f"{place} broke the connection off while we logged in; try again.")
        return LoginRefused(f"{place} refused user {target.username}; correct its credential before trying again.")
    if any(isinstance(one, paramiko.ChannelException) for one in chain):
        return LinkLost(f"{place} let us in but gave us no terminal; perhaps all its lines are taken.")
    return LinkLost(f"{place} broke the connection off; try again.")


def _inside(place: str, chain: list[BaseException]) -> CollectError:
    if isinstance(chain[0], paramiko.AuthenticationException):  # some drivers have to log in a second time
        return EnableRefused(f"{place} let us in, but not into its privileged mode; give it an enable secret.")
    if isinstance(chain[0], OSError | EOFError):
        return LinkLost(f"{place} broke the connection off; try again.")
    return NoPrompt(f"{place} let us in, but its session could not be made ready; is its platform right?")
