"""Deleting a tenant: asked for and undone here; carried out when its time has come (`backups/erasing.py`).

Until then nothing goes but work: none of its devices is collected any more, and everything can be looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from inventory import audit
from inventory.errors import Invalid
from inventory.models import Tenant
from inventory.notices import Level, settle, tell

LEAVING = "tenant.leaving"  # the code of the alarm
LEFT_BEHIND = (
    "What others have: clones, mirrors, exports and downloads.",
    "Dumps of the database and copies of the store that you made, and older versions that a bucket keeps by itself.",
    "The audit log: who did what, without a word of a configuration.",
    "The accounts of its people, who may belong to others.",
)


def waiting_time() -> timedelta:
    """How long a deletion can be undone."""
    return timedelta(days=settings.NETCAIRN_DELETE_DAYS)


def ask(tenant: Tenant, *, by: str, now: datetime) -> datetime:
    """Have the tenant deleted for good after the waiting time; when that is. Raises Invalid where it is asked already.

    From now on nothing of it is collected.
    """
    due = now + waiting_time()
    with transaction.atomic():
        if not Tenant.objects.filter(pk=tenant.pk, ends_at=None).update(ends_at=due):
            raise Invalid(f"The deletion of {tenant} is asked for already.")
        text = (
            f"{by} has asked for its deletion. It is deleted for good, with its keys, on {due:%Y-%m-%d at %H:%M} UTC; "
            f"until then `tenant undelete {tenant}`, or the button on its page, undoes it."
        )
        tell(tenant, code=LEAVING, about=f"tenant {tenant}", text=text, level=Level.ALARM)
        audit.record(tenant, by=by, action="tenant.deletion_asked", about=tenant.name, detail={"due": due.isoformat()})
    tenant.ends_at = due
    return due


def undo(tenant: Tenant, *, by: str) -> None:
    """Keep the tenant after all. Raises Invalid where nobody has asked for its deletion."""
    with transaction.atomic():
        if not Tenant.objects.filter(pk=tenant.pk, ends_at__isnull=False).update(ends_at=None):
            raise Invalid(f"Nobody has asked for the deletion of {tenant}, or it is done.")
        settle(tenant, code=LEAVING, about=f"tenant {tenant}", by=by)
        audit.record(tenant, by=by, action="tenant.deletion_undone", about=tenant.name)
    tenant.ends_at = None
