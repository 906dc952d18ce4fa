"""What a tenant keeps and may keep: charged with what is kept, exact after everything that can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups import quota
from backups.batch import writing
from backups.errors import QuotaFull, StoreError
from backups.models import Repository, Snapshot, StoredFile
from backups.store.changes import DeviceChange
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.backups.store_kit import NOON, back_up, git, kept, repository
from tests.factories import make_device, make_tenant

A_MEBIBYTE = 1024 * 1024
NUMBERS = count(1)


def used(tenant: Tenant) -> int:
    """What the counter says."""
    return Repository.objects.get(pk=tenant.pk).stored_bytes


def limit(tenant: Tenant, size: int) -> None:
    """Give the tenant a quota."""
    quota.set_quota(tenant, size, by="root")


def open_alarms() -> Iterator[str]:
    """The codes of the alarms that are open."""
    return Notice.objects.open_alarms().values_list("code", flat=True)


def refuse(_: object) -> None:
    """What goes wrong at the last moment of a batch."""
    raise StoreError("The world ended.")


def test_a_content_counts_once_however_many_devices_and_versions_have_it(tenant: Tenant, device: Device) -> None:
    """E12: charged by unique bytes, so a hundred switches with one configuration cost as much as one."""
    other = make_device(tenant, "edge2")

    back_up(kept(device, b"one\n"), kept(other, b"one\n"))
    back_up(kept(device, b"three\n"))
    back_up(kept(device, b"one\n"))

    assert used(tenant) == len(b"one\n") + len(b"three\n")


def test_what_was_rolled_back_is_not_charged(tenant: Tenant, device: Device) -> None:
    """E12: git may hold the objects of a batch that failed; the tenant did not get anything for them."""
    back_up(kept(device, b"one\n"))
    with pytest.raises(StoreError):
        back_up(kept(device, b"two, and much longer\n"), also=refuse)
    assert used(tenant) == 4

    back_up(kept(device, b"two, and much longer\n"))

    assert used(tenant) == 4 + 21


STEPS = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 2), st.integers(0, 4), min_size=1), st.booleans()), min_size=1, max_size=5
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, size=st.integers(0, 90))
def test_the_counter_is_what_a_recount_finds(db: None, store_root, steps, size: int) -> None:
    """E12, E13: random batches, old contents that come back, failures and a full tenant: nothing drifts."""
    tenant = make_tenant(f"tenant{next(NUMBERS)}")
    devices = [make_device(tenant, f"edge{number}") for number in range(3)]
    limit(tenant, size)
    for contents, fails in steps:
        captures = [kept(devices[at], bytes([97 + n]) * 7 * (n + 1)) for at, n in contents.items()]
        with suppress(StoreError):
            back_up(*captures, also=refuse if fails else lambda _: None)
    rows = Snapshot.objects.filter(tenant=tenant)
    truth = {file["blob"]: file["size"] for row in rows for file in row.files.values()}

    assert quota.stored_files(tenant.pk) == truth
    assert dict(StoredFile.objects.filter(tenant=tenant).values_list("blob", "size")) == truth
    assert quota.usage_of(tenant.pk).used == sum(truth.values())
    assert not size or sum(truth.values()) <= size


def test_what_does_not_fit_is_left_out_and_the_rest_is_kept(tenant: Tenant, device: Device) -> None:
    """E12: a full tenant keeps all it has, and what costs nothing still comes."""
    other, third = make_device(tenant, "edge2"), make_device(tenant, "edge3")
    back_up(kept(device, b"first\n"), kept(other, b"other\n"))
    limit(tenant, 12)

    result = back_up(kept(device, b"second\n"), kept(other, b"first\n"), kept(third, b"other\n"))

    assert set(result.not_kept) == {device.pk}
    assert isinstance(result.not_kept[device.pk], QuotaFull)
    assert set(result.snapshots) == {other.pk, third.pk}
    assert used(tenant) == 12


def test_a_batch_beyond_the_quota_is_kept_and_charged(tenant: Tenant, device: Device) -> None:
    """E12: nobody who has to put a device back is stopped by a bill; and nothing is free."""
    limit(tenant, 1)

    with writing(tenant.pk, beyond_quota=True) as batch:
        batch.put([DeviceChange(device.pk, "edge1", {"a": b"12"})], message="m", author="a", when=NOON, trailers={})

    assert used(tenant) == 2
    assert list(open_alarms()) == [quota.FULL]


def test_writing_past_the_quota_is_an_error_and_no_commit(tenant: Tenant, device: Device) -> None:
    """E12: the limit holds for every writer, not only for those who ask first."""
    limit(tenant, 1)

    with pytest.raises(QuotaFull, match="acme is used up"), writing(tenant.pk) as batch:
        batch.put([DeviceChange(device.pk, "edge1", {"a": b"12"})], message="m", author="a", when=NOON, trailers={})

    assert (used(tenant) if Repository.objects.exists() else 0) == 0
    assert not StoredFile.objects.exists()


def test_alarms_come_at_80_and_100_percent_and_go_by_themselves(tenant: Tenant, device: Device) -> None:
    """E12: somebody has to hear of it while there is still time."""
    limit(tenant, 100)
    seen = [list(open_alarms())]
    for size in (79, 1, 19, 20):
        back_up(kept(device, bytes([65 + size % 26]) * size))
        seen.append(list(open_alarms()))
    limit(tenant, 1000)
    seen.append(list(open_alarms()))

    assert seen == [[], [], [quota.NEARLY_FULL], [quota.NEARLY_FULL], [quota.FULL], []]


def test_an_alarm_that_a_person_has_settled_stays_settled(tenant: Tenant, device: Device) -> None:
    """Whoever knows that it is nearly full need not be told with every batch."""
    limit(tenant, 100)
    back_up(kept(device, b"x" * 85))
    Notice.objects.update(settled_at=NOON)

    back_up(kept(device, b"y" * 2))

    assert not open_alarms()


def test_a_changed_quota_is_audited(tenant: Tenant) -> None:
    """Who gave how much to whom is asked when the bill comes."""
    limit(tenant, A_MEBIBYTE)

    entry = AuditEntry.objects.get()
    assert (entry.by, entry.action, entry.about) == ("root", "quota.set", "acme")
    assert entry.detail == {"before": 0, "after": A_MEBIBYTE, "used": 0}


def test_a_recount_puts_right_what_somebody_has_spoilt(tenant: Tenant, device: Device) -> None:
    """E13: the truth is git; a row too few, one too many and a wrong sum all end the same way."""
    back_up(kept(device, b"one\n"))
    back_up(kept(device, b"three\n"))
    StoredFile.objects.filter(size=4).delete()
    StoredFile.objects.create(tenant=tenant, blob="f" * 40, size=1_000)
    Repository.objects.update(stored_bytes=7)
    limit(tenant, 5)

    before, after = quota.recount_alone(tenant.pk)

    assert (before.used, after.used) == (7, 10)
    assert StoredFile.objects.count() == 2
    assert list(open_alarms()) == [quota.FULL]


def test_a_recount_counts_what_only_a_checkpoint_keeps(tenant: Tenant, device: Device) -> None:
    """E13: what survives its epoch in a checkpoint is still on the disk."""
    back_up(kept(device, b"one\n"))
    first = git(repository(tenant), "rev-parse", "main")
    back_up(kept(device, b"three\n"))
    tree = git(repository(tenant), "rev-parse", f"{first}^{{tree}}")
    pin = git(repository(tenant), "-c", "user.name=x", "-c", "user.email=x", "commit-tree", "-m", "pin", tree)
    git(repository(tenant), "update-ref", "refs/checkpoints/00000000-0000-0000-0000-000000000001", pin)

    assert sorted(quota.stored_files(tenant.pk).values()) == [4, 6]
