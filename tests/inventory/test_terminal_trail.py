"""What is done at a terminal stands in the audit log as what is done on a page does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from inventory.audit import AuditEntry
from tests.checkpoints.conftest import NOON, back_up
from tests.factories import make_credential, make_device, make_tenant

pytestmark = pytest.mark.django_db


def test_commands_leave_their_entries(tmp_path: Path, settings: Any, capsys: Any) -> None:
    """Imports, exports, schedules and keys: who has a shell is the one who is asked about most."""
    from checkpoints.services import create_checkpoint

    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    tenant = make_tenant("acme")
    make_credential(tenant)
    back_up(make_device(tenant), running_cfg="hostname edge1\n")
    made = create_checkpoint(tenant, message="now", author="anna", now=NOON)
    (tmp_path / "devices.csv").write_text("name,address,port,platform,credential\nedge2,192.0.2.2,22,cisco_ios,lab\n")
    before = AuditEntry.objects.count()

    call_command("devices", "import", str(tmp_path / "devices.csv"), "--tenant", "acme", "--dry-run")
    call_command("devices", "import", str(tmp_path / "devices.csv"), "--tenant", "acme")
    call_command("jump_host", "add", "gate", "--tenant", "acme", "--address", "192.0.2.9", "--credential", "lab")
    call_command("schedule", "add", "nightly", "--tenant", "acme", "--cron", "0 2 * * *")
    call_command("schedule", "disable", "nightly", "--tenant", "acme")
    call_command("schedule", "remove", "nightly", "--tenant", "acme")
    call_command("checkpoint", "export", str(made.pk), str(tmp_path / "out"))
    call_command("gc", "--tenant", "acme")
    call_command("rotate_secrets")
    call_command("audit", "export", "--tenant", "acme")

    left = AuditEntry.objects.order_by("id").values_list("action", flat=True)[before:]
    assert list(left) == [
        "device.imported",
        "jumphost.added",
        "schedule.added",
        "schedule.disabled",
        "schedule.deleted",
        "checkpoint.exported",
        "tenant.garbage_collected",
        "secrets.rotated",
        "audit.exported",
    ]
