"""One mirror brought up to date, and what came of it: in its row, in notices, and never in anybody's way.

Without the tenant's lock: a push only reads, and what a collection takes away meanwhile makes it fail, and be tried
again. What others have put there is kept under `refs/quarantine/` of the mirror, or told where even that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from backups.errors import BackupError
from backups.mirrors.login import logged_in
from backups.mirrors.models import Mirror, MirroredRef
from backups.mirrors.refs import KEPT, Move, Plan, compare, is_ours
from backups.mirrors.remote import Pushed, Remote
from backups.models import Repository
from backups.remote.errors import RemoteFailed, RemoteRefused, RemoteStranger
from backups.store import layout
from backups.store.chronicle import descends
from backups.store.reader import TenantStore, open_store
from backups.store.troubles import kind_of
from inventory.host_key_services import stranger_met
from inventory.notices import Level, settle, tell

LOOK_EVERY = timedelta(hours=1)  # whatever happens here: somebody may have written there
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
ROUNDS = 3  # somebody may move a ref between our look and our push, but not for ever
FAILING, DIVERGED, LATE = "mirror.failing", "mirror.diverged", "mirror.late"  # codes of the alarms
TOLD_AFTER = 3  # failures in a row, where trying again may help
NAMED = 3


@dataclass
class Outcome:
    """What a turn came to."""

    pushed: int = 0  # refs
    kept: dict[str, str] = field(default_factory=dict)  # ref -> the foreign commit that has a name of its own now
    left: dict[str, str] = field(default_factory=dict)  # ref -> why it is not up to date
    vanished: list[str] = field(default_factory=list)
    trouble: str = ""


def push_mirror(mirror: Mirror, *, now: datetime) -> Outcome | None:
    """Bring one mirror up to date; None where somebody else is at it. What fails is in the outcome and in the row."""
    if not Mirror.objects.claim(mirror.pk, now):
        return None
    mirror = Mirror.objects.select_related("tenant", "credential").get(pk=mirror.pk)
    outcome = Outcome()
    seq = mirror.seq
    try:
        seq = bring_up(mirror, outcome)
    except RemoteStranger as stranger:
        outcome.trouble = str(stranger)
        if stranger.presented:
            stranger_met(mirror, stranger.presented, now=now)
        record(mirror, outcome, seq, now=now, may_pass=False)
    except BackupError as error:
        outcome.trouble = str(error)
        record(mirror, outcome, seq, now=now, may_pass=error.worth_retrying)
    else:
        record(mirror, outcome, seq, now=now, may_pass=True)
    return outcome


def bring_up(mirror: Mirror, outcome: Outcome) -> int:
    """Push what it lacks; the number of the change that it has then. Raises BackupError."""
    if mirror.presented_key:
        raise RemoteRefused(
            f"Mirror {mirror} showed another host key than the pinned one, and nothing logs in until somebody has "
            "judged it on its page."
        )
    row = Repository.objects.filter(pk=mirror.tenant_id, head__isnull=False).first()
    if row is None:
        return 0  # nothing to push yet
    store = open_store(mirror.tenant_id)
    with logged_in(mirror) as login:
        remote = Remote(mirror, store.git, login)
        for _ in range(ROUNDS):
            row.refresh_from_db()
            here = {layout.MAIN: str(row.head), **store.refs(*KEPT)}
            done = carry_out(mirror, remote, plan_for(mirror, store, here, remote.refs()), outcome)
            if not done.overtaken:
                break
    outcome.left |= done.refused
    if outcome.left:
        raise RemoteFailed(told_of_left(outcome.left))
    return row.seq


def plan_for(mirror: Mirror, store: TenantStore, here: Mapping[str, str], there: Mapping[str, str]) -> Plan:
    """What to push. Raises RemoteRefused for a repository that is somebody else's."""
    ours = {row.ref: row.may_name() for row in MirroredRef.objects.filter(mirror=mirror)}
    if not ours:
        check_fresh(mirror, store, here, there)
        ours = {ref: frozenset([commit]) for ref, commit in there.items() if ref in here}
    return compare(here, ours, there)


def check_fresh(mirror: Mirror, store: TenantStore, here: Mapping[str, str], there: Mapping[str, str]) -> None:
    """Raise RemoteRefused unless a remote that was never pushed to is empty, or an older state of this record.

    A slip in an address must not write over another project, not even one whose commits would be kept aside.
    """
    found = there.get(layout.MAIN)
    head = here[layout.MAIN]
    ours = found is None or (kind_of(store.git, found) == "commit" and (found == head or descends(store, found, head)))
    others = [ref for ref, commit in there.items() if is_ours(ref) and ref != layout.MAIN and here.get(ref) != commit]
    if not ours or (found is None and others):
        raise RemoteRefused(
            f"The repository at {mirror.url} is not empty, and what it holds is not of {mirror.tenant}: make an empty "
            "one, without a first file, or correct the address."
        )


