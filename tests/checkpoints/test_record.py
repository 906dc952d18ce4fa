"""Going back in the record: all of it or nothing, and only what was shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.capture import stable_digest
from backups.commit import Kept
from backups.errors import StoreDamaged
from backups.models import Repository, Snapshot
from backups.store.reader import open_store
from checkpoints import manifest
from checkpoints.compare import compare
from checkpoints.errors import Deleted, PlanOutdated
from checkpoints.manifest import Content
from checkpoints.models import Checkpoint
from checkpoints.record import RecordPlan, plan_record_restore, plan_steps, restore_record
from checkpoints.restore_planning import target_of
from checkpoints.services import create_checkpoint, delete_checkpoint, head_of
from inventory.models import Device, Tenant
from inventory.platforms.registry import platform
from tests.backups.store_kit import back_up as back_up_kept
from tests.checkpoints.conftest import NOON, back_up, later
from tests.checkpoints.test_gc import lose
from tests.factories import make_device


@pytest.fixture
def golden(tenant: Tenant, edge: Device, core: Device) -> Checkpoint:
    """The state that everybody wants back; after it edge1 changed, and core1 lost a file and changed another."""
    checkpoint = create_checkpoint(tenant, message="golden", author="anna", now=NOON)
    back_up(edge, later(1), running_cfg="hostname edge2\nend\n")
    back_up(core, later(1), running_cfg="hostname core1\n", boot_cfg="x\n")
    return checkpoint


def outcomes(plan: RecordPlan) -> dict[str, str]:
    """What becomes of each device."""
    return {step.device_name: step.outcome for step in plan.steps}


def content(device: Device) -> dict[str, bytes]:
    """The files of a device's newest version."""
    version = device.snapshots.latest("seq")
    return {name: open_store(device.tenant_id).blob(file["blob"]) for name, file in version.files.items()}


def record_of(tenant: Tenant) -> dict[object, object]:
    """What the record holds."""
    return dict(manifest.of_commit(open_store(tenant.pk), Repository.objects.get(tenant=tenant).head or ""))


def test_the_plan_says_what_becomes_of_each_device(
    tenant: Tenant, golden: Checkpoint, edge: Device, core: Device
) -> None:
    """Capability D10: shown before anything is done; a device that the checkpoint never had is left alone."""
    same, new, retired = (make_device(tenant, name) for name in ("same1", "new1", "old1"))
    back_up(same, running_cfg="hostname same1\n")
    back_up(retired, running_cfg="hostname old1\n")
    later_golden = create_checkpoint(tenant, message="x", author="anna", now=NOON)
    back_up(new, running_cfg="hostname new1\n")
    back_up(retired, running_cfg="hostname old2\n")
    back_up(edge, running_cfg="hostname edge3\nend\n")
    Device.objects.filter(pk=retired.pk).update(retired_at=NOON)

    plan = plan_record_restore(later_golden)

    assert outcomes(plan) == {
        "core1": "unchanged",
        "edge1": "back",
        "new1": "absent",
        "old1": "retired",
        "same1": "unchanged",
    }


def test_the_plan_counts_files_and_lines(golden: Checkpoint, core: Device, edge: Device) -> None:
    """Capability D10: how much goes back is seen before it goes."""
    by_name = {step.device_name: step for step in plan_record_restore(golden).steps}

    assert [(file.name, file.status, file.lines_added, file.lines_removed) for file in by_name["core1"].files] == [
        ("boot.cfg", "removed", 0, 1),
        ("startup.cfg", "added", 1, 0),
    ]
    assert by_name["edge1"].lines == (1, 2)


def test_going_back_is_a_new_commit_with_the_old_content(
    tenant: Tenant, golden: Checkpoint, edge: Device, core: Device
) -> None:
    """Capability D10: byte for byte, one version more for each device that differs, and what was wrong stays in the history."""
    before = Repository.objects.get(tenant=tenant)
    went = restore_record(plan_record_restore(golden), author="ben", now=later(2))

    assert content(edge) == {"running.cfg": b"hostname edge1\n"}
    assert content(core) == {"running.cfg": b"hostname core1\n", "startup.cfg": b"hostname core\n"}
    after = Repository.objects.get(tenant=tenant)
    assert (after.seq, edge.snapshots.count(), core.snapshots.count()) == (before.seq + 1, 3, 3)
    assert open_store(tenant.pk).git.run("merge-base", "--is-ancestor", before.head or "", after.head or "").status == 0
    assert went.checkpoint and compare(golden, went.checkpoint).changes == ()


def test_going_back_brings_the_processed_text_and_the_original_beside_it(tenant: Tenant, edge: Device) -> None:
    """The record goes back as it was, to the byte; and its new version still knows which text no device ever said."""
    said, made = b"hostname edge1\nsecret x\n", b"hostname edge1\n"
    altered = frozenset({"running.cfg"})
    back_up_kept(Kept(edge, {"running.cfg": made, "running.cfg.raw": said}, "d" * 64, NOON, altered=altered))
    golden = create_checkpoint(tenant, message="golden", author="anna", now=NOON)
    back_up(edge, later(1), running_cfg="hostname edge2\n")

    (version,) = restore_record(golden, author="anna", now=later(2)).snapshots

    assert content(edge) == {"running.cfg": made, "running.cfg.raw": said}
    assert edge.snapshots.processed_among(version.files) == altered
    assert {name: file["size"] for name, file in target_of(edge, golden_files(golden, edge)).items()} == {
        "running.cfg": len(said)
    }


def golden_files(checkpoint: Checkpoint, device: Device) -> manifest.Files:
    """What a checkpoint holds of a device."""
    return manifest.of_commit(open_store(checkpoint.tenant_id), checkpoint.content)[device.pk]


