"""What is expected to go wrong with checkpoints; a branch of the tree in `backups/errors.py`.

BackupError
`- CheckpointError
   |- UnknownVersion       no snapshot, checkpoint, ref or device is meant by the text
   |- AmbiguousVersion     several are
   |- NothingKept          the tenant, or a chosen device, has no snapshot yet
   |- BadName              a ref, tag or message that cannot be used
   |- RefMoved             the ref does not name what the caller thought (compare-and-swap lost)
   |- StillNamed           a checkpoint that a ref names cannot be deleted
   |- Deleted              the checkpoint is deleted; it can be undeleted until the garbage is collected
   |- OnHold               a legal hold keeps everything of the tenant
   |- CollectionRefused    something that is kept cannot be read: nothing is deleted
   |- CollectionStopped    somebody stopped the collection; nothing is half done
   |- SecretUnfit          what is to be purged is no secret that could be found and named
   |- PlanOutdated         the record has moved on since the plan was shown
   |- NotComparable        the two versions have nothing to do with each other
   |- NotSeen              the running device could not be looked at
   |- ExportRefused        the target of an export is taken
   |- RestoreError         putting a version back onto a device
   |  |- RestoresStopped   nobody may restore anything at the moment
   |  |- OutsideWindow     the tenant's devices are changed at other times only
   |  |- DeviceTaken       another restore of the device is under way, or nobody knows what the last one left
   |  |- WrongMoment       the restore is not in a state in which this can be done
   |  |- NotRestorable     the plan says why it must not be carried out
   |  |- SamePerson        who asked for it may not be the one who approves it
   |  |- RestoreLost       another process has taken the restore over: this one stops
   |  `- LineRefused       the device said no to a line
   `- PatchUnreadable      git's patch is not one
"""

from __future__ import annotations

from collections.abc import Iterable

from backups.errors import BackupError
from inventory.errors import Ambiguous, NotFound


class CheckpointError(BackupError):
    """Something expected went wrong with a checkpoint."""

    cause = "checkpoint"


class UnknownVersion(CheckpointError, NotFound):
    """No snapshot, checkpoint, ref or device is meant by what was typed."""

    cause = "unknown-version"


class AmbiguousVersion(CheckpointError, Ambiguous):
    """What was typed means more than one thing."""

    cause = "ambiguous-version"


class NothingKept(CheckpointError):
    """There is no snapshot yet that a checkpoint could hold."""

    cause = "nothing-kept"


class BadUpload(CheckpointError):
    """What somebody brings is not a set of files of devices."""

    cause = "bad-upload"


class NotCaptured(CheckpointError):
    """The files were brought by somebody, and no device has ever said them."""

    cause = "not-captured"


class BadName(CheckpointError):
    """A ref, a tag or a message that cannot be used as it stands."""

    cause = "bad-name"


class RefMoved(CheckpointError):
    """The ref no longer names what the caller saw; nothing was moved."""

    cause = "ref-moved"


class StillNamed(CheckpointError):
    """A checkpoint that a ref names cannot be deleted."""

    cause = "still-named"


class Deleted(CheckpointError):
    """The checkpoint is deleted; undelete it first."""

    cause = "deleted"


class OnHold(CheckpointError):
    """A legal hold keeps everything of the tenant: nothing may be marked, swept or purged."""

    cause = "on-hold"


class CollectionStopped(CheckpointError):
    """Somebody has stopped the collection; what it had done is done, and the next one goes on from there."""

    cause = "collection-stopped"


class SecretUnfit(CheckpointError):
    """What is to be purged is empty, or so short that it would tear up texts that have nothing to do with it."""

    cause = "secret-unfit"


class PlanOutdated(CheckpointError):
    """The record has moved on since the plan was shown; look at a new plan."""

    cause = "plan-outdated"


class NotComparable(CheckpointError):
    """The two versions have nothing to do with each other."""

    cause = "not-comparable"


class NotSeen(CheckpointError):
    """The running device could not be looked at, so there is nothing to compare with."""

    cause = "not-seen"


class ExportRefused(CheckpointError):
    """The target of an export is taken, or is nothing that may be replaced."""

    cause = "export-refused"


class CollectionRefused(CheckpointError):
    """Something that is kept is missing or damaged: nothing is deleted. `reasons` has a sentence for each."""

    cause = "collection-refused"

    def __init__(self, reasons: Iterable[str]) -> None:
        """Say all of it."""
        self.reasons = tuple(reasons)
        super().__init__(" ".join(self.reasons))


class PatchUnreadable(CheckpointError):
    """What git printed is no patch: a bug, or a git that we do not know."""

    cause = "patch-unreadable"


class RestoreError(CheckpointError):
    """Something expected went wrong with putting a version back onto a device."""

    cause = "restore"


class RestoresStopped(RestoreError):
    """The kill switch is on."""

    cause = "restores-stopped"


class OutsideWindow(RestoreError):
    """The tenant wants its devices changed at other times only."""

    cause = "outside-window"


class DeviceTaken(RestoreError):
    """Another restore of the device is under way, or ended so that a person has to look at the device first."""

    cause = "device-taken"


class WrongMoment(RestoreError):
    """The restore is not in a state in which this can be done."""

    cause = "wrong-moment"


class NotRestorable(RestoreError):
    """Something stands in the way; the plan says what."""

    cause = "not-restorable"


class SamePerson(RestoreError):
    """Four eyes are wanted, and two of them are the same."""

    cause = "same-person"


class RestoreLost(RestoreError):
    """Another process has taken the restore over, because this one was not heard of in time."""

    cause = "restore-lost"


class LineRefused(RestoreError):
    """The device did not accept a line; nothing after it was said."""

    cause = "line-refused"


class NoWayByLines(RestoreError):
    """The lines that lead from one configuration to the other cannot be worked out."""

    cause = "no-way-by-lines"
