"""A secret vanishes from the object store, too."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from backups.remote import jobs
from backups.remote.bringing import bring
from backups.remote.current import bring_up_to_date
from backups.store.reader import TenantStore, open_store
from checkpoints.purging import purge_secret
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import back_up, later

SECRET = "hunter2-geheim"


@pytest.mark.parametrize("mode", ["copy", pytest.param("home", marks=pytest.mark.long)])
def test_what_is_purged_leaves_the_object_store(
    tenant: Tenant, edge: Device, settings: Any, tmp_path: Path, mode: str
) -> None:
    """A copy with the secret in it makes the purge a lie; so does a host whose cache is older than the purge."""
    (tmp_path / "remote").mkdir()
    settings.NETCAIRN_OBJECT_STORE = f"file://{tmp_path / 'remote'}"
    settings.NETCAIRN_OBJECT_STORE_MODE = mode
    settings.NETCAIRN_STORE_READY = "backups.remote.home.ready" if mode == "home" else None
    here = settings.NETCAIRN_STORE_ROOT
    back_up(edge, running_cfg=f"hostname edge1\nkey {SECRET}\n")
    bring_up_to_date(tenant.pk)
    if mode == "home":
        settings.NETCAIRN_STORE_ROOT = tmp_path / "elsewhere"
        open_store(tenant.pk)
    old = {path.name for path in (tmp_path / "remote").rglob("packs/*")}

    purge_secret(tenant, SECRET, reason="it leaked", by="anna", now=later(1))
    jobs.turn()
    if mode == "home":
        settings.NETCAIRN_STORE_ROOT = here
        back_up(edge, running_cfg="hostname edge2\n")
        assert SECRET.encode() not in everything(open_store(tenant.pk))

    assert not old & {path.name for path in (tmp_path / "remote").rglob("packs/*")}
    bring(tenant.pk, tmp_path / "back.git")
    assert SECRET.encode() not in everything(TenantStore(tmp_path / "back.git"))


def everything(store: TenantStore) -> bytes:
    """The content of every object there is."""
    command = ["git", f"--git-dir={store.path}", "cat-file", "--batch-all-objects", "--batch"]
    return subprocess.run(command, capture_output=True, check=True).stdout
