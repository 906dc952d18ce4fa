"""Everything back from the object store: with the database, without it, with an older one; and drills of it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from backups.models import Drill, Repository, Snapshot
from backups.recovery import jobs as drills
from backups.recovery.drilling import FAILED, drill
from backups.recovery.recovering import recover
from backups.remote import current
from backups.remote.publishing import publish
from backups.store.reader import store_path
from checkpoints.models import Checkpoint, Ref
from checkpoints.services import create_checkpoint
from inventory.models import Tenant
from inventory.notices import Notice
from tests.backups.store_kit import assert_sound, back_up, files_of, kept
from tests.factories import make_device, make_tenant
from tests.sampling import sampled

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def tenant(db: None, settings: LazySettings, tmp_path: Path) -> Tenant:
    """Two versions and a checkpoint of each, copied to an object store."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    settings.NETCAIRN_VAR = tmp_path
    (tmp_path / "remote").mkdir()
    settings.NETCAIRN_OBJECT_STORE = f"file://{tmp_path / 'remote'}"
    tenant = make_tenant()
    device = make_device(tenant)
    for number in (1, 2):
        back_up(kept(device, b"hostname edge%d\nend\n" % number))
        create_checkpoint(tenant, message=f"state {number}", author="ada", now=NOW + timedelta(seconds=number))
    publish(tenant.pk)
    return tenant


def checkpoints(tenant_id: object) -> dict[str, dict[str, bytes]]:
    """Every file of every kept checkpoint, from the disk."""
    path = store_path(tenant_id)  # type: ignore[arg-type]
    return {str(row.pk): files_of(path, row.pin) for row in Checkpoint.objects.filter(tenant=tenant_id)}


