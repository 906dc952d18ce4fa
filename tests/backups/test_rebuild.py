"""Filling the tables from git alone, and taking in what another Netcairn has written."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from backups import fsck
from backups.capture import stable_digest
from backups.commit import DeviceChange, Kept, keep, writing
from backups.errors import RebuildRefused
from backups.fsck.rebuilding import adopt, rebuild, recover_tenants
from backups.models import Attempt, Epoch, Repository, Run, Snapshot, StoredFile
from backups.retirement import bring_back, retire
from inventory.models import Device, Tenant
from inventory.platforms.registry import platform
from tests.backups.store_kit import NOON, assert_sound, git, refs_of, repository
from tests.factories import make_device

pytestmark = pytest.mark.django_db

TOLD = ("device_id", "seq", "run_id", "taken_at", "commit", "files", "digest", "size", "lines_added", "lines_removed")


def back_up(run: Run | None = None, **texts: bytes) -> None:
    """Keep a text, or several files, of devices named by their names."""
    devices = {device.name: device for device in Device.objects.all()}
    sheet = platform("cisco_ios")
    kept = [
        Kept(devices[name], files, stable_digest(sheet, files), NOON)
        for name, files in ((name, {"running.cfg": text, "vlan.txt": text[:3]}) for name, text in texts.items())
    ]
    tenant_id = kept[0].device.tenant_id
    run_id = run.pk if run else None
    keep(tenant_id, kept, author="anna", message="Back up", run_id=run_id, now=NOON, also=lambda _: None)


def told() -> list[dict[str, Any]]:
    """All that is known of every version, but for its id."""
    return list(Snapshot.objects.order_by("seq", "device_id").values(*TOLD, "author"))


def forget() -> None:
    """The database is as new; only the tenant was entered again."""
    for rows in (Snapshot, Epoch, Repository, Run, Device, StoredFile):
        rows.objects.all().delete()


@pytest.fixture
def history(tenant: Tenant, device: Device) -> list[dict[str, Any]]:
    """Five changes of three devices: changed, renamed, without a line end, a file gone, a device gone; what is known."""
    core, gone = make_device(tenant, "core1"), make_device(tenant, "old1")
    run = Run.objects.create(tenant=tenant, requested_by="anna", requested_at=NOON, state="done")
    back_up(run, edge1=b"a\nb\n", core1=b"c\n", old1=b"o\n")
    back_up(run, edge1=b"a\r\nb")
    Device.objects.filter(pk=core.pk).update(name="core2")
    back_up(core2=b"c\nd\n")
    with writing(tenant.pk) as batch:
        change = DeviceChange(gone.pk, gone.name, {"running.cfg": None, "vlan.txt": None})
        batch.put([change], message="Retire", author="anna", when=NOON, trailers={})
    back_up(edge1=b"a\nb\n", core2=b"e\0\n")
    return told()


def test_an_empty_database_is_filled_with_the_same_versions(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """The database is gone and there is no dump: numbers, files, sizes, lines and times are all in git."""
    devices = dict(Device.objects.values_list("pk", "name"))
    row = Repository.objects.get()
    forget()

    result = rebuild(tenant, by="anna", now=NOON)

    # No platform is in git, so no digest can be computed for a device that is not known any more.
    assert told() == [one | {"digest": ""} for one in history]
    assert (result.versions, result.devices, result.runs, result.lost) == (len(history), 3, 1, 0)
    again = Repository.objects.get()
    assert (again.head, again.seq, again.fence > row.seq) == (row.head, row.seq, True)
    assert dict(Device.objects.values_list("pk", "name")) == devices
    assert not Device.objects.collectable().exists()
    assert fsck.check(tenant, full=True) == []
    assert_sound(tenant)


def test_a_device_that_was_retired_and_brought_back_has_no_version_of_that(
    tenant: Tenant, history: list[dict[str, Any]]
) -> None:
    """Its files left the current tree and came back by commits that say so; nothing was captured then."""
    one = Device.objects.filter(name="edge1")
    retire(one, by="anna", now=NOON)
    bring_back(one, by="anna", now=NOON)
    back_up(edge1=b"z\n")
    known = told()
    Snapshot.objects.all().delete()

    rebuild(tenant, by="anna", now=NOON)

    assert told() == known
    assert_sound(tenant)


def test_a_database_of_an_earlier_point_gets_what_came_after(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """A dump of last night: what was kept since is in git, down to the digest."""
    Snapshot.objects.filter(seq__gt=2).delete()
    Repository.objects.update(head=git(repository(tenant), "rev-parse", "main~3"), seq=2)
    assert [one.code for one in fsck.check(tenant)] == ["database-older"]

    result = rebuild(tenant, by="anna", now=NOON)

    assert result.versions == 3
    assert told() == history
    assert fsck.check(tenant, full=True) == []


def test_epochs_that_have_ended_are_part_of_the_record(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """Where the record was cut, its first commit repeats what the one before has ended with: no version of anything."""
    with writing(tenant.pk) as batch:
        batch.cut(author="anna", when=NOON)
    back_up(edge1=b"after the cut\n")
    known, epoch = told(), Epoch.objects.values("number", "first_seq", "last_seq", "tip", "ended_at").get()
    counted = Repository.objects.get().stored_bytes
    forget()

    rebuild(tenant, by="anna", now=NOON)

    assert told() == [one | {"digest": ""} for one in known]
    assert Epoch.objects.values("number", "first_seq", "last_seq", "tip", "ended_at").get() == epoch
    assert Repository.objects.get().stored_bytes == counted
    assert fsck.check(tenant, full=True) == []


def test_rebuilding_twice_changes_nothing(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """Who is not sure whether it came to its end does it again; links to versions stay valid."""
    forget()
    rebuild(tenant, by="anna", now=NOON)
    before = list(Snapshot.objects.order_by("pk").values()), Repository.objects.values().get()

    assert rebuild(tenant, by="anna", now=NOON).nothing

    assert (list(Snapshot.objects.order_by("pk").values()), Repository.objects.values().get()) == before


def test_what_a_writer_put_aside_comes_back(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """The first backup after the restore came before anybody thought of --rebuild, and changed nothing yet."""
    path = repository(tenant)
    tip = git(path, "rev-parse", "main")
    Snapshot.objects.filter(seq__gt=2).delete()
    Repository.objects.update(head=git(path, "rev-parse", "main~3"), seq=2)
    with writing(tenant.pk):
        pass
    assert f"refs/quarantine/{tip}" in refs_of(path)

    rebuild(tenant, by="anna", now=NOON)

    assert told() == history
    assert refs_of(path) == {"refs/heads/main": tip}


def test_a_tenant_of_whom_only_the_repository_is_left_comes_back(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """Not even the tenant is in a database that was made anew."""
    forget()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM inventory_tenant")

    (found,) = recover_tenants()

    assert (found.pk, found.name) == (tenant.pk, f"recovered-{tenant.pk.hex[:8]}")
    assert rebuild(found, by="anna", now=NOON).versions == len(history)


def other_netcairn(tenant: Tenant) -> tuple[list[dict[str, Any]], str]:
    """Another host goes on from change 2 with a database of its own; what it knows, and its newest commit."""
    before = Repository.objects.values().get(), set(Snapshot.objects.values_list("pk", flat=True))
    back_up(edge1=b"new\n")
    back_up(core2=b"newer\n")
    known, tip = told(), git(repository(tenant), "rev-parse", "main")
    Snapshot.objects.exclude(pk__in=before[1]).delete()
    Repository.objects.update(**before[0])
    return known, tip


def test_a_tail_that_goes_on_number_by_number_is_adopted(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """Two hosts on two copies of a database: what the other one has kept was acknowledged, too."""
    known, tip = other_netcairn(tenant)

    result = adopt(tenant, by="anna", now=NOON)

    assert (result.versions, told()) == (2, known)
    assert Repository.objects.get().head == tip
    assert fsck.check(tenant, full=True) == []


def foreign(path: Path, message: str) -> str:
    """Somebody's commit on main."""
    tree = git(path, "rev-parse", "main^{tree}")
    made = git(path, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", tree, "-p", "main", "-m", message)
    git(path, "update-ref", "refs/heads/main", made)
    return made


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("fix a typo", "is none of Netcairn's"),
        ("x\n\nTenant: {other}\nSeq: 6", "says that it belongs to tenant"),
        ("x\n\nTenant: {tenant}\nSeq: 9", "and 6 is due"),
        ("x\n\nTenant: {tenant}\nSeq: 5", "did not know of each other"),
    ],
)
def test_what_does_not_go_on_is_refused_with_its_reason(
    tenant: Tenant, history: list[dict[str, Any]], message: str, reason: str
) -> None:
    """A record that took in just anything would not be one."""
    made = foreign(repository(tenant), message.format(tenant=tenant.pk, other=uuid4()))
    before = Repository.objects.values().get()

    with pytest.raises(RebuildRefused, match=reason):
        adopt(tenant, by="anna", now=NOON)

    assert (told(), Repository.objects.values().get()) == (history, before)
    assert refs_of(repository(tenant)) == {"refs/heads/main": made}


def test_two_that_have_both_written_are_not_merged(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """Which of two changes number six came first, nobody knows."""
    other_netcairn(tenant)
    back_up(edge1=b"ours\n")

    with pytest.raises(RebuildRefused, match="both have written"):
        adopt(tenant, by="anna", now=NOON)


def test_the_command_fills_and_then_looks(tenant: Tenant, history: list[dict[str, Any]]) -> None:
    """One document: what was filled, and what is still wrong."""
    forget()
    out = io.StringIO()

    with redirect_stderr(io.StringIO()):
        call_command("fsck", "--rebuild", "--json", stdout=out, stderr=io.StringIO())

    document = json.loads(out.getvalue())
    assert document["findings"] == []
    assert document["filled"][0]["versions"] == len(history)
    assert Attempt.objects.count() == 0
