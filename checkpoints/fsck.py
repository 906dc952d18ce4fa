"""What can be wrong between checkpoints' rows and their refs; `fsck` asks for it through a setting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from backups.errors import StoreDamaged
from backups.store import layout
from backups.store.reader import TenantStore
from backups.store.replaying import is_complete
from backups.store.stream import NewCommit, Put, with_trailers
from backups.store.troubles import Trouble, kind_of
from backups.store.writer import RefMove, make_ref_durable, move_refs, write_commit
from checkpoints.models import Checkpoint
from inventory.models import Tenant

DIED = 128  # git's exit status where it cannot read an object


def troubles(tenant: Tenant, store: TenantStore) -> Iterator[Trouble]:
    """Checkpoints without their ref or their content, and refs without a checkpoint. Whoever calls holds the lock."""
    refs = store.refs(layout.CHECKPOINTS)
    rows = {layout.checkpoint_ref(row.pk): row for row in Checkpoint.objects.filter(tenant=tenant)}
    readable = with_content(store, {row.pin for row in rows.values()} | set(refs.values()))
    for ref, row in rows.items():
        if row.pin not in readable:
            yield lost(store, row)
        elif refs.get(ref) != row.pin:
            what = (
                f"Checkpoint {row.short_id} ({row}) of {tenant} is not held by its ref: the next `gc` puts that right."
            )
            yield Trouble("checkpoint-ref-missing", what, hold(store, ref, row.pin, refs.get(ref)))
    for ref, commit in refs.items():
        if ref not in rows:
            yield stray(store, ref, commit, known=commit in readable)


def with_content(store: TenantStore, pins: Iterable[str]) -> set[str]:
    """Those of the commits that are there with their tree."""
    wanted = sorted(pins)
    asked = "".join(f"{layout.checked_id(pin)}^{{tree}}\n" for pin in wanted).encode()
    answer = store.git.run("cat-file", "--batch-check=%(objectname)", stdin=asked, expect=(0, DIED))
    if answer.status == DIED and len(wanted) > 1:
        # git stops at the first that it cannot read: halves find the others.
        half = len(wanted) // 2
        return with_content(store, wanted[:half]) | with_content(store, wanted[half:])
    if answer.status == DIED:
        return set()
    lines = answer.out.decode().splitlines()
    return {pin for pin, line in zip(wanted, lines, strict=True) if layout.FULL_ID.match(line)}


def lost(store: TenantStore, row: Checkpoint) -> Trouble:
    """A checkpoint whose content is gone; one of a whole tenant can be made again from the record, to the same id."""
    again = row.whole and not row.lost_at and bool(with_content(store, [row.commit]))
    rest = "the record still has it." if again else "bring the repository back from a copy."
    what = (
        f"The content of checkpoint {row.short_id} ({row}) of {row.created_at:%Y-%m-%d %H:%M} UTC is not there: {rest}"
    )
    return Trouble("checkpoint-lost", what, remake(store, row) if again else None)


def stray(store: TenantStore, ref: str, commit: str, *, known: bool) -> Trouble:
    """A ref of a checkpoint that the database does not know."""
    title = title_of(store, commit) if known else "which is not there"
    what = (
        f"{ref} holds a checkpoint that the database does not know ({title}): a crash left it, or the database is "
        "older. `fsck --rebuild` gives it back to the database, `--repair` keeps it in quarantine."
    )
    return Trouble("checkpoint-ref-stray", what, put_aside(store, ref, commit))


def title_of(store: TenantStore, commit: str) -> str:
    """The first line of a commit's message."""
    _, content = store.objects.read(commit)
    return content.partition(b"\n\n")[2].decode("utf-8", "replace").partition("\n")[0]


def hold(store: TenantStore, ref: str, pin: str, instead: str | None) -> Callable[[], None]:
    """Let the ref name the pin; what it named instead is kept in quarantine."""

    def mend() -> None:
        file = store.path / ref
        if instead is None and file.is_file():
            file.unlink()  # it holds no id: git would neither read nor replace it
        there = instead is not None and is_complete(store.git, instead)
        kept = [RefMove(layout.quarantine_ref(instead), instead, None)] if instead and there else []
        move_refs(store.git, [*kept, RefMove(ref, pin, instead or layout.NO_ID)])
        make_ref_durable(store.git, ref)

    return mend


def put_aside(store: TenantStore, ref: str, commit: str) -> Callable[[], None]:
    """Keep what a ref names in quarantine instead; a ref that names nothing goes."""

    def mend() -> None:
        kept = layout.quarantine_ref(commit)
        if not kind_of(store.git, commit):
            move_refs(store.git, [RefMove(ref, None, commit)])
            return
        move_refs(store.git, [RefMove(kept, commit, None), RefMove(ref, None, commit)])
        make_ref_durable(store.git, kept)

    return mend


def remake(store: TenantStore, row: Checkpoint) -> Callable[[], None]:
    """Write the commit of a whole tenant's checkpoint once more: same tree, author, time and text, so the same id."""

    def mend() -> None:
        ref = layout.checkpoint_ref(row.pk)
        top = store.entries(row.commit, [], folders=True)
        new = NewCommit(
            ref,
            None,
            with_trailers(row.message, {"Tenant": str(row.tenant_id), "Checkpoint": str(row.pk)}),
            row.author,
            row.created_at,
            [Put(path, entry.id, entry.mode) for path, entry in top.items()],
        )
        (store.path / ref).unlink(missing_ok=True)
        made = write_commit(store.git, new)
        if made != row.pin:
            raise StoreDamaged(f"Checkpoint {row.short_id} came out as {made}, not as {row.pin}.")
        make_ref_durable(store.git, ref)
        store.close()

    return mend
