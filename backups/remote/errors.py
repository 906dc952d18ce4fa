"""What can go wrong with an object store or a mirror; the rest of the tree is in `backups/errors.py`.

StoreError
`- RemoteError
   |- RemoteFailed    it did not answer, or not in time
   |- RemoteRefused   it said no, or cannot do what is needed: a person has to look
   |- RemoteStranger  a mirror's SSH server with another host key than the pinned one
   |- RemoteMissing   an object is not there
   |- RemoteMoved     somebody else was first (compare-and-swap lost)
   |- RemoteDamaged   an object is not what it was, or not signed by us
   `- RemoteAhead     it knows of later changes than the database
"""

from __future__ import annotations

from backups.errors import StoreError


class RemoteError(StoreError):
    """What is kept elsewhere could not do what was asked."""

    cause = "remote"


class RemoteFailed(RemoteError):
    """It did not answer, answered with a failure of its own, broke off, or took too long."""

    cause = "remote-failed"
    worth_retrying = True


class RemoteRefused(RemoteError):
    """It refuses us, or its address, or what is registered, cannot be used as it stands."""

    cause = "remote-refused"


class RemoteStranger(RemoteError):
    """The SSH server showed another host key than the pinned one; nothing secret was sent."""

    cause = "remote-stranger"

    def __init__(self, sentence: str, *, presented: str = "") -> None:
        """`presented`: the other key, "type base64"; empty where it was not seen."""
        super().__init__(sentence)
        self.presented = presented


class RemoteMissing(RemoteError):
    """An object that must be there is not."""

    cause = "remote-missing"


class RemoteMoved(RemoteError):
    """Another writer was first; nothing of ours is named by the pointer."""

    cause = "remote-moved"
    worth_retrying = True


class RemoteDamaged(RemoteError):
    """An object is not what it was, or was not signed by one of our keys; nothing of it is used."""

    cause = "remote-damaged"


class RemoteAhead(RemoteError):
    """The object store knows of later changes than the database: it is not overwritten with what is older."""

    cause = "remote-ahead"
