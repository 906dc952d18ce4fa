"""Housekeeping of a tenant's repository beside whatever else is done: git joins packs while devices are talked to.

What was kept is kept, so whatever fails here is logged, and left for later.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, Self
from uuid import UUID

from django.db import DatabaseError, InterfaceError, transaction

from backups import elsewhere
from backups.copying import learn_of_growth
from backups.errors import StoreError
from backups.fsck.findings import alarming
from backups.locks import lock_tenant
from backups.mending import catch_up
from backups.store.git import Git
from backups.store.housekeeping import MAX_PACKS, is_scattered, join, pack_count, take_place
from backups.store.reader import open_store, store_path
from backups.store.workshop import WORKSHOP, Workshop, remove_abandoned

log = logging.getLogger("netcairn.batches")

WAIT = 10.0  # seconds for the tenant's lock


class Joined(NamedTuple):
    """What was made, and the packs whose place it may take."""

    workshop: Workshop
    old: list[Path]


class House:
    """A tenant's repository that is put in order now and then. Used by one thread alone, who ends it by `leave`."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self._work: Future[Joined] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def look(self, *, at_night: bool = False) -> None:
        """Begin where packs have piled up; finish what has been made. Takes a moment, and the lock for another.

        At night all packs become one where much is not in the largest: by day that would cost a large run its time.
        """
        if self._work and self._work.done():
            self.leave()
        path = store_path(self.tenant_id)
        remove_abandoned(path)
        wanted = is_scattered(path) if at_night else pack_count(path) > MAX_PACKS
        if self._work is None and wanted and not is_at_work(path):
            helper = ThreadPoolExecutor(1, thread_name_prefix="house")
            self._work = helper.submit(made, open_store(self.tenant_id).git, everything=at_night)
            helper.shutdown(wait=False)

    def leave(self) -> None:
        """Finish what was begun."""
        work, self._work = self._work, None
        if work:
            try:
                self._finish(work.result())
            except (StoreError, DatabaseError, InterfaceError, OSError) as exc:
                log.warning("Housekeeping of tenant %s is left for later: %s", self.tenant_id, exc)

    def _finish(self, joined: Joined) -> None:
        try:
            if not joined.old:
                return
            with alarming(self.tenant_id) as mended, transaction.atomic(durable=True):
                lock_tenant(self.tenant_id, wait=WAIT)
                began = perf_counter()
                elsewhere.prepare(self.tenant_id)
                take_place(joined.workshop, joined.old)
                mended.extend(catch_up(self.tenant_id))
                elsewhere.swept(self.tenant_id)
            learn_of_growth()
            log.info(
                "%d packs were joined, the lock held for %.0f ms", len(joined.old), 1000 * (perf_counter() - began)
            )
        finally:
            joined.workshop.close()


def tidy_up(tenant_id: UUID, *, at_night: bool = False) -> None:
    """Begin and finish, where packs have piled up."""
    with House(tenant_id) as house:
        house.look(at_night=at_night)


def is_at_work(path: Path) -> bool:
    """Whether somebody joins packs there, or collects garbage, and then all of them go."""
    return any(path.glob(f"{WORKSHOP}*"))


def made(git: Git, *, everything: bool) -> Joined:
    """Join what is to be joined, without any lock. Raises GitFailed, StoreDamaged."""
    workshop = Workshop.opened(git)
    try:
        return Joined(workshop, join(workshop, everything=everything))
    except BaseException:
        workshop.close()
        raise
