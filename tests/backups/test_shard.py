"""One worker's share of a run: what each device's answer leads to, in rows and in git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from backups import group, quota, runs, shard
from backups.errors import HostKeyChanged, LinkLost, LoginRefused
from backups.models import Attempt, QuarantinedFile, Repository, Run, Snapshot
from backups.store.reader import open_store
from backups.transport import Limits, Session, Target
from inventory.models import Credential, Device, Tenant
from inventory.notices import Notice
from inventory.platforms.sheet import Platform
from tests.factories import make_credential, make_device, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

CONFIG = (
    "!\nversion 17.9\nservice timestamps debug datetime msec\nservice timestamps log datetime msec\n!\nhostname {name}\n!\n"
    "interface Loopback0\n description management\n ip address 192.0.2.{n} 255.255.255.255\n!\n"
    "interface GigabitEthernet0/0\n description uplink to the core\n no shutdown\n!\nend\n"
)
Answer = str | Exception


class FakeSession:
    """A device that gives the same answer to every line."""

    host_key = "ssh-ed25519 AAAAfake"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def run(self, line: str) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer.encode("latin-1")

    def fetch(self, path: str) -> bytes:
        raise FileNotFoundError(path)


class FakeTransport:
    """Devices by name. The one fake: here the network would begin."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        answer = self.answers[target.name]
        if isinstance(answer, LoginRefused | HostKeyChanged):
            raise answer
        yield FakeSession(answer)


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


def back_up(devices: list[Device], answers: Mapping[str, Answer], trigger: str = "hand", **options: object) -> Run:
    (run,) = runs.start_runs(devices, requested_by="ada", trigger=trigger, by_queue=False, now=timezone.now())
    options = {"transport": FakeTransport(answers), **options}
    shard.work_on(run, limits=Limits(), threads=4, **options)
    run.refresh_from_db()
    return run


def config(name: str, n: int = 1) -> str:
    return CONFIG.format(name=name, n=n)


def test_what_changed_is_kept_as_the_device_said_it(tenant: Tenant, credential: Credential) -> None:
    """The whole point: the bytes that come out are the bytes that went in."""
    device = make_device(tenant, credential=credential)

    run = back_up([device], {"edge1": config("edge1")})

    snapshot = Snapshot.objects.get()
    assert run.counts()["changed"] == 1
    assert open_store(tenant.pk).blob(snapshot.blob("running.cfg")) == config("edge1").encode()
    assert (snapshot.run, snapshot.author, snapshot.lines_added) == (run, "ada", 32)  # running and startup


def test_an_unchanged_device_touches_neither_git_nor_the_lock(tenant: Tenant, credential: Credential) -> None:
    """Most captures bring nothing new; ten thousand of them must cost nothing."""
    device = make_device(tenant, credential=credential)
    back_up([device], {"edge1": config("edge1")})
    before = Repository.objects.values().get()

    run = back_up([device], {"edge1": config("edge1")})

    assert run.counts()["unchanged"] == 1
    assert Repository.objects.values().get() == before
    assert Snapshot.objects.count() == 1


def test_a_truncated_configuration_is_quarantined_and_never_the_latest(tenant: Tenant, credential: Credential) -> None:
    """Half a configuration put back is worse than none."""
    device = make_device(tenant, credential=credential)
    back_up([device], {"edge1": config("edge1")})

    run = back_up([device], {"edge1": config("edge1", 2).removesuffix("!\nend\n")})

    attempt = run.attempts.get()
    assert (attempt.state, attempt.cause) == ("quarantined", "no-end-marker")
    assert bytes(QuarantinedFile.objects.get(attempt=attempt, name="running.cfg").content).endswith(b" no shutdown\n")
    assert Snapshot.objects.count() == 1


