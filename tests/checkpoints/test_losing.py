"""Writing off what is lost for good: what is whole stays, what is not says so, and work goes on."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Iterable

import pytest
from django.core.management import call_command

from backups import fsck
from backups.blame import blame
from backups.content import stored
from backups.errors import Lost, StoreDamaged
from backups.fsck import accepting
from backups.fsck.rebuilding import rebuild
from backups.models import Epoch, Repository, Snapshot
from backups.retirement import retire
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from backups.store.writer import RefMove, move_refs
from checkpoints.export import export_files
from checkpoints.gc import collect_garbage
from checkpoints.models import Checkpoint, Ref
from checkpoints.record import plan_record_restore
from checkpoints.services import create_checkpoint
from inventory.audit import AuditEntry
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.backups.store_kit import keep_house
from tests.checkpoints.conftest import NOON, back_up, later
from tests.checkpoints.remembered import remembered
from tests.checkpoints.test_epochs import cut, head

pytestmark = pytest.mark.django_db


def repair(tenant: Tenant, *more: str) -> int:
    """The command's exit status."""
    try:
        call_command("fsck", "--tenant", tenant.name, "--repair", *more, stdout=io.StringIO(), stderr=io.StringIO())
    except SystemExit as ended:
        return int(str(ended.code))
    return 0


def lose(store: TenantStore, ids: Iterable[str]) -> None:
    """Objects that are not there any more; all of them become files first."""
    store.close()
    for pack in (store.path / "objects" / "pack").glob("*.pack"):
        pack.with_suffix(".idx").unlink()
        content = pack.read_bytes()
        pack.unlink()
        subprocess.run(["git", "-C", store.path, "unpack-objects", "-q"], input=content, check=True)
    for one in ids:
        (store.path / "objects" / one[:2] / one[2:]).unlink()


def blob_of(version: Snapshot, name: str = "running.cfg") -> str:
    return str(version.blob(name))


def versions_of(device: Device) -> list[Snapshot]:
    return list(device.snapshots.order_by("seq"))


@pytest.fixture
def store(edge: Device, core: Device) -> TenantStore:
    """Two devices, one with three versions."""
    remembered(edge.tenant, "three versions", lambda: make_three(edge))
    return open_store(edge.tenant_id)


def make_three(edge: Device) -> None:
    """Two more versions."""
    for text in ("two", "three"):
        back_up(edge, running_cfg=f"hostname edge1\n! {text}\n")


def test_without_being_asked_a_repair_writes_nothing_off(tenant: Tenant, edge: Device, store: TenantStore) -> None:
    """The copy may be found tomorrow."""
    lose(store, [blob_of(versions_of(edge)[-1])])
    before = head(tenant)

    assert repair(tenant) == 1

    assert head(tenant) == before and not Snapshot.objects.filter(lost=True).exists()


def test_a_lost_version_says_so_and_all_others_stay(tenant: Tenant, edge: Device, store: TenantStore) -> None:
    """In the middle of the past; the next look finds nothing, and garbage can be collected again."""
    first, middle, last = versions_of(edge)
    lose(store, [blob_of(middle)])

    assert repair(tenant, "--accept-loss") == 0

    assert fsck.check(tenant, full=True) == []
    middle = Snapshot.objects.get(pk=middle.pk)
    for opened in (
        lambda: stored(middle, "running.cfg"),
        lambda: blame(middle, "running.cfg", secrets=True),
        lambda: call_command("show", "edge1", at=str(middle.pk)),
        lambda: call_command("diff", str(first.pk), str(middle.pk)),
    ):
        with pytest.raises(Exception, match="lost") as said:
            opened()
        assert isinstance(said.value, Lost) or isinstance(said.value.__cause__, Lost)
    out = io.StringIO()
    call_command("history", "edge1", stdout=out)
    assert out.getvalue().count("(lost)") == 1
    assert {line.version.pk for line in blame(versions_of(edge)[-1], "running.cfg", secrets=True).lines} == {last.pk}
    assert collect_garbage(tenant, now=later(49)).refused == ()
    assert stored(first, "running.cfg") == b"hostname edge1\n"
    assert stored(last, "running.cfg") == b"hostname edge1\n! three\n"
    assert fsck.check(tenant, full=True) == []
    assert "edge1 has lost 1 version" in Notice.objects.get(code="store.lost").text
    entry = AuditEntry.objects.get(action="store.loss_accepted")
    assert entry.detail["lost"] == [str(middle.pk)]


