"""Indexes of the tables that grow with every run, and the question that each of them answers."""

from __future__ import annotations

from django.db.models import Index, Q

RUNS = [
    Index(fields=["tenant", "-requested_at"], name="run_newest"),
    Index(fields=["-requested_at", "-id"], name="run_newest_of_all"),  # for eyes that see every tenant
]
ATTEMPTS = [
    Index(fields=["run", "state", "id"], name="attempt_by_state"),  # with the order of claims
    Index(fields=["device", "-id"], name="attempt_newest"),
    # The reaper's question, asked every minute: small however long the past is.
    Index(fields=["heartbeat_at"], name="attempt_open", condition=Q(state__in=["queued", "running"])),
    # How 10,000 devices stand, without reading a row of a million: the last that has ended, with what it came to.
    Index(
        fields=["device", "-id"],
        include=["state"],
        name="attempt_last",
        condition=~Q(state__in=["queued", "running"]),
    ),
    # Whether a device is stale: its last good one.
    Index(fields=["device", "-ended_at"], name="attempt_good", condition=Q(state__in=["unchanged", "changed"])),
    # What went wrong on one day.
    Index(fields=["ended_at"], name="attempt_trouble", condition=Q(state__in=["failed", "quarantined"])),
]
SNAPSHOTS = [
    Index(fields=["device", "-seq"], name="snapshot_newest"),
    Index(fields=["tenant", "-taken_at"], name="snapshot_of_tenant_newest"),
    Index(fields=["-taken_at", "-id"], name="snapshot_newest_of_all"),
]