def test_going_back_is_named_by_a_checkpoint(tenant: Tenant, golden: Checkpoint) -> None:
    """Capability D10: HEAD moves to a checkpoint of the result, not to the old one, so the line of history stays a line."""
    head = create_checkpoint(tenant, message="broken", author="anna", now=later(1))
    went = restore_record(golden, author="ben", now=later(2))

    assert went.checkpoint == head_of(tenant.pk)
    assert went.checkpoint is not None
    assert (went.checkpoint.parent, went.checkpoint.author, went.checkpoint.changed_count) == (head, "ben", 2)
    assert went.checkpoint.message == f"Went back to {golden.short_id} (golden): core1, edge1"


def test_the_new_versions_have_the_digest_of_the_old_content(golden: Checkpoint, edge: Device, core: Device) -> None:
    """Or the next backup would take a difference in volatile lines for a change, or none for one."""
    restore_record(golden, author="ben", now=later(2))

    for device in (edge, core):
        assert device.snapshots.latest("seq").digest == stable_digest(platform(device.platform), content(device))


def test_a_digest_that_no_version_has_is_computed(tenant: Tenant, golden: Checkpoint, edge: Device) -> None:
    """Versions of an older epoch may be gone while their content is kept."""
    digest = edge.snapshots.earliest("seq").digest
    Snapshot.objects.filter(device=edge, seq__lte=golden.seq).delete()
    restore_record(golden, devices=[edge], author="ben", now=later(2))

    assert edge.snapshots.latest("seq").digest == digest


def test_only_the_chosen_devices_go_back(golden: Checkpoint, edge: Device, core: Device) -> None:
    """One router is rarely a reason to turn back all."""
    restore_record(golden, devices=[edge], author="ben", now=later(2))

    assert content(edge) == {"running.cfg": b"hostname edge1\n"}
    assert content(core) == {"running.cfg": b"hostname core1\n", "boot.cfg": b"x\n"}


def test_where_nothing_differs_nothing_is_made(tenant: Tenant, golden: Checkpoint) -> None:
    """Capability D10: no empty commit, no checkpoint that names nothing new."""
    restore_record(golden, author="ben", now=later(2))
    before = (Repository.objects.get(tenant=tenant).head, Checkpoint.objects.count())
    went = restore_record(golden, author="ben", now=later(3))

    assert (went.checkpoint, went.snapshots) == (None, ())
    assert (Repository.objects.get(tenant=tenant).head, Checkpoint.objects.count()) == before


def test_a_plan_that_the_record_has_overtaken_is_refused(tenant: Tenant, golden: Checkpoint, edge: Device) -> None:
    """What is carried out is what was shown, or nothing."""
    plan = plan_record_restore(golden)
    back_up(edge, later(2), running_cfg="hostname edge9\n")
    before = record_of(tenant)

    with pytest.raises(PlanOutdated):
        restore_record(plan, author="ben", now=later(3))
    assert record_of(tenant) == before


def test_a_plan_survives_what_does_not_concern_it(golden: Checkpoint, edge: Device, core: Device) -> None:
    """A backup of another device must not send anybody back to the start."""
    plan = plan_record_restore(golden, [edge])
    back_up(core, later(2), running_cfg="hostname core7\n")

    assert restore_record(plan, author="ben", now=later(3)).checkpoint


def test_where_content_is_missing_nothing_goes_back(
    tenant: Tenant, golden: Checkpoint, edge: Device, core: Device
) -> None:
    """Capability D8, D10: half a network in the old state and half in the new is worse than either."""
    plan = plan_record_restore(golden)
    versions = Snapshot.objects.count()
    lose(open_store(tenant.pk), core.snapshots.earliest("seq").files["startup.cfg"]["blob"])
    head = Repository.objects.get(tenant=tenant).head

    with pytest.raises(StoreDamaged):
        restore_record(plan, author="ben", now=later(3))
    assert (Repository.objects.get(tenant=tenant).head, Snapshot.objects.count()) == (head, versions)
    assert Checkpoint.objects.count() == 1


def test_nobody_goes_back_to_a_deleted_checkpoint(golden: Checkpoint) -> None:
    """It may be collected while the plan is being read."""
    delete_checkpoint(golden, by="anna", now=NOON)

    with pytest.raises(Deleted):
        plan_record_restore(Checkpoint.objects.get(pk=golden.pk))


def test_a_checkpoint_of_chosen_devices_brings_back_only_these(tenant: Tenant, edge: Device, core: Device) -> None:
    """What it does not hold it cannot bring back, and does not remove."""
    chosen = create_checkpoint(tenant, message="x", author="anna", devices=[edge], now=NOON)
    back_up(edge, running_cfg="hostname edge2\n")
    back_up(core, running_cfg="hostname core2\n")
    plan = plan_record_restore(chosen)

    assert outcomes(plan) == {"core1": "absent", "edge1": "back"}


FILES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3).map(lambda n: Content(f"{n:040x}", n)), min_size=1)
DEVICES = [Device(name=f"d{n}") for n in range(3)]
STATES = st.dictionaries(st.sampled_from([device.pk for device in DEVICES]), FILES)


@given(target=STATES, current=STATES)
def test_carrying_out_a_plan_leads_to_the_checkpoint(target: dict, current: dict) -> None:
    """For any two states: devices of the checkpoint end as it has them, all others as they were."""
    result = {device: dict(files) for device, files in current.items()}
    for step in plan_steps(target, current, DEVICES):
        for file in step.files if step.outcome == "back" else ():
            files = result.setdefault(step.device_id, {})
            assert files.get(file.name) == file.old
            files.pop(file.name, None)
            if file.new:
                files[file.name] = file.new

    assert result == {**current, **target}
