"""What `fsck --accept-loss` does to checkpoints: one that has lost content keeps its row, and says so."""

from __future__ import annotations

from backups.fsck.accepting import Turn
from backups.store import layout
from backups.store.replaying import is_complete
from backups.store.writer import RefMove
from checkpoints.models import Checkpoint


def accept(turn: Turn) -> list[str]:
    """Mark the checkpoints whose content is not all there; their names. In the turn's transaction.

    What is left of one stays where it was, held by its ref: some of it may be kept by nothing else.
    """
    lost = []
    for row in Checkpoint.objects.filter(tenant=turn.tenant):
        row.commit = turn.commit_at(row.seq) or row.commit
        if not is_complete(turn.store.git, row.pin):
            row.lost_at = row.lost_at or turn.now
            row.pin = what_is_left(turn, row)
            turn.moves.append(RefMove(layout.checkpoint_ref(row.pk), row.pin, None))
            lost.append(f"{row.short_id} ({row})")
        row.save(update_fields=["commit", "lost_at", "pin"])
    return lost


def what_is_left(turn: Turn, row: Checkpoint) -> str:
    """A commit with the versions of the checkpoint's moment that are whole; it tells `fsck --rebuild` so."""
    trailers = {"Tenant": str(turn.tenant.pk), "Checkpoint": str(row.pk), "Lost": turn.now.isoformat()}
    return turn.write_files(row.seq, row.message, trailers, row.author, row.created_at)