def test_a_device_whose_newest_version_is_lost_is_kept_anew(tenant: Tenant, edge: Device, store: TenantStore) -> None:
    """Even where it says the very same again, and git believes that it has it: the pack's index lists it."""
    keep_house(store.git)
    newest = versions_of(edge)[-1]
    spoil(store, blob_of(newest))

    assert repair(tenant, "--accept-loss") == 0
    assert fsck.check(tenant, full=True) == []
    again = back_up(edge, running_cfg="hostname edge1\n! three\n")

    assert again is not None and stored(again, "running.cfg") == b"hostname edge1\n! three\n"
    assert fsck.check(tenant, full=True) == []


def spoil(store: TenantStore, blob: str) -> None:
    """Flip a byte of an object within its pack."""
    (index,) = (store.path / "objects" / "pack").glob("*.idx")
    lines = store.git.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objectsize:disk)").out
    size = int(dict(line.split() for line in lines.decode().splitlines())[blob])
    content = index.read_bytes()
    number = int.from_bytes(content[8 + 255 * 4 : 8 + 256 * 4], "big")
    at = next(place for place in range(number) if content[1032 + 20 * place : 1052 + 20 * place].hex() == blob)
    where = 1032 + 24 * number + 4 * at
    offset = int.from_bytes(content[where : where + 4], "big")
    pack = index.with_suffix(".pack")
    data = bytearray(pack.read_bytes())
    data[offset + size - 6] ^= 0xFF
    pack.chmod(0o644)
    pack.write_bytes(data)
    store.close()


def test_the_record_goes_on_in_a_new_epoch_when_its_head_is_lost(
    tenant: Tenant, edge: Device, core: Device, store: TenantStore
) -> None:
    """Nothing could be written; what the rows name and git has is the record again, and a retired device stays out."""
    retire(Device.objects.filter(pk=core.pk), by="anna", now=NOON)
    lose(store, [head(tenant)])
    with pytest.raises(StoreDamaged):
        back_up(edge, running_cfg="hostname edge1\n! four\n")

    assert repair(tenant, "--accept-loss") == 0

    assert fsck.check(tenant, full=True) == []
    assert not Snapshot.objects.filter(lost=True).exists()
    epoch = Epoch.objects.get()
    assert store.refs(layout.EPOCHS) == {layout.epoch_ref(1): epoch.tip}
    assert len(store.git.run("rev-list", epoch.tip, "--").out.split()) == 4
    held = {layout.parse_device_file(path) for path in store.tree(head(tenant), layout.DEVICES)}
    assert held == {(edge.pk, "running.cfg")}
    assert back_up(edge, running_cfg="hostname edge1\n! four\n") is not None
    assert fsck.check(tenant, full=True) == []


def be_gone(store: TenantStore) -> None:
    """As a disk that nobody will see again."""
    store.close()
    shutil.rmtree(store.path)


def cut_off(store: TenantStore) -> None:
    """One pack holds everything, and half of it is there, without a sound index."""
    keep_house(store.git)
    (pack,) = (store.path / "objects" / "pack").glob("*.pack")
    for file in (pack, pack.with_suffix(".idx")):
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:200])
    store.close()


@pytest.mark.parametrize("damage", [be_gone, cut_off])
def test_a_repository_that_is_gone_is_begun_anew(
    tenant: Tenant, edge: Device, store: TenantStore, damage: Callable[[TenantStore], None]
) -> None:
    """All is lost, and says so; the device is kept again."""
    create_checkpoint(tenant, message="before", author="anna", now=NOON)
    damage(store)

    assert repair(tenant, "--accept-loss") == 0

    assert fsck.check(tenant, full=True) == []
    assert not Snapshot.objects.filter(lost=False).exists()
    assert back_up(edge, running_cfg="hostname edge1\n! three\n") is not None
    assert fsck.check(tenant, full=True) == []


