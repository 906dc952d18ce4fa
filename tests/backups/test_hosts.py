"""Several hosts: whose devices a worker takes, what becomes of a site without workers, and who may not work at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from backups import jobs, runs, shard, stay
from backups.hosts import beats, joining, queues, watch
from backups.hosts.beats import HostRefused
from backups.hosts.models import Host, Installation, SiteQueue
from backups.models import Repository, Run
from backups.transport import Limits
from checkpoints import restore_jobs
from checkpoints.errors import WrongMoment
from config.queue_broker import Broker
from config.queue_watch import QueueWatch
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.backups.test_shard import FakeTransport, config
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def alone(settings: Any, store_root: Path, tmp_path: Path) -> Iterator[None]:
    settings.NETCAIRN_RUN_ENDED = []
    settings.NETCAIRN_VAR = tmp_path
    settings.NETCAIRN_HOST, settings.NETCAIRN_QUEUE = "alpha", ""
    beats._looked.clear()
    yield
    beats._looked.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def devices(tenant: Tenant) -> list[Device]:
    """One device at each of three sites."""
    credential = make_credential(tenant)
    credential.set_password("x")
    credential.save()
    return [make_device(tenant, name=site, site=site, credential=credential) for site in ("berlin", "bonn", "hq")]


def start(devices: list[Device], *, by_queue: bool = True, now: datetime | None = None) -> Run:
    (run,) = runs.start_runs(devices, requested_by="ada", trigger="hand", by_queue=by_queue, now=now or timezone.now())
    return run


def claimed(run: Run) -> list[str]:
    return sorted(one.device.name for one in run.attempts.claim(token=uuid4(), limit=9, now=timezone.now()))


def work(run: Run, devices: list[Device]) -> None:
    answers = {device.name: config(device.name) for device in devices}
    shard.work_on(run, transport=FakeTransport(answers), limits=Limits(), threads=1, pause=lambda _: None)


def host(name: str = "beta", queue: str = "", *, silent: timedelta = timedelta(0), **fields: Any) -> Host:
    heard = timezone.now() - silent
    return Host.objects.create(name=name, queue=queue, version=joining.version(), heartbeat_at=heard, **fields)


# Queues


def test_a_worker_behind_a_firewall_takes_its_sites_devices_and_others_leave_them(
    settings: Any, tenant: Tenant, devices: list[Device]
) -> None:
    """Whoever else tried would not get through, and would call every device of the site unreachable."""
    queues.assign(tenant, "berlin", "b1", by="ada")
    run = start(devices)

    assert claimed(run) == ["bonn", "hq"]
    settings.NETCAIRN_QUEUE = "b1"
    assert claimed(run) == ["berlin"]


def test_a_tenants_queue_has_all_its_sites_but_those_told_apart(
    settings: Any, tenant: Tenant, devices: list[Device]
) -> None:
    """A customer's network is one thing, its headquarters in the provider's own building another."""
    queues.assign(tenant, "", "customer", by="ada")
    queues.assign(tenant, "hq", "", by="ada")
    other = make_device(make_tenant("other"), name="berlin", site="berlin")

    assert claimed(start(devices)) == ["hq"]
    assert claimed(start([other])) == ["berlin"]
    settings.NETCAIRN_QUEUE = "customer"
    assert claimed(Run.objects.get(tenant=tenant)) == ["berlin", "bonn"]


def test_each_queue_gets_a_task_of_its_own(tenant: Tenant, devices: list[Device]) -> None:
    """One task in a common queue would be fetched by whoever is quicker."""
    queues.assign(tenant, "berlin", "b1", by="ada")

    jobs.enqueue_run(devices, requested_by="ada")

    assert sorted(OrmQ.objects.values_list("key", flat=True)) == ["netcairn", "netcairn b1"]


def test_a_run_ends_when_every_sites_share_has_ended(settings: Any, tenant: Tenant, devices: list[Device]) -> None:
    """Until then its checkpoint would leave a site out."""
    queues.assign(tenant, "berlin", "b1", by="ada")
    run = start(devices)

    work(run, devices)
    run.refresh_from_db()
    assert (run.state, run.counts()["changed"]) == ("running", 2)

    settings.NETCAIRN_QUEUE = "b1"
    work(run, devices)
    run.refresh_from_db()
    assert (run.state, run.counts()["changed"]) == ("done", 3)


def test_what_waits_for_a_site_is_asked_for_once(tenant: Tenant, devices: list[Device]) -> None:
    """The tick comes every minute; a queue that nobody empties must not grow by a task each time."""
    queues.assign(tenant, "", "b1", by="ada")
    (run,) = jobs.enqueue_run(devices, requested_by="ada")
    Run.objects.update(resume_at=timezone.now())

    for _ in range(3):
        jobs.ask_for_workers(run)

    assert OrmQ.objects.filter(key="netcairn b1").count() == 1


def test_a_command_says_whose_devices_it_cannot_ask(tenant: Tenant, devices: list[Device]) -> None:
    """Where no queue goes on, a device that nobody here may ask would leave the run open for ever."""
    queues.assign(tenant, "berlin", "b1", by="ada")
    run = start(devices, by_queue=False)

    work(run, devices)

    run.refresh_from_db()
    assert run.state == "done"
    assert list(run.attempts.exclude(cause="").values_list("device__name", "cause")) == [("berlin", "other-queue")]


def test_devices_of_two_queues_are_not_put_back_by_one_worker(tenant: Tenant, devices: list[Device]) -> None:
    """It could reach half of them, and would stop in the middle of the others' change."""
    queues.assign(tenant, "berlin", "b1", by="ada")
    berlin, bonn, hq = devices

    assert (restore_jobs.one_queue([berlin]), restore_jobs.one_queue([bonn, hq])) == ("b1", "")
    with pytest.raises(WrongMoment, match="several queues"):
        restore_jobs.one_queue([berlin, bonn])


