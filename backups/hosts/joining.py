"""What has to be the same on all hosts before one of them may work: the program, the key, the repositories.

A worker of another version would write rows that the others misread; one with another key would throw away the tasks
of the others, whose signatures it cannot check; one with another store would call every repository lost.
"""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from backups.hosts import beats, shared
from backups.hosts.beats import HostRefused
from backups.hosts.models import Host, Installation

CODE = ("config", "inventory", "backups", "checkpoints")


@cache
def version() -> str:
    """The version of the code that this process has started from: its number, and a digest over all of it."""
    root = Path(settings.BASE_DIR)
    number = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    digest = hashlib.sha256()
    for path in sorted(path for app in CODE for path in (root / app).rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return f"{number}+{digest.hexdigest()[:10]}"


def key() -> str:
    """Tells two keys apart without telling either."""
    return hmac.new(settings.SECRET_KEY.encode(), b"netcairn: which key is it", hashlib.sha256).hexdigest()


def prepared() -> None:
    """Note that this version has prepared the database: hosts of any other may not work from now on.

    Raises HostRefused where the database is of a later version already.
    """
    refuse_older()
    Installation.objects.update_or_create(
        pk=1, defaults={"version": version(), "key": key(), "prepared_at": timezone.now()}
    )


def join(*, workers: int, now: datetime) -> Host:
    """Take this host in. Raises HostRefused; the dashboard says it as well."""
    try:
        refuse_older()
        refuse_different()
        host = beats.arrive(version=version(), workers=workers, now=now)
        shared.check(host, now)
    except HostRefused as error:
        beats.refuse(error, version=version(), workers=workers, now=now)
        raise
    return host


def stay(now: datetime) -> None:
    """Beat, and see that nothing has changed. Raises HostRefused."""
    try:
        refuse_different()
    except HostRefused as error:
        beats.refuse(error, version=version(), workers=0, now=now)
        raise
    beats.beat(now)


def refuse_different() -> None:
    """Compare with what the database was prepared by; who comes first sets it. Raises HostRefused."""
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"version": version(), "key": key()})
    if row.version != version():
        raise HostRefused(
            f"This host runs Netcairn {version()}, and the database was prepared by {row.version}: bring all hosts to "
            "one version, then run `prepare` on one of them."
        )
    if row.key != key():
        raise HostRefused(
            "This host has another NETCAIRN_SECRET_KEY than the others, and could not read the queue: give all hosts "
            "the same. Where it was changed on purpose, run `prepare`."
        )


def refuse_older() -> None:
    """Raise HostRefused where a later version has changed the tables in a way that this one does not know."""
    loader = MigrationLoader(connection)
    unknown = [name for app, name in loader.applied_migrations if app in CODE and (app, name) not in loader.graph.nodes]
    if unknown:
        raise HostRefused(
            f"The database was prepared by a later version of Netcairn than this one, {version()} (it has the "
            f"migration {unknown[0]}): update this host."
        )