def lose_the_database() -> None:
    """Every row of every table of ours."""
    tables = [
        model._meta.db_table
        for app in ("inventory", "backups", "checkpoints")
        for model in apps.get_app_config(app).get_models()
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def recovered(capsys: Any, *arguments: str) -> list[dict[str, Any]]:
    """What the command says."""
    capsys.readouterr()
    call_command("recover", "--json", *arguments)
    return list(json.loads(capsys.readouterr().out)["tenants"])


def test_a_lost_store_comes_back_equal(tenant: Tenant, capsys: Any) -> None:
    """Every host is gone, the database is not: each kept checkpoint byte by byte, and work goes on."""
    before = checkpoints(tenant.pk)
    shutil.rmtree(store_path(tenant.pk))

    (told,) = recovered(capsys)

    assert told["packs"] > 0 and told["batch"] == 2 and not told["trouble"]
    assert checkpoints(tenant.pk) == before
    assert_sound(tenant)
    back_up(kept(tenant.devices.get(), b"hostname edge3\nend\n"))
    publish(tenant.pk)


@pytest.mark.parametrize("kind", sampled(["copy", "home", "encrypted"], ("encrypted",)))
def test_a_lost_database_comes_back_too(tenant: Tenant, capsys: Any, settings: LazySettings, kind: str) -> None:
    """The object store alone: ids, versions and checkpoints are those of before, and it can be published to again."""
    if kind == "home":
        settings.NETCAIRN_OBJECT_STORE_MODE, settings.NETCAIRN_STORE_READY = "home", "backups.remote.home.ready"
    settings.NETCAIRN_OBJECT_STORE_ENCRYPT = kind == "encrypted"
    current.bring_up_to_date(tenant.pk)
    before, versions = checkpoints(tenant.pk), set(Snapshot.objects.values_list("device_id", "seq", "commit", "size"))
    shutil.rmtree(store_path(tenant.pk))
    lose_the_database()

    (told,) = recovered(capsys)

    assert told["filled"]["versions"] == 2 and told["filled"]["checkpoints"] == 2
    assert checkpoints(tenant.pk) == before
    assert set(Snapshot.objects.values_list("device_id", "seq", "commit", "size")) == versions
    assert Tenant.objects.get().name == f"recovered-{str(tenant.pk)[:8]}"
    back_up(kept(Tenant.objects.get().devices.get(), b"hostname edge3\nend\n"))
    published = current.bring_up_to_date(tenant.pk)
    assert published is not None and published.batch > 2 and published.sealed == (kind == "encrypted")


def test_an_older_database_gets_what_came_after_it(tenant: Tenant, capsys: Any) -> None:
    """A dump is always of before."""
    before = checkpoints(tenant.pk)
    newest = Checkpoint.objects.order_by("-seq", "-created_at")[0]
    first = Snapshot.objects.order_by("seq")[0]
    Snapshot.objects.filter(seq=2).delete()
    Ref.objects.all().delete()
    Checkpoint.objects.filter(pk=newest.pk).delete()
    Repository.objects.update(head=first.commit, seq=1, fence=1)
    shutil.rmtree(store_path(tenant.pk))

    (told,) = recovered(capsys)

    assert told["filled"]["versions"] == 1 and told["filled"]["checkpoints"] == 1
    assert checkpoints(tenant.pk) == before
    back_up(kept(tenant.devices.get(), b"hostname edge3\nend\n"))
    assert publish(tenant.pk) is not None


def test_a_copy_that_is_behind_says_what_is_lost(tenant: Tenant) -> None:
    """At most what was not published yet; and which command goes on from there."""
    back_up(kept(tenant.devices.get(), b"hostname edge3\nend\n"))
    shutil.rmtree(store_path(tenant.pk))

    told = recover(tenant, by="ada", now=NOW)

    assert told.lost == 1 and "--accept-loss" in told.trouble
    call_command("fsck", "--repair", "--accept-loss", "--tenant", "acme")
    call_command("fsck", "--full", "--tenant", "acme")  # exits with 1 where anything is left


def test_what_is_here_and_whole_is_not_touched(tenant: Tenant, capsys: Any) -> None:
    """Begun by mistake, or once more, it does nothing; also where the copy is older than what is here."""
    back_up(kept(tenant.devices.get(), b"hostname edge3\nend\n"))
    before = {path: path.read_bytes() for path in store_path(tenant.pk).rglob("*.pack")}

    (told,) = recovered(capsys)

    assert told["packs"] == 0 and told["batch"] == 3
    assert {path: path.read_bytes() for path in store_path(tenant.pk).rglob("*.pack")} == before


def test_what_cannot_be_used_is_moved_aside(tenant: Tenant) -> None:
    """A half-copied repository may still hold what somebody wants to look at."""
    for pack in store_path(tenant.pk).rglob("*.idx"):
        pack.unlink()

    told = recover(tenant, by="ada", now=NOW)

    assert Path(told.aside).is_dir() and told.batch == 2
    assert_sound(tenant)


def test_a_drill_compares_every_byte(tenant: Tenant) -> None:
    """A copy that nobody has restored is a hope."""
    row = drill(tenant, by="ada", now=NOW)

    assert row.equal and row.checkpoints == 2 and row.versions == 2 and row.objects_compared > 10
    assert not list((store_path(tenant.pk).parents[1] / "drills").iterdir())
    assert not drills.is_due(NOW + timedelta(days=6)) and drills.is_due(NOW + timedelta(days=7))


def test_a_drill_finds_a_copy_that_is_not_what_it_was(tenant: Tenant, tmp_path: Path) -> None:
    """It raises an alarm, and is tried again the next day; a good one closes it."""
    pack = max((tmp_path / "remote").rglob("packs/*"), key=lambda path: path.stat().st_size)
    pack.chmod(0o644)
    whole = pack.read_bytes()
    pack.write_bytes(whole[:50] + b"x" + whole[51:])

    row = drill(tenant, by="ada", now=NOW)

    assert not row.equal and "not what it was" in row.trouble
    assert Notice.objects.open_alarms().get().code == FAILED
    assert drills.is_due(NOW + timedelta(days=1))
    pack.write_bytes(whole)
    drills.weekly()
    assert Drill.objects.order_by("-at")[0].equal and not Notice.objects.open_alarms().exists()


def test_a_drill_finds_a_copy_that_lacks_a_version(tenant: Tenant) -> None:
    """Whole in itself is not enough: what the rows promise has to be in it."""
    Snapshot.objects.filter(seq=1).update(files={"running.cfg": {"blob": "0" * 40, "size": 1}})

    assert "has not the file running.cfg" in drill(tenant, by="ada", now=NOW).trouble


def test_the_command_needs_an_object_store(db: None, settings: LazySettings) -> None:
    """And says so in a sentence."""
    settings.NETCAIRN_OBJECT_STORE = ""
    with pytest.raises(CommandError, match="NETCAIRN_OBJECT_STORE"):
        call_command("recover")
