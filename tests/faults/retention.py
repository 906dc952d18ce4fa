"""Kill whoever marks, sweeps or purges at every point, again and again, and see that nothing that is kept was lost.

By hand: ``python -m tests.faults.retention --kills 300``. A process of its own applies a policy, collects garbage or
purges a secret. It dies where a stand-in for git on PATH kills it, before or after any git process, or where a clock
does. Then `fsck --repair` finds what it may; a second one finds nothing. Every version that is not pruned has its bytes,
every checkpoint that is not marked can be read, and no device has lost its newest version. The next round goes on with
what is there.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.store import database, say, set_up

if TYPE_CHECKING:
    from uuid import UUID

    from tests.faults.workshop import Workshop

TASKS = ("mark", "sweep", "sweep", "purge")
COLLECTING = ["cat-file", "for-each-ref", "rev-list", "pack-objects", "fsck", "update-ref", "commit-graph"]
POINTS = {
    "mark": ["cat-file", "for-each-ref", "rev-list", "update-ref", "ls-tree", "fast-import"],
    "sweep": COLLECTING,
    "purge": [*COLLECTING, "index-pack"],
}
ROUNDS_A_TENANT = 12
SECRET = "hunter2-geheim"
SECONDS = 0.6  # a task takes about as long


class Campaign:
    """A tenant with a past, a policy, and what is known of its versions."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        from checkpoints.models import RetentionPolicy
        from tests.faults.workshop import NOON, Workshop

        self.dice = dice
        self.workshop: Workshop = Workshop(root, dice)
        self.tenant = self.workshop.tenant
        self.now = NOON
        self.known: dict[UUID, dict[str, bytes]] = {}
        RetentionPolicy.objects.create(tenant=self.tenant, everything=False, last=2, automatic=False)

    def write(self) -> None:
        """New versions and a checkpoint, three days later."""
        from backups.commit import Kept, keep
        from checkpoints.services import create_checkpoint
        from inventory.models import Device

        self.now += timedelta(days=3)
        devices = self.dice.sample(list(Device.objects.filter(tenant=self.tenant)), k=2)
        files = {device.pk: {"running.cfg": self.content()} for device in devices}
        kept = [Kept(device, files[device.pk], "d" * 64, self.now) for device in devices]
        made = keep(self.tenant.pk, kept, author="a", message="m", run_id=None, now=self.now, also=lambda _: None)
        self.known |= {row.pk: files[device] for device, row in made.snapshots.items()}
        create_checkpoint(self.tenant, message="m", author="a", now=self.now)

    def content(self) -> bytes:
        """A configuration; in every third one is the secret."""
        secret = SECRET if self.dice.random() < 1 / 3 else "none"
        return f"hostname x\nkey {secret}\n{self.dice.randrange(2**64)}\n".encode() * 50

    def work(self, task: str) -> None:
        """One task, to its end."""
        from checkpoints.errors import NothingKept
        from checkpoints.gc import collect_garbage
        from checkpoints.keeping import apply_retention
        from checkpoints.purging import purge_secret

        if task == "mark":
            apply_retention(self.tenant, by="retention", now=self.now)
        elif task == "sweep":
            done = collect_garbage(self.tenant, now=self.now)
            assert not done.refused, done.refused
        else:
            with suppress(NothingKept):
                purge_secret(self.tenant, SECRET, reason="it leaked", by="anna", now=self.now)

    def kill(self, task: str) -> str:
        """The task in a process that is killed; how."""
        from django.db import connection

        from tests.faults.workshop import NO_PLAN

        point = f"{self.dice.choice(POINTS[task])} {self.dice.choice(['before', 'after'])} process"
        by_clock = self.dice.random() < 0.5
        if point.startswith("cat-file after"):
            by_clock = True
        connection.close()
        self.workshop.arm(NO_PLAN if by_clock else point)
        pid = os.fork()
        if not pid:
            status = 1
            try:
                os.setpgid(0, 0)
                os.environ["PATH"] = f"{self.workshop.bin}:{os.environ['PATH']}"
                self.work(task)
                status = 0
            finally:
                os._exit(status)
        if by_clock:
            time.sleep(self.dice.uniform(0, SECONDS))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self.workshop.arm(NO_PLAN)
        dead = os.WIFSIGNALED(status)
        assert dead or not status, f"the task {task} failed by itself"
        return f"{task}, {'killed' if dead else 'was faster'}, {'clock' if by_clock else point}"

    def check(self) -> None:
        """A second repair finds nothing, and nothing that is kept was lost."""
        from backups import fsck
        from backups.models import Snapshot
        from backups.store.reader import open_store
        from checkpoints.models import Checkpoint

        open_store(self.tenant.pk).close()
        fsck.check(self.tenant, full=True, repair=True, wait=30.0)
        findings = fsck.check(self.tenant, full=True, repair=True)
        assert findings == [], findings
        store = open_store(self.tenant.pk)
        rows = Snapshot.objects.in_bulk(self.known)
        assert rows.keys() == self.known.keys()
        newest = Snapshot.objects.filter(tenant=self.tenant).latest_by_device()
        assert not [row for row in newest if row.pruned_at]
        for pk, files in self.known.items():
            for name, content in files.items() if not rows[pk].pruned_at else ():
                there = store.blob(rows[pk].files[name]["blob"])
                assert there in (content, content.replace(SECRET.encode(), b"(purged)")), f"{pk} {name}"
        for checkpoint in Checkpoint.objects.filter(tenant=self.tenant).kept():
            for entry in store.tree(checkpoint.pin).values():
                store.blob(entry.id)

    def end(self) -> None:
        """Everything once more, to its end: the secret is gone, and git has nothing to say."""
        for task in ("mark", "sweep", "purge", "sweep"):
            self.work(task)
        self.check()
        command = ["git", "-C", str(self.workshop.path), "cat-file", "--batch-all-objects", "--batch"]
        objects = subprocess.run(command, check=True, capture_output=True).stdout
        assert SECRET.encode() not in objects
        self.workshop.git("fsck", "--full", "--strict", "--no-dangling")
        assert not list(self.workshop.path.glob("collecting-*"))


