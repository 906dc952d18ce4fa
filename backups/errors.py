"""The tree of our errors.

    BackupError                 a NetcairnError (inventory/errors.py): what is expected to go wrong while backing up
    |- CollectError             with a device
    |  |- Unreachable           no connection
    |  |- NotSSH                connected, but no SSH server answered
    |  |- AddressRefused        its address is one that no device of ours can have
    |  |- JumpHostFailed        the way to it broke off at a jump host
    |  |- JumpHostRefused       a jump host said no, or is not who it was
    |  |- LoginRefused          the device said no
    |  |  `- LoginPaused        others said no: not tried, so that no account is locked
    |  |- EnableRefused         logged in, but not let into privileged mode
    |  |- HostKeyChanged        not the key that is pinned: nothing secret was sent
    |  |- AlgorithmRefused      no SSH algorithm in common
    |  |- NoPrompt              logged in, but no prompt came that could be relied on
    |  |- PagerFailed           its pager stopped in the middle of an answer
    |  |- LinkLost              the connection ended in the middle
    |  |- DeadlineExceeded      the device took longer than it may
    |  |- OutputTooLarge        the device said more than it may
    |  |- CommandRefused        the device did not know, or not allow, a command of the sheet
    |  |- FileRefused           the device did not take a file, or did not delete one
    |  |- UnknownPlatform       no sheet of that name
    |  |- CredentialUnreachable what keeps the credential's secrets does not answer now
    |  `- NoCredential          the device has no credential, or one without a secret
    |- CannotDisguise         a recording cannot be made fit to be given away
    |- ProcessingFailed         a step of post-processing failed: the capture is kept as the device said it
    |- BadSchedule              a schedule that can never be due as it is written
    |- PatternRefused           what somebody looks for cannot be a pattern
    |- NoSuchVersion            the device has no such version, or the version no such file
    `- StoreError               with a tenant's repository (backups/store/)
       |- StoreBusy             somebody else holds the tenant's lock
       |- StoreDamaged          something that must be there is not, or is not what it was
       |- StoreMoved            the record moved on while we wrote (compare-and-swap lost)
       |- Pruned                retention has removed the content of the version
       |- NoStore               the tenant has no repository yet
       |- QuotaFull             the tenant keeps as much as it may; what is new was not kept
       |- RebuildRefused        the tables cannot be filled from this repository
       |- NameRefused           a name or id that git must never see
       `- GitFailed             git itself failed, or was killed
          |- GitMissing         no git on this machine, or one that is too old
          |- GitTooSlow         it did not end in its time
          |- DiskFull           no space, or no inode, for what it had to write
          `- DiskReadOnly       the disk may not be written to

Each carries one sentence that names the thing and the mend, a `cause` from a closed list, and whether trying
again makes sense.
"""

from __future__ import annotations

from typing import ClassVar

from inventory.errors import NetcairnError


class BackupError(NetcairnError):
    """Something expected went wrong; its text is one sentence for the person who asked."""

    cause: ClassVar[str] = "error"
    worth_retrying: ClassVar[bool] = False
    transcript: str = ""  # what was said before it, without secrets (backups/transcript.py)
    seconds: float | None = None  # of a visit to a device, until it failed


class CollectError(BackupError):
    """A device could not be collected."""

    cause = "collect"
    said = b""  # the beginning of an answer that was not whole


class Unreachable(CollectError):
    """No connection to the device."""

    cause = "unreachable"
    worth_retrying = True


class NotSSH(CollectError):
    """Something answered, but not an SSH server, or not in time."""

    cause = "not-ssh"
    worth_retrying = True


class LoginRefused(CollectError):
    """The device answered and said no. Trying again locks accounts."""

    cause = "login-refused"


class LoginPaused(LoginRefused):
    """Other devices refused the credential one after the other; it was not tried, so that no account is locked."""


class AddressRefused(CollectError):
    """The address is this machine's, the database's, or of a kind that no device has."""

    cause = "address-refused"


class JumpHostFailed(CollectError):
    """A jump host on the way could not be reached, or broke off."""

    cause = "jump-host-failed"
    worth_retrying = True


class JumpHostRefused(CollectError):
    """A jump host on the way refused us, or showed another host key than the pinned one."""

    cause = "jump-host-refused"

    def __init__(self, sentence: str, *, hop: str = "", presented: str = "") -> None:
        """`hop`: the jump host's id; `presented`: the other key that it showed, where it did."""
        super().__init__(sentence)
        self.hop, self.presented = hop, presented


class EnableRefused(CollectError):
    """Logged in, but the enable secret was refused."""

    cause = "enable-refused"


