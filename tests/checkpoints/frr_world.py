"""The real router as a registered device that was backed up and named by a checkpoint: `World` for FRRouting."""

from __future__ import annotations

import time
from datetime import timedelta

from backups.device_writing import NetmikoWriter
from checkpoints.models import Restore
from checkpoints.restore_means import Means, database_clock
from checkpoints.restore_planning import approve_restore, collected_now, plan_restore, request_restore
from checkpoints.services import create_checkpoint
from tests.backups.frr_router import vtysh
from tests.checkpoints.frr_bench import LIMITS, TEN_CHANGES, Bench
from tests.factories import make_credential, make_device, make_tenant


class MovedTime:
    """Our time: real, and moved on where a restore would wait for the router's timer."""

    def __init__(self, world: FrrWorld) -> None:
        self.world, self.skipped = world, 0.0

    def now(self) -> float:
        return time.monotonic() + self.skipped

    def pause(self, seconds: float) -> None:
        self.world.wait_out()
        self.skipped += seconds


class FrrWorld:
    """See above."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.tenant = make_tenant("frr")
        target = bench.target
        credential = make_credential(self.tenant, username=target.username)
        credential.set_private_key(target.private_key)
        credential.save()
        self.device = make_device(
            self.tenant, target.name, "linux", address=target.address, port=target.port, credential=credential
        )
        moved = self.time = MovedTime(self)
        self.means = Means(
            NetmikoWriter(), LIMITS, moved, clock=lambda: database_clock() + timedelta(seconds=moved.skipped)
        )
        bench.begin()
        collected_now(self.device, by="ada", means=self.means)
        self.golden = self.changed = self.running()
        self.checkpoint = create_checkpoint(self.tenant, message="golden", author="ada", now=self.means.clock())

    def running(self) -> str:
        """What the router says by itself."""
        return vtysh("show running-config")

    def edit(self, *lines: str) -> None:
        """In configuration mode."""
        vtysh("configure terminal", *lines)

    def change(self) -> None:
        """Ten things."""
        self.edit(*TEN_CHANGES)
        self.changed = self.running()

    def approved(self) -> Restore:
        """A restore that may be pushed."""
        now = self.means.clock
        restore = request_restore(self.device, self.checkpoint, by="ada", now=now())
        plan_restore(restore, by="ada", means=self.means)
        approve_restore(restore, fingerprint=restore.fingerprint, by="eve", now=now())
        return restore

    def wait_out(self) -> None:
        """Until the router's timer has run out, if one runs."""
        self.bench.let_timers_run_out()
