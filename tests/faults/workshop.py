"""A tenant with a store, a writer to be killed, and the look at what is left."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from backups import fsck, house
from backups.commit import Kept, keep, writing
from backups.models import Repository, Snapshot
from inventory.models import Device
from tests.backups.store_kit import assert_counted
from tests.factories import make_device, make_tenant
from tests.faults import steps

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Path(__file__).parent
TURNS = 40
NO_PLAN = "none none none"
PACKS = 6  # before housekeeping: it, too, is to be killed now and then


@dataclass
class Acknowledged:
    """What writers were told is kept."""

    snapshots: dict[str, dict[str, str]] = field(default_factory=dict)  # row -> file -> blob
    pins: dict[str, str] = field(default_factory=dict)  # ref -> commit

    def hear(self, said: str) -> None:
        """Take down what a writer has said; the last line may be half a one."""
        for line in said.splitlines(keepends=True):
            if line.endswith("\n"):
                heard = json.loads(line)
                self.snapshots |= heard.get("snapshots", {})
                self.pins |= heard.get("pins", {})


class Writer:
    """One process that keeps, pins and renames, and says what was acknowledged."""

    def __init__(self, tenant_id: uuid.UUID, voice: TextIO, dice: random.Random) -> None:
        self.tenant_id = tenant_id
        self.voice = voice
        self.dice = dice
        house.MAX_PACKS = PACKS

    def say(self, **facts: object) -> None:
        """One line, at once."""
        self.voice.write(json.dumps(facts) + "\n")
        self.voice.flush()

    def turn(self) -> None:
        """Something that a writer does."""
        self.dice.choice([self.keep, self.keep, self.keep, self.pin, self.swap_names])()

    def keep(self) -> None:
        """New versions of some devices."""
        devices = self.dice.sample(list(Device.objects.filter(tenant_id=self.tenant_id)), k=3)
        kept = [Kept(device, self.files(), "d" * 64, NOON) for device in devices]
        result = keep(self.tenant_id, kept, author="a", message="m", run_id=None, now=NOON, also=lambda _: None)
        rows = result.snapshots.values()
        self.say(snapshots={str(row.pk): {name: file["blob"] for name, file in row.files.items()} for row in rows})

    def files(self) -> dict[str, bytes]:
        """What a device may say."""
        return {"running.cfg": b"hostname %d\n" % self.dice.randrange(2**64) * 300, "hardware.txt": b"same\n"}

    def pin(self) -> None:
        """A checkpoint of what is there."""
        ref = uuid.UUID(int=self.dice.getrandbits(128), version=4)
        with writing(self.tenant_id) as batch:
            if batch.head is None:
                return
            made = batch.pin(ref, tree_of=batch.head, folders=None, message="m", author="a", when=NOON)
        self.say(pins={f"refs/checkpoints/{ref}": made})

    def swap_names(self) -> None:
        """Two devices take each other's name."""
        one, other = self.dice.sample(list(Device.objects.filter(tenant_id=self.tenant_id)), k=2)
        Device.objects.filter(pk=one.pk).update(name=f"x{uuid.uuid4().hex}")
        Device.objects.filter(pk=other.pk).update(name=one.name)
        Device.objects.filter(pk=one.pk).update(name=other.name)


