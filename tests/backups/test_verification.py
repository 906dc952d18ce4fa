"""Reading every store again, a share each night: the pace, the memory, the alarm."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user_model

from backups import fsck, jobs, upkeep_jobs, verification
from backups.masked_texts import folder_of, names_in
from backups.models import Repository, Snapshot, Verification
from backups.store import rereading
from backups.store.housekeeping import ids_in, indexes
from backups.store.reader import open_store
from backups.store.rereading import object_ids
from backups.verification import due, make_rows, prepare_searches, unprepared, verified, verify_stores, verify_tenant
from backups.verification_models import END, NIGHTS, PROMISE
from inventory.models import Device, Membership, Tenant
from inventory.notices import Notice
from tests.backups.store_kit import back_up, git, kept, repository
from tests.backups.test_fsck import flip, newest
from tests.factories import make_device

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 11, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def path(device: Device, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with some thirty objects, of which a turn need read no more than its share."""
    monkeypatch.setattr(verification, "LEAST", 1)
    others = [make_device(device.tenant, f"core{number}") for number in range(7)]
    back_up(*[kept(one, f"hostname {one}\n".encode()) for one in (device, *others)])
    make_rows()
    Verification.objects.update(created_at=NIGHT)
    return repository(device.tenant)


def row() -> Verification:
    return Verification.objects.get()


@pytest.fixture
def no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading alone."""
    monkeypatch.setattr(verification, "look", lambda *_, **__: None)


@pytest.mark.usefixtures("no_look")
def test_every_object_is_read_within_thirty_days_a_share_each_night(tenant: Tenant, path: Path) -> None:
    """A backup that was never read again is a hope."""
    ids, seen, most = object_ids(open_store(tenant.pk).git), set(), 0
    for night in range(2 * NIGHTS):
        before = row().cursor if row().active else ""
        verify_stores(now=NIGHT + night * DAY, seconds=60)
        after = row().cursor or END
        read = {one for one in ids if before < one <= after} if row().active or before else set()
        seen, most = seen | read, max(most, len(read))
        oldest = row().oldest()
        assert night < NIGHTS or NIGHT + night * DAY - datetime.combine(oldest, NIGHT.time(), UTC) < PROMISE

    assert seen == set(ids)
    assert most < len(ids) / 2
    assert row().part_within(NIGHT + 2 * NIGHTS * DAY) == 1


@pytest.mark.usefixtures("no_look")
def test_a_turn_that_is_cut_short_goes_on_where_it_was(tenant: Tenant, path: Path) -> None:
    """A worker that is restarted must not begin anew each night."""
    ids = object_ids(open_store(tenant.pk).git)
    Verification.objects.update(started_at=NIGHT - NIGHTS * DAY, active=True)
    cursors = []
    while row().active:
        assert verify_tenant(tenant, now=NIGHT, until=0.0)
        cursors.append(row().cursor)

    assert cursors == [*ids[:-1], ""]


def test_by_day_only_what_is_far_behind_is_caught_up_on(tenant: Tenant, path: Path) -> None:
    """By day the disks are for people; but a machine that is never on at night keeps the promise, too."""
    noon = NIGHT + timedelta(hours=10)

    assert due(NIGHT) == [tenant]
    assert due(noon) == []
    assert due(noon + 3 * DAY) == [tenant]


def test_two_workers_do_not_read_the_same(tenant: Tenant, path: Path) -> None:
    """A task may come twice."""
    Verification.objects.claim(tenant, NIGHT)

    assert verify_stores(now=NIGHT, seconds=60) == 0
    assert verify_stores(now=NIGHT + timedelta(minutes=11), seconds=60) == 1


def test_a_night_makes_one_pack_of_what_the_days_have_left(device: Device, path: Path) -> None:
    """Each pack has a whole text of every device: a row of them took 1.66 times the disk that one takes."""
    for number in range(3):
        back_up(kept(device, b"hostname edge1\nversion %d\n" % number))
    before = set().union(*map(ids_in, indexes(path)))

    verify_stores(now=NIGHT, seconds=60)

    assert [ids_in(index) for index in indexes(path)] == [before]


def test_a_night_leaves_a_large_pack_alone_for_a_little_beside_it(device: Device, path: Path) -> None:
    """A repository of gigabytes must not be written anew for each changed line."""
    back_up(kept(device, random.Random(7).randbytes(50_000)))
    before = indexes(path)

    verify_stores(now=NIGHT, seconds=60)

    assert sorted(indexes(path)) == sorted(before)
    assert len(before) == 2


def test_a_night_leaves_the_packs_of_a_damaged_store_to_its_repair(tenant: Tenant, path: Path) -> None:
    """What can still be read of a pack that rots must not depend on git getting through it."""
    damage(tenant, path)
    back_up(kept(make_device(tenant, "core9"), b"hostname core9\n"))
    before = indexes(path)
    Verification.objects.update(started_at=NIGHT - NIGHTS * DAY, active=True)

    verify_stores(now=NIGHT, seconds=60)

    assert row().damaged
    assert sorted(indexes(path)) == sorted(before)
    assert len(before) == 2


def damage(tenant: Tenant, path: Path) -> bytes:
    """Change one bit of a device's file; the pack as it was."""
    pack = newest(path, ".pack")
    whole = pack.read_bytes()
    blob = Snapshot.objects.get(device__name="edge1").files["running.cfg"]["blob"]
    (line,) = [one for one in git(path, "verify-pack", "-v", newest(path, ".idx")).splitlines() if blob in one]
    flip(pack, int(line.split()[4]) + 4)
    open_store(tenant.pk).close()
    return whole


