"""Who may talk to which device when: one session each, limits, fairness, retries, sites that are down, cancelling."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from backups import jobs, runs, shard, stay
from backups.errors import LinkLost, LoginRefused, StoreBusy, Unreachable
from backups.hosts import queues
from backups.models import Attempt, Run
from backups.progress import Progress
from backups.retries import MAX_TRIES, PAUSES, SITE_DOWN_AFTER, SiteBreaker, next_try
from backups.transport import Limits
from config.queue_broker import Broker
from inventory.models import Credential, Device, Membership, Tenant
from tests.backups.test_shard import FakeTransport, config
from tests.factories import make_credential, make_device, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


@pytest.fixture(autouse=True)
def no_hooks(settings, store_root: Path) -> None:
    settings.NETCAIRN_RUN_ENDED = []


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def credential(tenant: Tenant) -> Credential:
    credential = make_credential(tenant)
    credential.set_password("canary-password")
    credential.save()
    return credential


def start(devices: list[Device], *, by_queue: bool = True, now: datetime = NOON) -> Run:
    (run,) = runs.start_runs(devices, requested_by="ada", trigger="hand", by_queue=by_queue, now=now)
    return run


def claim(run: Run, limit: int = 10, now: datetime = NOON) -> list[str]:
    return sorted(one.device.name for one in run.attempts.claim(token=uuid4(), limit=limit, now=now))


def finish(run: Run) -> None:
    run.attempts.filter(state="running").update(state="unchanged", token=None, ended_at=NOON)


def outcome(run: Run) -> list[tuple[str, str]]:
    return list(run.attempts.order_by("device__name").values_list("state", "cause"))


# One session per device


def test_a_device_that_one_run_talks_to_is_not_claimed_by_another(tenant: Tenant) -> None:
    """Many devices have one or two lines for people and programs together."""
    edge1, edge2 = make_device(tenant, name="edge1"), make_device(tenant, name="edge2")
    first, second = start([edge1]), start([edge1, edge2])
    claim(first)

    assert claim(second) == ["edge2"]
    finish(first)
    assert claim(second) == ["edge1"]


def test_many_claims_at_once_give_each_device_one_session(tenant: Tenant) -> None:
    """Ten workers, five runs over the same three devices, all at the same moment."""
    devices = [make_device(tenant, name=f"edge{n}") for n in range(3)]
    wanted = [start(devices) for _ in range(5)] * 2
    together = threading.Barrier(len(wanted))
    claimed: list[str] = []

    def one(run: Run) -> None:
        together.wait()
        claimed.extend(claim(run))
        connection.close()

    workers = [threading.Thread(target=one, args=(run,)) for run in wanted]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(claimed) == ["edge0", "edge1", "edge2"]


def test_the_database_refuses_a_second_session(tenant: Tenant) -> None:
    """A rule that must never be false is a constraint, whatever other code does."""
    device = make_device(tenant)
    first, second = start([device]), start([device])
    claim(first)

    with pytest.raises(IntegrityError):
        second.attempts.update(state="running")


def test_a_command_waits_for_a_device_that_another_run_talks_to(tenant: Tenant, credential: Credential) -> None:
    """Somebody who asks for a backup gets one, a moment later."""
    device = make_device(tenant, credential=credential)
    other = start([device], now=timezone.now())
    claim(other, now=timezone.now())
    mine = start([device], by_queue=False, now=timezone.now())
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        finish(other)

    transport = FakeTransport({"edge1": config("edge1")})
    shard.work_on(mine, transport=transport, limits=Limits(), threads=2, pause=pause)

    assert (waited, outcome(mine)) == ([shard.PAUSE], [("changed", "")])


def test_a_command_does_not_wait_for_a_worker_that_died(tenant: Tenant, credential: Credential) -> None:
    """Without a queue nobody else would find out."""
    device = make_device(tenant, credential=credential)
    long_ago = timezone.now() - runs.SILENCE - timedelta(seconds=1)
    claim(start([device]), now=long_ago)
    mine = start([device], by_queue=False, now=timezone.now())

    shard.work_on(
        mine, transport=FakeTransport({"edge1": config("edge1")}), limits=Limits(), threads=2, pause=lambda _: None
    )

    assert outcome(mine) == [("changed", "")]


def test_a_worker_of_the_queue_does_not_wait_but_comes_back(tenant: Tenant, credential: Credential) -> None:
    """Two workers that wait for each other's devices would stop everything, the reaper included."""
    device = make_device(tenant, credential=credential)
    other, mine = start([device]), start([device])
    claim(other, now=timezone.now())

    shard.work_on(mine, transport=FakeTransport({}), limits=Limits(), threads=2)
    mine.refresh_from_db()
    assert (mine.state, mine.resume_at is not None) == ("running", True)

    now = timezone.now() + timedelta(minutes=1)
    assert (runs.resume(now), runs.resume(now)) == ([mine], [])