def test_one_bad_device_does_not_cost_the_others(tenant: Tenant, credential: Credential) -> None:
    """A run over a thousand devices always has some that fail."""
    devices = [make_device(tenant, name=f"edge{n}", credential=credential) for n in range(3)]
    answers = {
        "edge0": config("edge0"),
        "edge1": LoginRefused("edge1 refused user netcairn."),
        "edge2": LinkLost("gone"),
    }

    run = back_up(devices, answers)

    assert list(run.attempts.order_by("device__name").values_list("state", "cause")) == [
        ("changed", ""),
        ("failed", "login-refused"),
        ("failed", "link-lost"),
    ]
    assert run.state == Run.State.DONE
    assert None not in run.attempts.values_list("seconds", flat=True)  # what hangs is to stand among the slowest


def test_a_device_without_a_credential_says_so(tenant: Tenant) -> None:
    """A forgotten field must read like one, not like a network fault."""
    run = back_up([make_device(tenant)], {"edge1": config("edge1")})

    attempt = run.attempts.get()
    assert (attempt.state, attempt.cause) == ("failed", "no-credential")
    assert "edge1" in attempt.detail


def test_a_device_of_an_unknown_platform_says_so(tenant: Tenant, credential: Credential) -> None:
    """A sheet that a user took away must not stop the run."""
    run = back_up([make_device(tenant, platform="abacus", credential=credential)], {})

    assert run.attempts.get().cause == "unknown-platform"


def test_the_first_host_key_is_pinned(tenant: Tenant, credential: Credential) -> None:
    """Trust on first use is only worth something if the first use is remembered."""
    device = make_device(tenant, credential=credential)

    back_up([device], {"edge1": config("edge1")})

    device.refresh_from_db()
    assert device.host_key == "ssh-ed25519 AAAAfake"


def test_a_mistake_of_ours_is_a_failed_attempt_and_not_a_lost_run(tenant: Tenant, credential: Credential) -> None:
    """Nothing fails silently, and nothing else pays for it."""
    devices = [make_device(tenant, name=f"edge{n}", credential=credential) for n in range(2)]

    run = back_up(devices, {"edge0": ZeroDivisionError("ours"), "edge1": config("edge1")})

    assert list(run.attempts.order_by("device__name").values_list("state", "cause")) == [
        ("failed", "internal"),
        ("changed", ""),
    ]


class DropsConnections(FakeTransport):
    """While its first device answers, every connection to the database is ended, as when the server restarts."""

    dropped = 0

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        if not self.dropped:
            self.dropped = 1
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
                self.dropped = cursor.fetchone()[0]
            connection.close()
        yield FakeSession(self.answers[target.name])


def test_a_database_that_is_restarted_costs_a_run_nothing(tenant: Tenant, credential: Credential) -> None:
    """The devices have answered already, and are not to be asked again for somebody else's restart."""
    devices = [make_device(tenant, name=f"edge{n}", credential=credential) for n in range(6)]
    transport = DropsConnections({one.name: config(one.name) for one in devices})

    run = back_up(devices, {}, transport=transport, pause=lambda _seconds: None)

    assert transport.dropped
    assert (run.state, run.counts()["changed"], Snapshot.objects.count()) == ("done", 6, 6)


def test_a_late_result_is_not_stored_twice(tenant: Tenant, credential: Credential) -> None:
    """The reaper gave the device to another worker; the first one wakes up and must lose."""
    device = make_device(tenant, credential=credential)
    (run,) = runs.start_runs([device], requested_by="ada", trigger="hand", by_queue=True, now=timezone.now())
    reaped_at = timezone.now() + runs.SILENCE + timedelta(seconds=5)

    class TakenAway(FakeTransport):
        @contextmanager
        def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
            if not reaped:
                reaped.append(runs.reap(reaped_at))
                Attempt.objects.update(state=Attempt.State.FAILED, cause="taken")
                connection.close()  # this is a thread of the pool
            with super().open(target, platform, limits) as session:
                yield session

    reaped: list[object] = []
    shard.work_on(run, transport=TakenAway({"edge1": config("edge1")}), limits=Limits(), threads=1)

    assert Snapshot.objects.count() == 0
    assert Attempt.objects.get().cause == "taken"


