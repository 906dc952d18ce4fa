"""Who may restore at all at the moment, and how: settings and a tenant's rules, read at the door."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from checkpoints.errors import RestoresStopped
from checkpoints.restore_models import RestoreRules
from inventory.models import Tenant

STOP_FILE = "no-restores"  # below NETCAIRN_VAR; works at once in every process of this machine, without a restart
MINUTES = range(2, 61)  # of a device's own timer; in its last half minute nothing is confirmed any more


def refuse_when_stopped() -> None:
    """Raise RestoresStopped while the kill switch is on."""
    if not settings.NETCAIRN_RESTORES:
        raise RestoresStopped("Restores to devices are switched off: NETCAIRN_RESTORES is 0.")
    stop = Path(settings.NETCAIRN_VAR) / STOP_FILE
    if stop.exists():
        raise RestoresStopped(f"Restores to devices are stopped: remove {stop} to allow them again.")


def set_four_eyes(tenant: Tenant, *, wanted: bool) -> None:
    """Whether whoever asks for a restore of this tenant's devices needs somebody else to approve it."""
    RestoreRules.objects.update_or_create(tenant=tenant, defaults={"four_eyes": wanted})


def needs_four_eyes(tenant: Tenant) -> bool:
    """Whether somebody else than who asked has to approve."""
    return RestoreRules.objects.filter(tenant=tenant, four_eyes=True).exists()