def test_a_run_that_waits_is_not_taken_for_a_lost_one(tenant: Tenant) -> None:
    """The reaper would start it every minute and a half, however long its devices are to rest."""
    run = start([make_device(tenant)])
    run.attempts.update(not_before=NOON + timedelta(hours=1))
    run.begin(NOON)
    run.rest(NOON)

    assert runs.reap(NOON + timedelta(minutes=30)) == []
    assert runs.resume(NOON + timedelta(minutes=30)) == []
    assert runs.resume(NOON + timedelta(hours=1)) == [run]


def test_the_tick_asks_for_a_worker_when_the_time_has_come(tenant: Tenant) -> None:
    """Nobody else would: the shard that left has forgotten the run."""
    run = start([make_device(tenant)], now=timezone.now())
    Run.objects.update(state="running", resume_at=timezone.now())

    jobs.tick()
    jobs.tick()

    assert [task.task["args"] for task in OrmQ.objects.all()] == [(str(run.pk),)]


# Limits and fairness


def test_a_tenant_has_no_more_sessions_than_it_allows(tenant: Tenant) -> None:
    """A customer's TACACS server or thin line sets the pace, not our threads."""
    Tenant.objects.update(max_sessions=3)
    devices = [make_device(tenant, name=f"edge{n}") for n in range(6)]
    first, second = start(devices[:3]), start(devices[3:])

    assert len(claim(first, limit=2)) == 2
    assert len(claim(second)) == 1
    assert claim(first) == []
    finish(second)
    assert len(claim(first)) == 1


def test_a_limit_costs_a_run_its_pace_and_not_its_worker(tenant: Tenant, credential: Credential) -> None:
    """What has answered and is not written down yet holds its places: to leave then is to wait for the next minute."""
    Tenant.objects.update(max_sessions=2)
    devices = [make_device(tenant, name=f"edge{n}", credential=credential) for n in range(5)]
    run = start(devices)

    transport = FakeTransport({device.name: config(device.name) for device in devices})
    shard.work_on(run, transport=transport, limits=Limits(), threads=4)

    assert outcome(run) == [("changed", "")] * 5


def test_a_site_has_no_more_sessions_than_its_tenant_allows(tenant: Tenant) -> None:
    """Thirty logins over one thin line to a branch office is an outage there."""
    Tenant.objects.update(max_sessions_a_site=2)
    branch = [make_device(tenant, name=f"branch{n}", site="Basel") for n in range(4)]
    run = start([*branch, make_device(tenant, name="core", site="Zurich"), make_device(tenant, name="nowhere")])

    assert claim(run) == ["branch0", "branch1", "core", "nowhere"]
    assert claim(run) == []


def test_a_small_tenant_is_not_starved_by_a_large_one(tenant: Tenant, credential: Credential) -> None:
    """A tenant with ten thousand devices must not keep the workers for the night."""
    devices = [make_device(tenant, name=f"edge{n:02}", credential=credential) for n in range(12)]
    large = start(devices)
    clock = iter(NOON + n * stay.TURN / 4 for n in range(10_000))
    transport = FakeTransport({device.name: config(device.name) for device in devices})

    gave_way = shard.work_on(
        large,
        transport=transport,
        limits=Limits(),
        threads=1,
        others_wait=lambda turn_over: turn_over,
        clock=lambda: next(clock),
    )

    counts = large.counts()
    assert gave_way
    assert (counts["running"], counts["queued"] > 0, counts["changed"] > 0) == (0, True, True)


def test_a_run_that_gave_way_goes_to_the_end_of_the_queue(tenant: Tenant, monkeypatch) -> None:
    """Giving way must not mean being forgotten."""
    (run,) = jobs.enqueue_run([make_device(tenant)], requested_by="ada")
    OrmQ.objects.all().delete()
    monkeypatch.setattr(shard, "work_on", lambda *_, **__: True)

    jobs.collect_shard(str(run.pk))

    assert [task.task["args"] for task in OrmQ.objects.all()] == [(str(run.pk),)]


