"""One worker's share of a run: claim, collect in threads, commit in groups, record.

Several shards may work on one run, in as many processes: each takes queued attempts until none is left. One thread,
this one, owns the database and the store; the pool's threads only talk to devices. So no router is ever waited for
while the tenant's lock is held, and no thread needs a database connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from backups import commit, runs
from backups.absence import GONE, Absence
from backups.asking import Asker
from backups.collect import Collected
from backups.copying import learn_of_growth
from backups.crew import Crew
from backups.errors import BackupError, StoreError, StoreMoved
from backups.group import Decided, Group, finish, keep_evidence
from backups.hosts.queues import mine_of
from backups.house import House
from backups.models import Attempt, AttemptSet, Run, Snapshot
from backups.retries import SiteBreaker, next_try
from backups.stay import Stay
from backups.transport import Limits, Transport

log = logging.getLogger(__name__)

HEARTBEAT = timedelta(seconds=15)
STORE_TRIES = 3  # each waits for the tenant's lock as long as `commit.writing` does
PAUSE = 2.0  # seconds until a command looks again whether a device has become free

Told = Callable[[Sequence[Attempt]], None]


def work_on(
    run: Run,
    *,
    transport: Transport,
    limits: Limits,
    threads: int,
    told: Told | None = None,
    others_wait: Callable[[bool], bool] = lambda _turn_over: False,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = timezone.now,
) -> bool:
    """Collect the run's queued devices until none is left, then close the run if this was the last share.

    `told` hears of each group of attempts once they are final. True when the worker was given up early, because of
    `others_wait(turn_over)`: then somebody has to call this again. Devices that another run talks to, or that rest
    until their next try, are waited for with `pause` in a command, and in the queue left to the tick (`resume_at`).
    """
    if not run.begin(clock()) or runs.refused(run, clock()):
        return False
    shard = Shard(
        run,
        transport=transport,
        limits=limits,
        threads=threads,
        told=told,
        others_wait=others_wait,
        pause=pause,
        clock=clock,
    )
    learn_of_growth()
    with shard.house:  # nobody waits for it before the run has ended
        with shard.crew:
            shard.work()
        ended = runs.end_run(run, clock())
    if not ended and not shard.stay.over:
        run.rest(clock())
    return shard.stay.over and not ended


class Shard:
    """The loop of `work_on`, with what it holds in hands."""

    def __init__(
        self,
        run: Run,
        *,
        transport: Transport,
        limits: Limits,
        threads: int,
        told: Told | None,
        others_wait: Callable[[bool], bool],
        pause: Callable[[float], None],
        clock: Callable[[], datetime],
    ) -> None:
        self.run = run
        self.asker = Asker(run.tenant_id, transport=transport, limits=limits, clock=clock)
        self.told, self.pause, self.clock = told, pause, clock
        self.token: UUID = uuid4()
        self.group = Group()
        self.last: dict[UUID, Snapshot] = {}
        self.crew: Crew[Attempt, Collected] = Crew(threads)
        self.beaten_at = clock()
        self.stay = Stay(others_wait, now=clock())
        self.breaker = SiteBreaker()
        self.house = House(run.tenant_id)

    def work(self) -> None:
        """Until no attempt is queued, none in flight and all is written. A database that goes away is waited for."""
        more, absence = True, Absence(pause=self.pause, clock=self.clock)
        while more or self.crew.out or self.group.decided:
            try:
                if absence.lasts:
                    self.put_back_unknown()
                    absence.end()
                more = self.turn(more)
            except GONE as error:
                absence.wait(error)
                more = True
        self.asker.accounts.leave()

    def turn(self, more: bool) -> bool:
        """Whatever is to be done now; whether there may be more to hand out."""
        more = self.hand_out(self.crew.room) if more and self.crew.room else more
        self.asker.accounts.confer()
        self.take_in()
        if not (more or self.crew.out) or self.group.due(self.clock()):
            self.write_down()
        self.beat()
        return more

    def put_back_unknown(self) -> None:
        """Queue again what is claimed for this shard, and neither out nor decided: the database went away meanwhile."""
        known = [attempt.pk for attempt in self.crew.errands] + [one.attempt.pk for one in self.group.decided]
        self.mine().exclude(pk__in=known).update(state=Attempt.State.QUEUED, token=None)

    def hand_out(self, room: int) -> bool:
        """Claim up to `room` devices for the threads; False when this shard needs no more."""
        if self.stay.ends(self.clock()):
            return False
        claimed = self.run.attempts.claim(token=self.token, limit=room, now=self.clock())
        newest = Snapshot.objects.filter(device__in=[attempt.device_id for attempt in claimed]).latest_by_device()
        self.last.update({snapshot.device_id: snapshot for snapshot in newest})
        for attempt in claimed:
            self.ask(attempt)
        return bool(claimed) or self.stays()

    def stays(self) -> bool:
        """Whether to wait for queued devices that cannot be asked now."""
        if not mine_of(self.run.tenant_id, self.run.attempts.queued()).exists():
            return False
        if self.group.decided and (not self.crew.out or self.group.keeps_places(self.clock())):
            self.write_down()
            return True
        if not self.crew.out and not self.run.by_queue:
            # Who talks to them may have died, and the queue that would find out may not be running.
            runs.release_lost(self.clock())
            self.pause(PAUSE)
        return bool(self.crew.out) or not self.run.by_queue

    def ask(self, attempt: Attempt) -> None:
        """Send a thread to the device; one that cannot even be asked is decided here."""
        try:
            self.crew.send(attempt, self.asker.visit(attempt.device, self.last.get(attempt.device_id)))
        except BackupError as exc:
            self.decide_failed(attempt, exc)

    def take_in(self) -> None:
        """Wait a moment for a device to be done, and decide all that are."""
        for attempt, future in self.crew.back(patience=0.2):
            if self.group.due(self.clock()):  # a group is what may be lost, and what is held in memory
                self.write_down()
            self.decide(attempt, future)

    def decide(self, attempt: Attempt, future: Future[Collected]) -> None:
        """What a device's answer means for its attempt, and for its site."""
        error = future.exception()
        if self.breaker.hear(attempt.device.site, error if isinstance(error, Exception) else None):
            self.give_up_site(attempt.device.site)
        if error is None:
            self.decide_collected(attempt, future.result())
        elif isinstance(error, BackupError):
            self.decide_failed(attempt, error)
        else:
            # A mistake of ours in one device's conversation must not cost the others theirs.
            log.error("Collecting device %s failed unexpectedly", attempt.device_id, exc_info=error)
            self.close(attempt, Attempt.State.FAILED, "internal", f"Netcairn itself failed: {type(error).__name__}.")

    def decide_failed(self, attempt: Attempt, error: BackupError) -> None:
        """The device, or the way to it, said no."""
        attempt.seconds = error.seconds
        self.asker.failed(attempt.device, error)
        self.note(attempt, error)
        self.group.add(Decided(attempt, transcript=error.transcript), self.clock())

    def note(self, attempt: Attempt, error: BackupError) -> None:
        """Failed for this run; or put back for a later try, but not in a command, where somebody waits."""
        again = next_try(error, tries=attempt.tries, now=self.clock()) if self.run.by_queue else None
        attempt.state = Attempt.State.QUEUED if again else Attempt.State.FAILED
        attempt.cause, attempt.detail, attempt.not_before = error.cause, str(error), again
        attempt.ended_at = None if again else self.clock()

    def give_up_site(self, site: str) -> None:
        """Fail what was not tried yet at a site of which one device after the other cannot be reached."""
        closed = list(self.run.attempts.queued().filter(device__site=site, tries=0).select_related("device"))
        detail = f"Not tried, because {self.breaker.after} devices of site {site} in a row could not be reached."
        left = self.run.attempts.filter(pk__in=[one.pk for one in closed]).queued()
        left.give_up(cause="site-down", detail=detail, now=self.clock())
        if self.told:
            self.told(closed)

    def decide_collected(self, attempt: Attempt, collected: Collected) -> None:
        """Doubtful: quarantine. As last time: unchanged. Else to be kept."""
        attempt.seconds = round(collected.seconds, 3)
        self.asker.succeeded(attempt.device, collected)
        capture, last = collected.capture, self.last.get(attempt.device_id)
        if last is not None and last.digest == capture.digest and not collected.artefacts:
            # Whatever is doubtful about it: it is the last good version, perhaps because a person has said so.
            self.close(attempt, Attempt.State.UNCHANGED, detail=collected.note)
        elif capture.doubts:
            doubt = capture.doubts[0]
            self.close(attempt, Attempt.State.QUARANTINED, doubt.cause, doubt.detail, doubtful=capture.files)
        else:
            files, how = collected.packed or capture.files, (collected.said, collected.altered)
            kept = commit.Kept(attempt.device, files, capture.digest, self.clock(), *how)
            self.close(attempt, Attempt.State.CHANGED, detail=collected.note, kept=kept)

    def close(
        self,
        attempt: Attempt,
        state: str,
        cause: str = "",
        detail: str = "",
        *,
        kept: commit.Kept | None = None,
        doubtful: Mapping[str, bytes] | None = None,
    ) -> None:
        """Decide, in memory; `write_down` makes it true."""
        attempt.state, attempt.cause, attempt.detail, attempt.ended_at = state, cause, detail, self.clock()
        self.group.add(Decided(attempt, kept, doubtful or {}), self.clock())

    def write_down(self) -> None:
        """Commit what has to be kept, record the rest, and tell."""
        self.asker.write_down()
        if not (group := self.group.decided):
            return
        held = self.keep([one for one in group if one.kept])
        self.record([one for one in group if not one.kept])
        # Not before: without the database it has to be written again, and what is done is skipped.
        self.group = self.group.following(held)
        for one in group:
            self.last.pop(one.attempt.device_id, None)  # ten thousand of them are tens of megabytes
        if self.told:
            self.told([one.attempt for one in group if one.attempt.state not in Attempt.OPEN])

    def keep(self, group: list[Decided]) -> float:
        """Commit the captures of the group, waiting while the store is busy; seconds that the lock was held."""
        for tries in range(1, STORE_TRIES + 1):
            mine = self.still_mine(group)
            try:
                return self.commit(mine)
            except StoreError as error:
                self.beat()
                if tries == STORE_TRIES or not error.worth_retrying:
                    self.fail(mine, error)
                    break
        return 0.0

    def commit(self, group: list[Decided]) -> float:
        """One call of the store; attempts are closed in the transaction that acknowledges their snapshots."""
        if not group:
            return 0.0
        by_device = {one.attempt.device_id: one for one in group}
        result = commit.keep(
            self.run.tenant_id,
            [one.kept for one in group if one.kept],
            author=self.run.requested_by,
            message=f"Back up {len(group)} device{'s' if len(group) > 1 else ''}",
            run_id=self.run.pk,
            now=self.clock(),
            also=lambda snapshots: self.acknowledge([by_device[device_id] for device_id in snapshots]),
            beyond_quota=self.run.trigger == Run.Trigger.RESTORE,  # in an emergency no bill is to stop anybody
            house=self.house,
        )
        if result.commits:
            Run.objects.filter(pk=self.run.pk).update(commit=result.commits[-1])
        # The same bytes as before, though the digest differed: a sheet that was changed since.
        for device_id in result.unchanged:
            by_device[device_id].attempt.state = Attempt.State.UNCHANGED
        # It has changed, and there is no room for it: that is no success, and must not be silent.
        for device_id, error in result.not_kept.items():
            self.note(by_device[device_id].attempt, error)
            by_device[device_id].say_what_changed(self.last.get(device_id))
        self.record([by_device[device_id] for device_id in (*result.unchanged, *result.not_kept)])
        return result.held

    def acknowledge(self, group: list[Decided]) -> None:
        """Close the attempts of new snapshots; all of them are still ours, or the transaction is undone."""
        if finish([one.attempt for one in group], token=self.token) < len(group):
            raise StoreMoved(
                f"Another worker took over devices of run {self.run.pk} meanwhile; nothing was stored twice."
            )

    def fail(self, group: list[Decided], error: StoreError) -> None:
        """The device was fine, the store was not."""
        for one in group:
            self.note(one.attempt, error)
        self.record(group)

    def record(self, group: list[Decided]) -> None:
        """Close attempts that bring no snapshot, with what is put into quarantine."""
        with transaction.atomic():
            mine = self.still_mine(group)
            if again := [one.attempt for one in mine if one.attempt.not_before]:
                runs.not_if_cancelled(self.run, again, self.clock())
            keep_evidence(mine)
            finish([one.attempt for one in mine], token=self.token)

    def still_mine(self, group: list[Decided]) -> list[Decided]:
        """Without those that the reaper has given to another worker: late results do not count.

        In a transaction the rows stay ours until its end.
        """
        held = self.mine().filter(pk__in=[one.attempt.pk for one in group])
        if transaction.get_connection().in_atomic_block:
            held = held.select_for_update()
        ids = set(held.values_list("pk", flat=True))
        return [one for one in group if one.attempt.pk in ids]

    def mine(self) -> AttemptSet:
        """The attempts that this shard may finish."""
        return Attempt.objects.held_by(self.token)

    def beat(self) -> None:
        """Say that this shard is alive, now and then."""
        if (now := self.clock()) - self.beaten_at >= HEARTBEAT:
            self.beaten_at = now
            self.mine().update(heartbeat_at=now)
            Run.objects.filter(pk=self.run.pk).update(heartbeat_at=now)
