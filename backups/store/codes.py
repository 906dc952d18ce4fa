"""The names of all that can be wrong with a tenant's store; each has its line in `docs/fsck.md`."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "stale-lock",
    "stale-temporary",
    "stale-txn",
    "head-elsewhere",
    "damaged-refs",
    "ref-behind",
    "ref-broken",
    "ref-not-commit",
    "ref-foreign",
    "database-older",
    "repository-older",
    "missing-repository",
    "missing-row",
    "unknown-repository",
    "missing-object",
    "damaged-object",
    "damaged-pack",
    "damaged-index",
    "damaged-cache",
    "epoch-ref-missing",
    "checkpoint-ref-missing",
    "checkpoint-ref-stray",
    "checkpoint-lost",
]