def test_a_large_run_does_not_wait_in_front_with_its_other_tasks(tenant: Tenant, monkeypatch) -> None:
    """Where there is one worker, a tenant of ten would wait for four turns of half a minute instead of one."""
    monkeypatch.setattr(jobs, "DEVICES_A_SHARD", 1)
    (large,) = jobs.enqueue_run([make_device(tenant, name=f"edge{n}") for n in range(3)], requested_by="ada")
    (small,) = jobs.enqueue_run([make_device(make_tenant("globex"))], requested_by="bob")
    OrmQ.objects.order_by("pk")[0].delete()  # fetched
    monkeypatch.setattr(shard, "work_on", lambda *_, **__: True)

    jobs.collect_shard(str(large.pk))

    names = [task.task["args"][0] for task in OrmQ.objects.order_by("pk")]
    assert names == [str(small.pk), *[str(large.pk)] * 3]


def test_only_others_work_in_the_queue_is_a_reason_to_give_way(tenant: Tenant) -> None:
    """The shards of one run need not be polite to each other."""
    (mine,) = jobs.enqueue_run([make_device(tenant)], requested_by="ada")
    soon = timezone.now() + timedelta(seconds=1)
    assert not jobs.others_wait(mine, soon)

    jobs.enqueue_run([make_device(make_tenant("globex"))], requested_by="bob", trigger=Run.Trigger.SCHEDULE)

    assert jobs.others_wait(mine, soon)
    assert not jobs.goes_before(mine, soon)


def test_what_a_person_asks_for_goes_before_all_that_waits(tenant: Tenant) -> None:
    """With forty schedules at two in the night, "Back up now" waited for forty turns of half a minute."""
    (nightly,) = jobs.enqueue_run([make_device(tenant)], requested_by="nightly", trigger=Run.Trigger.SCHEDULE)
    (now,) = jobs.enqueue_run([make_device(make_tenant("globex"))], requested_by="bob")

    assert jobs.goes_before(nightly, timezone.now())
    ((pk, _),) = Broker(list_key="netcairn").dequeue()
    assert OrmQ.objects.get(pk=pk).task["args"] == (str(now.pk),)
    assert jobs.goes_before(nightly, timezone.now())  # fetched, but not begun
    now.begin(timezone.now())
    assert not jobs.goes_before(nightly, timezone.now())


def test_the_tick_waits_behind_no_run(tenant: Tenant) -> None:
    """Behind forty nightly runs it came ten minutes late, and with it whatever was due or lost meanwhile."""
    (nightly,) = jobs.enqueue_run([make_device(tenant)], requested_by="nightly", trigger=Run.Trigger.SCHEDULE)
    jobs.enqueue("backups.jobs.tick", name="tick")

    assert not jobs.goes_before(nightly, timezone.now())
    assert jobs.others_wait(nightly, timezone.now())
    ((pk, _),) = Broker(list_key="netcairn").dequeue()
    assert OrmQ.objects.get(pk=pk).name() == "tick"


def test_a_run_by_hand_keeps_its_place_when_it_gives_way_early(tenant: Tenant, monkeypatch) -> None:
    """Two people who click need not wait for each other's whole fleets, nor for the night's."""
    (mine,) = jobs.enqueue_run([make_device(tenant)], requested_by="ada")
    OrmQ.objects.all().delete()
    monkeypatch.setattr(shard, "work_on", lambda *_, **__: True)

    jobs.collect_shard(str(mine.pk))

    assert OrmQ.objects.get().lock == queues.FIRST


def test_a_run_by_hand_goes_first_for_one_turn_and_not_for_ever(tenant: Tenant, monkeypatch) -> None:
    """Two large ones gave way to each other every two seconds, and each time waited for their slowest devices."""
    (mine,) = jobs.enqueue_run([make_device(tenant)], requested_by="ada")
    mine.begin(timezone.now() - stay.TURN)
    OrmQ.objects.all().delete()
    monkeypatch.setattr(shard, "work_on", lambda *_, **__: True)

    jobs.collect_shard(str(mine.pk))

    assert OrmQ.objects.get().lock > queues.FIRST


# Retries


