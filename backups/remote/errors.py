"""What can go wrong with the object store; the rest of the tree is in `backups/errors.py`.

StoreError
`- RemoteError
   |- RemoteFailed   it did not answer, or not in time
   |- RemoteRefused  it said no, or cannot do what is needed
   |- RemoteMissing  an object is not there
   |- RemoteMoved    somebody else was first (compare-and-swap lost)
   |- RemoteDamaged  an object is not what it was, or not signed by us
   `- RemoteAhead    it knows of later changes than the database
"""

from __future__ import annotations

from backups.errors import StoreError


class RemoteError(StoreError):
    """The object store could not do what was asked."""

    cause = "remote"


class RemoteFailed(RemoteError):
    """The object store did not answer, answered with a failure of its own, or took too long."""

    cause = "remote-failed"
    worth_retrying = True


class RemoteRefused(RemoteError):
    """The object store refuses us, or its address cannot be used as it stands."""

    cause = "remote-refused"


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
