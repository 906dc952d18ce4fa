"""Collecting garbage: everything that nothing needs goes, nothing else ever."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from hypothesis import given
from hypothesis import strategies as st

from backups import claimers
from backups.errors import GitFailed, StoreMoved
from backups.store import layout
from backups.store.git import Git
from backups.store.reader import TenantStore, open_store
from backups.store.writer import RefMove, move_refs
from checkpoints.garbage import Workshop
from checkpoints.gc import GRACE, Collected, Collection, collect_garbage
from checkpoints.gc_plan import plan_gc
from checkpoints.models import Checkpoint
from checkpoints.services import create_checkpoint, delete_checkpoint, undelete_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up, later
from tests.factories import make_device, make_tenant
from tests.sampling import sampled

AFTER = later(49)  # when what was deleted at noon has expired


def create(tenant: Tenant, message: str = "x") -> Checkpoint:
    """A checkpoint by hand."""
    return create_checkpoint(tenant, message=message, author="anna", now=NOON)


def only_in_a_checkpoint(tenant: Tenant, content: bytes) -> Checkpoint:
    """A checkpoint that holds a file which is not in the record, as one does that outlives its epoch."""
    checkpoint = create(tenant)
    store = open_store(tenant.pk)
    blob = git(store, "hash-object", "-w", "--stdin", stdin=content)
    tree = git(store, "mktree", stdin=f"100644 blob {blob}\tx\n".encode())
    pin = git(store, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", "-m", "x", tree)
    git(store, "update-ref", layout.checkpoint_ref(checkpoint.pk), pin)
    Checkpoint.objects.filter(pk=checkpoint.pk).update(pin=pin)
    checkpoint.refresh_from_db()
    # The commit that the row named at first is nobody's garbage to count.
    git(store, "repack", "-adq")
    git(store, "prune")
    return checkpoint


def git(store: TenantStore, *arguments: str, stdin: bytes = b"") -> str:
    """git as an administrator would run it."""
    command = ["git", f"--git-dir={store.path}", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode().strip()


def objects(store: TenantStore) -> set[str]:
    """Every object there is."""
    return set(git(store, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split())


def lose(store: TenantStore, object_id: str) -> None:
    """Damage as a bad disk does it: one object is gone, everything else is there."""
    for pack in list((store.path / "objects" / "pack").glob("*.pack")):
        content = pack.read_bytes()
        for part in (store.path / "objects" / "pack").glob(f"{pack.stem}.*"):
            part.unlink()
        git(store, "unpack-objects", "-q", stdin=content)
    (store.path / "objects" / object_id[:2] / object_id[2:]).unlink()


def collect(tenant: Tenant, **options: object) -> Collected:
    """Collect when everything that was deleted has expired."""
    return collect_garbage(tenant, **{"now": AFTER, **options})  # type: ignore[arg-type]


@pytest.fixture
def store(tenant: Tenant, edge: Device, core: Device) -> Iterator[TenantStore]:
    """A repository with two devices in it."""
    found = open_store(tenant.pk)
    yield found
    found.close()


def test_what_only_a_deleted_checkpoint_held_is_removed(tenant: Tenant, store: TenantStore) -> None:
    """D16: with its row, its ref and every object of it; what was freed is measured on the disk."""
    before = objects(store)
    gone = delete_checkpoint(only_in_a_checkpoint(tenant, b"secret " * 9999), by="anna", now=NOON)
    with_it = objects(store)

    result = collect(tenant)

    assert objects(store) == before
    assert (result.objects_removed, result.checkpoints_removed) == (len(with_it) - len(before), 1)
    assert result.bytes_freed > 0 and result.kept == len(before) and not result.refused
    assert not Checkpoint.objects.filter(pk=gone.pk).exists()
    assert layout.checkpoint_ref(gone.pk) not in store.refs()


def test_until_the_grace_is_over_a_deletion_can_be_undone(tenant: Tenant, store: TenantStore) -> None:
    """D16, E14: nothing is swept that somebody deleted a moment ago."""
    gone = delete_checkpoint(only_in_a_checkpoint(tenant, b"precious"), by="anna", now=NOON)
    before = objects(store)

    collect(tenant, now=NOON + GRACE - timedelta(seconds=1))

    assert objects(store) == before
    assert store.tree(undelete_checkpoint(gone, by="anna", now=NOON).pin)


def test_every_version_and_every_kept_checkpoint_is_still_there(
    tenant: Tenant, store: TenantStore, edge: Device
) -> None:
    """Promise 4: a collection loses nothing that a row needs, to the byte."""
    back_up(edge, running_cfg="hostname edge2\n")
    kept = only_in_a_checkpoint(tenant, b"outlives its epoch")
    delete_checkpoint(create(tenant), by="anna", now=NOON)
    collect(tenant)

    assert [store.blob(version.files["running.cfg"]["blob"]) for version in edge.snapshots.all()] == [
        b"hostname edge2\n",
        b"hostname edge1\n",
    ]
    assert [store.blob(entry.id) for entry in store.tree(kept.pin).values()] == [b"outlives its epoch"]
    assert git(store, "fsck", "--full", "--strict") == ""


@pytest.mark.django_db(transaction=True)
def test_a_collection_that_has_lost_the_lock_removes_nothing_of_the_next_writer(
    store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 2. It was stopped after its look, the server hung up on it, and another one has written and gone on."""
    tenant = make_tenant()
    edge = make_device(tenant)
    back_up(edge, running_cfg="hostname edge1\n")
    delete_checkpoint(only_in_a_checkpoint(tenant, b"garbage"), by="anna", now=NOON)
    install = Workshop.install

    def write_on() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s", [collector])
        back_up(edge, running_cfg="hostname edge2\n")
        connection.close()

    def install_late(workshop: Workshop) -> None:
        install(workshop)
        (thread := Thread(target=write_on)).start()
        thread.join()

    connection.ensure_connection()
    collector = connection.connection.info.backend_pid
    monkeypatch.setattr(Workshop, "install", install_late)
    with pytest.raises((DatabaseError, StoreMoved)):
        collect(tenant)
    connection.close()

    store = open_store(tenant.pk)
    kept = [store.blob(version.files["running.cfg"]["blob"]) for version in edge.snapshots.all()]
    assert kept == [b"hostname edge2\n", b"hostname edge1\n"]
    assert git(store, "fsck", "--full", "--strict", "--no-dangling") == ""
    monkeypatch.setattr(Workshop, "install", install)
    assert not collect(tenant).refused


