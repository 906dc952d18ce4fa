"""Who may restore at all at the moment, and how: settings and a tenant's rules, read at the door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from backups.errors import BadSchedule
from backups.windows import inside, read_windows
from checkpoints.errors import OutsideWindow, RestoresStopped
from checkpoints.restore_models import Restore, RestoreRules
from inventory import audit
from inventory.models import Tenant

State = Restore.State

STOP_FILE = "no-restores"  # below NETCAIRN_VAR; works at once in every process of this machine, without a restart
MINUTES = range(2, 61)  # of a device's own timer; in its last half minute nothing is confirmed any more


def refuse_when_stopped() -> None:
    """Raise RestoresStopped while the kill switch is on."""
    if not settings.NETCAIRN_RESTORES:
        raise RestoresStopped("Restores to devices are switched off: NETCAIRN_RESTORES is 0.")
    stop = Path(settings.NETCAIRN_VAR) / STOP_FILE
    if stop.exists():
        raise RestoresStopped(f"Restores to devices are stopped: remove {stop} to allow them again.")


def refuse_outside_windows(tenant: Tenant, now: datetime) -> None:
    """Raise OutsideWindow where the tenant has maintenance windows and this moment is in none of them."""
    rules = RestoreRules.objects.filter(tenant=tenant).exclude(windows=[]).first()
    if rules and not inside(read_windows(rules.windows), ZoneInfo(rules.zone), now):
        raise OutsideWindow(
            f"Devices of {tenant} are changed only {'; '.join(rules.windows)} ({rules.zone}); nothing was sent."
        )


def set_rules(
    tenant: Tenant,
    *,
    by: str,
    four_eyes: bool | None = None,
    windows: Sequence[str] | None = None,
    zone: str | None = None,
) -> RestoreRules:
    """What a tenant wants of restores; None leaves a rule as it is. Raises BadSchedule.

    `four_eyes`: whoever asks needs somebody else to approve. `windows`: when anything may be sent at all.
    """
    wanted = {"four_eyes": four_eyes, "windows": None if windows is None else list(windows), "zone": zone}
    fields = {name: value for name, value in wanted.items() if value is not None}
    read_windows(windows or ())
    if zone is not None and zone not in available_timezones():
        raise BadSchedule(f"There is no time zone {zone!r}; write one such as Europe/Zurich.")
    with transaction.atomic():
        rules, _ = RestoreRules.objects.update_or_create(tenant=tenant, defaults=fields)
        audit.record(tenant, by=by, action="restore.rules_set", about=str(tenant), detail=fields)
    return rules


def rules_of(tenant: Tenant) -> RestoreRules:
    """The tenant's rules, or what holds without any."""
    return RestoreRules.objects.filter(tenant=tenant).first() or RestoreRules(tenant=tenant)


def held_devices(*, for_restores: bool) -> QuerySet[Restore, UUID]:
    """Devices that no backup may log in to now, because a restore is at them.

    While a restore backs its device up, runs that are asked for by restores may, itself among them.
    """
    held = [State.ARMED, State.PUSHING, State.VERIFYING]
    held += [] if for_restores else [State.PRE_BACKUP]
    return Restore.objects.filter(state__in=held).values_list("device_id", flat=True)


def needs_four_eyes(tenant: Tenant) -> bool:
    """Whether somebody else than who asked has to approve."""
    return RestoreRules.objects.filter(tenant=tenant, four_eyes=True).exists()
