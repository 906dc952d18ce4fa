"""What goes wrong with mirrors.

MirrorError               a BackupError
|- MirrorRefused          it says no, or may not be used as it stands: a person has to look
|- MirrorUnreachable      no connection, or one that broke off
`- MirrorStranger         an SSH server with another host key than the pinned one
"""

from __future__ import annotations

from backups.errors import BackupError


class MirrorError(BackupError):
    """A mirror could not be brought up to date."""

    cause = "mirror"
    worth_retrying = True


class MirrorRefused(MirrorError):
    """The remote said no, or what is registered cannot work."""

    cause = "mirror-refused"
    worth_retrying = False


class MirrorUnreachable(MirrorError):
    """No connection to the remote, or it ended in the middle."""

    cause = "mirror-unreachable"


class MirrorStranger(MirrorError):
    """The SSH server showed another host key than the pinned one; nothing secret was sent."""

    cause = "mirror-stranger"
    worth_retrying = False

    def __init__(self, sentence: str, *, presented: str = "") -> None:
        """`presented`: the other key, "type base64"; empty where it was not seen."""
        super().__init__(sentence)
        self.presented = presented