def test_where_something_kept_is_missing_nothing_is_deleted(tenant: Tenant, store: TenantStore, edge: Device) -> None:
    """D16: the collection that deletes from a damaged store destroys what could still be saved."""
    gone = delete_checkpoint(only_in_a_checkpoint(tenant, b"x" * 999), by="anna", now=NOON)
    lose(store, edge.snapshots.get().files["running.cfg"]["blob"])
    before = objects(store)

    result = collect(tenant)

    assert "running.cfg of edge1" in result.refused[0]
    assert (objects(store), result.objects_removed, result.bytes_freed) == (before, 0, 0)
    assert Checkpoint.objects.filter(pk=gone.pk).exists() and layout.checkpoint_ref(gone.pk) in store.refs()


def test_where_a_checkpoints_commit_is_missing_it_is_named(tenant: Tenant, store: TenantStore) -> None:
    """D2, D16: a checkpoint that cannot be read any more is said by name, not skipped."""
    create(tenant, "before the move")
    lose(store, Checkpoint.objects.get().pin)

    assert "before the move" in collect(tenant).refused[0]


def test_where_content_is_not_what_it_was_nothing_is_deleted(tenant: Tenant, store: TenantStore, edge: Device) -> None:
    """An object that is there but rotten is as good as missing."""
    delete_checkpoint(only_in_a_checkpoint(tenant, b"x" * 999), by="anna", now=NOON)
    blob = edge.snapshots.get().files["running.cfg"]["blob"]
    lose(store, blob)
    other = git(store, "hash-object", "-w", "--stdin", stdin=b"hostname evil1\n")
    rotten = store.path / "objects" / blob[:2] / blob[2:]
    rotten.write_bytes((store.path / "objects" / other[:2] / other[2:]).read_bytes())
    before = objects(store)

    assert collect(tenant).refused
    assert objects(store) == before


def test_a_ref_without_a_row_is_swept(tenant: Tenant, store: TenantStore) -> None:
    """A crash between the pin and its row leaves one; it would keep its content for ever."""
    stray = layout.checkpoint_ref(uuid4())
    pin = only_in_a_checkpoint(tenant, b"never acknowledged").pin
    Checkpoint.objects.update(pin=create(tenant).pin)
    git(store, "update-ref", stray, pin)

    collect(tenant)

    assert stray not in store.refs() and pin not in objects(store)


