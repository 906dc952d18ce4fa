"""A git that is not there, or does not answer."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings

from backups.commit import writing
from backups.errors import GitMissing, GitTooSlow
from backups.store.git import Answer, Process
from inventory.models import Device
from tests.backups.store_kit import NOON, assert_it_goes_on, back_up, kept
from tests.factories import make_device, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(db: None, settings: LazySettings, tmp_path: Path) -> Device:
    """A device with one version."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    device = make_device(make_tenant())
    back_up(kept(device, b"1\n"))
    return device


def test_a_git_that_is_gone_is_named_and_costs_nothing(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A23, C2: an upgrade of the system takes git away in the middle of the night, and brings it back."""
    for program in ("env", "setpriv"):
        if found := shutil.which(program):
            (tmp_path / program).symlink_to(found)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))

        with pytest.raises(GitMissing, match="install git"):
            back_up(kept(device, b"2\n"))

    assert_it_goes_on(device)


def test_a_git_that_hangs_is_stopped_and_costs_nothing(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A23, C1: a disk that does not answer must not hold a tenant's lock until somebody restarts the machine."""
    with monkeypatch.context() as patched:
        make_hang("diff-tree", tmp_path, patched)

        with pytest.raises(GitTooSlow, match=r"git diff-tree .* was stopped"):
            back_up(kept(device, b"2\n"))

    assert_it_goes_on(device)


def test_a_git_that_hangs_over_a_checkpoint_is_stopped_and_costs_nothing(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A23, C1: checkpoints are written by another program of git than versions are."""
    with monkeypatch.context() as patched:
        make_hang("fast-import", tmp_path, patched)

        with pytest.raises(GitTooSlow, match=r"git fast-import .* was stopped"), writing(device.tenant_id) as batch:
            batch.pin(uuid4(), tree_of=str(batch.head), folders=None, message="m", author="a", when=NOON)

    assert_it_goes_on(device)


def make_hang(subcommand: str, place: Path, patched: pytest.MonkeyPatch) -> None:
    """Put a git on PATH that never answers to one subcommand; and wait for that one a moment only."""
    (place / "git").write_text(
        f'#!/bin/sh\ncase " $* " in *" {subcommand} "*) exec sleep 600 ;; esac\nexec {shutil.which("git")} "$@"\n'
    )
    (place / "git").chmod(0o755)
    patched.setenv("PATH", str(place), prepend=":")
    patched.setattr("backups.store.patches.NUMSTAT_SECONDS", 0.1)
    patient = Process.finish

    def impatient(self: Process, seconds: float, expect: tuple[int, ...]) -> Answer:
        return patient(self, 0.1 if self.name == subcommand else seconds, expect)

    patched.setattr(Process, "finish", impatient)
