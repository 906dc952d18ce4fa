"""The object store of the settings."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from backups.remote.directory import Directory
from backups.remote.errors import RemoteRefused
from backups.remote.objects import Objects

SCHEMES = ("s3", "gs", "az")
HERE = ("localhost", "127.0.0.1", "::1")


def is_set() -> bool:
    """Whether there is an object store."""
    return bool(settings.NETCAIRN_OBJECT_STORE)


def is_home() -> bool:
    """Whether it is the home of all repositories, and those of this host are caches."""
    return is_set() and settings.NETCAIRN_OBJECT_STORE_MODE == "home"


def is_copy() -> bool:
    """Whether it has a copy of each repository."""
    return is_set() and not is_home()


def keep_days() -> timedelta:
    """For how long manifests stay after the next one came."""
    return timedelta(days=settings.NETCAIRN_OBJECT_STORE_KEEP_DAYS)


def open_objects() -> Objects:
    """The object store, opened once in each process. Raises RemoteRefused where the settings mean none."""
    return opened(settings.NETCAIRN_OBJECT_STORE, settings.NETCAIRN_OBJECT_STORE_ENDPOINT, os.getpid())


@lru_cache(maxsize=4)
def opened(address: str, endpoint: str, _pid: int) -> Objects:
    """The object store of an address. Raises RemoteRefused."""
    parts = urlsplit(address)
    if parts.scheme == "file" and not parts.netloc:
        return Directory(Path(unquote(parts.path)))
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise RemoteRefused(
            f"NETCAIRN_OBJECT_STORE is {address!r}: it must be like s3://bucket/prefix, gs://bucket/prefix, "
            "az://account/container/prefix or file:///directory."
        )
    refuse_clear(endpoint)
    from backups.remote.bucket import Bucket  # it takes time, and most do without

    return Bucket(address, endpoint=endpoint)


def refuse_clear(endpoint: str) -> None:
    """Raise RemoteRefused for a server beyond this machine that is talked to in clear."""
    parts = urlsplit(endpoint)
    if endpoint and parts.scheme != "https" and parts.hostname not in HERE:
        raise RemoteRefused("NETCAIRN_OBJECT_STORE_ENDPOINT must begin with https://: configurations go over it.")
