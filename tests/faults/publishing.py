"""Interrupt publishers at every request, and restore what is in the object store after each: nothing may be lost.

By hand: ``python -m tests.faults.publishing --rounds 200``. Half of the rounds are in copy mode and half in home mode,
each in a process of its own against an S3 in another one, which kills the publisher, answers 500, does not answer, is
slow, or carries a request out twice, at any request that changes something. After each round a host that has nothing
brings the repository from the object store. Then:

- git finds it whole, and it is at most one batch behind what was acknowledged in copy mode, and not at all in home mode;
- every version that was acknowledged in home mode can be read from it, byte by byte;
- after one more publisher nothing is behind, and the numbers of the manifests have no gap.

In every eighth round of copy mode two publishers work at the same time.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.test import override_settings

from tests.faults import s3_server
from tests.faults.s3_server import BUCKET, KINDS, served
from tests.faults.store import database, say, set_up

if TYPE_CHECKING:
    from inventory.models import Device

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REQUESTS = 4  # that a batch takes: pack, index, manifest, pointer
PATIENCE = 0.5  # seconds for an answer, of a publisher that is to meet a fault
ROUNDS_A_TENANT = 25
TOGETHER = 8


class Campaign:
    """The experiment, without a thread or a client of the object store of its own: it forks."""

    def __init__(self, address: str, root: Path, dice: random.Random) -> None:
        self.address, self.root, self.dice = address, root, dice
        self.faults: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.number = 0

    def begin_tenant(self, mode: str) -> None:
        """A new tenant with two devices, in one of the two modes."""
        from django.conf import settings

        from tests.factories import make_device, make_tenant

        settings.NETCAIRN_OBJECT_STORE = f"s3://{BUCKET}/{self.root.name}"
        settings.NETCAIRN_OBJECT_STORE_ENDPOINT = self.address
        settings.NETCAIRN_OBJECT_STORE_MODE = mode
        settings.NETCAIRN_STORE_READY = "backups.remote.home.ready" if mode == "home" else None
        self.mode = mode
        tenant = make_tenant(f"{self.root.name}-{self.number}")
        self.tenant_id: UUID = tenant.pk
        self.devices = [make_device(tenant, f"edge{at}") for at in range(2)]
        self.host("a")
        self.child(self.write)
        self.child(self.publish)

    def host(self, name: str) -> None:
        """Go on as a host with a directory of its own; in copy mode there is one."""
        from django.conf import settings

        settings.NETCAIRN_STORE_ROOT = self.root / (name if self.mode == "home" else "a")

    def round(self) -> None:
        """One interruption, the look at what is left, one more publisher, the look again."""
        self.number += 1
        kind, at, times = self.dice.choice(KINDS), self.dice.randint(1, REQUESTS), self.dice.choice([1, 1, 2, 9])
        self.host(self.dice.choice("ab"))
        if self.mode == "copy":
            self.child(self.write)
        works = [self.publish if self.mode == "copy" else self.write]
        if self.mode == "copy" and self.number % TOGETHER == 0:
            works *= 2
        before = self.acknowledged()
        pids = [self.fork(self.failing(work, kind=kind, at=at, times=times)) for work in works]
        for pid in pids:
            status = os.waitpid(pid, 0)[1]
            self.ended["killed" if os.WIFSIGNALED(status) else "failed" if status else "done"] += 1
        self.faults[kind] += bool(s3_server.plan(self.address))
        self.child(self.look, before, 1 if self.mode == "copy" else 0)
        self.host(self.dice.choice("ab"))
        self.child(self.write if self.mode == "home" else self.publish)
        self.child(self.look, before, 0)

    def acknowledged(self) -> int:
        """The newest batch that the database knows."""
        from backups.models import Repository

        return int(Repository.objects.values_list("seq", flat=True).get(pk=self.tenant_id))

    def failing(self, work: Callable[[], None], **fault: object) -> Callable[[], None]:
        """The work, with a fault planned for it. What is expected to go wrong ends it quietly."""

        def do() -> None:
            from backups.errors import StoreError

            s3_server.plan(self.address, **fault, pid=os.getpid(), seconds=2 * PATIENCE)
            impatient()
            try:
                work()
            except StoreError:
                os._exit(2)

        return do

    def write(self) -> None:
        """One batch: each device says something new."""
        from backups.commit import Kept, keep

        kept = [Kept(device, {"running.cfg": self.text(device)}, os.urandom(32).hex(), NOON) for device in self.devices]
        keep(self.tenant_id, kept, author="ada", message="Keep", run_id=None, now=NOON, also=lambda _: None)

    def text(self, device: Device) -> bytes:
        """A configuration that nobody else has."""
        return f"hostname {device.name}\n".encode() + b"\n".join(os.urandom(16).hex().encode() for _ in range(40))

    def publish(self) -> None:
        """Bring the object store up to date."""
        from backups.remote.current import bring_up_to_date

        bring_up_to_date(self.tenant_id)

    def look(self, before: int, behind: int) -> None:
        """What a host that has nothing finds. Raises AssertionError."""
        from backups.models import Repository, Snapshot
        from backups.remote.bringing import bring
        from backups.remote.opening import open_objects
        from backups.remote.publishing import latest, read_manifest
        from backups.store.reader import TenantStore

        place = Path(tempfile.mkdtemp(dir=self.root)) / f"{self.tenant_id}.git"
        manifest = bring(self.tenant_id, place).manifest
        subprocess.run(["git", f"--git-dir={place}", "fsck", "--full", "--strict"], check=True, capture_output=True)
        row = Repository.objects.get(pk=self.tenant_id)
        assert manifest.batch >= row.seq - behind, f"the object store has {manifest.batch}, and {row.seq} were kept"
        assert manifest.batch >= before - 1, f"the object store went back to {manifest.batch}"
        store = TenantStore(place)
        for version in Snapshot.objects.filter(tenant=self.tenant_id, seq__lte=row.seq - behind):
            for file in version.files.values():
                assert len(store.blob(file["blob"])) == file["size"]
        store.close()
        objects, seq = open_objects(), 0
        last = latest(objects, self.tenant_id)
        assert last
        one = last.manifest
        while one.previous:
            seq, one = one.seq, read_manifest(objects, self.tenant_id, one.previous)
            assert one.seq == seq - 1, f"manifest {seq} follows {one.seq}"
        assert one.seq == 1
        shutil.rmtree(place.parent)

    def child(self, work: Callable[..., None], *arguments: object) -> None:
        """Do it in a process of its own, which has to succeed."""
        status = os.waitpid(self.fork(lambda: work(*arguments)), 0)[1]
        assert not status, f"round {self.number}: {work.__name__} has failed; see above"

    def fork(self, work: Callable[[], None]) -> int:
        """A process that does it; its id."""
        from django.db import connection

        connection.close()
        if pid := os.fork():
            return pid
        status = 1
        try:
            signal.alarm(120)
            work()
            status = 0
        except Exception:
            logging.getLogger(__name__).exception("round %d", self.number)
        finally:
            sys.stderr.flush()
            os._exit(status)


def impatient() -> None:
    """Time limits of seconds are for networks; here a wait is a wait too many."""
    from backups.remote import bucket, objects

    bucket.SHORT = bucket.LONG = timedelta(seconds=PATIENCE)
    objects.PAUSE = 0.02


def interrupt(rounds: int, seed: int, root: Path) -> None:
    """The whole experiment. Raises AssertionError at the first loss."""
    dice = random.Random(seed)
    with served() as address:
        campaign = Campaign(address, root, dice)
        turns = [mode for mode in ("copy", "home") for _ in range(rounds // 2)]
        for at, mode in enumerate(turns):
            if at % ROUNDS_A_TENANT == 0 or mode != campaign.mode:
                campaign.begin_tenant(mode)
            try:
                campaign.round()
            except BaseException:
                say(f"round {campaign.number} of seed {seed} in {mode} mode")
                raise
    for name, count in sorted((campaign.faults + campaign.ended).items()):
        say(f"{count:5d}  {name}")
    fired = campaign.faults.total()
    say(
        f"{fired} of {len(turns)} rounds met their fault, what is in the object store could be restored each time (seed {seed})"
    )


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database", help="An existing test database, whose rows may be added to.")
    options = parser.parse_args(arguments)
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    set_up()
    # What is set for a round must not be left to whoever comes after us in this process.
    with (
        database(options.database),
        override_settings(),
        tempfile.TemporaryDirectory(prefix="netcairn-publishing-") as root,
    ):
        interrupt(options.rounds, options.seed, Path(root))


if __name__ == "__main__":
    main()