# Sites whose workers are gone


def test_a_site_without_workers_is_an_alarm_and_then_blocks_nobody(tenant: Tenant, devices: list[Device]) -> None:
    """The other sites want their checkpoint, and the schedule its next start."""
    queues.assign(tenant, "berlin", "b1", by="ada")
    asked = timezone.now()
    run = start(devices, now=asked)
    work(run, devices)

    watch.watch_queues(asked + MINUTE)
    assert not Notice.objects.open_alarms().exists()
    watch.watch_queues(asked + 3 * MINUTE)
    (alarm,) = Notice.objects.open_alarms()
    assert (alarm.tenant, alarm.code, alarm.about) == (tenant, watch.NO_WORKER, "b1")
    assert Run.objects.get().state == "running"
    watch.watch_queues(asked + 16 * MINUTE)

    run.refresh_from_db()
    assert (run.state, run.counts()["changed"]) == ("done", 2)
    assert list(run.attempts.exclude(cause="").values_list("device__name", "cause")) == [("berlin", "no-worker")]


def test_a_worker_that_comes_settles_the_alarm(tenant: Tenant, devices: list[Device]) -> None:
    """An alarm that stays when all is well teaches people to look away."""
    queues.assign(tenant, "berlin", "b1", by="ada")
    start(devices, now=timezone.now() - 5 * MINUTE)
    watch.tick()
    host(queue="b1")

    watch.tick()

    assert not Notice.objects.open_alarms().exists()


def test_a_host_that_falls_silent_is_an_alarm_until_it_is_back(tenant: Tenant) -> None:
    """Its workers were half of the night's work, and nobody sees that a machine is off."""
    gone = host(silent=5 * MINUTE)
    host("gamma", silent=5 * MINUTE, stopped_at=timezone.now())

    watch.tick()
    assert [alarm.about for alarm in Notice.objects.open_alarms()] == [str(gone)]

    Host.objects.filter(pk=gone.pk).update(heartbeat_at=timezone.now())
    watch.tick()
    assert not Notice.objects.open_alarms().exists()


# Draining


def test_a_host_that_drains_fetches_nothing(monkeypatch: pytest.MonkeyPatch, devices: list[Device]) -> None:
    """It is about to be switched off: what it began now would be lost."""
    monkeypatch.setattr("config.queue_broker.sleep", lambda _: None)
    jobs.enqueue_run(devices, requested_by="ada")
    alpha = host("alpha")

    beats.drain([alpha], by="ada")
    beats._looked.clear()
    assert Broker(list_key="netcairn").dequeue() is None
    beats.resume([alpha], by="ada")
    beats._looked.clear()
    assert len(Broker(list_key="netcairn").dequeue()) == 1


def test_a_host_that_drains_is_not_taken_for_stuck(devices: list[Device]) -> None:
    """Its queue would be started again every half minute, in the middle of what it finishes."""
    jobs.enqueue_run(devices, requested_by="ada")
    OrmQ.objects.update(lock=timezone.now() - MINUTE)
    beats.drain([host("alpha")], by="ada")

    watching = QueueWatch()
    watching.stuck()

    assert watching.waiting == set()


def test_a_run_leaves_a_host_that_drains(tenant: Tenant, devices: list[Device]) -> None:
    """Ten thousand devices would keep it from being switched off for an hour."""
    run = start(devices)
    beats.drain([host("alpha")], by="ada")
    later = iter(timezone.now() + second * stay.TURN for second in range(1000))

    gave_way = shard.work_on(
        run,
        transport=FakeTransport({}),
        limits=Limits(),
        threads=1,
        others_wait=lambda _turn_over: not beats.takes_work(),
        clock=lambda: next(later),
    )

    assert (gave_way, run.attempts.queued().count()) == (True, 3)


# Who may not work