def test_a_lost_ref_of_a_kept_checkpoint_is_set_again(tenant: Tenant, store: TenantStore) -> None:
    """The row is the truth: what it names is kept even where its ref is gone."""
    kept = only_in_a_checkpoint(tenant, b"precious")
    delete_checkpoint(only_in_a_checkpoint(tenant, b"not"), by="anna", now=NOON)
    move_refs(store.git, [RefMove(layout.checkpoint_ref(kept.pk), None, None)])

    assert collect(tenant).objects_removed == 3
    assert store.refs()[layout.checkpoint_ref(kept.pk)] == kept.pin


def test_refs_that_are_not_ours_keep_what_they_name(tenant: Tenant, store: TenantStore) -> None:
    """What a foreign writer left is in quarantine for a person to look at, not for us to throw away."""
    pin = only_in_a_checkpoint(tenant, b"foreign").pin
    git(store, "update-ref", layout.quarantine_ref(pin), pin)
    Checkpoint.objects.update(pin=create(tenant).pin)

    collect(tenant)

    assert pin in objects(store)


def test_a_dry_run_says_what_would_go_and_touches_nothing(tenant: Tenant, store: TenantStore) -> None:
    """D16: the figures of the plan are those of the deed."""
    delete_checkpoint(only_in_a_checkpoint(tenant, b"x" * 99_999), by="anna", now=NOON)
    before, refs = objects(store), store.refs()

    foreseen = collect(tenant, dry_run=True)
    assert (objects(store), store.refs(), Checkpoint.objects.count()) == (before, refs, 1)

    done = collect(tenant)
    assert (foreseen.objects_removed, foreseen.kept) == (done.objects_removed, done.kept)
    assert foreseen.bytes_freed > 0


def test_the_row_of_a_collected_checkpoint_leaves_no_hole_in_the_line(tenant: Tenant, store: TenantStore) -> None:
    """D12, D16: first parents skip what is gone."""
    first, second, third = create(tenant), create(tenant), create(tenant)
    delete_checkpoint(second, by="anna", now=NOON)
    collect(tenant)

    third.refresh_from_db()
    assert (third.parent, third.first_parent) == (first, first)


def test_packs_become_one(tenant: Tenant, store: TenantStore, edge: Device) -> None:
    """Garbage is a reason to put a repository in order; without any it is left alone."""
    for at in range(3):
        back_up(edge, running_cfg=f"hostname edge1\n! {at}\n")
    packs = len(list(store.path.rglob("*.pack")))
    collect(tenant)
    assert len(list(store.path.rglob("*.pack"))) == packs

    delete_checkpoint(only_in_a_checkpoint(tenant, b"x"), by="anna", now=NOON)
    collect(tenant)
    assert len(list(store.path.rglob("*.pack"))) == 1


def test_a_tenant_without_a_repository_has_no_garbage(tenant: Tenant, store_root: Path) -> None:
    """And gets no repository from being asked."""
    assert collect(tenant) == Collected(tenant)
    assert not store_root.exists()


def test_another_tenants_garbage_stays(tenant: Tenant, store: TenantStore) -> None:
    """D16: one tenant's collection never opens another's repository."""
    other = make_tenant("other")
    gone = delete_checkpoint(only_in_a_checkpoint(tenant, b"x"), by="anna", now=NOON)
    collect(other)

    assert gone.pin in objects(store)


CHECKPOINTS = st.lists(
    st.tuples(st.sampled_from(["kept", "fresh", "expired"]), st.sampled_from(["right", "lost", "wrong"]))
)


@given(states=CHECKPOINTS, strays=st.integers(0, 3))
def test_a_plan_keeps_all_but_the_expired(states: list[tuple[str, str]], strays: int) -> None:
    """D16: whatever the rows and the refs say of each other, only what has expired, and refs without rows, go."""
    deleted = {"kept": None, "fresh": AFTER - GRACE / 2, "expired": NOON}
    rows = [Checkpoint(id=uuid4(), pin=f"{at:040x}", deleted_at=deleted[state]) for at, (state, _) in enumerate(states)]
    refs = {f"{layout.CHECKPOINTS}/{uuid4()}": "f" * 40 for _ in range(strays)} | {layout.MAIN: "e" * 40}
    for row, (_, ref) in zip(rows, states, strict=True):
        if ref != "lost":
            refs[layout.checkpoint_ref(row.pk)] = row.pin if ref == "right" else "d" * 40

    plan = plan_gc(rows, refs, "e" * 40, now=AFTER, grace=GRACE)

    kept = {row.pin for row, (state, _) in zip(rows, states, strict=True) if state != "expired"}
    assert plan.tips == kept | {"e" * 40}
    assert len(plan.expired) == len(rows) - len(kept) and len(plan.stray) == strays
    assert set(plan.astray.values()) == {
        row.pin for row, (state, ref) in zip(rows, states, strict=True) if state != "expired" and ref != "right"
    }


