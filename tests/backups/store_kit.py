"""What the tests of the store share: a look from outside with git itself, and the shortest way to keep something."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from backups import quota
from backups.commit import KeepResult, Kept, keep
from backups.models import Repository, Snapshot, StoredFile
from backups.store.git import Git
from backups.store.housekeeping import join, take_place
from backups.store.workshop import Workshop
from inventory.models import Device, Tenant

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIG = b"hostname edge1\nend\n"


def git(path: Path, *arguments: str) -> str:
    """What a git that knows nothing of us says about a repository."""
    done = subprocess.run(["git", "-C", path, *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def repository(tenant: Tenant) -> Path:
    """The tenant's repository."""
    return Path(settings.NETCAIRN_STORE_ROOT) / f"{tenant.pk}.git"


def kept(device: Device, content: bytes = CONFIG, **files: bytes) -> Kept:
    """A capture of a device."""
    return Kept(device, {"running.cfg": content, **files}, "d" * 64, NOON)


def back_up(
    *captures: Kept, message: str = "Back up", author: str = "alice", also: Callable[[dict], None] = lambda _: None
) -> KeepResult:
    """Keep captures of one tenant's devices."""
    tenant_id = captures[0].device.tenant_id
    return keep(tenant_id, captures, author=author, message=message, run_id=None, now=NOON, also=also)


def keep_house(git: Git) -> None:
    """Put all in order at once, as housekeeping does in two steps; nobody else may write."""
    with Workshop.beside(git) as workshop:
        take_place(workshop, join(workshop))


def files_of(path: Path, commit: str = "main") -> dict[str, bytes]:
    """Every file of a commit, by path."""
    names = git(path, "ls-tree", "-r", "--name-only", commit).splitlines()
    return {
        name: subprocess.run(["git", "-C", path, "show", f"{commit}:{name}"], capture_output=True, check=True).stdout
        for name in names
    }


def refs_of(path: Path) -> dict[str, str]:
    """Every ref with what it names."""
    lines = git(path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def assert_sound(tenant: Tenant) -> None:
    """Git is whole, and git and the database say the same."""
    path, row = repository(tenant), Repository.objects.get(pk=tenant.pk)
    git(path, "fsck", "--full", "--strict")
    assert refs_of(path).get("refs/heads/main") == row.head
    assert not [ref for ref in refs_of(path) if ref.startswith("refs/txn/")]
    for snapshot in Snapshot.objects.filter(tenant=tenant):
        there = git(
            path, "ls-tree", "-r", snapshot.commit, f"devices/{snapshot.device_id.hex[:2]}/{snapshot.device_id}"
        )
        blobs = {line.rpartition("/")[2]: line.split()[2] for line in there.splitlines()}
        assert blobs == {name: file["blob"] for name, file in snapshot.files.items()}
    assert_counted(tenant)


def assert_counted(tenant: Tenant) -> None:
    """The counter of the quota, its rows and a recount from git alone say the same (E12, E13)."""
    charged = dict(StoredFile.objects.filter(tenant=tenant).values_list("blob", "size"))
    assert charged == quota.stored_files(tenant.pk)
    assert quota.usage_of(tenant.pk).used == sum(charged.values())


def assert_it_goes_on(device: Device) -> None:
    """After a failure beside its one version: nothing was lost, and the next version is kept."""
    assert Repository.objects.get().seq == 1
    assert_sound(device.tenant)
    back_up(kept(device, b"2\n"))
    assert_sound(device.tenant)