class HostKeyChanged(CollectError):
    """The device showed another host key than the pinned one; no password was sent."""

    cause = "host-key-changed"

    def __init__(self, sentence: str, *, presented: str = "") -> None:
        """`presented`: the other key, "type base64", where it was seen just now."""
        super().__init__(sentence)
        self.presented = presented


class AlgorithmRefused(CollectError):
    """Device and we share no SSH algorithm."""

    cause = "no-common-algorithm"


class NoPrompt(CollectError):
    """Logged in, but what the device says comes to no prompt: wrong platform, or a question that waits."""

    cause = "no-prompt"


class PagerFailed(CollectError):
    """Its pager said that there is more and then showed nothing; turn paging off for the account."""

    cause = "pager-failed"


class LinkLost(CollectError):
    """The connection ended before the answer was complete."""

    cause = "link-lost"
    worth_retrying = True


class DeadlineExceeded(CollectError):
    """The device took longer than it may."""

    cause = "deadline"
    worth_retrying = True


class OutputTooLarge(CollectError):
    """The device said more than it may; a real configuration of that size needs a higher limit."""

    cause = "too-large"


class CommandRefused(CollectError):
    """The device refused a command of its platform's sheet: wrong platform, or too few rights."""

    cause = "command-refused"


class FileRefused(CollectError):
    """The device did not take a file, or did not delete one."""

    cause = "file-refused"


class UnknownPlatform(CollectError):
    """There is no sheet for the device's platform."""

    cause = "unknown-platform"


class NoCredential(CollectError):
    """The device cannot be logged in to: it has no credential, or one that holds no secret."""

    cause = "no-credential"


class CredentialUnreachable(CollectError):
    """The secrets are kept elsewhere, and that does not answer now. The device was not asked."""

    cause = "credential-unreachable"
    worth_retrying = True


class CannotDisguise(BackupError):
    """What a device said cannot be disguised so that it is still what such a device says; nothing was written."""

    cause = "cannot-disguise"


class ProcessingFailed(BackupError):
    """A step of post-processing failed, took too long, or left what cannot be kept; nothing of it counts."""

    cause = "processing-failed"


class BadSchedule(BackupError):
    """A schedule's cron text, time zone or windows mean no moment at all."""

    cause = "bad-schedule"


class PatternRefused(BackupError):
    """What somebody looks for cannot be a pattern: empty, of several lines, or no regular expression."""

    cause = "pattern-refused"


class NoSuchVersion(BackupError):
    """The device has no such version, or the version no such file."""

    cause = "no-such-version"


class StoreError(BackupError):
    """A tenant's repository could not do what was asked."""

    cause = "store"


class StoreBusy(StoreError):
    """Somebody else held the tenant's lock for longer than we wait."""

    cause = "store-busy"
    worth_retrying = True


class StoreDamaged(StoreError):
    """Something that must be in the repository is missing or is not what it was; nothing is written over it."""

    cause = "store-damaged"


class StoreMoved(StoreError):
    """Another writer was first; nothing of ours was kept."""

    cause = "store-moved"
    worth_retrying = True


class GitFailed(StoreError):
    """git could not be run, failed or took too long; nothing half written counts."""

    cause = "git-failed"
    worth_retrying = True


class GitMissing(GitFailed):
    """There is no git on this machine that can be used."""

    cause = "git-missing"
    worth_retrying = False


class GitTooSlow(GitFailed):
    """git did not end in the time it was given, and was killed."""

    cause = "git-too-slow"


class DiskFull(GitFailed):
    """The disk, or somebody's share of it, is full; nothing of the batch was kept."""

    cause = "disk-full"
    worth_retrying = False


class DiskReadOnly(GitFailed):
    """The disk may not be written to, as the system does it to one that fails; nothing of the batch was kept."""

    cause = "disk-read-only"
    worth_retrying = False


class Pruned(StoreError):
    """The version is known, but its content was removed by the tenant's retention policy."""

    cause = "pruned"


class Lost(Pruned):
    """The version or checkpoint is known, but a disk has lost content of it, and somebody has accepted that."""

    cause = "lost"


class NoStore(StoreError):
    """The tenant has no repository yet; the first backup makes it."""

    cause = "no-store"


class QuotaFull(StoreError):
    """The tenant keeps as much as it may; all that was kept stays, and nothing new comes."""

    cause = "quota-full"


class RebuildRefused(StoreError):
    """What the repository holds is not this tenant's record, or not one line of it; no row was touched."""

    cause = "rebuild-refused"


class NameRefused(StoreError):
    """A name or an object id is not of the form that may become part of a path or an argument."""

    cause = "name-refused"