def carry_out(mirror: Mirror, remote: Remote, plan: Plan, outcome: Outcome) -> Pushed:
    """Keep what is foreign, push, and write down what was pushed."""
    failed = remote.keep(plan.foreign) if plan.foreign else {}
    outcome.kept |= {ref: commit for ref, commit in plan.foreign.items() if ref not in failed}
    outcome.left |= failed
    outcome.vanished += plan.vanished
    moves = [move for move in plan.moves if move.ref not in failed]
    intend(mirror, moves)
    done = remote.push(moves) if moves else Pushed()
    outcome.pushed += len(done.done)
    remember(mirror, {**plan.same, **{move.ref: move.new for move in done.done}})
    return done


def intend(mirror: Mirror, moves: Iterable[Move]) -> None:
    """Note what is about to be pushed: after a crash it is known for ours."""
    rows = [
        MirroredRef(
            tenant_id=mirror.tenant_id, mirror=mirror, ref=move.ref, commit=move.old or "", trying=move.new or ""
        )
        for move in moves
    ]
    MirroredRef.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["mirror", "ref"], update_fields=["commit", "trying"]
    )


def remember(mirror: Mirror, refs: Mapping[str, str | None]) -> None:
    """What the mirror's refs name now because of us; only rows that differ are written."""
    known = {row.ref: row for row in MirroredRef.objects.filter(mirror=mirror)}
    new = {
        ref: commit
        for ref, commit in refs.items()
        if commit and (ref not in known or known[ref].commit != commit or known[ref].trying)
    }
    rows = [MirroredRef(tenant_id=mirror.tenant_id, mirror=mirror, ref=ref, commit=one) for ref, one in new.items()]
    with transaction.atomic():
        MirroredRef.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["mirror", "ref"], update_fields=["commit", "trying"]
        )
        MirroredRef.objects.filter(mirror=mirror, ref__in=[ref for ref, commit in refs.items() if not commit]).delete()


def told_of_left(left: Mapping[str, str]) -> str:
    """Which refs are not up to date, and why."""
    some = "; ".join(f"{ref}: {said}" for ref, said in list(left.items())[:NAMED])
    return f"{len(left)} refs of the mirror are not up to date: {some}"


def record(mirror: Mirror, outcome: Outcome, seq: int, *, now: datetime, may_pass: bool) -> None:
    """The row says how it stands, and alarms are raised or settled."""
    failures = mirror.failures + 1 if outcome.trouble else 0
    row: dict[str, object] = {"busy_until": None, "failures": failures, "trouble": outcome.trouble}
    if not outcome.trouble:
        row |= {"seq": seq, "same_at": now}
    with transaction.atomic():
        mine = Mirror.objects.filter(pk=mirror.pk)
        mine.filter(next_at=mirror.next_at).update(next_at=now + wait(failures))  # else it is wanted again already
        mine.update(**row)
        about = f"mirror {mirror}"
        if outcome.kept or outcome.left:
            tell(mirror.tenant, code=DIVERGED, about=about, text=divergence(outcome), level=Level.ALARM)
        if not outcome.trouble:
            settle(mirror.tenant, code=FAILING, about=about)
            settle(mirror.tenant, code=LATE, about=about)
        elif failures >= TOLD_AFTER or not may_pass:
            tell(mirror.tenant, code=FAILING, about=about, text=outcome.trouble, level=Level.ALARM)


def wait(failures: int) -> timedelta:
    """Until the next look; each failure in a row doubles it, so that a dead remote is in nobody's way."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 20)) if failures else LOOK_EVERY


def divergence(outcome: Outcome) -> str:
    """What somebody else did there, and what became of it."""
    told = []
    for ref, commit in list(outcome.kept.items())[:NAMED]:
        told.append(f"Somebody else had moved {ref} to {commit}: kept there as {layout.quarantine_ref(commit)}.")
    if outcome.left:
        told.append(f"{told_of_left(outcome.left)} Nothing was written over.")
    return " ".join([*told, "Find out who else may write to the mirror."])


def watch(now: datetime) -> None:
    """An alarm for each mirror of which nobody knows for hours that it has everything."""
    for mirror in Mirror.objects.late(now).select_related("tenant"):
        since = mirror.same_at or mirror.created_at
        text = f"It is not known to be up to date since {since:%Y-%m-%d %H:%M} UTC. {mirror.trouble}".strip()
        tell(mirror.tenant, code=LATE, about=f"mirror {mirror}", text=text, level=Level.ALARM)


def behind(mirror: Mirror, newest: int | None) -> int:
    """How many changes of the record the mirror lacks."""
    return max(0, (newest or 0) - mirror.seq)
