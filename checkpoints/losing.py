"""What `fsck --accept-loss` does to checkpoints: one that has lost content keeps its row, and says so."""

from __future__ import annotations

from backups.fsck.accepting import CHUNK, Turn
from backups.store import layout
from backups.store.replaying import complete
from backups.store.writer import RefMove
from checkpoints.making import told_of
from checkpoints.models import Checkpoint


def accept(turn: Turn) -> list[str]:
    """Mark the checkpoints whose content is not all there; their names. In the turn's transaction.

    What is left of one stays where it was, held by its ref: some of it may be kept by nothing else.
    """
    lost = []
    rows = list(Checkpoint.objects.filter(tenant=turn.tenant))
    whole = complete(turn.store.git, (row.pin for row in rows))
    for row in rows:
        row.commit = turn.commit_at(row.seq) or row.commit
        if row.pin not in whole:
            row.lost_at = row.lost_at or turn.now
            row.pin = what_is_left(turn, row)
            turn.moves.append(RefMove(layout.checkpoint_ref(row.pk), row.pin, None))
            lost.append(f"{row.short_id} ({row})")
    Checkpoint.objects.bulk_update(rows, ["commit", "lost_at", "pin"], batch_size=CHUNK)
    return lost


def what_is_left(turn: Turn, row: Checkpoint) -> str:
    """A commit with the versions of the checkpoint's moment that are whole; it tells `fsck --rebuild` so."""
    trailers = {"Tenant": str(turn.tenant.pk), "Checkpoint": str(row.pk), "Lost": turn.now.isoformat(), **told_of(row)}
    seq = 0 if row.uploaded else row.seq  # what devices said then is not what was in it
    return turn.write_files(seq, row.message, trailers, row.author, row.created_at)
