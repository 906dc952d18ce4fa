"""What retention and the collection of garbage cost at full size: ``python -m tests.benchmarks.retention``.

A tenant's record of 10,000 commits in two epochs, the last 500 commits in the second, with 190 checkpoints along the way
that a rule keeps and 310 that none does. The policy is planned, applied, and a day later everything is collected. Then the
repository is held against a fresh clone of what is kept, and cloned as a mirror and from a bundle. The last thing
printed is one JSON document with `bars`; exit 1 when one does not hold. Commits are written by `git fast-import`
directly: to make them by the protocol would take ten minutes and measure something else.

A second tenant of a fifth of the size is collected while another process commits to it without a pause: that says how
long a commit waits, and both say how long the lock is held at a time, but for the turn in which the old packs go.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tests.benchmarks.lock_times import Holds, longest_wait, watched, writer_beside
from tests.benchmarks.place import own_place

if TYPE_CHECKING:
    from inventory.models import Device, Tenant

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=45)
LINES = 250  # of a configuration: some 10 KB

BARS = {
    "plan: s": 1.0,
    "collection: s": 10.0,
    "size: times a fresh clone of what is kept": 1.1,
    "kept ids that changed": 0,
    "complaints of git fsck": 0,
    "clones that failed (mirror, bundle)": 0,
    "kept versions that cannot be read": 0,
    "lock held at a time, but for the prune: ms": 250,
    "wait of a commit, but for the prune: ms": 250,
}


def configuration(dice: random.Random, name: str) -> list[bytes]:
    """Lines as a device has them."""
    return [f"hostname {name}".encode()] + [
        f"interface Ethernet{at}/0 description {dice.getrandbits(64):x}".encode() for at in range(LINES)
    ]


class Past:
    """A tenant's record, written quickly, with the rows that belong to it."""

    def __init__(self, devices: int, seed: int, name: str = "bench") -> None:
        from backups.commit import writing
        from inventory.models import Device, Tenant

        self.dice = random.Random(seed)
        self.tenant: Tenant = Tenant.objects.create(name=name)
        self.devices: list[Device] = [
            Device.objects.create(tenant=self.tenant, name=f"d{at}", platform="cisco_ios", address="192.0.2.1")
            for at in range(devices)
        ]
        self.texts = {device.pk: configuration(self.dice, device.name) for device in self.devices}
        with writing(self.tenant.pk) as batch:
            self.path = batch.store.path
        self.seq = 0

    def write(self, commits: int, *, checkpoints: int) -> None:
        """So many commits, each of one device, and checkpoints spread over them, every other with a tag."""
        from backups.models import Repository, Snapshot

        head = Repository.objects.get(pk=self.tenant.pk).head
        marks: list[tuple[Device, bytes, int]] = []
        stream = b"".join(self.commands(commits, head, marks))
        names = self.path / "marks"
        git = ["git", f"--git-dir={self.path}"]
        subprocess.run(
            [*git, "fast-import", "--quiet", "--depth=0", f"--export-marks={names}"], input=stream, check=True
        )
        ids = dict(line.split() for line in names.read_text().splitlines())
        names.unlink()
        rows = [self.row(device, text, at, ids[f":{at}"]) for device, text, at in marks]
        Snapshot.objects.bulk_create(rows, batch_size=2000)
        Repository.objects.filter(pk=self.tenant.pk).update(head=rows[-1].commit, seq=self.seq)
        wanted = {
            rows[int(at * len(rows) / checkpoints)].commit: rows[int(at * len(rows) / checkpoints)]
            for at in range(checkpoints)
        }
        self.name(list(wanted.values()))

    def commands(self, commits: int, head: str | None, marks: list[tuple[Device, bytes, int]]) -> Iterator[bytes]:
        """The stream of fast-import."""
        from backups.store import layout
        from backups.store.stream import data, with_trailers

        for _ in range(commits):
            self.seq += 1
            device = self.dice.choice(self.devices)
            text = self.texts[device.pk]
            text[self.dice.randrange(1, LINES)] = f"ip route {self.dice.getrandbits(64):x}".encode()
            content = b"\n".join(text) + b"\n"
            marks.append((device, content, self.seq))
            stamp = f"{int((BEGAN + self.seq * STEP).timestamp())} +0000"
            message = with_trailers("Backup", {"Tenant": str(self.tenant.pk), "Seq": str(self.seq)})
            yield f"commit refs/heads/main\nmark :{self.seq}\ncommitter x <> {stamp}\n".encode()
            yield data(message.encode())
            if head:
                yield f"from {head}\n".encode()
                head = None
            yield f'M 100644 inline "{layout.device_file(device.pk, "running.cfg")}"\n'.encode() + data(content)
            link = layout.link_path(device.name)
            yield f'M 120000 inline "{link}"\n'.encode() + data(layout.link_target(device.pk))

    def row(self, device: Device, content: bytes, seq: int, commit: str) -> Any:
        """A version's row."""
        from backups.models import Snapshot
        from backups.store import layout

        files = {"running.cfg": {"blob": layout.blob_id(content), "size": len(content)}}
        return Snapshot(
            tenant=self.tenant,
            device=device,
            seq=seq,
            taken_at=BEGAN + seq * STEP,
            commit=commit,
            files=files,
            digest="d" * 64,
            size=len(content),
            lines_added=1,
            lines_removed=1,
            author="x",
        )

    def name(self, rows: list[Any]) -> None:
        """Checkpoints of these moments, each with its commit and its ref."""
        from uuid import uuid4

        from checkpoints.models import Checkpoint

        made, stream = [], b""
        for at, row in enumerate(rows):
            pk = uuid4()
            stamp = f"{int(row.taken_at.timestamp())} +0000"
            stream += f"commit refs/checkpoints/{pk}\nmark :{at + 1}\ncommitter x <> {stamp}\n".encode()
            stream += f'data 1\nx\nM 040000 {self.tree_of(row.commit)} ""\n'.encode()
            made.append((pk, row))
        names = self.path / "marks"
        subprocess.run(
            ["git", f"--git-dir={self.path}", "fast-import", "--quiet", f"--export-marks={names}"],
            input=stream,
            check=True,
        )
        ids = dict(line.split() for line in names.read_text().splitlines())
        names.unlink()
        Checkpoint.objects.bulk_create(
            Checkpoint(
                id=pk, tenant=self.tenant, author="x", message="x", tags=["keep"] if at % 50 < 19 else [],
                created_at=row.taken_at, seq=row.seq, commit=row.commit, pin=ids[f":{at + 1}"],
                device_count=1, file_count=1, total_bytes=1,
            )
            for at, (pk, row) in enumerate(made)
        )  # fmt: skip

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self.git("rev-parse", f"{commit}^{{tree}}")

    def git(self, *arguments: str) -> str:
        """What git says."""
        done = subprocess.run(["git", f"--git-dir={self.path}", *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()


def measure(commits: int, recent: int, devices: int, place: Path) -> dict[str, float]:
    """Every figure."""
    from backups.models import Snapshot
    from backups.store.reader import open_store
    from checkpoints.gc import collect_garbage
    from checkpoints.keeping import apply_retention, plan_retention
    from checkpoints.models import Checkpoint

    figures: dict[str, float] = {}
    past, now = with_policy(commits, recent, devices, name="bench")
    began = perf_counter()
    plan = plan_retention(past.tenant, now=now)
    figures["plan: s"] = perf_counter() - began
    figures["checkpoints kept"] = len(plan.judgement.moments) - len(plan.expired)
    figures["epochs dropped"] = len(plan.expired_epochs) or len(plan.judgement.dropped_eras)
    figures["plan: MB to be freed"] = plan.bytes_going / 1e6
    before = ids_of_kept(past, plan.judgement.dropped)
    with watched() as marking:
        apply_retention(past.tenant, by="bench", now=now)
    with watched() as holds:
        began = perf_counter()
        done = collect_garbage(past.tenant, now=now + timedelta(days=2), told=steps(figures, holds))
        figures["collection: s"] = perf_counter() - began
    assert not done.refused, done.refused
    figures["lock held at a time, but for the prune: ms"] = 1000 * max(marking.longest, holds.longest)
    figures["lock held by the prune: ms"] = 1000 * (holds.prune[1] - holds.prune[0])
    figures["collection: MB freed"] = done.bytes_freed / 1e6
    figures["versions pruned"] = done.versions_pruned
    after = ids_of_kept(past, ())
    # The record was cut once more: what main named is the end of an epoch now, under the id that it had.
    figures["kept ids that changed"] = len(set(before.values()) - set(after.values()))
    figures["commits kept"] = int(past.git("rev-list", "--count", "--branches", "--glob=refs/epochs"))
    figures["size: times a fresh clone of what is kept"], failed = clones(past, place)
    figures["clones that failed (mirror, bundle)"] = failed
    fsck = subprocess.run(
        ["git", f"--git-dir={past.path}", "fsck", "--full", "--strict"], capture_output=True, text=True, check=False
    )
    figures["complaints of git fsck"] = len((fsck.stdout + fsck.stderr).splitlines()) + (fsck.returncode != 0)
    store = open_store(past.tenant.pk)
    rows = Snapshot.objects.filter(tenant=past.tenant).readable()
    blobs = {file["blob"] for row in rows for file in row.files.values()}
    figures["kept versions that cannot be read"] = sum(1 for blob in blobs if not store.blob(blob))
    figures["checkpoints left"] = Checkpoint.objects.filter(tenant=past.tenant).count()
    return figures


def with_policy(commits: int, recent: int, devices: int, *, name: str) -> tuple[Past, datetime]:
    """A tenant with two epochs and a policy that wants only the second one, and the moment of its newest commit."""
    from backups.commit import writing
    from backups.house import tidy_up
    from backups.quota import recount_alone
    from checkpoints.models import RetentionPolicy

    past = Past(devices, seed=7, name=name)
    past.write(commits - recent, checkpoints=500)
    with writing(past.tenant.pk) as batch:
        batch.cut(author="retention", when=BEGAN + past.seq * STEP)
        past.seq = batch.seq
    past.write(recent, checkpoints=1)
    tidy_up(past.tenant.pk, at_night=True)
    recount_alone(past.tenant.pk)  # what was written past the protocol was not charged
    days = max(1, recent * STEP // timedelta(days=1))  # a little less than the last commits took
    RetentionPolicy.objects.create(
        tenant=past.tenant, everything=False, tags=["keep"], within_days=days, automatic=False, zone="UTC"
    )
    return past, BEGAN + past.seq * STEP


def beside_a_writer(commits: int, recent: int, devices: int) -> dict[str, float]:
    """How long commits wait while a policy is applied and the garbage collected."""
    from checkpoints.gc import collect_garbage
    from checkpoints.keeping import apply_retention

    past, now = with_policy(commits, recent, devices, name="busy")
    with writer_beside(past.devices[0]) as waits, watched() as holds:
        apply_retention(past.tenant, by="bench", now=now)
        done = collect_garbage(past.tenant, now=now + timedelta(days=2), told=holds.told)
    assert not done.refused and done.checkpoints_removed, done
    return {
        "wait of a commit, but for the prune: ms": 1000 * longest_wait(waits, holds.prune),
        "beside a writer: commits": len(waits),
        "beside a writer: lock held by the prune: ms": 1000 * (holds.prune[1] - holds.prune[0]),
        "beside a writer: lock held at a time, but for the prune: ms": 1000 * holds.longest,
    }


def steps(figures: dict[str, float], holds: Holds) -> Callable[[str], None]:
    """Takes down when each step of the collection began, in seconds of time and of our own CPU with that of git."""
    began = perf_counter()

    def told(step: str) -> None:
        holds.told(step)
        used = os.times()
        cpu = used.user + used.system + used.children_user + used.children_system
        figures.setdefault(f"  {step}, began at: s", perf_counter() - began)
        figures.setdefault(f"  {step}, CPU until then: s", cpu)

    return told


def ids_of_kept(past: Past, dropped: tuple[Any, ...]) -> dict[str, str]:
    """What every kept checkpoint and the record name."""
    from checkpoints.models import Checkpoint

    refs = dict(line.split() for line in past.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines())
    rows = Checkpoint.objects.filter(tenant=past.tenant).exclude(pk__in=dropped)
    kept = {f"refs/checkpoints/{row.pk}": row.pin for row in rows}
    own = {ref: commit for ref, commit in refs.items() if ref.startswith(("refs/heads/", "refs/epochs/2"))}
    return {ref: refs.get(ref, "gone") for ref in kept} | own


def clones(past: Past, place: Path) -> tuple[float, int]:
    """How large the repository is beside a fresh clone, and how many ways of cloning failed."""
    mirror, bundle, again = place / "mirror.git", place / "x.bundle", place / "again.git"
    url = f"file://{past.path.absolute()}"
    commands = (
        ["git", "clone", "-q", "--mirror", url, str(mirror)],
        ["git", f"--git-dir={past.path}", "bundle", "create", "-q", str(bundle), "--all"],
        ["git", "clone", "-q", "--mirror", str(bundle), str(again)],
    )
    failed = sum(subprocess.run(command, check=False).returncode != 0 for command in commands)
    failed += (
        subprocess.run(["git", f"--git-dir={again}", "fsck", "--full"], check=False, capture_output=True).returncode
        != 0
    )
    sizes = [sum(f.stat().st_size for f in (path / "objects").rglob("pack-*.pack")) for path in (past.path, mirror)]
    for path in (mirror, again):
        shutil.rmtree(path, ignore_errors=True)
    return sizes[0] / max(1, sizes[1]), failed


def main() -> None:
    """The measurement as a program, on a database and a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--recent", type=int, default=500)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--place", type=Path, default=Path("var"), help="a directory on the disk to be measured")
    options = parser.parse_args()
    options.place.mkdir(exist_ok=True)
    with own_place(folder=options.place.resolve()) as var:
        figures = measure(options.commits, options.recent, options.devices, var)
        figures |= beside_a_writer(options.commits // 5, options.recent // 5, options.devices)
    for name, value in figures.items():
        print(f"{name:50s} {value:12.3f}", flush=True)
    bars = {
        name: {"value": round(figures[name], 3), "bar": bar, "holds": figures[name] <= bar}
        for name, bar in BARS.items()
    }
    also = {name: round(value, 3) for name, value in figures.items() if name not in bars}
    sizes = {"commits": options.commits, "recent": options.recent, "devices": options.devices}
    print(json.dumps({"benchmark": "retention", "sizes": sizes, "bars": bars, "also": also}))
    sys.exit(not all(bar["holds"] for bar in bars.values()))


if __name__ == "__main__":
    main()