def test_several_groups_become_several_commits(tenant: Tenant, credential: Credential, monkeypatch) -> None:
    """A crash loses at most one group, so a group must not be the whole run."""
    monkeypatch.setattr(group, "GROUP_COUNT", 2)
    devices = [make_device(tenant, name=f"edge{n}", credential=credential) for n in range(5)]

    run = back_up(devices, {device.name: config(device.name) for device in devices})

    assert run.counts()["changed"] == 5
    assert Repository.objects.get().seq >= 2


def test_the_caller_hears_of_every_attempt(tenant: Tenant, credential: Credential) -> None:
    """A progress bar that stops at 99 of 100 costs somebody a night."""
    devices = [make_device(tenant, name=f"edge{n}", credential=credential) for n in range(3)]
    heard: list[Attempt] = []

    back_up(devices, {device.name: config(device.name) for device in devices}, told=heard.extend)

    assert sorted(attempt.device.name for attempt in heard) == ["edge0", "edge1", "edge2"]


def test_a_lost_repository_is_no_unchanged_device(tenant: Tenant, credential: Credential, store_root: Path) -> None:
    """A digest in the database says that nothing changed; that is worth nothing when the bytes are gone."""
    device = make_device(tenant, credential=credential)
    back_up([device], {"edge1": config("edge1")})
    store_root.rename(store_root.with_name("moved-away"))

    run = back_up([device], {"edge1": config("edge1")})

    attempt = run.attempts.get()
    assert (attempt.state, attempt.cause) == ("failed", "store-damaged")
    assert "is gone" in attempt.detail
    assert not store_root.exists()


def test_an_unreadable_record_stops_a_run_before_the_devices(tenant: Tenant, credential: Credential) -> None:
    """Nothing is called good while the tenant's record cannot be read."""
    device = make_device(tenant, credential=credential)
    back_up([device], {"edge1": config("edge1")})
    Repository.objects.update(head="0" * 39 + "1")

    run = back_up([device], {})

    assert run.attempts.get().cause == "store-damaged"


def test_a_device_with_another_host_key_is_left_alone_until_somebody_decides(
    tenant: Tenant, credential: Credential
) -> None:
    """Whoever has taken its place must not be offered the password again every night."""
    device = make_device(tenant, credential=credential, host_key="ssh-ed25519 AAAAold")
    stranger = HostKeyChanged("edge1 shows another key.", presented="ssh-ed25519 AAAAnew")

    first = back_up([device], {"edge1": stranger})
    device.refresh_from_db()
    second = back_up([device], {})  # a connection would be a KeyError

    assert device.presented_key == "ssh-ed25519 AAAAnew"
    assert Notice.objects.open_alarms().get().about == "device edge1"
    for run in (first, second):
        assert run.attempts.get().cause == "host-key-changed"
    assert "devices host-keys accept" in second.attempts.get().detail


def test_a_full_tenant_reports_what_changed_and_keeps_what_it_has(tenant: Tenant, credential: Credential) -> None:
    """E12: a run that said nothing would hide the change; one that said "changed" would promise a version."""
    device = make_device(tenant, credential=credential)
    back_up([device], {"edge1": config("edge1")})
    quota.set_quota(tenant, 10, by="root")

    run = back_up([device], {"edge1": config("edge1", 2)})

    attempt = run.attempts.get()
    assert (attempt.state, attempt.cause) == ("failed", "quota-full")
    assert attempt.detail.startswith("running.cfg, startup.cfg changed, and was not kept. The quota of acme is used up")
    assert Snapshot.objects.count() == 1
    assert Notice.objects.open_alarms().filter(code="quota.full").exists()
    quota.set_quota(tenant, 0, by="root")
    assert back_up([device], {"edge1": config("edge1", 2)}).counts()["changed"] == 1