def alarms() -> list[str]:
    return list(Notice.objects.open_alarms().filter(code="store.damaged").values_list("text", flat=True))


def test_damage_is_an_alarm_that_settles_itself_when_all_is_well(tenant: Tenant, path: Path) -> None:
    """Found before a restore needs it, told by device and date, and closed by who finds it mended."""
    Verification.objects.update(started_at=NIGHT - NIGHTS * DAY, active=True)
    whole = damage(tenant, path)

    verify_stores(now=NIGHT, seconds=60)

    (text,) = alarms()
    assert "running.cfg of edge1 is lost in 1 version, of 2026-03-01 12:00:00 UTC" in text
    assert (len(row().damaged), row().active) == (1, False)
    assert "1 cannot be read" in str(verified([tenant.pk], now=NIGHT))
    assert fsck.check(tenant)[0].code == "damaged-object"  # the quick look knows it by now

    newest(path, ".pack").write_bytes(whole)
    open_store(tenant.pk).close()
    verify_stores(now=NIGHT + DAY, seconds=60)

    assert (alarms(), row().damaged) == ([], [])


def test_what_a_collection_has_removed_meanwhile_is_no_damage(tenant: Tenant, path: Path) -> None:
    """Garbage goes while we read: an id that was listed a moment ago must not wake anybody."""
    git_here = open_store(tenant.pk).git

    assert rereading.damaged(git_here, [*object_ids(git_here), "0" * 40]) == frozenset()


def test_a_store_that_cannot_be_looked_at_is_an_alarm_too(
    tenant: Tenant, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No news is no good news: a look that fails night after night must not be taken for one that finds nothing."""
    with monkeypatch.context() as patch:
        patch.setattr(verification, "verify_tenant", lambda *_, **__: False)
        verify_stores(now=NIGHT + 2 * DAY, seconds=60)
        assert not Notice.objects.open_alarms().exists()
        verify_stores(now=NIGHT + 4 * DAY, seconds=60)
    assert Notice.objects.open_alarms().get().code == "store.unseen"

    verify_stores(now=NIGHT + 4 * DAY, seconds=60)

    assert not Notice.objects.open_alarms().exists()


def test_the_words_say_how_old_and_how_much(tenant: Tenant, path: Path) -> None:
    """What the dashboard says; nothing where nothing is kept."""
    Repository.objects.update(created_at=NIGHT)
    assert str(verified([tenant.pk], now=NIGHT)) == "0 % of objects within 30 days"
    Verification.objects.update(started_at=NIGHT - NIGHTS * DAY, active=True)

    verify_stores(now=NIGHT, seconds=60)

    assert str(verified([tenant.pk], now=NIGHT + 9 * DAY)) == "oldest 9 days ago, 100 % of objects within 30 days"
    assert verified([], now=NIGHT) is None


def test_masked_texts_are_ready_before_somebody_searches(tenant: Tenant, path: Path) -> None:
    """The first search of the day must not be the one that masks ten thousand configurations."""
    assert unprepared() == []  # nobody there who may not see secrets
    user = get_user_model().objects.create_user("olga")
    Membership.objects.create(tenant=tenant, user=user)

    assert prepare_searches(seconds=20) == 1

    assert len(names_in(folder_of(tenant.pk))) == 8
    assert unprepared() == []


def test_the_tick_asks_for_one_worker(tenant: Tenant, path: Path, settings: LazySettings) -> None:
    """A minute is short: while a turn waits or goes on, no second one is put behind it."""
    settings.NETCAIRN_VERIFY_HOURS = range(24)
    settings.NETCAIRN_UPKEEP_SECONDS = 5.0
    upkeep_jobs.tick()
    upkeep_jobs.tick()

    assert [task.func() for task in jobs.OrmQ.objects.all()] == [upkeep_jobs.TURN]
    upkeep_jobs.turn()
    assert row().looked_at is not None