def kill_collectors(kills: int, seed: int, root: Path) -> Counter[str]:
    """The whole experiment, until so many were killed; how its victims ended. Raises AssertionError at the first loss.

    Rounds in which the task was faster than its killer are in the answer, and do not count.
    """
    dice = random.Random(seed)
    ends: Counter[str] = Counter()
    campaign: Campaign | None = None
    for number in count():
        if killed(ends) >= kills:
            break
        if campaign is None or number % ROUNDS_A_TENANT == 0:
            if campaign:
                campaign.end()
            campaign = Campaign(root, dice)
            for _ in range(4):
                campaign.write()
        try:
            campaign.write()
            ends[campaign.kill(dice.choice(TASKS))] += 1
            campaign.check()
        except BaseException:
            say(f"round {number} of seed {seed}, store {campaign.workshop.path}")
            raise
    if campaign:
        campaign.end()
    return ends


def killed(ends: Counter[str]) -> int:
    """How many were killed in the middle."""
    return sum(many for end, many in ends.items() if ", killed," in end)


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database", help="An existing test database, whose rows may be added to.")
    options = parser.parse_args(arguments)
    set_up()
    with database(options.database), tempfile.TemporaryDirectory(prefix="netcairn-faults-") as root:
        ends = kill_collectors(options.kills, options.seed, Path(root))
    for end, many in sorted(ends.items()):
        say(f"{many:5d}  {end}")
    rounds = ends.total()
    say(f"{rounds} rounds, {killed(ends)} killed, nothing kept lost, second repair finds nothing (seed {options.seed})")


if __name__ == "__main__":
    main()