class Workshop:
    """A tenant of its own, a store below `root`, and a stand-in for git."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        settings.NETCAIRN_STORE_ROOT = root / "store"
        self.dice = dice
        self.tenant = make_tenant(f"t{uuid.uuid4().hex}")
        for number in range(4):
            make_device(self.tenant, f"edge{number}")
        self.path = root / "store" / f"{self.tenant.pk}.git"
        self.acknowledged = Acknowledged()
        self.real_git = shutil.which("git")
        self.bin = root / "bin"
        self.bin.mkdir(exist_ok=True)
        for script, name in (("git.sh", "git"), ("orphan.sh", "orphan")):
            shutil.copy(HERE / script, self.bin / name)
            (self.bin / name).chmod(0o755)

    @contextmanager
    def writer(self, plan: str = NO_PLAN, *, turns: int = TURNS) -> Iterator[tuple[int, TextIO]]:
        """A process, leader of its own group, that writes until it is killed or out of work; and what it says.

        The plan counts from its second turn on. It forgives a lost connection.
        """
        connection.close()  # two processes must not share one
        seed = self.dice.getrandbits(32)
        ours, theirs = os.pipe()
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            self.work(Writer(self.tenant.pk, os.fdopen(theirs, "w"), random.Random(seed)), plan, turns)
        os.close(theirs)
        with os.fdopen(ours) as said:
            yield pid, said

    def write_together(self, writers: int, turns: int) -> None:
        """Several processes keep new versions at once; raises where one of them could not."""
        connection.close()
        pids = []
        for number in range(writers):
            pid = os.fork()
            if not pid:
                self.keep_and_exit(turns, number)
            pids.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * writers
        assert Repository.objects.get(pk=self.tenant.pk).seq >= writers * turns

    def keep_and_exit(self, turns: int, seed: int) -> None:
        """The whole life of one of several writers."""
        status = 1
        try:
            writer = Writer(self.tenant.pk, io.StringIO(), random.Random(seed))
            for _ in range(turns):
                writer.keep()
            status = 0
        finally:
            os._exit(status)

    def work(self, writer: Writer, plan: str, turns: int) -> None:
        """The whole life of the process to be killed."""
        status = 1
        try:
            self.arm(NO_PLAN)
            os.environ["PATH"] = f"{self.bin}:{os.environ['PATH']}"
            writer.say(backend=backend_of(connection))
            for turn in range(turns):
                if turn == 1:
                    self.arm(plan)
                    steps.arm(plan)
                forgiving(writer.turn)
            status = 0
        finally:
            os._exit(status)

    def arm(self, plan: str) -> None:
        """Let the stand-in for git follow a plan."""
        draft = self.bin / "plan.new"
        draft.write_text(f"{self.real_git} {plan}\n")
        draft.rename(self.bin / "plan")

    def write_on(self) -> None:
        """The next writer, in this process."""
        heard = io.StringIO()
        Writer(self.tenant.pk, heard, self.dice).keep()
        self.acknowledged.hear(heard.getvalue())

    def check(self) -> None:
        """Nothing that was acknowledged is lost, nothing is left over, git and the database agree."""
        row = Repository.objects.get(pk=self.tenant.pk)
        snapshots = Snapshot.objects.in_bulk(self.acknowledged.snapshots)
        for pk, blobs in self.acknowledged.snapshots.items():
            assert {name: file["blob"] for name, file in snapshots[uuid.UUID(pk)].files.items()} == blobs
        refs = dict(line.split() for line in self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines())
        assert refs.pop("refs/heads/main") == row.head
        assert self.acknowledged.pins.items() <= refs.items()
        assert {ref.split("/")[1] for ref in refs} <= {"checkpoints"}
        seqs = self.git("log", "--topo-order", "--format=%(trailers:key=Seq,valueonly,separator=)", "main").split()
        assert seqs == [str(seq) for seq in range(row.seq, 0, -1)]
        assert_counted(self.tenant)
        # Compares every row with its commit, and reads every object.
        findings = fsck.check(self.tenant, full=True)
        # The pins of the writers have no checkpoint's row: what they are for here is their commit.
        assert not [one for one in findings if one.code != "checkpoint-ref-stray"], findings

    def main(self) -> str:
        """What main names now."""
        return self.git("rev-parse", "refs/heads/main").strip()

    def git(self, *arguments: str) -> str:
        """What a git that knows nothing of us says."""
        return subprocess.run(["git", "-C", self.path, *arguments], check=True, capture_output=True, text=True).stdout


def forgiving(turn: Callable[[], None]) -> None:
    """A turn; where the database has hung up, the next one begins with a new connection."""
    try:
        turn()
    except DatabaseError:
        connection.close()


def backend_of(database: BaseDatabaseWrapper) -> int:
    """The process of the server that a connection talks to."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