def test_a_checkpoint_that_lost_content_is_never_partly_given(
    tenant: Tenant, edge: Device, core: Device, store: TenantStore
) -> None:
    """Not gone back to, not exported; what only it held of others is not dropped with it."""
    kept = create_checkpoint(tenant, message="whole", author="anna", now=NOON)
    back_up(edge, running_cfg="hostname edge1\n! four\n")
    hit = create_checkpoint(tenant, message="hit", author="anna", now=NOON)
    lose(store, [blob_of(versions_of(edge)[-1])])

    assert repair(tenant, "--accept-loss") == 0

    assert fsck.check(tenant, full=True) == []
    hit.refresh_from_db()
    kept.refresh_from_db()
    with pytest.raises(Lost):
        plan_record_restore(hit)
    with pytest.raises(Lost):
        list(export_files(hit, masked=False))
    assert kept.lost_at is None and len(list(export_files(kept, masked=False))) == 3
    out = io.StringIO()
    call_command("checkpoint", "list", stdout=out)
    assert out.getvalue().count("(lost)") == 1
    call_command("search", "edge1", "--history", stdout=out)
    assert collect_garbage(tenant, now=later(49)).refused == ()
    assert stored(versions_of(core)[0], "running.cfg") == b"hostname core1\n"
    assert fsck.check(tenant, full=True) == []


def test_a_rebuilt_database_knows_which_checkpoints_are_parts(
    tenant: Tenant, edge: Device, core: Device, store: TenantStore
) -> None:
    """What was written off must not come back as whole because the rows were lost later."""
    create_checkpoint(tenant, message="hit", author="anna", now=NOON)
    lose(store, [blob_of(versions_of(edge)[-1])])
    assert repair(tenant, "--accept-loss") == 0
    Ref.objects.all().delete()
    Checkpoint.objects.all().delete()

    assert rebuild(tenant, by="anna", now=NOON).checkpoints == 1

    with pytest.raises(Lost):
        list(export_files(Checkpoint.objects.get(), masked=False))
    assert fsck.check(tenant, full=True) == []


def test_a_crash_before_the_refs_follow_is_mended(
    tenant: Tenant, edge: Device, core: Device, store: TenantStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power fails right after the commit: the old main is behind, not foreign, and nothing broken is kept."""
    cut(tenant)
    back_up(edge, running_cfg="hostname edge1\n! four\n")
    create_checkpoint(tenant, message="hit", author="anna", now=NOON)
    lose(store, [blob_of(versions_of(core)[0])])
    with monkeypatch.context() as patch:
        patch.setattr(accepting, "follow", lambda _: None)
        accepting.accept_loss(tenant, by="anna", now=NOON)

    back_up(edge, running_cfg="hostname edge1\n! five\n")
    fsck.check(tenant, repair=True)

    assert fsck.check(tenant, full=True) == []
    assert not store.refs(layout.QUARANTINE)


def test_earlier_epochs_stay_as_they_are(tenant: Tenant, edge: Device, store: TenantStore) -> None:
    """Only from the first one on that lost something is the record written anew."""
    first = cut(tenant)
    back_up(edge, running_cfg="hostname edge1\n! four\n")
    cut(tenant)
    back_up(edge, running_cfg="hostname edge1\n! five\n")
    lose(store, [blob_of(versions_of(edge)[3])])

    assert repair(tenant, "--accept-loss") == 0

    assert fsck.check(tenant, full=True) == []
    assert Epoch.objects.get(number=1).tip == first.tip
    assert Epoch.objects.count() == 3
    newest = versions_of(edge)[-1]
    assert stored(newest, "running.cfg") == b"hostname edge1\n! five\n"
    assert not newest.lost and Repository.objects.get(pk=tenant.pk).seq > newest.seq


@pytest.mark.parametrize("moved", [False, True])
def test_an_epoch_gets_its_ref_back_and_the_audit_log_says_so(
    tenant: Tenant, edge: Device, store: TenantStore, moved: bool
) -> None:
    """A clone without it would miss a part of the record, and nobody would notice."""
    epoch, ref = cut(tenant), layout.epoch_ref(1)
    move_refs(store.git, [RefMove(ref, head(tenant) if moved else None, None)])

    (found,) = fsck.check(tenant, repair=True, by="anna")

    assert (found.code, found.repaired) == ("epoch-ref-missing", True)
    assert store.refs(layout.EPOCHS) == {ref: epoch.tip}
    assert fsck.check(tenant, full=True) == []
    entry = AuditEntry.objects.get(action="store.repaired")
    assert entry.by == "anna" and entry.detail["found"][0].startswith("epoch-ref-missing")
