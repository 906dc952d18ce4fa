"""How long each part of a turn with a tenant's lock took: a log record for each batch, for people and for programs.

The record's `batch` holds the figures by name, so that a log handler can hand them to whatever collects metrics. Fast
batches are told at INFO (`NETCAIRN_LOG_BATCHES=1` shows them), slow ones at WARNING.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Literal
from uuid import UUID

log = logging.getLogger("netcairn.batches")

SLOW = 5.0  # seconds of a whole turn, waiting for the lock included
Part = Literal["lock", "git"]


class Phases:
    """The clock of one turn."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.began = perf_counter()
        self.seconds: dict[Part, float] = {"lock": 0.0, "git": 0.0}
        self.commits = self.devices = self.files = self.bytes = 0

    @contextmanager
    def of(self, part: Part) -> Iterator[None]:
        """The time of this block counts for that part."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += perf_counter() - began

    def wrote(self, contents: Mapping[str, int], devices: int) -> None:
        """A commit, with the contents that it names for the devices that changed."""
        self.commits += 1
        self.devices += devices
        self.files += len(contents)
        self.bytes += sum(contents.values())

    @property
    def held(self) -> float:
        """Seconds since the lock was ours."""
        return perf_counter() - self.began - self.seconds["lock"]

    def figures(self) -> dict[str, str | int | float]:
        """Milliseconds and counts. What is neither waiting nor git is the database, its COMMIT included."""
        total = perf_counter() - self.began
        lock, git = self.seconds["lock"], self.seconds["git"]
        parts = {"lock_ms": lock, "git_ms": git, "database_ms": total - lock - git, "total_ms": total}
        counts = {name: getattr(self, name) for name in ("commits", "devices", "files", "bytes")}
        return {"tenant": str(self.tenant_id), **{name: round(1000 * s, 1) for name, s in parts.items()}, **counts}

    def tell(self) -> None:
        """One record, where something was written."""
        if not self.commits:
            return
        figures = self.figures()
        level = logging.WARNING if figures["total_ms"] >= 1000 * SLOW else logging.INFO  # type: ignore[operator]
        log.log(
            level, "Batch: %s", " ".join(f"{key}={value}" for key, value in figures.items()), extra={"batch": figures}
        )
