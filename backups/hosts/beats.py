"""A host says that it is there; and is asked to take no new work, and to take some again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from backups.errors import BackupError
from backups.hosts.models import Host
from backups.hosts.queues import here
from inventory.audit import record

EVERY = timedelta(seconds=10)  # as often a host is heard of
LOOK_EVERY = 3.0  # seconds until a process asks anew whether its host takes work

_looked: dict[tuple[str, str], tuple[float, bool]] = {}


class HostRefused(BackupError):
    """This host may not work as it is."""

    cause = "host-refused"


def this_host() -> str:
    """What this machine is called, unless NETCAIRN_HOST says otherwise."""
    return settings.NETCAIRN_HOST


def arrive(*, version: str, workers: int, now: datetime) -> Host:
    """The row of this host, as of one that has just been started. Draining outlives a start."""
    said = {"version": version, "workers": workers, "started_at": now, "heartbeat_at": now, "stopped_at": None}
    said |= {"refused": "", "token": uuid4()}
    row, _ = Host.objects.update_or_create(name=this_host(), queue=here(), defaults=said)
    return row


def beat(now: datetime) -> None:
    """Still there."""
    Host.objects.filter(name=this_host(), queue=here()).update(heartbeat_at=now, stopped_at=None)


def leave(now: datetime) -> None:
    """Stopped in order: nobody has to worry."""
    Host.objects.filter(name=this_host(), queue=here()).update(stopped_at=now)


def refuse(error: HostRefused, *, version: str, workers: int, now: datetime) -> None:
    """Let the dashboard say as well why this host may not work."""
    said = {"version": version, "workers": workers, "heartbeat_at": now, "stopped_at": None, "refused": str(error)}
    Host.objects.update_or_create(name=this_host(), queue=here(), defaults=said)


def takes_work() -> bool:
    """Whether this host may begin something; asked of the database every few seconds, by any process of it."""
    me = (this_host(), here())
    asked, answer = _looked.get(me, (-LOOK_EVERY, True))
    if monotonic() - asked < LOOK_EVERY:
        return answer
    rests = Host.objects.filter(name=me[0], queue=me[1]).exclude(draining_at=None, refused="")
    answer = not rests.exists()
    _looked[me] = (monotonic(), answer)
    return answer


def workers_of(queue: str, now: datetime) -> int:
    """How many workers take work for a queue."""
    return Host.objects.taking(now).filter(queue=queue).aggregate(all=Sum("workers", default=0))["all"]


def drain(hosts: Sequence[Host], *, by: str) -> int:
    """Have hosts finish what they do, and begin nothing; how many did not already."""
    return sum(set_draining(host, timezone.now(), by=by) for host in hosts)


def resume(hosts: Sequence[Host], *, by: str) -> int:
    """Have hosts take work again; how many had been draining."""
    return sum(set_draining(host, None, by=by) for host in hosts)


def set_draining(host: Host, at: datetime | None, *, by: str) -> bool:
    """Whether this changed anything."""
    with transaction.atomic():
        row = Host.objects.filter(pk=host.pk, draining_at__isnull=at is not None)
        changed = row.update(draining_at=at, draining_by=by if at else "")
        if changed:
            record(None, by=by, action="host.drained" if at else "host.resumed", about=str(host))
    return bool(changed)


def forget(host: Host, *, by: str) -> None:
    """Take the row of a host away that will not come back."""
    with transaction.atomic():
        Host.objects.filter(pk=host.pk).delete()
        record(None, by=by, action="host.forgotten", about=str(host))
