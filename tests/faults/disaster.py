"""All local state is lost, and everything comes back from the object store: ``python -m tests.faults.disaster``.

By hand: ``--tenants 10 --commits 3500`` (which is also what it does unless told). A directory is the object store. Three
times the store is deleted: with the database whole, with the database emptied, and with a dump of before the last tenth
of all commits brought back. Each time `recover` is timed against a limit of five minutes, and each kept checkpoint's
files are compared with what they were, byte by byte. In between a drill of each tenant has to find all equal.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tests.faults.place import own_place
from tests.faults.store import say

if TYPE_CHECKING:
    from backups.store.stream import NewCommit
    from inventory.models import Tenant

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMIT = 300.0  # seconds for all tenants
DEVICES = 100
AT_A_TIME = 2  # devices that change in one commit
LINES = 300  # of a configuration, some 12 KB
PINNED = 35  # commits between two checkpoints
FORGOTTEN = 10  # one of so many commits came after the dump

State = dict[UUID, list[bytes]]


def commits_of(tenant_id: UUID, number: int, dice: random.Random, first: int, state: State) -> Iterator[NewCommit]:
    """So many changes of a record: configurations of which a line is another each time."""
    from backups.store import layout
    from backups.store.stream import NewCommit, Put, with_trailers

    for seq in range(first, first + number):
        puts = []
        for at in dice.sample(range(DEVICES), AT_A_TIME):
            device = UUID(int=tenant_id.int ^ (at + 1) << 40)
            new = device not in state
            lines = state.setdefault(device, [b"line %d of %d" % (n, at) + b" " * 20 for n in range(LINES)])
            lines[dice.randrange(LINES)] = b"line %d by %d" % (seq, dice.randrange(10**12))
            puts.append(Put(layout.device_file(device, "running.cfg"), b"\n".join(lines) + b"\nend\n"))
            if new:
                puts.append(Put(layout.link_path(f"box{at}"), layout.link_target(device), layout.LINK_MODE))
        message = with_trailers(f"Change {seq}", {"Tenant": str(tenant_id), "Seq": str(seq)})
        yield NewCommit(layout.MAIN, None, message, "alice", NOON + timedelta(seconds=seq), puts)


def write(tenant: Tenant, number: int, dice: random.Random, state: State) -> None:
    """So many changes more, with a checkpoint now and then; rows follow from them."""
    from backups.fsck.rebuilding import adopt, rebuild
    from backups.models import Repository
    from backups.store import layout
    from backups.store.creation import create
    from backups.store.reader import is_repository, open_store, store_path
    from backups.store.replaying import write_chain
    from backups.store.stream import NewCommit, Put, with_trailers

    path = store_path(tenant.pk)
    first = 1 + (Repository.objects.filter(pk=tenant.pk).values_list("seq", flat=True).first() or 0)
    if not is_repository(path):
        create(path)
    git = open_store(tenant.pk).git
    chain = list(commits_of(tenant.pk, number, dice, first, state))
    if first > 1:
        head = str(Repository.objects.values_list("head", flat=True).get(pk=tenant.pk))
        chain[0] = NewCommit(**{**vars(chain[0]), "parent": head})
    ids = write_chain(git, chain)
    for at in range(PINNED - 1, number, PINNED):
        pin = uuid4()
        told = {"Tenant": str(tenant.pk), "Checkpoint": str(pin)}
        tree = open_store(tenant.pk).tree(ids[at])
        puts = [Put(name, entry.id, entry.mode) for name, entry in tree.items()]
        message = with_trailers(f"State {first + at}", told)
        write_chain(git, [NewCommit(layout.checkpoint_ref(pin), None, message, "alice", chain[at].when, puts)])
    (adopt if first > 1 else rebuild)(tenant, by="alice", now=NOON)


def fingerprints() -> dict[str, str]:
    """Of each kept checkpoint: all paths, and all bytes below them."""
    from backups.store.reader import open_store
    from checkpoints.models import Checkpoint

    found = {}
    for row in Checkpoint.objects.order_by("pk"):
        store, digest = open_store(row.tenant_id), hashlib.sha256()
        for path, entry in sorted(store.tree(row.pin).items()):
            digest.update(path.encode() + b"\0" + store.blob(entry.id) + b"\0")
        found[str(row.pk)] = digest.hexdigest()
    return found


def lose_the_store() -> None:
    """Every repository of this host."""
    from django.conf import settings

    from backups.store.reader import open_store
    from inventory.models import Tenant

    for tenant in Tenant.objects.all():
        open_store(tenant.pk).close()
    shutil.rmtree(settings.NETCAIRN_STORE_ROOT)


def bring_back(what: str, before: dict[str, str]) -> float:
    """Recover all, timed; and compare. Raises AssertionError."""
    from django.core.management import call_command

    began = monotonic()
    call_command("recover")
    seconds = monotonic() - began
    after = fingerprints()
    assert after == before, f"{what}: {len(before.items() - after.items())} checkpoints of {len(before)} differ"
    say(f"{what}: {len(before)} checkpoints equal byte by byte; recovered in {seconds:.1f} s (limit {LIMIT:g})")
    assert seconds < LIMIT, f"{what} took too long"
    return seconds


def experiment(tenants: int, commits: int, seed: int) -> None:
    """All three losses. Raises AssertionError where something is not as it was."""
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from backups.recovery.drilling import drill
    from inventory.models import Tenant
    from inventory.services import add_tenant
    from tests.faults.dumps import dumped, emptied, loaded

    remote = Path(settings.NETCAIRN_VAR) / "remote"
    remote.mkdir()
    settings.NETCAIRN_OBJECT_STORE = f"file://{remote}"
    dice, states = random.Random(seed), dict[UUID, State]()
    rows = [add_tenant(f"tenant{number}") for number in range(tenants)]
    say(f"{tenants} tenants of {commits} commits, seed {seed}")
    for row in rows:
        write(row, commits - commits // FORGOTTEN, dice, states.setdefault(row.pk, {}))
    dump = dumped(Path(settings.NETCAIRN_VAR) / "before.dump")
    for row in rows:
        write(row, commits // FORGOTTEN, dice, states[row.pk])
    call_command("remote", "publish")
    for row in rows:
        found = drill(row, by="alice", now=timezone.now())
        assert found.equal, found.trouble
    say(f"the drill of {rows[-1]}: {found}")
    before = fingerprints()
    lose_the_store()
    bring_back("the store lost", before)
    lose_the_store()
    loaded(dump)
    bring_back("the store lost, the database of before", before)
    lose_the_store()
    emptied()
    call_command("migrate", verbosity=0)
    bring_back("the store and the database lost", before)
    assert Tenant.objects.count() == tenants


def main(arguments: list[str] | None = None) -> None:
    """The experiment as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=10)
    parser.add_argument("--commits", type=int, default=3500, help="of each tenant")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args(arguments)
    with own_place():
        try:
            experiment(options.tenants, options.commits, options.seed)
        except AssertionError as error:
            sys.exit(f"FAILED: {error}")


if __name__ == "__main__":
    main()