def test_another_version_is_refused_and_the_dashboard_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that one version writes are misread by another; nobody would look for that at the bottom of a log."""
    joining.prepared()
    monkeypatch.setattr(joining, "version", lambda: "0.0.9+cafe")

    with pytest.raises(HostRefused, match=r"This host runs Netcairn 0\.0\.9\+cafe, and the database was prepared by"):
        joining.join(workers=2, now=timezone.now())

    (row,) = Host.objects.all()
    assert (row.state(timezone.now()), row.version) == ("refused", "0.0.9+cafe")
    beats._looked.clear()
    assert not beats.takes_work()


def test_a_host_stops_when_another_version_has_prepared_the_database() -> None:
    """It was started before the update, and would go on writing as before."""
    joining.join(workers=2, now=timezone.now())
    Installation.objects.update(version="9.9.9+cafe")

    with pytest.raises(HostRefused, match="bring all hosts to one version"):
        joining.stay(timezone.now())


def test_a_host_with_another_key_is_refused(settings: Any) -> None:
    """It would throw away every task of the others, whose signatures it cannot check."""
    joining.prepared()
    settings.SECRET_KEY = "another" * 10

    with pytest.raises(HostRefused, match="NETCAIRN_SECRET_KEY"):
        joining.join(workers=2, now=timezone.now())


def test_a_version_that_is_older_than_the_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """`prepare` of the older one must not take the installation back either."""
    applied = {("backups", "9999_later"): None}
    monkeypatch.setattr(
        joining.MigrationLoader, "build_graph", lambda self: setattr(self, "applied_migrations", applied)
    )
    monkeypatch.setattr(joining.MigrationLoader, "graph", type("Graph", (), {"nodes": {}}), raising=False)

    with pytest.raises(HostRefused, match="9999_later"):
        joining.prepared()


def test_a_store_that_is_not_mounted_is_found_before_a_run_is(tenant: Tenant) -> None:
    """An empty directory would call every tenant's record lost."""
    Repository.objects.create(tenant=tenant, head="1" * 40)
    joining.join(workers=2, now=timezone.now())  # alone, a host whose disk was lost still serves its pages
    host(silent=5 * MINUTE)

    with pytest.raises(HostRefused, match="is it mounted"):
        joining.join(workers=2, now=timezone.now())


def test_hosts_with_a_store_each_are_told_apart(settings: Any, tmp_path: Path) -> None:
    """A copy of the store looks like the store; two hosts would each have half of the record."""
    joining.join(workers=2, now=timezone.now())
    settings.NETCAIRN_HOST, shared = "beta", settings.NETCAIRN_STORE_ROOT

    settings.NETCAIRN_STORE_ROOT = tmp_path / "elsewhere"
    with pytest.raises(HostRefused, match="is not the one that host alpha works on"):
        joining.join(workers=2, now=timezone.now())
    settings.NETCAIRN_STORE_ROOT = shared
    joining.join(workers=2, now=timezone.now())

    assert {one.state(timezone.now()) for one in Host.objects.all()} == {"working"}


# Pages and commands


def test_commands_drain_resume_and_assign(capsys: pytest.CaptureFixture[str], tenant: Tenant) -> None:
    """Whoever updates a host at night has a terminal, and the audit log says who it was."""
    host("beta")

    call_command("hosts", "drain", "beta")
    call_command("hosts", "list")
    assert "draining" in capsys.readouterr().out
    call_command("hosts", "resume", "beta")
    call_command("hosts", "assign", "b1", "--tenant", "acme", "--site", "berlin")
    call_command("hosts", "unassign", "--tenant", "acme", "--site", "berlin")
    with pytest.raises(CommandError, match="is at work"):
        call_command("hosts", "forget", "beta")

    assert not SiteQueue.objects.exists()
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "host.drained",
        "host.resumed",
        "host.queue_assigned",
        "host.queue_unassigned",
    ]


def test_hosts_are_on_the_dashboard_of_those_who_run_the_program_alone(devices: list[Device], tenant: Tenant) -> None:
    """Names of machines, and of other customers' queues, are nobody else's business."""
    host("beta-machine", "b1")
    auditor, root = make_user("eve", (tenant, Role.ADMINISTRATOR)), make_user("root", is_superuser=True)

    assert "beta-machine" in logged_in(root).get("/admin/").content.decode()
    assert "beta-machine" not in logged_in(auditor).get("/admin/").content.decode()
    assert logged_in(auditor).get("/admin/backups/host/").status_code == 403
    assert logged_in(auditor).get("/admin/backups/sitequeue/").status_code == 403


def test_a_host_is_drained_by_a_button(tenant: Tenant) -> None:
    """The page shows what will happen first."""
    row = host("beta")
    client = logged_in(make_user("root", is_superuser=True))
    chosen = {"action": "drain_them", "_selected_action": [str(row.pk)]}

    shown = client.post("/admin/backups/host/", chosen)
    assert "begins nothing more" in shown.content.decode()
    client.post("/admin/backups/host/", chosen | dict(shown.context["hidden"]) | {"confirmed": "yes"})

    row.refresh_from_db()
    assert row.state(timezone.now()) == "draining"
