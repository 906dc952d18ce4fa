"""What a store is like in the long run: its size on the disk, a worker's memory, and many writers at once."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from tests.benchmarks import reads
from tests.benchmarks.writers import Netcairn, edited


def disk(devices: int, batches: int, batch: int, place: Path) -> Iterator[tuple[str, float]]:
    """Bytes of a version after housekeeping, beside what `git gc --aggressive` makes of the same objects."""
    from backups.house import tidy_up
    from backups.store.reader import open_store

    dice = random.Random(4)
    tenancy = reads.first_backup(devices, dice, name="disk")
    ours = Netcairn(tenancy.tenant, tenancy.devices)
    for _ in range(batches):
        chosen = dice.sample(range(devices), batch)
        for one in chosen:
            tenancy.contents[one] = edited(tenancy.contents[one], dice)
        ours.keep(chosen, [tenancy.contents[one] for one in chosen])
    tidy_up(tenancy.tenant.pk, at_night=True)
    store = open_store(tenancy.tenant.pk)
    copy = place / "aggressive.git"
    shutil.copytree(store.path, copy)
    subprocess.run(["git", "-C", copy, "gc", "--quiet", "--aggressive", "--prune=now"], check=True)
    versions = devices + batches * batch
    kept, best = packed(store.path), packed(copy)
    yield "after housekeeping: bytes a version", kept / versions
    yield "after git gc --aggressive: bytes a version", best / versions
    yield "disk after housekeeping: times that of git gc --aggressive", kept / best


def packed(path: Path) -> int:
    """Bytes of a repository's objects: packs, their indexes and single ones."""
    folders = [folder for folder in (path / "objects").iterdir() if folder.name != "info"]
    return sum(found.stat().st_size for folder in folders for found in folder.iterdir())


class LongWorker:
    """A process of its own that makes so many commits of one device each, and tells its memory."""

    def __init__(self, commits: int) -> None:
        tenancy = reads.first_backup(100, random.Random(5), name="memory")
        self.commits = commits
        self.ours, theirs = os.pipe()
        self.pid = forked()
        if not self.pid:
            work_long(tenancy, commits, theirs)
        os.close(theirs)

    def told(self) -> tuple[float, float]:
        """MB after a tenth of the commits, and after all; waits for the end."""
        with os.fdopen(self.ours) as said:
            early, late = map(float, said.read().split())
        assert os.waitpid(self.pid, 0)[1] == 0
        return early, late


def memory(worker: LongWorker) -> Iterator[tuple[str, float]]:
    """MB of a worker after a tenth of its commits, and after all."""
    commits, (early, late) = worker.commits, worker.told()
    yield f"memory after {commits // 10:,} commits: MB", early
    yield f"memory after {commits:,} commits: MB", late
    yield "memory after 10,000 commits: times that after 1,000", late / early


def forked() -> int:
    """Fork; the child gets a connection of its own."""
    from django.db import connection

    connection.close()
    return os.fork()


def work_long(tenancy: reads.Tenancy, commits: int, voice: int) -> None:
    """The whole life of the worker."""
    status = 1
    try:
        dice, ours = random.Random(6), Netcairn(tenancy.tenant, tenancy.devices)
        for number in range(1, commits + 1):
            one = dice.randrange(100)
            tenancy.contents[one] = reads.changed(tenancy.contents[one], dice)
            ours.keep([one], [tenancy.contents[one]])
            if number in (commits // 10, commits):
                os.write(voice, b"%f\n" % resident())
        status = 0
    finally:
        os._exit(status)


def resident() -> float:
    """MB of memory that this process alone, or with others, has in use."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def together(writers: int, seconds: float, place: Path) -> Iterator[tuple[str, float]]:
    """Errors, losses and gaps after so many processes have written to one tenant for so long."""
    from backups import fsck
    from backups.models import Repository, Snapshot

    tenancy = reads.first_backup(100, random.Random(7), name="together")
    before = Repository.objects.get(pk=tenancy.tenant.pk).seq
    until = monotonic() + seconds
    pids = []
    for number in range(writers):
        if not (pid := forked()):
            write_until(until, number, tenancy, place / f"writer-{number}")
        pids.append(pid)
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0
    said = [json.loads(line) for number in range(writers) for line in (place / f"writer-{number}").open()]
    kept = {pk for line in said for pk in line.get("kept", ())}
    there = {str(pk) for pk in Snapshot.objects.filter(tenant=tenancy.tenant).values_list("pk", flat=True)}
    seq = Repository.objects.get(pk=tenancy.tenant.pk).seq
    yield "eight writers: turns", sum("kept" in line for line in said)
    yield "eight writers: commits", seq - before
    yield "eight writers: errors", sum("error" in line for line in said)
    yield "eight writers: versions lost", len(kept - there) + len(fsck.check(tenancy.tenant, full=True))
    yield "eight writers: gaps in seq", len(set(range(1, seq + 1)) ^ set(seqs_in_git(tenancy)))


def write_until(until: float, number: int, tenancy: reads.Tenancy, path: Path) -> None:
    """The whole life of one of several writers, who says what was acknowledged to him."""
    from django.db import DatabaseError

    from backups.errors import StoreError

    status, dice = 1, random.Random(number)
    try:
        with path.open("w") as voice:
            while monotonic() < until:
                try:
                    print(json.dumps({"kept": write_some(tenancy, dice)}), file=voice, flush=True)
                except (StoreError, DatabaseError) as exc:
                    print(json.dumps({"error": str(exc)}), file=voice, flush=True)
        status = 0
    finally:
        os._exit(status)


def write_some(tenancy: reads.Tenancy, dice: random.Random) -> list[str]:
    """New versions of ten devices; the rows that were acknowledged."""
    from backups.commit import Kept, keep

    chosen = dice.sample(range(100), 10)
    texts = [edited(tenancy.contents[one], dice) for one in chosen]
    kept = [
        Kept(tenancy.devices[one], {reads.FILE: text}, "d" * 64, reads.NOON)
        for one, text in zip(chosen, texts, strict=True)
    ]
    result = keep(
        tenancy.tenant.pk, kept, author="bench", message="m", run_id=None, now=reads.NOON, also=lambda _: None
    )
    return [str(row.pk) for row in result.snapshots.values()]


def seqs_in_git(tenancy: reads.Tenancy) -> list[int]:
    """The numbers of all commits of the record."""
    from backups.store.reader import open_store

    out = open_store(tenancy.tenant.pk).git.run("log", "--format=%(trailers:key=Seq,valueonly,separator=)", "main").out
    return [int(seq) for seq in out.split()]