@pytest.mark.parametrize(
    ("error", "tries", "pause"),
    [
        (Unreachable("x"), 1, PAUSES[0]),
        (LinkLost("x"), 2, PAUSES[1]),
        (StoreBusy("x"), 1, PAUSES[0]),
        (Unreachable("x"), MAX_TRIES, None),
        (LoginRefused("x"), 1, None),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Exception, tries: int, pause: timedelta | None) -> None:
    """A refused password that is sent again and again locks the account."""
    assert next_try(error, tries=tries, now=NOON) == (NOON + pause if pause else None)


def test_a_device_that_is_lost_once_is_tried_again_in_the_same_run(tenant: Tenant, credential: Credential) -> None:
    """A router that restarts at two must not be missing until the next night."""
    run = start([make_device(tenant, credential=credential)])
    answers = FakeTransport({"edge1": LinkLost("gone")})
    clock = [NOON]

    def work() -> None:
        shard.work_on(run, transport=answers, limits=Limits(), threads=1, clock=lambda: clock[0])
        run.refresh_from_db()

    work()
    attempt = run.attempts.get()
    assert (attempt.state, attempt.cause, attempt.ended_at) == ("queued", "link-lost", None)
    assert (run.state, run.resume_at) == ("running", NOON + PAUSES[0])

    work()  # too early
    assert run.attempts.get().tries == 1

    clock[0] += PAUSES[0]
    answers.answers["edge1"] = config("edge1")
    work()
    assert (outcome(run), run.state) == ([("changed", "")], "done")


def test_a_device_that_stays_away_fails_in_the_end(tenant: Tenant, credential: Credential) -> None:
    """A run has to end."""
    run = start([make_device(tenant, credential=credential)])
    gone, clock = FakeTransport({"edge1": LinkLost("gone")}), [NOON]
    for _ in range(MAX_TRIES):
        shard.work_on(run, transport=gone, limits=Limits(), threads=1, clock=lambda: clock[0])
        clock[0] += PAUSES[-1]

    run.refresh_from_db()
    assert (outcome(run), run.state, run.attempts.get().tries) == ([("failed", "link-lost")], "done", MAX_TRIES)


def test_a_command_tells_at_once(tenant: Tenant, credential: Credential) -> None:
    """Somebody sits before it."""
    run = start([make_device(tenant, credential=credential)], by_queue=False)

    shard.work_on(run, transport=FakeTransport({"edge1": LinkLost("gone")}), limits=Limits(), threads=1)

    assert outcome(run) == [("failed", "link-lost")]


# A site that is down


def test_the_breaker_counts_in_a_row_and_by_site() -> None:
    """One dead device is not a dead site, and devices without a site have nothing in common."""
    breaker, gone = SiteBreaker(after=2), Unreachable("x")

    heard = [
        breaker.hear(*one)
        for one in [("a", gone), ("b", gone), ("a", None), ("a", gone), ("a", LinkLost("x")), ("", gone), ("", gone)]
    ]

    assert heard == [False] * 7
    assert (breaker.hear("b", gone), breaker.hear("a", gone)) == (True, False)


def test_a_site_that_is_down_is_given_up_and_the_others_are_not(tenant: Tenant, credential: Credential) -> None:
    """Three hundred devices behind a dead line, half a minute each, is the night of all others."""
    down = [make_device(tenant, name=f"a{n:02}", site="Basel", credential=credential) for n in range(20)]
    up = make_device(tenant, name="z", site="Zurich", credential=credential)
    run = start([*down, up], by_queue=False)
    heard: list[Attempt] = []
    answers = {device.name: Unreachable("no route") for device in down} | {"z": config("z")}

    shard.work_on(run, transport=Down(answers), limits=Limits(), threads=1, told=heard.extend)

    found = [cause for _, cause in outcome(run)]
    assert SITE_DOWN_AFTER <= found.count("unreachable") < 20
    assert found.count("unreachable") + found.count("site-down") == 20
    assert outcome(run)[-1] == ("changed", "")
    assert len(heard) == 21


class Down(FakeTransport):
    """Devices that cannot be connected to."""

    def open(self, target, platform, limits):
        answer = self.answers[target.name]
        if isinstance(answer, Unreachable):
            raise answer
        return super().open(target, platform, limits)


# Cancelling


def test_a_cancelled_run_stops_and_keeps_what_came(tenant: Tenant) -> None:
    """Somebody saw that it was the wrong moment."""
    run = start([make_device(tenant, name=f"edge{n}") for n in range(3)])
    claim(run, limit=1)

    stopped = runs.cancel(run, by="ada", now=NOON)

    assert (stopped, outcome(run)) == (2, [("running", ""), ("failed", "cancelled"), ("failed", "cancelled")])
    assert claim(run) == []
    finish(run)
    assert runs.end_run(run, NOON)


@pytest.mark.parametrize(("cancelled_at", "pace"), [(None, 120), (NOON, None)])
def test_a_cancelled_run_tells_no_pace(cancelled_at: datetime | None, pace: float | None) -> None:
    """What was left out was not collected, and would make it the fastest of all."""
    run = Run(state="done", started_at=NOON, ended_at=NOON + timedelta(minutes=1), cancelled_at=cancelled_at)

    assert Progress({"unchanged": 42, "failed": 78}).per_minute(run, NOON) == pace


def test_a_cancelled_run_that_nobody_works_on_ends_at_once(tenant: Tenant) -> None:
    """Nothing would come to end it."""
    run = start([make_device(tenant)])

    runs.cancel(run, by="ada", now=NOON)

    assert Run.objects.get().state == "done"


def test_a_device_that_fails_after_the_cancelling_is_not_tried_again(tenant: Tenant, credential: Credential) -> None:
    """Otherwise a cancelled run would come back to life minutes later."""
    run = start([make_device(tenant, credential=credential)])

    class Cancelled(FakeTransport):
        def open(self, target, platform, limits):
            runs.cancel(run, by="ada", now=timezone.now())
            connection.close()
            raise Unreachable("gone")

    shard.work_on(run, transport=Cancelled({}), limits=Limits(), threads=1)

    run.refresh_from_db()
    assert (outcome(run), run.state) == ([("failed", "unreachable")], "done")


def test_the_work_of_a_dead_worker_is_not_begun_again_in_a_cancelled_run(tenant: Tenant) -> None:
    """The reaper must not undo what somebody decided."""
    run = start([make_device(tenant)])
    claim(run)
    runs.cancel(run, by="ada", now=NOON)

    runs.reap(NOON + runs.SILENCE + timedelta(seconds=1))

    run.refresh_from_db()
    assert (outcome(run), run.state) == ([("failed", "worker-lost")], "done")


def test_the_command_lists_and_cancels(tenant: Tenant, capsys) -> None:
    """From a terminal at night, without a browser."""
    run = start([make_device(tenant)])

    call_command("run", "list", "--json")
    listed = json.loads(capsys.readouterr().out)["runs"]
    call_command("run", "cancel", str(run.pk), "--json")
    cancelled = json.loads(capsys.readouterr().out)

    assert ([one["id"] for one in listed], listed[0]["counts"]["queued"]) == ([str(run.pk)], 1)
    assert (cancelled["stopped"], cancelled["state"]) == (1, "done")
    with pytest.raises(CommandError, match="ended already"):
        call_command("run", "cancel", str(run.pk))


def test_the_page_cancels_only_after_a_confirmation(tenant: Tenant, client: Client, django_user_model) -> None:
    """A slip of the mouse must not stop a night's backup."""
    run = start([make_device(tenant)])
    user = django_user_model.objects.create_user("olga", is_staff=True)
    Membership.objects.create(tenant=tenant, user=user, role=Membership.Role.OPERATOR)
    client.force_login(user)
    page = reverse("admin:backups_run_cancel", args=[run.pk])

    asked = client.get(page)
    assert Run.objects.get().cancelled_at is None
    client.post(page, dict(asked.context["hidden"]))

    assert outcome(run) == [("failed", "cancelled")]


def test_a_claim_does_not_read_all_that_is_queued(tenant: Tenant) -> None:
    """Once PostgreSQL had seen 10,000 queued attempts it sorted them at each of 500 claims: a tenth of a night's run."""
    Device.objects.bulk_create(
        Device(tenant=tenant, name=f"d{number}", address="192.0.2.1", platform="cisco_ios") for number in range(1500)
    )
    run = start(list(Device.objects.all()))
    ready = run.attempts.ready(tenant, NOON).order_by("id").values_list("id", flat=True)[:10]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE backups_attempt, inventory_device")

    assert "Sort" not in ready.explain()