def test_a_backup_before_a_restore_is_kept_even_by_a_full_tenant(tenant: Tenant, credential: Credential) -> None:
    """E12: in an emergency nobody is to be stopped by a bill, and the way back has to be there."""
    device = make_device(tenant, credential=credential)
    quota.set_quota(tenant, 10, by="root")

    run = back_up([device], {"edge1": config("edge1")}, trigger="restore")

    assert run.counts()["changed"] == 1
    assert quota.usage_of(tenant.pk).full


SECRET = config("edge1").replace(
    "!\nend", "enable secret 5 $1$abcd$canary-hash\nsnmp-server community canary RO\n!\nend"
)


def test_a_tenant_that_stores_no_secrets_has_none_in_its_repository(tenant: Tenant, credential: Credential) -> None:
    """What was never stored cannot leak; what is compared is what is stored, so a new secret is no change."""
    Tenant.objects.update(secrets_policy="mask")
    device = make_device(tenant, credential=credential)

    back_up([device], {"edge1": SECRET})
    again = back_up([device], {"edge1": SECRET.replace("canary", "other")})

    stored = open_store(tenant.pk).blob(Snapshot.objects.get().blob("running.cfg"))
    assert b"canary" not in stored
    assert b"snmp-server community (masked) RO\n" in stored
    assert stored.count(b"\n") == SECRET.count("\n")
    assert again.counts()["unchanged"] == 1


def test_a_doubtful_text_is_masked_too(tenant: Tenant, credential: Credential) -> None:
    """The quarantine is a place where secrets are stored, like any other."""
    Tenant.objects.update(secrets_policy="mask")
    device = make_device(tenant, credential=credential)

    run = back_up([device], {"edge1": SECRET.replace("\nend\n", "\n")})

    assert run.attempts.get().cause == "no-end-marker"
    said = [bytes(file.content) for file in QuarantinedFile.objects.all()]
    assert said
    assert not any(b"canary" in text for text in said)


def test_a_new_policy_makes_a_new_version_and_leaves_the_old_ones(tenant: Tenant, credential: Credential) -> None:
    """Changing the policy does not rewrite the past: who wants that has to be told that it did not happen."""
    device = make_device(tenant, credential=credential)
    back_up([device], {"edge1": SECRET})
    Tenant.objects.update(secrets_policy="mask")

    run = back_up([device], {"edge1": SECRET})

    newest, oldest = Snapshot.objects.order_by("-seq")
    assert run.counts()["changed"] == 1
    assert b"canary" not in open_store(tenant.pk).blob(newest.blob("running.cfg"))
    assert b"canary" in open_store(tenant.pk).blob(oldest.blob("running.cfg"))


def test_the_credential_that_worked_and_the_ones_refused_are_remembered(tenant: Tenant, credential: Credential) -> None:
    """The next run begins with what opens the device, and counts on where the account stood."""
    spare = make_credential(tenant, "spare", fallback_order=1)
    spare.set_password("spare-password")
    spare.save()
    device = make_device(tenant, credential=credential)

    back_up([device], {"edge1": config("edge1")}, transport=OpensWith({"edge1": "spare-password"}))

    device.refresh_from_db()
    credential.refresh_from_db()
    assert device.working_credential == spare
    assert credential.refused_in_a_row == 1
    credential.set_password("another")
    assert credential.refused_in_a_row == 0


class OpensWith(FakeTransport):
    """Devices that let one password in."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        super().__init__({name: config(name) for name in passwords})
        self.passwords = passwords

    @contextmanager
    def open(self, target: Target, platform: Platform, limits: Limits) -> Iterator[Session]:
        if target.password != self.passwords[target.name]:
            raise LoginRefused(f"{target.name} refused user {target.username}.")
        with super().open(target, platform, limits) as session:
            yield session
