"""`remote`: what the object store has, said to an operator."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from backups.remote import manifest as documents
from backups.remote.lag import lags
from backups.remote.objects import Objects
from backups.remote.publishing import latest
from inventory.commands import WrongUse
from inventory.models import Device, Tenant
from tests.backups.store_kit import back_up, kept


def said(*arguments: str) -> list[dict[str, Any]]:
    """The command's JSON."""
    out = StringIO()
    call_command("remote", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["tenants"]


def test_it_publishes_reads_and_says_what_is_there(device: Device, objects: Objects) -> None:
    """Before one has to rely on it."""
    back_up(kept(device))
    assert said("status")[0]["batch"] is None

    (row,) = said("publish")

    assert (row["manifest"], row["batch"], row["packs"]) == (1, 1, 1)
    assert said("check", "--tenant", device.tenant.name) == [row]
    assert said("sweep") == [{"tenant": "acme", "objects": 0, "bytes": 0}]


def test_it_names_what_is_damaged_there(device: Device, objects: Objects, capsys: Any) -> None:
    """A copy that nobody reads is a hope."""
    back_up(kept(device))
    call_command("remote", "publish", stdout=StringIO())
    last = latest(objects, device.tenant_id)
    assert last
    name = documents.pack_object(device.tenant_id, last.manifest.packs[0].sha256)
    objects.delete([name])
    objects.put_new(name, b"something else")

    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("remote", "check", stdout=out)

    assert "not what it was" in out.getvalue()


def test_without_an_object_store_it_says_what_to_set(db: None) -> None:
    """In place of an empty table."""
    with pytest.raises(WrongUse, match="NETCAIRN_OBJECT_STORE"):
        call_command("remote", "status")


def test_the_dashboard_is_told_who_is_behind(device: Device, objects: Objects) -> None:
    """A lag that nobody sees grows."""
    back_up(kept(device))
    assert [lag.tenant for lag in lags([device.tenant], 8) or []] == [device.tenant]

    call_command("remote", "publish", stdout=StringIO())
    from backups.remote import jobs

    jobs.turn()

    assert lags(Tenant.objects.all(), 8) == []