@pytest.mark.parametrize("step", sampled(range(1, 6), (1, 4)))
def test_a_collection_that_is_cut_short_loses_nothing_and_the_next_one_ends_it(
    tenant: Tenant, store: TenantStore, edge: Device, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Promise 4: wherever git fails in the sweep, all that is kept is whole, and what was to go goes later."""
    kept = only_in_a_checkpoint(tenant, b"outlives its epoch")
    delete_checkpoint(only_in_a_checkpoint(tenant, b"x" * 999), by="anna", now=NOON)
    steps = iter(range(1, 99))
    run = Git.run

    def failing(self: Git, subcommand: str, *arguments: str, **options: object) -> object:
        if subcommand in ("pack-objects", "fsck", "commit-graph", "update-ref") and next(steps) == step:
            raise GitFailed("cut short")
        return run(self, subcommand, *arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Git, "run", failing)
        first = collect(tenant)
    assert git(store, "fsck", "--full", "--strict", "--no-dangling") == ""
    assert [store.blob(entry.id) for entry in store.tree(kept.pin).values()] == [b"outlives its epoch"]
    assert store.blob(edge.snapshots.get().files["running.cfg"]["blob"]) == b"hostname edge1\n"

    second = collect(tenant)
    assert first.objects_removed + second.objects_removed == 3 and not second.refused
    assert git(store, "fsck", "--unreachable") == ""


def test_what_a_killed_collection_left_goes_even_where_its_number_is_in_use_again(
    tenant: Tenant, store: TenantStore
) -> None:
    """Numbers of processes come round within the hour, and half a copy of the repository would stay."""
    began = claimers.this_process().rpartition(" ")
    left = store.path / f"collecting-{began[0].replace(' ', '_')}_1-0a1b2c3d"
    left.mkdir()

    collect_garbage(tenant, now=NOON)

    assert not left.exists()


def test_a_crash_between_the_rows_and_the_objects_is_ended_by_the_next_collection(
    tenant: Tenant, store: TenantStore
) -> None:
    """The rows are gone, the refs are not: they are stray, and go with what they held."""
    gone = delete_checkpoint(only_in_a_checkpoint(tenant, b"x" * 999), by="anna", now=NOON)
    collection = Collection(tenant, store, AFTER, GRACE)
    collection.forget_checkpoints(collection.plan())
    assert layout.checkpoint_ref(gone.pk) in store.refs()

    assert collect(tenant).objects_removed == 3
    assert layout.checkpoint_ref(gone.pk) not in store.refs()


def test_a_false_alarm_of_a_moment_is_no_refusal(
    tenant: Tenant, store: TenantStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that repacks takes packs away while they are read; with the lock everything is there again."""
    delete_checkpoint(only_in_a_checkpoint(tenant, b"x"), by="anna", now=NOON)
    alarms = iter([GitFailed("a pack has gone away")])
    prove = Workshop.prove

    def alarmed(self: Workshop, tips: set[str]) -> None:
        if alarm := next(alarms, None):
            raise alarm
        prove(self, tips)

    monkeypatch.setattr(Workshop, "prove", alarmed)

    assert collect(tenant).objects_removed == 3


def test_what_is_written_during_the_look_is_no_loss(tenant: Tenant, store: TenantStore, edge: Device) -> None:
    """Capability E14: backups go on for an hour; a collection beside them neither refuses nor loses what they bring."""
    steps: list[str] = []

    def write_on(step: str) -> None:
        steps.append(step)
        if step == "packing what is kept":
            back_up(edge, later(len(steps)), running_cfg=f"hostname edge1\nstep {len(steps)}\n")

    delete_checkpoint(only_in_a_checkpoint(tenant, b"x"), by="anna", now=NOON)
    done = collect_garbage(tenant, now=later(40), told=write_on)

    assert done.refused == () and steps.count("packing what is kept") == 1
    newest = edge.snapshots.order_by("-seq")[0]
    assert store.blob(newest.files["running.cfg"]["blob"]).startswith(b"hostname edge1\nstep")
