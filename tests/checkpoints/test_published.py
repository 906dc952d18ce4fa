"""Published trees: whole at every moment, one file for one content, gone when nobody reads them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from django.conf import LazySettings

from backups.errors import StoreDamaged
from backups.models import Repository
from checkpoints import published
from checkpoints.published import SUMS, publish
from checkpoints.publishing import publish_or_tell, publish_run
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.checkpoints.conftest import back_up, later, make_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where trees are shown."""
    place = tmp_path / "published"
    place.mkdir()
    return place


def test_the_current_state_is_shown_as_plain_files(tenant: Tenant, edge: Device, core: Device, root: Path) -> None:
    """Capability B4. For grep and its like: today's names, and sums that `sha256sum -c` accepts."""
    publish(tenant, root)

    place = root / tenant.name
    assert (place / "edge1" / "running.cfg").read_text() == "hostname edge1\n"
    assert (place / "core1" / "startup.cfg").read_text() == "hostname core\n"
    checked = subprocess.run(["sha256sum", "--quiet", "-c", SUMS], cwd=place, check=False)
    assert checked.returncode == 0


def test_a_reader_goes_on_seeing_the_state_that_it_began_with(tenant: Tenant, edge: Device, root: Path) -> None:
    """Capability B6. The link is replaced in one step; whoever stands in the old tree reads it to its end."""
    publish(tenant, root)
    reader = os.open(root / tenant.name, os.O_RDONLY | os.O_DIRECTORY)
    back_up(edge, later(1), running_cfg="hostname moved\n")
    told = publish(tenant, root, grace=0)

    assert (root / tenant.name / "edge1" / "running.cfg").read_text() == "hostname moved\n"
    old = os.open("edge1/running.cfg", os.O_RDONLY, dir_fd=reader)
    assert os.read(old, 100) == b"hostname edge1\n"
    assert told and told.removed == 0  # because it is open
    os.close(old)
    os.close(reader)
    again = publish(tenant, root, grace=0)
    assert again and again.removed == 1


def test_a_lock_keeps_a_tree_too(tenant: Tenant, edge: Device, root: Path) -> None:
    """Capability B9. A reader on another machine has it open where we cannot see it."""
    publish(tenant, root)
    with Path(root / tenant.name / SUMS).open():
        folder = os.open(root / tenant.name, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)
    back_up(edge, later(1), running_cfg="hostname moved\n")

    told = publish(tenant, root, grace=0)
    os.close(folder)

    assert told and told.removed == 0


def test_the_same_state_is_never_written_twice(tenant: Tenant, edge: Device, root: Path) -> None:
    """Capability B5. A tree is named by what it holds: publishing again does nothing, and going back finds it."""
    first = publish(tenant, root)
    again = publish(tenant, root)

    assert first and again and first.tree == again.tree
    assert (first.written, again.written) == (1, 0)


def test_unchanged_files_are_taken_over(tenant: Tenant, edge: Device, core: Device, root: Path) -> None:
    """Capability B7. Ten thousand devices of which one changed cost one file, not ten thousand."""
    publish(tenant, root)
    back_up(edge, later(1), running_cfg="hostname moved\n")

    told = publish(tenant, root)

    assert told and (told.files, told.written) == (3, 1)


def test_a_file_that_somebody_changed_in_place_is_not_taken_over(
    tenant: Tenant, edge: Device, core: Device, root: Path
) -> None:
    """Capability B15. Trees are read-only, but the machine's owner can do anything; the next tree is right again."""
    publish(tenant, root)
    spoiled = root / tenant.name / "core1" / "running.cfg"
    spoiled.chmod(0o600)
    spoiled.write_text("something else")
    back_up(edge, later(1), running_cfg="hostname moved\n")

    publish(tenant, root)

    assert (root / tenant.name / "core1" / "running.cfg").read_text() == "hostname core1\n"
    assert (root / tenant.name / "core1" / "running.cfg").stat().st_mode & 0o222 == 0


def test_what_a_crash_left_behind_is_swept(tenant: Tenant, edge: Device, root: Path) -> None:
    """Capability B3. A draft is made on the file system of its place, and never outlives the next publication."""
    told = publish(tenant, root)
    assert told
    left = told.tree.parent / ".draft-of-a-dead-process"
    (left / "edge1").mkdir(parents=True)

    publish(tenant, root)

    assert not left.exists()


def test_a_crash_before_the_switch_shows_the_old_state(
    tenant: Tenant, edge: Device, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Capability B8. A tree that was finished and not yet shown is found by what it holds, and shown the next time."""
    publish(tenant, root)
    back_up(edge, later(1), running_cfg="hostname moved\n")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(published, "show", crash)
        publish(tenant, root)
    assert (root / tenant.name / "edge1" / "running.cfg").read_text() == "hostname edge1\n"

    told = publish(tenant, root)
    assert told and told.written == 0
    assert (root / tenant.name / "edge1" / "running.cfg").read_text() == "hostname moved\n"


def test_a_renamed_tenant_is_shown_by_its_new_name_alone(tenant: Tenant, edge: Device, root: Path) -> None:
    """An old name would show an old state for ever."""
    publish(tenant, root)
    Tenant.objects.filter(pk=tenant.pk).update(name="renamed")
    tenant.refresh_from_db()

    publish(tenant, root)

    assert sorted(path.name for path in root.iterdir()) == [".trees", "renamed"]


def test_damage_leaves_the_old_state_and_raises_an_alarm(tenant: Tenant, edge: Device, root: Path) -> None:
    """Half a network looks like a network to the program that reads it."""
    publish(tenant, root)
    Repository.objects.filter(tenant=tenant).update(head=hashlib.sha1(b"gone", usedforsecurity=False).hexdigest())

    with pytest.raises(StoreDamaged):
        publish(tenant, root)
    publish_or_tell(tenant, root)

    assert (root / tenant.name / "edge1" / "running.cfg").read_text() == "hostname edge1\n"
    assert Notice.objects.open_alarms().filter(code="published.failed").exists()


def test_a_run_brings_the_tree_up_to_date(
    tenant: Tenant, edge: Device, root: Path, settings: LazySettings, django_capture_on_commit_callbacks: object
) -> None:
    """Nobody has to remember it; and an alarm of before is closed."""
    settings.NETCAIRN_PUBLISHED_ROOT = str(root)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        publish_run(make_run([edge]))

    assert (root / tenant.name / "edge1" / "running.cfg").exists()
    assert not Notice.objects.open_alarms().exists()
