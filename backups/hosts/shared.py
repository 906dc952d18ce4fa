"""Whether the directory of the repositories is the one that the other hosts have: a file of each lies in it.

A share that is not mounted looks like an empty directory, and every tenant's record would be called lost.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from backups.hosts.beats import HostRefused
from backups.hosts.models import SILENT_AFTER, Host
from backups.models import Repository
from backups.store import layout
from backups.store.creation import sync

HOSTS = ".hosts"
MANY = 50  # repositories that are looked for


def check(host: Host, now: datetime) -> None:
    """Put this host's file there, and find those of the others. Raises HostRefused."""
    if getattr(settings, "NETCAIRN_OBJECT_STORE_MODE", "") == "home":
        return  # each host has a cache of its own
    root = Path(settings.NETCAIRN_STORE_ROOT)
    if Host.objects.exclude(pk=host.pk).exists():  # on one machine alone a lost store is not for us to judge
        refuse_empty(root)
    try:
        try_out(root)
        leave_token(root, host)
    except OSError as exc:
        raise HostRefused(
            f"The store {root} cannot be used by this host ({exc.strerror}): mend that, or set NETCAIRN_STORE_ROOT."
        ) from exc
    alive = Host.objects.filter(heartbeat_at__gte=now - SILENT_AFTER, stopped_at=None, refused="").exclude(pk=host.pk)
    for other in alive:
        if not found(root, other):
            raise HostRefused(
                f"The store {root} is not the one that host {other} works on: mount the same file system on both, or "
                "keep the repositories in an object store. `hosts forget` takes a host away that is gone."
            )


def refuse_empty(root: Path) -> None:
    """Raise HostRefused where none of the tenants' repositories is there."""
    kept = Repository.objects.exclude(head=None).values_list("pk", flat=True)[:MANY]
    tenants = list(kept)
    if tenants and not any(layout.repository_path(root, tenant).exists() for tenant in tenants):
        raise HostRefused(
            f"None of the tenants' repositories is in the store {root}: is it mounted? Other hosts have them "
            "elsewhere, or they are lost (`fsck` tells)."
        )


def try_out(root: Path) -> None:
    """Do once what the store relies on: make a file that nobody else has, put it into place, make that durable."""
    place = root / HOSTS
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    one, other = place / f".{uuid4()}", place / f".{uuid4()}"
    try:
        for path in (one, other):
            write(path, "tried out\n", os.O_EXCL)
        one.replace(other)
        sync(place)
    finally:
        one.unlink(missing_ok=True)
        other.unlink(missing_ok=True)


def leave_token(root: Path, host: Host) -> None:
    """Where the other hosts look for it."""
    path = token_path(root, host)
    beside = path.with_name(f".{uuid4()}")
    write(beside, f"{host.token}\n", os.O_EXCL)
    beside.replace(path)
    sync(path.parent)


def found(root: Path, host: Host) -> bool:
    """Whether what a host has left is here."""
    try:
        return token_path(root, host).read_text().strip() == str(host.token)
    except OSError:
        return False


def token_path(root: Path, host: Host) -> Path:
    """Named by the row, whose id nobody types."""
    return root / HOSTS / str(host.pk)


def write(path: Path, text: str, flags: int) -> None:
    """Durably."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
