"""A secret vanishes: from every object, row and ref, and nothing else changes."""

from __future__ import annotations

import io
import json
import subprocess

import pytest
from django.core.management import CommandError, call_command

from backups import batch, fsck
from backups.commit import writing
from backups.models import Attempt, Epoch, QuarantinedFile, Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from checkpoints import purging
from checkpoints.errors import NothingKept, OnHold, SecretUnfit
from checkpoints.gc import Collected, collect_garbage
from checkpoints.models import Checkpoint, Purge, RetentionPolicy
from checkpoints.purging import purge_secret
from checkpoints.services import create_checkpoint
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up, later, make_run
from tests.checkpoints.test_gc import git
from tests.sampling import sampled

SECRET = "hunter2-geheim"


def everything(store: TenantStore) -> bytes:
    """The content of every object there is."""
    command = ["git", f"--git-dir={store.path}", "cat-file", "--batch-all-objects", "--batch"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def sound(tenant: Tenant) -> None:
    """Git and the database say the same."""
    store = open_store(tenant.pk)
    store.close()
    assert fsck.check(tenant, full=True) == []
    assert git(store, "fsck", "--full", "--strict", "--no-dangling") == ""
    assert store.refs()[layout.MAIN] == Repository.objects.get(pk=tenant.pk).head
    for row in Checkpoint.objects.filter(tenant=tenant):
        assert store.refs()[layout.checkpoint_ref(row.pk)] == row.pin and store.tree(row.pin)


def purge(tenant: Tenant, secret: str = SECRET) -> purging.Purged:
    """Now."""
    return purge_secret(tenant, secret, reason="it leaked", by="anna", now=later(1))


@pytest.fixture
def leaked(tenant: Tenant, edge: Device, core: Device) -> list[Snapshot]:
    """A secret in the second of four versions, in an epoch, in a checkpoint, in its message, and in quarantine."""
    back_up(edge, running_cfg=f"hostname edge1\nkey {SECRET}\n")
    create_checkpoint(tenant, message=f"before {SECRET} went", author="anna", now=NOON)
    with writing(tenant.pk) as turn:
        turn.cut(author="retention", when=NOON)
    back_up(edge, running_cfg="hostname edge1\nkey other\n")
    create_checkpoint(tenant, message="after", author="anna", now=NOON)
    attempt = Attempt.objects.get(run=make_run([edge]))
    QuarantinedFile.objects.create(tenant=tenant, attempt=attempt, name="x", content=f"key {SECRET}".encode())
    return list(edge.snapshots.order_by("seq"))


def test_a_purged_secret_is_nowhere_any_more(tenant: Tenant, edge: Device, leaked: list[Snapshot]) -> None:
    """Not in an object, a row or a ref; what did not hold it keeps its id, and the map says what became of the rest."""
    store = open_store(tenant.pk)
    first = leaked[0]
    assert SECRET.encode() in everything(store)

    done = purge(tenant)

    assert SECRET.encode() not in everything(store)
    assert bytes(QuarantinedFile.objects.get().content) == b"key (purged)"
    assert Checkpoint.objects.order_by("seq")[0].message == "before (purged) went"
    after = {row.pk: row for row in edge.snapshots.all()}
    assert after[first.pk].commit == first.commit
    held = after[leaked[1].pk]
    assert done.purge.commits[leaked[1].commit] == held.commit != leaked[1].commit
    assert store.blob(held.files["running.cfg"]["blob"]) == b"hostname edge1\nkey (purged)\n"
    assert held.digest != leaked[1].digest and held.size == 28
    assert Epoch.objects.get().tip == done.purge.commits[leaked[1].commit]
    assert AuditEntry.objects.get(action="secret.purged").by == "anna"
    assert done.devices == () and Purge.objects.get().finished_at
    sound(tenant)
    back_up(edge, running_cfg="hostname edge1\nkey third\n")
    sound(tenant)


@pytest.mark.parametrize("crash", sampled(["refs", "collection", "both"], ("both",)))
def test_a_purge_that_is_cut_short_is_ended_by_the_next_writer_and_collection(
    tenant: Tenant, edge: Device, leaked: list[Snapshot], monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    """After the commit: main follows instead of going into quarantine, and the old objects go in the end."""
    with monkeypatch.context() as patch:
        if crash != "collection":
            patch.setattr(batch, "follow", lambda _: None)
        if crash != "refs":
            patch.setattr(purging, "collect_garbage", lambda tenant, **_: Collected(tenant))
        purge(tenant)
    back_up(edge, running_cfg="hostname edge1\nkey fourth\n")
    collect_garbage(tenant, now=later(2))

    store = open_store(tenant.pk)
    assert SECRET.encode() not in everything(store)
    assert not [ref for ref in store.refs() if ref.startswith((layout.QUARANTINE, layout.PURGED))]
    assert Purge.objects.get().finished_at
    sound(tenant)


def test_one_repair_ends_a_purge_that_was_cut_short(
    tenant: Tenant, edge: Device, leaked: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has repaired once believes that all is well."""
    with monkeypatch.context() as patch:
        patch.setattr(batch, "follow", lambda _: None)
        patch.setattr(purging, "collect_garbage", lambda tenant, **_: Collected(tenant))
        purge(tenant)

    fsck.check(tenant, repair=True)

    assert fsck.check(tenant, repair=True) == []


def test_a_purge_that_fails_has_not_happened(
    tenant: Tenant, edge: Device, leaked: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows in one transaction, or none."""
    before = Repository.objects.get(pk=tenant.pk).head
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(purging, "rewritten_versions", lambda *_: (_ for _ in ()).throw(RuntimeError))
        purge(tenant)

    assert Repository.objects.get(pk=tenant.pk).head == before and not Purge.objects.exists()
    sound(tenant)


def test_the_command_asks_for_the_name_and_says_what_is_out_of_reach(
    tenant: Tenant, edge: Device, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And which devices would bring it back tonight."""
    back_up(edge, running_cfg=f"hostname edge1\nkey {SECRET}\n")
    options = {"tenant": "acme", "reason": "leaked", "secret_stdin": True, "json": True}
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\nacem\n"))
    with pytest.raises(CommandError, match="not the tenant's name"):
        call_command("purge_secret", **options)
    assert SECRET.encode() in everything(open_store(tenant.pk))

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\nacme\n"))
    call_command("purge_secret", **options)

    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["still_on_devices"] == ["edge1"] and any("Clones" in text for text in told["out_of_reach"])
    assert SECRET not in said.out + said.err


def test_what_cannot_be_purged_is_refused(tenant: Tenant, edge: Device) -> None:
    """Before anything is touched."""
    for secret, error in (("abc", SecretUnfit), ("two\nlines", SecretUnfit), ("nowhere at all", NothingKept)):
        with pytest.raises(error):
            purge(tenant, secret)
    RetentionPolicy.objects.create(tenant=tenant, hold="case 12")
    with pytest.raises(OnHold):
        purge(tenant, "hostname")
